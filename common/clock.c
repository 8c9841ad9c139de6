#include "common/clock.h"

#include <time.h>

static usec read_clock(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (usec)t.tv_sec * USEC_PER_SEC + t.tv_nsec / 1000;
}

usec clock_now(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

usec clock_wall(void)
{
    return read_clock(CLOCK_REALTIME);
}
