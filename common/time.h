/* The unit of time everywhere: signed 64-bit microseconds. Leaf, no clock is read here. */
#ifndef WEIR_COMMON_TIME_H
#define WEIR_COMMON_TIME_H

#include <stdint.h>

typedef int64_t usec;

#define USEC_NEVER INT64_MAX
#define USEC_PER_MSEC ((usec)1000)
#define USEC_PER_SEC ((usec)1000000)

static inline usec usec_min(usec a, usec b)
{
    return a < b ? a : b;
}

#endif
