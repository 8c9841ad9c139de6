/* The transforms by libipsec-mb (one manager, one thread). AES-GCM and AES-CTR by its direct
 * calls; HMAC-SHA1 by its burst call when there are enough packets to fill its lanes. */
#include "worker/engine/seal_cipher.h"

#include <stdlib.h>

#if __has_include(<intel-ipsec-mb.h>)

#define NO_COMPAT_IMB_API_053 /* its old names collide with those of other libraries */
#include <assert.h>
#include <intel-ipsec-mb.h>
#include <string.h>

#include "worker/engine/ossl.h"
#include "worker/engine/seal_sha1.h"

/* From here on its 16 lanes beat one HMAC after the other (measured: seal_bench). */
enum { MAC_LANES_MIN = 4, MAC_BURST = 32 };

struct ipsec_key {
    struct gcm_key_data gcm; /* first: the library wants it aligned */
    uint32_t ctr[4 * 15] __attribute__((aligned(16)));
    uint8_t ipad[SEAL_SHA1]; /* HMAC-SHA1's inner and outer state behind the key block */
    uint8_t opad[SEAL_SHA1];
    size_t key_len;
};

enum { KEY_ALIGN = 64, KEY_BYTES = (sizeof(struct ipsec_key) + 63) / 64 * 64 };

static IMB_MGR *manager;

static void hmac_state(const uint8_t *auth_key, uint8_t pad, uint8_t *out)
{
    uint8_t block[64]; /* SHA-1's block, RFC 2104 2 */
    memset(block, pad, sizeof block);
    for (size_t i = 0; i < SEAL_AUTH_KEY_LEN; i++)
        block[i] ^= auth_key[i];
    IMB_SHA1_ONE_BLOCK(manager, block, out);
    OPENSSL_cleanse(block, sizeof block);
}

static enum err ipsec_init(struct seal_cipher *c, const uint8_t *key, size_t key_len,
                           const uint8_t *auth_key, bool encrypt)
{
    (void)encrypt;
    struct ipsec_key *k = aligned_alloc(KEY_ALIGN, KEY_BYTES);
    if (!k)
        return ERR_NOMEM;
    memset(k, 0, sizeof *k);
    k->key_len = key_len;
    c->cipher = k;
    if (c->gcm) {
        if (key_len == 32)
            IMB_AES256_GCM_PRE(manager, key, &k->gcm);
        else
            IMB_AES128_GCM_PRE(manager, key, &k->gcm);
        return OK;
    }
    uint32_t unused[4 * 15] __attribute__((aligned(16))); /* decryption keys; CTR has none */
    IMB_AES_KEYEXP_128(manager, key, k->ctr, unused);
    OPENSSL_cleanse(unused, sizeof unused);
    hmac_state(auth_key, 0x36, k->ipad);
    hmac_state(auth_key, 0x5c, k->opad);
    return seal_sha1_open(&c->mac, auth_key);
}

static void ipsec_fini(struct seal_cipher *c)
{
    if (c->cipher) {
        OPENSSL_cleanse(c->cipher, sizeof(struct ipsec_key));
        free(c->cipher);
    }
    seal_sha1_close(c->mac);
}

static void ipsec_gcm_seal(struct seal_cipher *c, const uint8_t *iv, const uint8_t *aad,
                           size_t aad_len, const uint8_t *from, uint8_t *p, size_t n, uint8_t *tag)
{
    const struct ipsec_key *k = c->cipher;
    struct gcm_context_data ctx;
    if (k->key_len == 32)
        IMB_AES256_GCM_ENC(manager, &k->gcm, &ctx, p, from, n, iv, aad, aad_len, tag, SEAL_GCM_TAG);
    else
        IMB_AES128_GCM_ENC(manager, &k->gcm, &ctx, p, from, n, iv, aad, aad_len, tag, SEAL_GCM_TAG);
}

