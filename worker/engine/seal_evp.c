/* The transforms by OpenSSL's EVP, with contexts that are made once and reused. */
#include <assert.h>

#include "worker/engine/ossl.h"
#include "worker/engine/seal_cipher.h"
#include "worker/engine/seal_sha1.h"

static const EVP_CIPHER *evp_cipher(const struct seal_cipher *c, size_t key_len)
{
    if (c->gcm)
        return key_len == 32 ? EVP_aes_256_gcm() : EVP_aes_128_gcm();
    return EVP_aes_128_ctr();
}

static enum err evp_init(struct seal_cipher *c, const uint8_t *key, size_t key_len,
                         const uint8_t *auth_key, bool encrypt)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    c->cipher = ctx;
    if (!ctx)
        return ERR_NOMEM;
    if (EVP_CipherInit_ex(ctx, evp_cipher(c, key_len), NULL, key, NULL, encrypt) != 1)
        return ERR_CRYPTO;
    return c->gcm ? OK : seal_sha1_open(&c->mac, auth_key);
}

static void evp_fini(struct seal_cipher *c)
{
    EVP_CIPHER_CTX_free(c->cipher);
    seal_sha1_close(c->mac);
}

static void evp_gcm_seal(struct seal_cipher *c, const uint8_t *iv, const uint8_t *aad,
                         size_t aad_len, const uint8_t *from, uint8_t *p, size_t n, uint8_t *tag)
{
    int len;
    int ok = EVP_EncryptInit_ex(c->cipher, NULL, NULL, NULL, iv) == 1 &&
             EVP_EncryptUpdate(c->cipher, NULL, &len, aad, (int)aad_len) == 1 &&
             (n == 0 || EVP_EncryptUpdate(c->cipher, p, &len, from, (int)n) == 1) &&
             EVP_EncryptFinal_ex(c->cipher, p + n, &len) == 1 &&
             EVP_CIPHER_CTX_ctrl(c->cipher, EVP_CTRL_AEAD_GET_TAG, SEAL_GCM_TAG, tag) == 1;
    assert(ok);
}

static bool evp_gcm_open(struct seal_cipher *c, const uint8_t *iv, const uint8_t *aad,
                         size_t aad_len, uint8_t *p, size_t n, const uint8_t *tag)
{
    int len;
    uint8_t expected[SEAL_GCM_TAG]; /* EVP wants it writable */
    for (size_t i = 0; i < sizeof expected; i++)
        expected[i] = tag[i];
    return EVP_DecryptInit_ex(c->cipher, NULL, NULL, NULL, iv) == 1 &&
           EVP_CIPHER_CTX_ctrl(c->cipher, EVP_CTRL_AEAD_SET_TAG, SEAL_GCM_TAG, expected) == 1 &&
           EVP_DecryptUpdate(c->cipher, NULL, &len, aad, (int)aad_len) == 1 &&
           (n == 0 || EVP_DecryptUpdate(c->cipher, p, &len, p, (int)n) == 1) &&
           EVP_DecryptFinal_ex(c->cipher, p + n, &len) == 1;
}

static void evp_ctr(struct seal_cipher *c, const uint8_t *iv, uint8_t *p, size_t n)
{
    int len;
    int ok = EVP_CipherInit_ex(c->cipher, NULL, NULL, NULL, iv, -1) == 1 &&
             (n == 0 || EVP_CipherUpdate(c->cipher, p, &len, p, (int)n) == 1);
    assert(ok);
}

static void evp_mac_many(struct seal_mac_job *jobs, size_t n)
{
    for (size_t i = 0; i < n; i++)
        seal_sha1_mac(jobs[i].cipher, jobs[i].data, jobs[i].n, jobs[i].tag);
}

const struct seal_impl seal_impl_openssl = {
    .name = "openssl",
    .init = evp_init,
    .fini = evp_fini,
    .gcm_seal = evp_gcm_seal,
    .gcm_open = evp_gcm_open,
    .ctr = evp_ctr,
    .mac = seal_sha1_mac,
    .mac_many = evp_mac_many,
};
