/* The transforms under SRTP with one set of session keys (RTP or RTCP, one direction): AES-GCM,
 * or AES-CTR with HMAC-SHA1. Two implementations: libipsec-mb where it is built in and the CPU has
 * AES, else OpenSSL's EVP. Internal to seal; allocates only in init. */
#ifndef WEIR_WORKER_ENGINE_SEAL_CIPHER_H
#define WEIR_WORKER_ENGINE_SEAL_CIPHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "worker/engine/seal_kdf.h"
#include "worker/engine/srtp_key.h"

enum {
    SEAL_GCM_TAG = 16,
    SEAL_GCM_IV = 12,
    SEAL_CTR_IV = 16,
    SEAL_SHA1 = 20,
    SEAL_KEY_BYTES = 1088 /* of an implementation's key: about what GCM reads of it */
};

struct seal_cipher;

/* One HMAC of a batch. */
struct seal_mac_job {
    struct seal_cipher *cipher;
    const uint8_t *data;
    size_t n;
    uint8_t tag[SEAL_SHA1]; /* out */
};

struct seal_impl {
    const char *name;
    enum err (*init)(struct seal_cipher *c, const uint8_t *key, size_t key_len,
                     const uint8_t *auth_key, bool encrypt);
    void (*fini)(struct seal_cipher *c);
    /* n bytes from `from` to p, which may be the same; the tag goes to tag. */
    void (*gcm_seal)(struct seal_cipher *c, const uint8_t *iv, const uint8_t *aad, size_t aad_len,
                     const uint8_t *from, uint8_t *p, size_t n, uint8_t *tag);
    /* In place; false when the tag does not match. */
    bool (*gcm_open)(struct seal_cipher *c, const uint8_t *iv, const uint8_t *aad, size_t aad_len,
                     uint8_t *p, size_t n, const uint8_t *tag);
    void (*ctr)(struct seal_cipher *c, const uint8_t *iv, uint8_t *p, size_t n);
    void (*mac)(struct seal_cipher *c, const uint8_t *data, size_t n, uint8_t *tag);
    void (*mac_many)(struct seal_mac_job *jobs, size_t n);
};

struct seal_cipher {
    const struct seal_impl *impl;
    bool gcm;
    uint8_t tag_len; /* what goes on the wire */
    uint8_t salt[SRTP_SALT_MAX];
    void *cipher; /* owned; the implementation's key */
    void *mac;    /* owned; of seal_sha1 */
};

/* Derives the session keys from the master key and sets the transform up. ERR_NOMEM, ERR_CRYPTO. */
MUST_CHECK enum err seal_cipher_init(struct seal_cipher *c, const struct srtp_key *master,
                                     bool rtcp, bool encrypt);
/* Wipes the keys. Zeroed memory is fine. */
void seal_cipher_fini(struct seal_cipher *c);

extern const struct seal_impl seal_impl_openssl;

/* The implementation that new ciphers get; NULL: the best one. ERR_UNSUPPORTED: not built in, or
 * not on this CPU. Existing ciphers keep theirs. */
MUST_CHECK enum err seal_select_impl(const char *name);
const struct seal_impl *seal_selected_impl(void);

/* NULL when not built in, or the CPU lacks AES. Allocates the manager once. */
const struct seal_impl *seal_ipsec_open(void);
/* After the last cipher. */
void seal_ipsec_close(void);

#endif
