/* NTP timestamps (RFC 3550 section 4): 32.32 fixed point seconds. Pure. */
#ifndef WEIR_RTP_NTP_H
#define WEIR_RTP_NTP_H

#include <stdint.h>

#include "common/time.h"

/* Seconds from 1900 to 1970. */
#define NTP_UNIX_OFFSET 2208988800ULL

/* t >= 0 on any clock; for a Unix clock add NTP_UNIX_OFFSET << 32. */
static inline uint64_t ntp_of_usec(usec t)
{
    uint64_t s = (uint64_t)t / 1000000;
    uint64_t us = (uint64_t)t % 1000000;
    return s << 32 | ((us << 32) + 500000) / 1000000;
}

/* a - b in microseconds, wrapping like the type. */
static inline usec ntp_diff(uint64_t a, uint64_t b)
{
    int64_t d = (int64_t)(a - b);
    int64_t s = d >> 32;
    int64_t frac = (int64_t)((uint64_t)d & 0xffffffffU);
    return s * 1000000 + ((frac * 1000000 + (1LL << 31)) >> 32);
}

/* t + d, d may be negative. */
static inline uint64_t ntp_add(uint64_t t, usec d)
{
    return d >= 0 ? t + ntp_of_usec(d) : t - ntp_of_usec(-d);
}

/* The middle 32 bits: 1/65536 s, wraps every 18 hours. */
static inline uint32_t ntp_mid(uint64_t ntp)
{
    return (uint32_t)(ntp >> 16);
}

/* A difference of such to microseconds and back. */
static inline usec ntp_mid_to_usec(uint32_t d)
{
    return (usec)(((uint64_t)d * 1000000) >> 16);
}

static inline uint32_t ntp_mid_of_usec(usec d)
{
    return d <= 0 ? 0 : (uint32_t)((((uint64_t)d << 16) + 500000) / 1000000);
}

#endif
