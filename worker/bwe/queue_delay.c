#include "worker/bwe/queue_delay.h"

void queue_delay_reset(struct queue_delay *q)
{
    *q = (struct queue_delay){0};
}

void queue_delay_add(struct queue_delay *q, usec sent, usec arrival)
{
    usec delay = arrival - sent;
    if (!q->reported || delay < q->report_least)
        q->report_least = delay;
    q->reported = true;
}

void queue_delay_end(struct queue_delay *q, usec now)
{
    if (!q->reported)
        return;
    q->reported = false;
    usec step = q->report_least - q->report_prior;
    if (step > QUEUE_DELAY_JUMP_US || step < -QUEUE_DELAY_JUMP_US)
        q->started = false;
    q->report_prior = q->report_least;
    if (!q->started || now >= q->span_end) {
        q->least_prior = q->started ? q->least : q->report_least;
        q->least = q->report_least;
        q->span_end = now + QUEUE_DELAY_SPAN_US;
        q->started = true;
    }
    q->least = usec_min(q->least, q->report_least);
    q->standing = q->report_least - usec_min(q->least, q->least_prior);
}
