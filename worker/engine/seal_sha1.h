/* HMAC-SHA1 (RFC 2104) for packets that come alone, for both implementations: libipsec-mb gains by
 * hashing many packets at once, and loses on a single one. Internal to seal. */
#ifndef WEIR_WORKER_ENGINE_SEAL_SHA1_H
#define WEIR_WORKER_ENGINE_SEAL_SHA1_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "worker/engine/seal_cipher.h"

/* *out: what c->mac is to hold. ERR_NOMEM. */
MUST_CHECK enum err seal_sha1_open(void **out, const uint8_t *auth_key);
/* Wipes it. NULL is fine. */
void seal_sha1_close(void *mac);
/* tag: SEAL_SHA1 bytes. */
void seal_sha1_mac(struct seal_cipher *c, const uint8_t *data, size_t n, uint8_t *tag);

#endif
