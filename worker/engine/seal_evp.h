/* HMAC-SHA1 by OpenSSL, which the ipsec-mb implementation borrows too: that library gains by
 * hashing many packets at once, and loses on a single one. Internal to seal. */
#ifndef WEIR_WORKER_ENGINE_SEAL_EVP_H
#define WEIR_WORKER_ENGINE_SEAL_EVP_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "worker/engine/seal_cipher.h"

MUST_CHECK enum err seal_evp_mac_open(void **out, const uint8_t *auth_key);
void seal_evp_mac_close(void *mac);
/* Uses c->mac; tag: SEAL_SHA1 bytes. */
void seal_evp_mac(struct seal_cipher *c, const uint8_t *data, size_t n, uint8_t *tag);

#endif
