#include "worker/media/audio_level_observer.h"

#include <stdlib.h>

#include "proto/pipe.h"
#include "worker/media/fail.h"
#include "worker/media/producer.h"
#include "worker/media/router.h"
#include "worker/media/rtp_observer.h"
#include "worker/media/worker_state.h"

enum {
    DEFAULT_ENTRIES = 1,
    DEFAULT_THRESHOLD = -80,
    DEFAULT_INTERVAL_MS = 1000,
    /* An average over less than a packet each 100 ms says nothing. */
    PACKET_PER_MS = 100
};

struct audio_level_observer {
    struct rtp_observer base;
    size_t max_entries;
    int threshold; /* dBov */
    bool silent;   /* and the controller knows */
};

struct heard {
    struct observed of;
    uint32_t sum; /* of levels in -dBov in this interval */
    uint32_t packets;
};

static struct audio_level_observer *self(struct rtp_observer *o)
{
    return container_of(o, struct audio_level_observer, base);
}

static struct heard *heard_of(struct observed *of)
{
    return container_of(of, struct heard, of);
}

static void forget(struct observed *of, usec now)
{
    (void)now;
    struct heard *h = heard_of(of);
    h->sum = h->packets = 0;
}

static void level(struct observed *of, usec now, uint8_t l)
{
    (void)now;
    struct heard *h = heard_of(of);
    h->sum += l;
    h->packets++;
}

static void tell_silence(struct audio_level_observer *o)
{
    if (o->silent)
        return;
    o->silent = true;
    worker_notify(o->base.router->worker, o->base.object.id, EVENT_AUDIO_LEVEL_OBSERVER_SILENCE,
                  NULL);
}

static void paused(struct rtp_observer *base)
{
    tell_silence(self(base));
}

static int louder_first(const void *a, const void *b)
{
    const struct audio_volume *x = a;
    const struct audio_volume *y = b;
    return (x->volume < y->volume) - (x->volume > y->volume);
}

/* Returns how many reach the threshold; out has room for all. */
static size_t loud(struct audio_level_observer *o, struct audio_volume *out)
{
    usec least = o->base.interval / USEC_PER_MSEC / PACKET_PER_MS;
    size_t n = 0;
    list_each (node, &o->base.observed) {
        struct heard *h = heard_of(container_of(node, struct observed, in_observer));
        uint32_t packets = h->packets;
        int volume = packets > 0 ? -(int)((h->sum + packets / 2) / packets) : 0;
        h->sum = h->packets = 0;
        if (packets > 0 && packets >= least && volume >= o->threshold)
            out[n++] = (struct audio_volume){
                .producer_id = h->of.producer->object.id, .volume = volume, .has_volume = true};
    }
    return n;
}

static void interval(struct rtp_observer *base, usec now)
{
    (void)now;
    struct audio_level_observer *o = self(base);
    struct audio_volume *volumes = calloc(base->n_observed + 1, sizeof *volumes);
    if (!volumes)
        return;
    size_t n = loud(o, volumes);
    if (n > 0) {
        qsort(volumes, n, sizeof *volumes, louder_first);
        struct audio_level_observer_volumes_event event = {
            .volumes = volumes, .n_volumes = n < o->max_entries ? n : o->max_entries};
        o->silent = false;
        worker_notify(base->router->worker, base->object.id, EVENT_AUDIO_LEVEL_OBSERVER_VOLUMES,
                      &event);
    } else {
        tell_silence(o);
    }
    free(volumes);
}

static const struct rtp_observer_ops ops = {.observed_size = sizeof(struct heard),
                                            .added = forget,
                                            .level = level,
                                            .forget = forget,
                                            .paused = paused,
                                            .interval = interval};

enum err audio_level_observer_open(struct router *r, usec now,
                                   const struct router_create_audio_level_observer_request *in,
                                   struct field_error *f)
{
    const struct audio_level_observer_options *options = in->options;
    struct audio_level_observer *o = calloc(1, sizeof *o);
    if (!o)
        return fail_plain(f, ERR_NOMEM);
    o->max_entries = options->has_max_entries ? options->max_entries : DEFAULT_ENTRIES;
    o->threshold = options->has_threshold ? (int)options->threshold : DEFAULT_THRESHOLD;
    o->silent = true;
    usec ms = options->has_interval ? options->interval : DEFAULT_INTERVAL_MS;
    return rtp_observer_init(&o->base, &ops, r, in->rtp_observer_id, ms * USEC_PER_MSEC, now, f);
}
