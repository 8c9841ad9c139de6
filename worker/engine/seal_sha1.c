/* EVP's HMAC allocates and frees its digest states for each packet. The plain SHA-1 functions keep
 * them in our memory, and are a tenth faster; that they are deprecated is the price. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "worker/engine/seal_sha1.h"

#include <assert.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "worker/engine/ossl.h"

struct hmac {
    SHA_CTX inner; /* behind the key block XOR ipad */
    SHA_CTX outer; /* behind the key block XOR opad */
};

static void begin(SHA_CTX *sha, const uint8_t *auth_key, uint8_t pad)
{
    uint8_t block[SHA_CBLOCK];
    memset(block, pad, sizeof block);
    for (size_t i = 0; i < SEAL_AUTH_KEY_LEN; i++)
        block[i] ^= auth_key[i];
    int ok = SHA1_Init(sha) == 1 && SHA1_Update(sha, block, sizeof block) == 1;
    assert(ok);
    OPENSSL_cleanse(block, sizeof block);
}

enum err seal_sha1_open(void **out, const uint8_t *auth_key)
{
    struct hmac *h = calloc(1, sizeof *h);
    if (!h)
        return ERR_NOMEM;
    begin(&h->inner, auth_key, 0x36);
    begin(&h->outer, auth_key, 0x5c);
    *out = h;
    return OK;
}

void seal_sha1_close(void *mac)
{
    if (!mac)
        return;
    OPENSSL_cleanse(mac, sizeof(struct hmac));
    free(mac);
}

void seal_sha1_mac(struct seal_cipher *c, const uint8_t *data, size_t n, uint8_t *tag)
{
    const struct hmac *h = c->mac;
    uint8_t digest[SEAL_SHA1];
    SHA_CTX sha = h->inner;
    int ok = SHA1_Update(&sha, data, n) == 1 && SHA1_Final(digest, &sha) == 1;
    sha = h->outer;
    ok = ok && SHA1_Update(&sha, digest, sizeof digest) == 1 && SHA1_Final(tag, &sha) == 1;
    assert(ok);
}
