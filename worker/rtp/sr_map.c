#include "worker/rtp/sr_map.h"

#include "worker/rtp/ntp.h"

void sr_map_init(struct sr_map *m, uint32_t clock_rate)
{
    *m = (struct sr_map){.clock_rate = clock_rate};
}

void sr_map_clear(struct sr_map *m)
{
    m->valid = false;
}

void sr_map_update(struct sr_map *m, usec now, uint64_t ntp, uint32_t rtp)
{
    if (ntp == 0)
        return;
    m->ntp = ntp;
    m->rtp = rtp;
    m->at = now;
    m->valid = true;
}

/* Ticks of the RTP clock to NTP's 2^-32 s, rounded. */
static int64_t ticks_to_ntp(const struct sr_map *m, int32_t ticks)
{
    __int128 scaled = (__int128)ticks * ((__int128)1 << 32);
    __int128 half = m->clock_rate / 2;
    return (int64_t)((scaled + (ticks < 0 ? -half : half)) / m->clock_rate);
}

static uint32_t ntp_to_ticks(const struct sr_map *m, int64_t ntp)
{
    __int128 scaled = (__int128)ntp * m->clock_rate;
    return (uint32_t)(int64_t)((scaled + ((__int128)1 << 31)) >> 32);
}

bool sr_map_ntp(const struct sr_map *m, uint32_t rtp, uint64_t *ntp)
{
    if (!m->valid)
        return false;
    *ntp = m->ntp + (uint64_t)ticks_to_ntp(m, (int32_t)(rtp - m->rtp));
    return true;
}

bool sr_map_rtp(const struct sr_map *m, uint64_t ntp, uint32_t *rtp)
{
    if (!m->valid)
        return false;
    *rtp = m->rtp + ntp_to_ticks(m, (int64_t)(ntp - m->ntp));
    return true;
}

bool sr_map_now(const struct sr_map *m, usec now, uint64_t *ntp, uint32_t *rtp)
{
    if (!m->valid)
        return false;
    *ntp = ntp_add(m->ntp, now - m->at);
    return sr_map_rtp(m, *ntp, rtp);
}

bool sr_map_offset(const struct sr_map *from, const struct sr_map *to, uint32_t *offset)
{
    uint32_t there;
    if (!from->valid || !sr_map_rtp(to, from->ntp, &there))
        return false;
    *offset = there - from->rtp;
    return true;
}
