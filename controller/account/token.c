#include "controller/account/token.h"

#include <jwt.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const char issuer[] = "weir";

enum err token_make(const struct token *t, const char *secret, char out[TOKEN_MAX])
{
    jwt_t *jwt = NULL;
    char *text = NULL;
    enum err e = ERR_NOMEM;
    if (jwt_new(&jwt) == 0 && jwt_add_grant(jwt, "iss", issuer) == 0 &&
        jwt_add_grant(jwt, "sub", t->user_id) == 0 &&
        jwt_add_grant(jwt, "jti", t->session_id) == 0 &&
        jwt_add_grant_int(jwt, "iat", (long)t->issued_s) == 0 &&
        jwt_add_grant_int(jwt, "exp", (long)t->expires_s) == 0 &&
        jwt_set_alg(jwt, JWT_ALG_HS256, (const unsigned char *)secret, (int)strlen(secret)) == 0)
        text = jwt_encode_str(jwt);
    if (text && strlen(text) < TOKEN_MAX) {
        memcpy(out, text, strlen(text) + 1);
        e = OK;
    }
    free(text);
    jwt_free(jwt);
    return e;
}

static bool take_id(jwt_t *jwt, const char *name, char out[TOKEN_ID_LEN])
{
    const char *id = jwt_get_grant(jwt, name);
    if (!id || strlen(id) != TOKEN_ID_LEN - 1)
        return false;
    memcpy(out, id, TOKEN_ID_LEN);
    return true;
}

static enum err take_claims(jwt_t *jwt, int64_t now_s, struct token *out)
{
    const char *iss = jwt_get_grant(jwt, "iss");
    out->issued_s = jwt_get_grant_int(jwt, "iat");
    out->expires_s = jwt_get_grant_int(jwt, "exp");
    if (!iss || strcmp(iss, issuer) != 0 || !take_id(jwt, "sub", out->user_id) ||
        !take_id(jwt, "jti", out->session_id) || out->expires_s <= now_s)
        return ERR_AUTH;
    return OK;
}

enum err token_read(const char *text, const char *secret, int64_t now_s, struct token *out)
{
    jwt_t *jwt = NULL;
    if (strlen(text) >= TOKEN_MAX ||
        jwt_decode(&jwt, text, (const unsigned char *)secret, (int)strlen(secret)) != 0)
        return ERR_AUTH;
    /* RFC 8725 3.1: only the algorithm that we sign with; the header may name any. */
    enum err e = jwt_get_alg(jwt) == JWT_ALG_HS256 ? take_claims(jwt, now_s, out) : ERR_AUTH;
    jwt_free(jwt);
    return e;
}
