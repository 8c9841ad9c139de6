/* DTLS 1.2 for one transport (RFC 6347, RFC 5764 use_srtp, RFC 8827 fingerprints) over OpenSSL,
 * either role. Sans-IO: datagrams in, datagrams and events out through the sink, the caller's
 * clock. The datagrams it wants sent carry no tuple: they go to the one that ICE selected. */
#ifndef WEIR_WORKER_ENGINE_DTLS_H
#define WEIR_WORKER_ENGINE_DTLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/err.h"
#include "common/time.h"
#include "worker/engine/sink.h"
#include "worker/engine/srtp_key.h"

enum {
    /* Bytes of UDP payload that we put in one datagram at most. */
    DTLS_MTU = 1200,
    /* SHA-512 as "AA:BB:..." and NUL. */
    DTLS_FINGERPRINT_TEXT_MAX = 64 * 3,
    /* A handshake that took in more than this is hostile; browsers need under 4 KiB. */
    DTLS_HANDSHAKE_BYTES_MAX = 64 * 1024,
    /* Largest application message of dtls_send (a TLS record's limit, RFC 6347 4.1.1). */
    DTLS_SEND_MAX = DTLS_MTU - 64,
};
/* A handshake that takes longer has failed. */
#define DTLS_HANDSHAKE_TTL (30 * USEC_PER_SEC)

/* id, name as in SDP (RFC 8122 5) and in the public API, digest bytes */
#define DTLS_HASH_MAP(X)                                                                           \
    X(DTLS_SHA1, "sha-1", 20)                                                                      \
    X(DTLS_SHA224, "sha-224", 28)                                                                  \
    X(DTLS_SHA256, "sha-256", 32)                                                                  \
    X(DTLS_SHA384, "sha-384", 48)                                                                  \
    X(DTLS_SHA512, "sha-512", 64)

enum dtls_hash {
#define X(id, name, bytes) id,
    DTLS_HASH_MAP(X)
#undef X
        DTLS_HASH_COUNT
};

enum dtls_role { DTLS_AUTO, DTLS_CLIENT, DTLS_SERVER };

enum dtls_state {
    DTLS_NEW,        /* not started; what arrives is dropped, the peer's timer repeats it */
    DTLS_CONNECTING, /* handshake under way */
    DTLS_CONNECTED,  /* handshake done and the fingerprint matches */
    DTLS_FAILED,
    DTLS_CLOSED,
    DTLS_STATE_COUNT
};

/* Why DTLS_EV_FAILED. */
enum dtls_failure {
    DTLS_FAIL_HANDSHAKE,   /* OpenSSL refused, or the peer sent a fatal alert */
    DTLS_FAIL_FINGERPRINT, /* the certificate is not the announced one, or there was none */
    DTLS_FAIL_SRTP,        /* no SRTP suite in common */
    DTLS_FAIL_TIMEOUT,     /* DTLS_HANDSHAKE_TTL passed */
    DTLS_FAIL_FLOOD,       /* DTLS_HANDSHAKE_BYTES_MAX passed */
    DTLS_FAIL_MEMORY,
    DTLS_FAILURE_COUNT
};

enum dtls_event {
    DTLS_EV_STATE = 0x200, /* arg: CONNECTING, CONNECTED (keys are there) or CLOSED (the peer's
                              close_notify or fatal alert after CONNECTED) */
    DTLS_EV_FAILED,        /* arg: enum dtls_failure; the state is DTLS_FAILED */
    DTLS_EV_DATA           /* bytes: one application message (SCTP) */
};

/* ---- the process's certificate ---- */

struct dtls_identity;

/* Both NULL: a new self-signed P-256 certificate. Else PEM files; ERR_IO: unreadable,
 * ERR_MALFORMED: no certificate or key in them, or the two do not belong together. */
MUST_CHECK enum err dtls_identity_open(struct dtls_identity **out, const char *cert_file,
                                       const char *key_file);
/* After the last dtls that uses it. NULL is fine. */
void dtls_identity_close(struct dtls_identity *id);
/* "AA:BB:...", upper case. */
const char *dtls_identity_fingerprint(const struct dtls_identity *id, enum dtls_hash hash);

/* "sha-256" and so on. */
const char *dtls_hash_name(enum dtls_hash hash);
/* DTLS_HASH_COUNT when the name is unknown. */
enum dtls_hash dtls_hash_by_name(const char *name);
/* "auto", "client", "server". */
const char *dtls_role_name(enum dtls_role role);
/* False when the name is unknown. */
bool dtls_role_by_name(const char *name, enum dtls_role *out);
/* "new", "connecting", "connected", "failed", "closed". */
const char *dtls_state_name(enum dtls_state state);
/* Short texts for logs: "fingerprint mismatch". */
const char *dtls_failure_text(enum dtls_failure f);

/* ---- one association ---- */

struct dtls;

/* id outlives the association. */
MUST_CHECK enum err dtls_open(struct dtls **out, struct dtls_identity *id);
/* Frees without a word to the peer; dtls_shutdown first says goodbye. NULL is fine. */
void dtls_close(struct dtls *d);

/* remote_role: what the peer said (AUTO: we become the client, as mediasoup does). fingerprint:
 * "AA:BB:..." of exactly the hash's length, any case. ERR_RANGE: unknown hash or role;
 * ERR_MALFORMED: bad fingerprint; ERR_STATE: started already. */
MUST_CHECK enum err dtls_set_remote(struct dtls *d, enum dtls_role remote_role, enum dtls_hash hash,
                                    const char *fingerprint);
/* Ours, after dtls_set_remote; DTLS_AUTO before. */
enum dtls_role dtls_local_role(const struct dtls *d);

/* Begins, once ICE has a tuple and dtls_set_remote was called (else ERR_STATE); a client sends its
 * hello at once. Started already: OK, nothing happens. */
MUST_CHECK enum err dtls_start(struct dtls *d, usec now, struct sink *out);
/* One datagram whose first byte is 20..63. Bad ones are dropped. */
void dtls_input(struct dtls *d, usec now, struct slice datagram, struct sink *out);
/* One application message. ERR_STATE: not connected; ERR_TOO_LARGE: over DTLS_SEND_MAX. */
MUST_CHECK enum err dtls_send(struct dtls *d, usec now, struct slice message, struct sink *out);
/* Sends close_notify and becomes CLOSED, without an event. */
void dtls_shutdown(struct dtls *d, usec now, struct sink *out);
/* To be called at dtls_deadline. */
void dtls_timeout(struct dtls *d, usec now, struct sink *out);
usec dtls_deadline(const struct dtls *d);

enum dtls_state dtls_get_state(const struct dtls *d);
/* After CONNECTED: what we seal with and what we open with. ERR_STATE before. */
MUST_CHECK enum err dtls_srtp_keys(const struct dtls *d, struct srtp_key *local,
                                   struct srtp_key *remote);
/* The peer's certificate as PEM; "" before CONNECTED. */
const char *dtls_remote_cert_pem(const struct dtls *d);

#endif
