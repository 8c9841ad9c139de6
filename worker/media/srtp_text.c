#include "worker/media/srtp_text.h"

#include <string.h>

#include "worker/media/fail.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

enum srtp_suite srtp_suite_of_param(enum param_srtp_suite suite)
{
    return srtp_suite_by_name(param_srtp_suite_names[suite]);
}

enum param_srtp_suite srtp_suite_to_param(enum srtp_suite suite)
{
    return (enum param_srtp_suite)choice_find(param_srtp_suite_names, srtp_suite_name(suite));
}

void srtp_key_make(struct srtp_key *key, enum srtp_suite suite, struct rng *rng)
{
    *key = (struct srtp_key){.suite = suite,
                             .key_len = (uint8_t)srtp_suite_key_len(suite),
                             .salt_len = (uint8_t)srtp_suite_salt_len(suite)};
    rng_bytes(rng, key->key, key->key_len);
    rng_bytes(rng, key->salt, key->salt_len);
}

/* RFC 4648 4. Returns the bytes written, or SIZE_MAX: not base64, or more than cap. */
static size_t base64_read(const char *text, uint8_t *out, size_t cap)
{
    size_t n = 0;
    size_t len = strlen(text);
    uint32_t bits = 0;
    unsigned have = 0;
    while (len > 0 && text[len - 1] == '=')
        len--;
    for (size_t i = 0; i < len; i++) {
        const char *at = memchr(alphabet, text[i], 64);
        if (!at)
            return SIZE_MAX;
        bits = bits << 6 | (uint32_t)(at - alphabet);
        have += 6;
        if (have < 8)
            continue;
        have -= 8;
        if (n == cap)
            return SIZE_MAX;
        out[n++] = (uint8_t)(bits >> have);
    }
    return n;
}

static void base64_write(const uint8_t *in, size_t n, char *out)
{
    for (size_t i = 0; i < n; i += 3) {
        uint32_t v = (uint32_t)in[i] << 16;
        if (i + 1 < n)
            v |= (uint32_t)in[i + 1] << 8;
        if (i + 2 < n)
            v |= in[i + 2];
        *out++ = alphabet[v >> 18];
        *out++ = alphabet[v >> 12 & 63];
        *out++ = i + 1 < n ? alphabet[v >> 6 & 63] : '=';
        *out++ = i + 2 < n ? alphabet[v & 63] : '=';
    }
    *out = '\0';
}

enum err srtp_key_read(struct srtp_key *key, const struct srtp_parameters *p, struct field_error *f)
{
    uint8_t bytes[SRTP_KEY_MAX + SRTP_SALT_MAX];
    enum srtp_suite suite = srtp_suite_of_param((enum param_srtp_suite)p->crypto_suite);
    size_t key_len = srtp_suite_key_len(suite);
    size_t salt_len = srtp_suite_salt_len(suite);
    if (base64_read(p->key_base64, bytes, sizeof bytes) != key_len + salt_len)
        return fail(f, ERR_TYPE, "srtpParameters.keyBase64", "not base64 of %zu bytes",
                    key_len + salt_len);
    *key = (struct srtp_key){
        .suite = suite, .key_len = (uint8_t)key_len, .salt_len = (uint8_t)salt_len};
    memcpy(key->key, bytes, key_len);
    memcpy(key->salt, bytes + key_len, salt_len);
    return OK;
}

void srtp_key_write(const struct srtp_key *key, char text[SRTP_BASE64_MAX],
                    struct srtp_parameters *out)
{
    uint8_t bytes[SRTP_KEY_MAX + SRTP_SALT_MAX];
    memcpy(bytes, key->key, key->key_len);
    memcpy(bytes + key->key_len, key->salt, key->salt_len);
    base64_write(bytes, (size_t)key->key_len + key->salt_len, text);
    *out = (struct srtp_parameters){.crypto_suite = (int)srtp_suite_to_param(key->suite),
                                    .has_crypto_suite = true,
                                    .key_base64 = text};
}
