#include "worker/media/srtp_text.h"

#include <string.h>

#include "common/base64.h"
#include "worker/media/fail.h"

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
