#include "worker/engine/seal_kdf.h"
#include "worker/engine/ossl.h"

#include <string.h>

enum err seal_derive(const struct srtp_key *master, enum seal_label label, uint8_t *out, size_t n)
{
    /* RFC 3711 4.3.1: x = (label << 48) XOR master_salt, as a 112-bit number; the IV is x * 2^16.
     * RFC 7714 11: a 96-bit salt is first multiplied by 2^16, that is, padded on the right. */
    uint8_t iv[16] = {0};
    memcpy(iv, master->salt, master->salt_len);
    iv[7] ^= (uint8_t)label;

    enum err e = ERR_CRYPTO;
    int written = 0;
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    if (!ctx)
        return ERR_NOMEM;
    const EVP_CIPHER *cipher = master->key_len == 32 ? EVP_aes_256_ctr() : EVP_aes_128_ctr();
    if (EVP_EncryptInit_ex(ctx, cipher, NULL, master->key, iv) != 1)
        goto out;
    memset(out, 0, n);
    if (EVP_EncryptUpdate(ctx, out, &written, out, (int)n) != 1 || written != (int)n)
        goto out;
    e = OK;
out:
    EVP_CIPHER_CTX_free(ctx);
    return e;
}
