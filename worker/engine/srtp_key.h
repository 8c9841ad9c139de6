/* SRTP suites and one direction's master key and salt: what dtls hands to seal. Leaf, no IO. */
#ifndef WEIR_WORKER_ENGINE_SRTP_KEY_H
#define WEIR_WORKER_ENGINE_SRTP_KEY_H

#include <stddef.h>
#include <stdint.h>

/* id, name as in the public API, key bytes, salt bytes, tag bytes of RTP, tag bytes of RTCP.
 * RFC 7714 12, RFC 3711 8.2, RFC 5764 4.1.2. The 32-bit suite keeps 80 bits on RTCP. */
#define SRTP_SUITE_MAP(X)                                                                          \
    X(SEAL_AES_128_GCM, "AEAD_AES_128_GCM", 16, 12, 16, 16)                                        \
    X(SEAL_AES_256_GCM, "AEAD_AES_256_GCM", 32, 12, 16, 16)                                        \
    X(SEAL_AES_128_CM_SHA1_80, "AES_CM_128_HMAC_SHA1_80", 16, 14, 10, 10)                          \
    X(SEAL_AES_128_CM_SHA1_32, "AES_CM_128_HMAC_SHA1_32", 16, 14, 4, 10)

enum srtp_suite {
#define X(id, name, key, salt, tag, rtcp_tag) id,
    SRTP_SUITE_MAP(X)
#undef X
        SRTP_SUITE_COUNT
};

enum { SRTP_KEY_MAX = 32, SRTP_SALT_MAX = 14 };

struct srtp_key {
    enum srtp_suite suite;
    uint8_t key_len;
    uint8_t salt_len;
    uint8_t key[SRTP_KEY_MAX];
    uint8_t salt[SRTP_SALT_MAX];
};

/* Bytes of master key and salt that the suite wants. */
size_t srtp_suite_key_len(enum srtp_suite suite);
size_t srtp_suite_salt_len(enum srtp_suite suite);
/* "AEAD_AES_128_GCM" and so on. */
const char *srtp_suite_name(enum srtp_suite suite);
/* SRTP_SUITE_COUNT when the name is unknown. */
enum srtp_suite srtp_suite_by_name(const char *name);

#endif
