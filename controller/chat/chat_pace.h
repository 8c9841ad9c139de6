/* How often one author may write to a room: a token bucket, and slow mode. Kept by author, so that
 * coming back does not help. Pure; time is an argument; no IO. */
#ifndef WEIR_CONTROLLER_CHAT_CHAT_PACE_H
#define WEIR_CONTROLLER_CHAT_CHAT_PACE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/time.h"

struct chat_pace_author;

struct chat_pace {
    struct chat_pace_author *authors; /* owned; who wrote last comes last */
    unsigned n;
};

/* Beyond, who has been silent longest is forgotten. */
enum { CHAT_PACE_AUTHORS_MAX = 20000 };

struct chat_pace_limits {
    unsigned per_minute; /* 0: no limit but slow mode */
    unsigned burst;
    unsigned slow_s; /* between two messages; 0: none */
};

/* OK: it may write now, and that counts. ERR_FULL: not before *wait_s; *wait_s is at least 1. */
MUST_CHECK enum err chat_pace_take(struct chat_pace *p, const char *author,
                                   const struct chat_pace_limits *limits, usec now,
                                   unsigned *wait_s);
void chat_pace_fini(struct chat_pace *p);

#endif
