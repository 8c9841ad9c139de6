#include "controller/live/sender_clock.h"

/* From 1900, where NTP begins, to 1970: RFC 868. */
#define NTP_TO_UNIX_S INT64_C(2208988800)

usec sender_clock_time(const struct live_track *t, uint32_t rtp_timestamp, uint32_t rate,
                       usec arrival)
{
    if (!t->has_clock || rate == 0)
        return arrival;
    usec fraction = (usec)((t->clock_ntp & UINT32_MAX) * (uint64_t)USEC_PER_SEC >> 32);
    usec report = ((int64_t)(t->clock_ntp >> 32) - NTP_TO_UNIX_S) * USEC_PER_SEC + fraction;
    int32_t ticks = (int32_t)(rtp_timestamp - t->clock_rtp);
    usec time = report + (int64_t)ticks * USEC_PER_SEC / (int64_t)rate;
    bool sane = time > arrival - SENDER_CLOCK_MAX && time < arrival + SENDER_CLOCK_MAX;
    return sane ? time : arrival;
}
