#include "worker/media/sibling_watch.h"

static bool flows(const struct producer_stream *s)
{
    return s->started && s->recv.active;
}

/* Frames are counted by one stream only: the lowest that flows beside o. */
static bool counts_for(const struct producer_stream *s, const struct producer_stream *o)
{
    for (const struct producer_stream *i = s->producer->streams; i < s; i++) {
        if (i != o && flows(i))
            return false;
    }
    return true;
}

static void left_behind(struct producer_stream *o, usec now)
{
    if (o->behind < SIBLING_FRAMES)
        o->behind++;
    if (o->behind == SIBLING_FRAMES && now - o->recv.last_rtp_at >= SIBLING_SILENCE_US)
        recv_stream_left_out(&o->recv);
}

void sibling_watch(struct producer_stream *s, usec now, bool marker)
{
    const struct producer *p = s->producer;
    s->behind = 0;
    for (size_t i = 0; marker && i < p->n_streams; i++) {
        struct producer_stream *o = &p->streams[i];
        if (o != s && flows(o) && counts_for(s, o))
            left_behind(o, now);
    }
}
