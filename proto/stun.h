/* STUN messages as ICE uses them: RFC 8489, the ICE attributes of RFC 8445, and NOMINATION
 * (draft-thatcher-ice-renomination). Pure; HMAC-SHA1 comes from libcrypto; no IO.
 *
 *   |0 0|  type: method and class  |  length of the attributes  |
 *   |                 magic cookie 0x2112A442                   |
 *   |               transaction id (96 bits)                    |
 *   |  attribute type   |  length  |  value, padded to 4 bytes  |
 */
#ifndef WEIR_PROTO_STUN_H
#define WEIR_PROTO_STUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/bytes.h"
#include "common/err.h"

#define STUN_MAGIC 0x2112A442u

enum {
    STUN_HEADER_LEN = 20,
    STUN_TID_LEN = 12,
    STUN_MESSAGE_MAX = 2048, /* ours; an ICE check is about 100 bytes */
    STUN_USERNAME_MAX = 513, /* RFC 8489 14.3: shorter than 509 bytes; 513 in older peers */
    STUN_UNKNOWN_MAX = 8,    /* listed in one 420 response */
    STUN_BINDING = 1
};

enum stun_class { STUN_REQUEST = 0, STUN_INDICATION = 1, STUN_SUCCESS = 2, STUN_ERROR = 3 };

enum stun_attr {
    STUN_MAPPED_ADDRESS = 0x0001,
    STUN_USERNAME = 0x0006,
    STUN_MESSAGE_INTEGRITY = 0x0008,
    STUN_ERROR_CODE = 0x0009,
    STUN_UNKNOWN_ATTRIBUTES = 0x000A,
    STUN_REALM = 0x0014,
    STUN_NONCE = 0x0015,
    STUN_XOR_MAPPED_ADDRESS = 0x0020,
    STUN_PRIORITY = 0x0024,
    STUN_USE_CANDIDATE = 0x0025,
    STUN_SOFTWARE = 0x8022,
    STUN_FINGERPRINT = 0x8028,
    STUN_ICE_CONTROLLED = 0x8029,
    STUN_ICE_CONTROLLING = 0x802A,
    STUN_NOMINATION = 0xC001
};

enum {
    STUN_CODE_BAD_REQUEST = 400,
    STUN_CODE_UNAUTHENTICATED = 401,
    STUN_CODE_UNKNOWN_ATTRIBUTE = 420,
    STUN_CODE_ROLE_CONFLICT = 487
};

struct stun_msg {
    struct slice whole; /* borrowed: the bytes that were parsed */
    enum stun_class class;
    uint16_t method;
    uint8_t tid[STUN_TID_LEN];

    struct slice username; /* p NULL: absent; so below */
    struct slice software;
    struct slice reason;  /* of the error */
    struct addr mapped;   /* XOR-MAPPED-ADDRESS, else MAPPED-ADDRESS; family 0: absent */
    uint64_t tie_breaker; /* of ICE-CONTROLLING or ICE-CONTROLLED */
    uint32_t priority;
    uint32_t nomination;
    uint16_t error_code;   /* 300..699; 0: absent */
    uint16_t integrity_at; /* offset of MESSAGE-INTEGRITY; 0: absent */
    bool has_priority;
    bool use_candidate;
    bool controlling;
    bool controlled;
    bool has_nomination;
    bool has_fingerprint; /* present, and verified by the parser */

    /* Comprehension-required attributes that are not known here: answer a request with 420. */
    uint16_t unknown[STUN_UNKNOWN_MAX];
    uint8_t n_unknown;
};

/* ERR_TRUNCATED, ERR_TOO_LARGE, ERR_MALFORMED (cookie, lengths, an attribute's form, a FINGERPRINT
 * that is wrong or not last). What follows MESSAGE-INTEGRITY, other than FINGERPRINT, is ignored
 * (RFC 8489 14.5). Of an attribute that occurs twice the first counts. */
MUST_CHECK enum err stun_parse(struct stun_msg *m, const void *data, size_t len);

/* key: the password (short-term credentials). ERR_NOT_FOUND: no MESSAGE-INTEGRITY; ERR_AUTH: it
 * does not match. Compares in constant time. */
MUST_CHECK enum err stun_check_integrity(const struct stun_msg *m, struct slice key);

/* ---- writing: into an empty w; w->bad or the result of stun_finish says what went wrong ---- */

void stun_begin(struct wr *w, enum stun_class class, uint16_t method,
                const uint8_t tid[STUN_TID_LEN]);
void stun_put_bytes(struct wr *w, enum stun_attr type, const void *value, size_t n);
void stun_put_u32(struct wr *w, enum stun_attr type, uint32_t v);
void stun_put_u64(struct wr *w, enum stun_attr type, uint64_t v);
/* type: STUN_XOR_MAPPED_ADDRESS or STUN_MAPPED_ADDRESS; after stun_begin. */
void stun_put_address(struct wr *w, enum stun_attr type, const struct addr *a);
void stun_put_error(struct wr *w, uint16_t code, const char *reason);
/* key.n == 0: no MESSAGE-INTEGRITY. FINGERPRINT always. ERR_TOO_LARGE, ERR_CRYPTO. */
MUST_CHECK enum err stun_finish(struct wr *w, struct slice key);

/* ---- the messages that ICE sends, whole ---- */

struct stun_request {
    struct slice username; /* "theirs:ours" */
    struct slice key;      /* their password */
    uint8_t tid[STUN_TID_LEN];
    uint64_t tie_breaker;
    uint32_t priority;
    uint32_t nomination; /* 0: no NOMINATION */
    bool controlling;
    bool use_candidate;
};

MUST_CHECK enum err stun_write_request(struct wr *w, const struct stun_request *q);
MUST_CHECK enum err stun_write_success(struct wr *w, const struct stun_msg *request,
                                       const struct addr *mapped, struct slice key);
/* For 420 the request's unknown attributes are listed. key.n == 0 (400, 401): no integrity. */
MUST_CHECK enum err stun_write_error(struct wr *w, const struct stun_msg *request, uint16_t code,
                                     struct slice key);

#endif
