/* How long packets wait on the way: one-way delay above the least of the last seconds. Clocks need
 * not agree, only run at about the same rate. Sans-IO. Owned by an estimator. */
#ifndef WEIR_BWE_QUEUE_DELAY_H
#define WEIR_BWE_QUEUE_DELAY_H

#include <stdbool.h>

#include "common/time.h"

enum {
    /* Half of the span over which the least is kept: 100 ppm of drift make 4 ms of 40 s. */
    QUEUE_DELAY_SPAN_US = 20000000,
    /* From one message to the next, no queue grows or goes so much: the receiver's clock was set.
     */
    QUEUE_DELAY_JUMP_US = 2000000
};

struct queue_delay {
    usec least;       /* one-way delay, offset between the clocks included */
    usec least_prior; /* of the span before */
    usec span_end;
    usec standing; /* least of one feedback message, above the base */
    usec report_least;
    usec report_prior; /* of the message before */
    bool started;
    bool reported;
};

void queue_delay_reset(struct queue_delay *q);
/* Each arrived packet of a feedback message, then the end of the message. */
void queue_delay_add(struct queue_delay *q, usec sent, usec arrival);
void queue_delay_end(struct queue_delay *q, usec now);

#endif
