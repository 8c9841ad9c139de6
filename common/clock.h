/* The two clocks, in microseconds. Only io/ and composition read them; engines take time as an
 * argument. */
#ifndef WEIR_COMMON_CLOCK_H
#define WEIR_COMMON_CLOCK_H

#include "common/time.h"

/* CLOCK_MONOTONIC. */
usec clock_now(void);
/* CLOCK_REALTIME since 1970-01-01 UTC. */
usec clock_wall(void);

#endif
