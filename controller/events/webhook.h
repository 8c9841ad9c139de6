/* One webhook's address: what happened is sent there by POST, signed, one after the other, again
 * and again until it is taken or given up. A thread of its own with libcurl. Private to events/.
 *
 * The signature is the header `Weir-Signature: t=<seconds since 1970>,v1=<hexadecimal>`, where v1
 * is HMAC-SHA-256 with the secret over "<t>.<body>". */
#ifndef WEIR_CONTROLLER_EVENTS_WEBHOOK_H
#define WEIR_CONTROLLER_EVENTS_WEBHOOK_H

#include <stdint.h>

#include "common/err.h"
#include "common/time.h"

struct uv_loop_s;
struct webhook;

enum { WEBHOOK_WAITING_MAX = 1000, WEBHOOK_SIGNATURE_LEN = 65 };

struct webhook_config {
    struct uv_loop_s *loop;
    const char *url;    /* borrowed, as the next */
    const char *secret; /* "": not signed */
    unsigned attempts;
    usec pause; /* before the second attempt; doubles, up to five minutes */
};

struct webhook_stats {
    uint64_t delivered;
    uint64_t failed;  /* attempts */
    uint64_t dropped; /* given up, or no room to wait */
};

MUST_CHECK enum err webhook_open(const struct webhook_config *config, struct webhook **out);
/* What waits gets `grace`, without further attempts; closed is called once, later. */
void webhook_close(struct webhook *w, usec grace, void (*closed)(void *ctx), void *ctx);

/* Copies. Beyond WEBHOOK_WAITING_MAX it is dropped, and counted. */
void webhook_send(struct webhook *w, const char *id, const char *event, const char *body);
void webhook_get_stats(struct webhook *w, struct webhook_stats *out);

/* Pure. */
MUST_CHECK enum err webhook_sign(const char *secret, int64_t now_s, const char *body,
                                 char out[WEBHOOK_SIGNATURE_LEN]);

#endif
