/* The inside of a consumer of layers, for its own files. No IO. */
#ifndef WEIR_WORKER_MEDIA_LAYERED_STATE_H
#define WEIR_WORKER_MEDIA_LAYERED_STATE_H

#include "worker/media/consumer.h"
#include "worker/media/replay.h"
#include "worker/rtp/send_stream.h"
#include "worker/rtp/simulcast.h"

struct layered_consumer {
    struct consumer base;
    struct send_stream send;
    struct simulcast simulcast;
    enum codec codec;
    struct replay replay;
};

#endif
