/* Tokens of log-ins: JSON Web Tokens (RFC 7519) signed by HMAC-SHA-256. Whether a session still is
 * there is not their business. Pure; the time is an argument. */
#ifndef WEIR_CONTROLLER_ACCOUNT_TOKEN_H
#define WEIR_CONTROLLER_ACCOUNT_TOKEN_H

#include <stdint.h>

#include "common/err.h"

enum { TOKEN_MAX = 1024, TOKEN_ID_LEN = 37 };

struct token {
    char session_id[TOKEN_ID_LEN]; /* jti */
    char user_id[TOKEN_ID_LEN];    /* sub */
    int64_t issued_s;              /* iat, s since 1970 */
    int64_t expires_s;             /* exp */
};

/* secret: a text. out: NUL-terminated. */
MUST_CHECK enum err token_make(const struct token *t, const char *secret, char out[TOKEN_MAX]);
/* ERR_AUTH: not made with this secret, expired, or no token at all. */
MUST_CHECK enum err token_read(const char *text, const char *secret, int64_t now_s,
                               struct token *out);

#endif
