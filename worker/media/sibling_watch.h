/* Notices that a sender has left out one size of a simulcast picture, as browsers do when their
 * uplink gets narrow, by the sizes that go on: sooner than its silence alone would tell, which may
 * be that of the network. Used by producers; no IO. */
#ifndef WEIR_WORKER_MEDIA_SIBLING_WATCH_H
#define WEIR_WORKER_MEDIA_SIBLING_WATCH_H

#include "worker/media/producer.h"

enum {
    /* An encoder that keeps to its bit rate drops frames of one size now and then. */
    SIBLING_SILENCE_US = 500 * 1000,
    SIBLING_FRAMES = 8
};

/* A packet of s came; marker: the last of a frame. Streams that the others have left behind become
 * inactive, with a score of 0, until their next packet. */
void sibling_watch(struct producer_stream *s, usec now, bool marker);

#endif
