#include "worker/media/active_speaker_observer.h"

#include <stdlib.h>

#include "proto/pipe.h"
#include "worker/media/fail.h"
#include "worker/media/producer.h"
#include "worker/media/router.h"
#include "worker/media/rtp_observer.h"
#include "worker/media/speech.h"
#include "worker/media/worker_state.h"

enum { DEFAULT_INTERVAL_MS = 300 };

struct speaker {
    struct observed of;
    struct speech speech;
    struct speech_scores scores; /* of the last decision */
};

struct active_speaker_observer {
    struct rtp_observer base;
    struct speaker *dominant; /* ref; NULL: nobody has spoken yet */
};

static struct active_speaker_observer *self(struct rtp_observer *o)
{
    return container_of(o, struct active_speaker_observer, base);
}

static struct speaker *speaker_of(struct observed *of)
{
    return container_of(of, struct speaker, of);
}

static void added(struct observed *of, usec now)
{
    (void)now;
    speech_init(&speaker_of(of)->speech);
}

static void level(struct observed *of, usec now, uint8_t l)
{
    speech_level(&speaker_of(of)->speech, now, l);
}

static void forget(struct observed *of, usec now)
{
    (void)now;
    struct active_speaker_observer *o = self(of->observer);
    struct speaker *s = speaker_of(of);
    speech_init(&s->speech);
    if (o->dominant == s)
        o->dominant = NULL;
}

static void paused(struct rtp_observer *o)
{
    self(o)->dominant = NULL;
}

/* Somebody alone needs to beat nobody; among several, the first to speak in earnest. */
static struct speaker *first_speaker(struct active_speaker_observer *o)
{
    static const struct speech_scores nobody = {1e-10, 1e-10, 1e-10};
    struct speaker *first = NULL;
    list_each (node, &o->base.observed) {
        struct speaker *s = speaker_of(container_of(node, struct observed, in_observer));
        bool speaks =
            s->speech.heard && (o->base.n_observed == 1 || speech_dominates(&s->scores, &nobody));
        if (speaks && (!first || s->scores.medium > first->scores.medium))
            first = s;
    }
    return first;
}

static struct speaker *challenger(struct active_speaker_observer *o)
{
    struct speaker *best = NULL;
    list_each (node, &o->base.observed) {
        struct speaker *s = speaker_of(container_of(node, struct observed, in_observer));
        if (s != o->dominant && speech_dominates(&s->scores, &o->dominant->scores) &&
            (!best || s->scores.medium > best->scores.medium))
            best = s;
    }
    return best;
}

static void interval(struct rtp_observer *base, usec now)
{
    struct active_speaker_observer *o = self(base);
    list_each (node, &base->observed) {
        struct speaker *s = speaker_of(container_of(node, struct observed, in_observer));
        speech_score(&s->speech, now, &s->scores);
    }
    struct speaker *next = o->dominant ? challenger(o) : first_speaker(o);
    if (!next)
        return;
    o->dominant = next;
    struct active_speaker_observer_dominant_speaker_event event = {
        .producer_id = next->of.producer->object.id};
    worker_notify(base->router->worker, base->object.id,
                  EVENT_ACTIVE_SPEAKER_OBSERVER_DOMINANT_SPEAKER, &event);
}

static const struct rtp_observer_ops ops = {.observed_size = sizeof(struct speaker),
                                            .added = added,
                                            .level = level,
                                            .forget = forget,
                                            .paused = paused,
                                            .interval = interval};

enum err
active_speaker_observer_open(struct router *r, usec now,
                             const struct router_create_active_speaker_observer_request *in,
                             struct field_error *f)
{
    const struct active_speaker_observer_options *options = in->options;
    struct active_speaker_observer *o = calloc(1, sizeof *o);
    if (!o)
        return fail_plain(f, ERR_NOMEM);
    usec ms = options->has_interval ? options->interval : DEFAULT_INTERVAL_MS;
    return rtp_observer_init(&o->base, &ops, r, in->rtp_observer_id, ms * USEC_PER_MSEC, now, f);
}
