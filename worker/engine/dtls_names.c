/* Names of DTLS's enumerations as they stand in SDP and in the public API. */
#include "worker/engine/dtls.h"

#include <string.h>

#include "worker/engine/dtls_ssl.h"

struct hash_row {
    const char *name;
    size_t len;
};

static const struct hash_row HASHES[DTLS_HASH_COUNT] = {
#define X(id, name, bytes) [id] = {name, bytes},
    DTLS_HASH_MAP(X)
#undef X
};

size_t dtls_hash_len(enum dtls_hash hash)
{
    return HASHES[hash].len;
}

const char *dtls_hash_name(enum dtls_hash hash)
{
    return hash < DTLS_HASH_COUNT ? HASHES[hash].name : "none";
}

enum dtls_hash dtls_hash_by_name(const char *name)
{
    for (enum dtls_hash h = 0; h < DTLS_HASH_COUNT; h++)
        if (strcmp(HASHES[h].name, name) == 0)
            return h;
    return DTLS_HASH_COUNT;
}

static const char *const ROLES[] = {
    [DTLS_AUTO] = "auto", [DTLS_CLIENT] = "client", [DTLS_SERVER] = "server"};

const char *dtls_role_name(enum dtls_role role)
{
    return ROLES[role];
}

bool dtls_role_by_name(const char *name, enum dtls_role *out)
{
    for (enum dtls_role r = DTLS_AUTO; r <= DTLS_SERVER; r++) {
        if (strcmp(ROLES[r], name) == 0) {
            *out = r;
            return true;
        }
    }
    return false;
}

const char *dtls_state_name(enum dtls_state state)
{
    static const char *const STATES[DTLS_STATE_COUNT] = {
        [DTLS_NEW] = "new",       [DTLS_CONNECTING] = "connecting", [DTLS_CONNECTED] = "connected",
        [DTLS_FAILED] = "failed", [DTLS_CLOSED] = "closed",
    };
    return STATES[state];
}

const char *dtls_failure_text(enum dtls_failure f)
{
    static const char *const FAILURES[DTLS_FAILURE_COUNT] = {
        [DTLS_FAIL_HANDSHAKE] = "handshake refused",
        [DTLS_FAIL_FINGERPRINT] = "fingerprint mismatch",
        [DTLS_FAIL_SRTP] = "no SRTP suite in common",
        [DTLS_FAIL_TIMEOUT] = "handshake took too long",
        [DTLS_FAIL_FLOOD] = "too much handshake data",
        [DTLS_FAIL_MEMORY] = "out of memory",
    };
    return FAILURES[f];
}
