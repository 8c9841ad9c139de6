/* OpenSSL has an ERR_STATE of its own. */
#define ERR_STATE openssl_ERR_STATE
#include <openssl/evp.h>
#include <openssl/hmac.h>
#undef ERR_STATE

#include "controller/storage/sigv4.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    DIGEST = 32,
    HEX = 2 * DIGEST + 1,
    SCOPE_MAX = 128,
    CANONICAL_MAX = 8192,
    DATE_LEN = 8 /* of a time's text */
};

void sigv4_time(int64_t unix_s, char out[SIGV4_TIME_LEN])
{
    time_t t = (time_t)unix_s;
    struct tm tm;
    if (!gmtime_r(&t, &tm) || strftime(out, SIGV4_TIME_LEN, "%Y%m%dT%H%M%SZ", &tm) == 0)
        snprintf(out, SIGV4_TIME_LEN, "19700101T000000Z");
}

enum err sigv4_encode(const char *text, bool path, char *out, size_t n)
{
    static const char hex[] = "0123456789ABCDEF";
    size_t at = 0;
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        bool plain = (*p >= 'A' && *p <= 'Z') || (*p >= 'a' && *p <= 'z') ||
                     (*p >= '0' && *p <= '9') || strchr("-._~", *p) || (path && *p == '/');
        if (at + (plain ? 1 : 3) >= n)
            return ERR_TOO_LARGE;
        if (plain) {
            out[at++] = (char)*p;
        } else {
            out[at++] = '%';
            out[at++] = hex[*p >> 4];
            out[at++] = hex[*p & 15];
        }
    }
    if (n == 0)
        return ERR_TOO_LARGE;
    out[at] = '\0';
    return OK;
}

static void to_hex(const unsigned char digest[DIGEST], char out[HEX])
{
    for (size_t i = 0; i < DIGEST; i++)
        snprintf(out + i * 2, 3, "%02x", digest[i]);
}

static bool hmac(const void *key, size_t n_key, const char *text, unsigned char out[DIGEST])
{
    unsigned n = 0;
    return HMAC(EVP_sha256(), key, (int)n_key, (const unsigned char *)text, strlen(text), out,
                &n) != NULL;
}

static void scope_of(const struct sigv4 *keys, const char *when, char out[SCOPE_MAX])
{
    snprintf(out, SCOPE_MAX, "%.*s/%.64s/s3/aws4_request", DATE_LEN, when, keys->region);
}

static enum err sign(const struct sigv4 *keys, const char *when, const char *canonical,
                     char signature[HEX])
{
    unsigned char k[DIGEST];
    unsigned char next[DIGEST];
    unsigned n = 0;
    char date[DATE_LEN + 1];
    char first[256];
    char scope[SCOPE_MAX];
    char hash[HEX];
    char text[512];
    if (strlen(keys->secret_key) > sizeof first - 5)
        return ERR_TOO_LARGE;
    snprintf(date, sizeof date, "%.*s", DATE_LEN, when);
    snprintf(first, sizeof first, "AWS4%s", keys->secret_key);
    scope_of(keys, when, scope);
    if (EVP_Digest(canonical, strlen(canonical), k, &n, EVP_sha256(), NULL) != 1)
        return ERR_CRYPTO;
    to_hex(k, hash);
    snprintf(text, sizeof text, "AWS4-HMAC-SHA256\n%.16s\n%s\n%s", when, scope, hash);
    bool ok = hmac(first, strlen(first), date, k) && hmac(k, DIGEST, keys->region, next) &&
              hmac(next, DIGEST, "s3", k) && hmac(k, DIGEST, "aws4_request", next) &&
              hmac(next, DIGEST, text, k);
    if (!ok)
        return ERR_CRYPTO;
    to_hex(k, signature);
    return OK;
}

enum err sigv4_authorization(const struct sigv4 *keys, const struct sigv4_request *r,
                             char out[SIGV4_AUTH_MAX])
{
    char canonical[CANONICAL_MAX];
    char scope[SCOPE_MAX];
    char signature[HEX];
    int n = snprintf(canonical, sizeof canonical,
                     "%s\n%s\n%s\nhost:%s\nx-amz-content-sha256:%s\nx-amz-date:%s\n\n"
                     "host;x-amz-content-sha256;x-amz-date\n%s",
                     r->method, r->path, r->query, r->host, r->payload, r->time, r->payload);
    if (n < 0 || n >= CANONICAL_MAX)
        return ERR_TOO_LARGE;
    enum err e = sign(keys, r->time, canonical, signature);
    if (e != OK)
        return e;
    scope_of(keys, r->time, scope);
    n = snprintf(out, SIGV4_AUTH_MAX,
                 "AWS4-HMAC-SHA256 Credential=%s/%s,"
                 "SignedHeaders=host;x-amz-content-sha256;x-amz-date,Signature=%s",
                 keys->access_key, scope, signature);
    return n < 0 || n >= SIGV4_AUTH_MAX ? ERR_TOO_LARGE : OK;
}

enum err sigv4_presign(const struct sigv4 *keys, const struct sigv4_request *r, unsigned expires_s,
                       char *out, size_t n)
{
    char canonical[CANONICAL_MAX];
    char scope[SCOPE_MAX];
    char credential[256 + SCOPE_MAX];
    char encoded[3 * sizeof credential];
    char signature[HEX];
    if (expires_s < 1 || expires_s > SIGV4_EXPIRES_MAX)
        return ERR_RANGE;
    if (strlen(keys->access_key) > 255)
        return ERR_TOO_LARGE;
    scope_of(keys, r->time, scope);
    snprintf(credential, sizeof credential, "%s/%s", keys->access_key, scope);
    enum err e = sigv4_encode(credential, false, encoded, sizeof encoded);
    if (e != OK)
        return e;
    int query = snprintf(out, n,
                         "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=%s&X-Amz-Date=%s"
                         "&X-Amz-Expires=%u&X-Amz-SignedHeaders=host%s%s",
                         encoded, r->time, expires_s, r->query[0] ? "&" : "", r->query);
    if (query < 0 || (size_t)query >= n)
        return ERR_TOO_LARGE;
    int len = snprintf(canonical, sizeof canonical, "%s\n%s\n%s\nhost:%s\n\nhost\n" SIGV4_UNSIGNED,
                       r->method, r->path, out, r->host);
    if (len < 0 || len >= CANONICAL_MAX)
        return ERR_TOO_LARGE;
    e = sign(keys, r->time, canonical, signature);
    if (e != OK)
        return e;
    len = snprintf(out + query, n - (size_t)query, "&X-Amz-Signature=%s", signature);
    return len < 0 || (size_t)len >= n - (size_t)query ? ERR_TOO_LARGE : OK;
}
