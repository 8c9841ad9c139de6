/* The highest discontinuity sequence number that any playlist showed, over lives of the service:
 * what begins anew at an address goes on above it (RFC 8216bis 4.4.3.3: a client that comes back
 * tells by it which times belong together). One number in one file, written a little ahead, so that
 * neither a crash nor many restarts bring numbers back. Does file IO, rarely and of a few bytes. */
#ifndef WEIR_CONTROLLER_LIVE_DISCONTINUITY_MARK_H
#define WEIR_CONTROLLER_LIVE_DISCONTINUITY_MARK_H

#include <stdint.h>

#include "common/err.h"
#include "common/time.h"

struct discontinuity_mark;

/* Reads what an earlier life left in the folder. NULL: nothing is kept. ERR_NOMEM. */
MUST_CHECK enum err discontinuity_mark_open(const char *folder, struct discontinuity_mark **out);
/* NULL is fine. */
void discontinuity_mark_close(struct discontinuity_mark *m);

/* For a presentation that begins now (wall clock): above all that were reached, and at least the
 * hours since 2025, in case the folder was lost. Players keep arrays by these numbers, so they stay
 * small. */
uint64_t discontinuity_mark_first(const struct discontinuity_mark *m, usec wall);
/* A playlist has come to this number. */
void discontinuity_mark_reach(struct discontinuity_mark *m, uint64_t number);

#endif
