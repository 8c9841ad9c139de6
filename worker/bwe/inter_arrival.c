#include "worker/bwe/inter_arrival.h"

void inter_arrival_reset(struct inter_arrival *a)
{
    *a = (struct inter_arrival){0};
}

/* Packets that waited together in an outage leave it together: closer than they were sent. */
static bool in_burst(const struct arrival_group *g, usec sent, usec arrival)
{
    usec sent_delta = sent - g->sent;
    usec arrival_delta = arrival - g->arrival;
    if (sent_delta == 0)
        return true;
    return arrival_delta - sent_delta < 0 && arrival_delta <= BURST_TIME_US &&
           arrival - g->first_arrival < BURST_MAX_US && g->first_arrival - arrival < BURST_MAX_US;
}

static bool in_group(const struct arrival_group *g, usec sent, usec arrival)
{
    return in_burst(g, sent, arrival) || sent - g->first_sent <= BURST_TIME_US;
}

/* Both groups are complete. False: their difference says nothing. */
static bool difference(struct inter_arrival *a, struct arrival_delta *out)
{
    out->sent = a->current.sent - a->previous.sent;
    out->arrival = a->current.arrival - a->previous.arrival;
    usec told = a->current.told_at - a->previous.told_at;
    if (out->arrival - told >= ARRIVAL_JUMP_US) {
        inter_arrival_reset(a);
        return false;
    }
    if (out->arrival < 0) {
        /* The next one is compared to the same predecessor, so that no delay gets lost. */
        a->has_current = false;
        if (++a->reordered >= REORDERED_MAX)
            inter_arrival_reset(a);
        return false;
    }
    a->reordered = 0;
    return true;
}

/* The current group ends. True: there is a difference. */
static bool end_group(struct inter_arrival *a, struct arrival_delta *out)
{
    bool told = a->has_previous && difference(a, out);
    if (a->has_current) {
        a->previous = a->current;
        a->has_previous = true;
    }
    a->has_current = false;
    return told;
}

bool inter_arrival_add(struct inter_arrival *a, usec now, usec sent, usec arrival, size_t size,
                       struct arrival_delta *out)
{
    bool complete = false;
    if (a->has_current && sent < a->current.first_sent)
        return false; /* reordered on the way: its group is gone */
    if (a->has_current && !in_group(&a->current, sent, arrival))
        complete = end_group(a, out);
    if (!a->has_current) {
        a->current = (struct arrival_group){
            .first_sent = sent, .sent = sent, .first_arrival = arrival, .arrival = arrival};
        a->has_current = true;
    }
    if (sent > a->current.sent)
        a->current.sent = sent;
    if (arrival > a->current.arrival)
        a->current.arrival = arrival;
    a->current.told_at = now;
    a->current.size += size;
    return complete;
}
