#include "worker/bwe/twcc_receiver.h"

#include <string.h>

#include "proto/twcc.h"

enum { BATCH = 256 };

void twcc_receiver_init(struct twcc_receiver *t)
{
    *t = (struct twcc_receiver){.due = USEC_NEVER};
}

static usec *slot(struct twcc_receiver *t, int64_t n)
{
    return &t->arrived_at[(uint64_t)n % TWCC_WINDOW];
}

/* Forgets what the window leaves behind as the highest number moves on to n. */
static void advance(struct twcc_receiver *t, int64_t n)
{
    int64_t highest = t->unwrap.highest;
    if (n - highest >= TWCC_WINDOW)
        memset(t->arrived_at, 0, sizeof t->arrived_at);
    else
        for (int64_t i = highest + 1; i <= n; i++)
            *slot(t, i) = 0;
    if (t->next_report <= n - TWCC_WINDOW)
        t->next_report = n - TWCC_WINDOW + 1;
}

/* The sender's numbers fell back for good. */
static int64_t begin_anew(struct twcc_receiver *t, uint16_t seq)
{
    memset(t->arrived_at, 0, sizeof t->arrived_at);
    t->unwrap = (struct seq_unwrap){0};
    t->pending = 0;
    t->next_report = seq_unwrap16_peek(&t->unwrap, seq);
    return t->next_report;
}

void twcc_receiver_input(struct twcc_receiver *t, usec now, uint16_t seq)
{
    int64_t n = seq_unwrap16_peek(&t->unwrap, seq);
    if (!t->started) {
        t->started = true;
        t->next_report = n;
        t->last_at = now - TWCC_INTERVAL_US;
    } else if (n > t->unwrap.highest) {
        advance(t, n);
    } else if (n <= t->unwrap.highest - TWCC_WINDOW) {
        if (++t->stale < TWCC_STALE_MAX)
            return;
        n = begin_anew(t, seq);
    } else if (*slot(t, n) != 0) {
        return;
    }
    t->stale = 0;
    (void)seq_unwrap16(&t->unwrap, seq);
    *slot(t, n) = now;
    t->received++;
    t->pending++;
    /* It had been reported as lost: report again from there. */
    if (n < t->next_report)
        t->next_report = n;
    if (t->due == USEC_NEVER) {
        t->due = t->last_at + TWCC_INTERVAL_US;
        if (t->due < now + TWCC_SETTLE_US)
            t->due = now + TWCC_SETTLE_US;
    }
    if (t->pending >= TWCC_PENDING_MAX)
        t->due = usec_min(t->due, now);
}

/* The next arrivals that are unreported; returns how many. */
static size_t gather(struct twcc_receiver *t, struct twcc_arrival *out)
{
    size_t n_out = 0;
    for (int64_t n = t->next_report; n <= t->unwrap.highest && n_out < BATCH; n++) {
        usec at = *slot(t, n);
        if (at != 0)
            out[n_out++] = (struct twcc_arrival){.seq = (uint16_t)n, .at = at};
    }
    return n_out;
}

void twcc_receiver_timeout(struct twcc_receiver *t, usec now, uint32_t sender_ssrc,
                           uint32_t media_ssrc, struct wr *w)
{
    if (now < t->due)
        return;
    struct twcc_arrival arrivals[BATCH];
    size_t n;
    while ((n = gather(t, arrivals)) > 0) {
        size_t taken = 0;
        uint16_t base = (uint16_t)t->next_report;
        if (twcc_write(w, sender_ssrc, media_ssrc, t->feedback_count, base, arrivals, n, &taken) !=
            OK)
            return;
        uint16_t covered = (uint16_t)(arrivals[taken - 1].seq - base);
        t->next_report += covered + 1;
        t->feedback_count++;
        t->feedbacks++;
    }
    t->last_at = now;
    t->pending = 0;
    t->due = USEC_NEVER;
}

usec twcc_receiver_deadline(const struct twcc_receiver *t)
{
    return t->due;
}
