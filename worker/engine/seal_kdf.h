/* SRTP key derivation (RFC 3711 4.3; RFC 6188 for 256-bit keys; RFC 7714 11). No state, no IO;
 * AES comes from libcrypto. */
#ifndef WEIR_WORKER_ENGINE_SEAL_KDF_H
#define WEIR_WORKER_ENGINE_SEAL_KDF_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "worker/engine/srtp_key.h"

/* RFC 3711 4.3.1 and 4.3.2 */
enum seal_label {
    SEAL_LABEL_RTP_ENCRYPTION = 0,
    SEAL_LABEL_RTP_AUTH = 1,
    SEAL_LABEL_RTP_SALT = 2,
    SEAL_LABEL_RTCP_ENCRYPTION = 3,
    SEAL_LABEL_RTCP_AUTH = 4,
    SEAL_LABEL_RTCP_SALT = 5,
};

enum { SEAL_AUTH_KEY_LEN = 20 }; /* HMAC-SHA1, RFC 3711 5.2 */

/* n bytes of the session key that the label names, with a key derivation rate of zero. The key's
 * lengths must fit its suite. ERR_CRYPTO. */
MUST_CHECK enum err seal_derive(const struct srtp_key *master, enum seal_label label, uint8_t *out,
                                size_t n);

#endif
