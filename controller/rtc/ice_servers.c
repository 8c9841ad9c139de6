#include "controller/rtc/ice_servers.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum {
    NAME_MAX_BYTES = 160,
    SHA1_BYTES = 20,
    /* EVP_EncodeBlock: four characters for three bytes, and a NUL. */
    SHA1_BASE64 = (SHA1_BYTES + 2) / 3 * 4 + 1
};

static bool is_set(const char *s)
{
    return s && s[0] != '\0';
}

static json_t *list(const char *const *urls, size_t n)
{
    json_t *array = json_array();
    for (size_t i = 0; i < n; i++) {
        if (json_array_append_new(array, json_string(urls[i])) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

/* The user name is when it expires and who it is for; the password is the user name's HMAC-SHA1
 * under the secret, in base64. */
static json_t *expiring(const struct ice_servers_config *c, const char *name, int64_t now_s)
{
    char user[NAME_MAX_BYTES];
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned char password[SHA1_BASE64];
    unsigned n = 0;
    snprintf(user, sizeof user, "%" PRId64 ":%s", now_s + c->turn_ttl_s, name);
    if (!HMAC(EVP_sha1(), c->turn_secret, (int)strlen(c->turn_secret), (const unsigned char *)user,
              strlen(user), mac, &n))
        return NULL;
    EVP_EncodeBlock(password, mac, (int)n);
    return json_pack("{s:o,s:s,s:s}", "urls", list(c->turn_urls, c->n_turn_urls), "username", user,
                     "credential", (const char *)password);
}

static json_t *turn(const struct ice_servers_config *c, const char *name, int64_t now_s)
{
    if (is_set(c->turn_secret))
        return expiring(c, name, now_s);
    return json_pack("{s:o,s:s,s:s}", "urls", list(c->turn_urls, c->n_turn_urls), "username",
                     is_set(c->turn_username) ? c->turn_username : "", "credential",
                     is_set(c->turn_password) ? c->turn_password : "");
}

json_t *ice_servers(const struct ice_servers_config *c, const char *name, int64_t now_s)
{
    json_t *all = json_array();
    int failed = !all;
    if (c->n_stun_urls > 0)
        failed |= json_array_append_new(
            all, json_pack("{s:o}", "urls", list(c->stun_urls, c->n_stun_urls)));
    if (c->n_turn_urls > 0)
        failed |= json_array_append_new(all, turn(c, name, now_s));
    if (failed) {
        json_decref(all);
        return NULL;
    }
    return all;
}
