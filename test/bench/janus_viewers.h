/* Viewers (viewers.h) of a Janus instead of a worker. */
#ifndef WEIR_TEST_BENCH_JANUS_VIEWERS_H
#define WEIR_TEST_BENCH_JANUS_VIEWERS_H

#include "test/bench/janus_process.h"
#include "test/bench/viewers.h"

/* Connects call->n WebRTC viewers to its mountpoint; they get media as soon as there is some. */
void janus_viewers_open(struct viewers *v, struct janus *j, const struct call *call);

#endif
