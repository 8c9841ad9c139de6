/* Token buckets in a table of fixed size: who may do a thing, and how long others have to wait. A
 * bucket is one time, the moment when it is full again (the generic cell rate algorithm), so that
 * one that is full needs no entry. Time is an argument; no IO. */
#ifndef WEIR_CONTROLLER_API_RATE_LIMIT_H
#define WEIR_CONTROLLER_API_RATE_LIMIT_H

#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/err.h"
#include "common/rng.h"
#include "common/time.h"

struct rate_table;

/* per_minute 0: no limit. */
struct rate {
    unsigned per_minute;
    unsigned burst; /* at once; at least 1 */
};

/* Whose bucket, and for what. */
struct rate_key {
    uint8_t id[16];
    uint8_t what;
    uint8_t kind; /* address, text */
    uint8_t pad[6];
};

/* Of an IPv6 address only the /64 counts: that is what one customer has. */
struct rate_key rate_key_addr(uint8_t what, const struct addr *a);
/* Several texts that belong together; b may be NULL. */
struct rate_key rate_key_text(uint8_t what, const char *a, const char *b);

/* Room for about `entries` buckets that are not full; where it is exceeded, the ones nearest to
 * full are forgotten. rng seeds the hash, so that nobody can aim at others' entries. */
MUST_CHECK enum err rate_table_open(struct rate_table **out, size_t entries, struct rng *rng);
void rate_table_close(struct rate_table *t);

/* Takes one token; ERR_FULL: there is none, and the next one comes after *wait. */
MUST_CHECK enum err rate_take(struct rate_table *t, usec now, const struct rate_key *key,
                              struct rate rate, usec *wait);
/* As rate_take, but takes nothing. */
MUST_CHECK enum err rate_peek(const struct rate_table *t, usec now, const struct rate_key *key,
                              struct rate rate, usec *wait);

/* Gives one token back. */
void rate_give(struct rate_table *t, const struct rate_key *key, struct rate rate);

/* For Retry-After: whole seconds, at least one. */
unsigned rate_wait_s(usec wait);

#endif