static bool ipsec_gcm_open(struct seal_cipher *c, const uint8_t *iv, const uint8_t *aad,
                           size_t aad_len, uint8_t *p, size_t n, const uint8_t *tag)
{
    const struct ipsec_key *k = c->cipher;
    struct gcm_context_data ctx;
    uint8_t got[SEAL_GCM_TAG];
    if (k->key_len == 32)
        IMB_AES256_GCM_DEC(manager, &k->gcm, &ctx, p, p, n, iv, aad, aad_len, got, SEAL_GCM_TAG);
    else
        IMB_AES128_GCM_DEC(manager, &k->gcm, &ctx, p, p, n, iv, aad, aad_len, got, SEAL_GCM_TAG);
    return CRYPTO_memcmp(got, tag, SEAL_GCM_TAG) == 0;
}

static void ipsec_ctr(struct seal_cipher *c, const uint8_t *iv, uint8_t *p, size_t n)
{
    const struct ipsec_key *k = c->cipher;
    if (n == 0)
        return;
    IMB_JOB job;
    memset(&job, 0, sizeof job);
    job.src = p;
    job.dst = p;
    job.msg_len_to_cipher_in_bytes = n;
    job.iv = iv;
    job.iv_len_in_bytes = SEAL_CTR_IV;
    job.enc_keys = k->ctr;
    job.key_len_in_bytes = IMB_KEY_128_BYTES;
    uint32_t done = IMB_SUBMIT_CIPHER_BURST_NOCHECK(manager, &job, 1, IMB_CIPHER_CNTR,
                                                    IMB_DIR_ENCRYPT, IMB_KEY_128_BYTES);
    assert(done == 1);
}

static void ipsec_mac_burst(struct seal_mac_job *jobs, size_t n)
{
    IMB_JOB burst[MAC_BURST];
    memset(burst, 0, n * sizeof burst[0]);
    for (size_t i = 0; i < n; i++) {
        const struct ipsec_key *k = jobs[i].cipher->cipher;
        burst[i].src = jobs[i].data;
        burst[i].msg_len_to_hash_in_bytes = jobs[i].n;
        burst[i].auth_tag_output = jobs[i].tag;
        burst[i].auth_tag_output_len_in_bytes = SEAL_SHA1;
        burst[i].u.HMAC._hashed_auth_key_xor_ipad = k->ipad;
        burst[i].u.HMAC._hashed_auth_key_xor_opad = k->opad;
    }
    uint32_t done = IMB_SUBMIT_HASH_BURST_NOCHECK(manager, burst, (uint32_t)n, IMB_AUTH_HMAC_SHA_1);
    assert(done == n);
}

static void ipsec_mac_many(struct seal_mac_job *jobs, size_t n)
{
    for (size_t at = 0; at < n;) {
        size_t take = n - at < MAC_BURST ? n - at : MAC_BURST;
        if (take >= MAC_LANES_MIN)
            ipsec_mac_burst(jobs + at, take);
        else
            seal_impl_openssl.mac_many(jobs + at, take);
        at += take;
    }
}

static const struct seal_impl IPSEC = {
    .name = "ipsec-mb",
    .init = ipsec_init,
    .fini = ipsec_fini,
    .gcm_seal = ipsec_gcm_seal,
    .gcm_open = ipsec_gcm_open,
    .ctr = ipsec_ctr,
    .mac = seal_sha1_mac,
    .mac_many = ipsec_mac_many,
};

const struct seal_impl *seal_ipsec_open(void)
{
    if (manager)
        return &IPSEC;
    manager = alloc_mb_mgr(0);
    if (!manager)
        return NULL;
    IMB_ARCH arch = IMB_ARCH_NONE;
    init_mb_mgr_auto(manager, &arch);
    /* Without AES in the CPU the library emulates it, slower than OpenSSL does. */
    const uint64_t need = IMB_FEATURE_AESNI | IMB_FEATURE_PCLMULQDQ;
    if (arch < IMB_ARCH_SSE || (manager->features & need) != need || imb_get_errno(manager) != 0) {
        seal_ipsec_close();
        return NULL;
    }
    return &IPSEC;
}

void seal_ipsec_close(void)
{
    if (manager)
        free_mb_mgr(manager);
    manager = NULL;
}

#else

const struct seal_impl *seal_ipsec_open(void)
{
    return NULL;
}

void seal_ipsec_close(void)
{
}

#endif
