#include "worker/rtp/simulcast.h"

#include <assert.h>

void simulcast_init(struct simulcast *s, const struct simulcast_config *c)
{
    assert(c->n_streams >= 1 && c->n_streams <= SIMULCAST_STREAMS_MAX);
    *s = (struct simulcast){.max = LAYERS_ANY,
                            .told = LAYERS_NONE,
                            .n_streams = c->n_streams,
                            .n_spatial = c->n_streams > 1 ? c->n_streams : c->n_spatial,
                            .n_temporal = c->n_temporal,
                            .lowest_spatial = c->lowest_spatial && c->n_streams == 1,
                            .current = LAYER_NONE,
                            .target = LAYER_NONE,
                            .line = LAYER_NONE,
                            .waiting = LAYER_NONE};
    if (s->n_spatial == 0)
        s->n_spatial = 1;
    if (s->n_temporal == 0)
        s->n_temporal = 1;
    s->preferred = (struct layers){.spatial = (int8_t)(s->n_spatial - 1),
                                   .temporal = (int8_t)(s->n_temporal - 1)};
    selector_init(&s->selector, c->codec, c->key_svc);
    seq_rewriter_init(&s->seq, 16, c->first_seq);
    timeline_init(&s->timeline, c->clock_rate);
}

/* ---- what is wanted ---- */

static bool alive(const struct simulcast *s, int stream)
{
    return (s->alive >> stream & 1) != 0;
}

static void want(struct simulcast *s, int8_t stream)
{
    if (stream >= 0)
        s->want |= (uint16_t)(1U << stream);
}

/* The highest that lives within what is preferred; if there is none, the nearest above, as far as
 * the estimate allows. */
static int8_t choose_stream(const struct simulcast *s)
{
    int8_t best = LAYER_NONE;
    if (s->n_streams == 1)
        return s->max.spatial >= 0 && alive(s, 0) ? 0 : LAYER_NONE;
    for (int8_t i = 0; i < (int8_t)s->n_streams && i <= s->max.spatial; i++) {
        if (alive(s, i) && (i <= s->preferred.spatial || best == LAYER_NONE))
            best = i;
    }
    return best;
}

/* Limits inside of the stream that is sent now. What was not announced is not limited. */
static struct layers limits(const struct simulcast *s)
{
    struct layers l = layers_min(s->preferred, s->max);
    if (s->n_streams > 1) {
        l.spatial = LAYER_ANY;
        if (s->current != LAYER_NONE && s->current < s->target)
            l.temporal = s->preferred.temporal;
        /* Too much for the link until the key frame of the lower stream comes. */
        if (s->current > s->target && s->current > s->max.spatial)
            l.temporal = 0;
    } else if (s->n_spatial == 1) {
        l.spatial = LAYER_ANY;
    }
    if (s->n_temporal == 1)
        l.temporal = LAYER_ANY;
    if (s->lowest_spatial)
        l.spatial = 0;
    return l;
}

static void retarget(struct simulcast *s)
{
    s->target = s->active ? choose_stream(s) : LAYER_NONE;
    if (!s->active || s->max.spatial < 0)
        s->current = LAYER_NONE;
    if (s->target != s->current)
        want(s, s->target);
    if (s->target == s->current) {
        s->waiting = LAYER_NONE;
    } else if (s->waiting != s->target) {
        s->waiting = s->target;
        s->waiting_from = s->target >= 0 ? s->newest[s->target] : 0;
    }
    if (s->target != LAYER_NONE)
        selector_set_target(&s->selector, limits(s));
}

void simulcast_start(struct simulcast *s)
{
    s->active = true;
    s->current = LAYER_NONE;
    retarget(s);
}

void simulcast_stop(struct simulcast *s)
{
    s->active = false;
    s->want = 0;
    retarget(s);
}

static int8_t within(int8_t layer, uint8_t n)
{
    return layer < 0 || layer >= n ? (int8_t)(n - 1) : layer;
}

struct layers simulcast_prefer(struct simulcast *s, struct layers preferred)
{
    s->preferred.spatial = within(preferred.spatial, s->n_spatial);
    s->preferred.temporal = within(preferred.temporal, s->n_temporal);
    retarget(s);
    return s->preferred;
}

void simulcast_limit(struct simulcast *s, struct layers max)
{
    if (layers_equal(s->max, max))
        return;
    s->max = max;
    retarget(s);
}

void simulcast_alive(struct simulcast *s, uint8_t stream, bool is)
{
    if (stream >= s->n_streams || alive(s, stream) == is)
        return;
    s->alive ^= (uint16_t)(1U << stream);
    retarget(s);
}

void simulcast_key_frame(struct simulcast *s)
{
    if (s->active)
        want(s, s->current != LAYER_NONE ? s->current : s->target);
}

void simulcast_rewind(struct simulcast *s, uint8_t stream, uint16_t seq)
{
    s->seen |= (uint16_t)(1U << stream);
    s->newest[stream] = (uint16_t)(seq - 1);
}

/* ---- packets ---- */

/* From this packet on the consumer gets this stream. */
static void sync(struct simulcast *s, usec now, const struct simulcast_in *in)
{
    const struct layer_packet *p = in->packet;
    int8_t stream = (int8_t)in->stream;
    if (s->new_line)
        timeline_switch(&s->timeline, now, p->timestamp, NULL, NULL);
    else if (s->line != stream)
        timeline_switch(&s->timeline, now, p->timestamp, in->sr, in->line_sr);
    s->line = stream;
    s->current = stream;
    s->resync = false;
    s->new_line = false;
    s->synced = true;
    s->waiting = stream == s->target ? LAYER_NONE : s->waiting;
    s->unknown = 0;
    s->want &= (uint16_t) ~(1U << stream);
    selector_set_target(&s->selector, limits(s));
    selector_sync(&s->selector, p);
    seq_rewriter_sync(&s->seq, p->seq);
}

/* What came between a late key frame and now was held only since the key frame was waited for. */
static bool too_late(const struct simulcast *s, int8_t stream, uint16_t seq, bool late)
{
    if (!late)
        return false;
    return stream != s->waiting || !seq16_after(seq, s->waiting_from) ||
           seq16_diff(s->newest[stream], seq) > SIMULCAST_HELD_MAX;
}

/* Before the first key frame of the target, one of a lower stream is better than nothing. */
static bool may_sync(const struct simulcast *s, const struct simulcast_in *in, bool late)
{
    int8_t stream = (int8_t)in->stream;
    if (!in->packet->key_frame || s->target == LAYER_NONE ||
        too_late(s, stream, in->packet->seq, late))
        return false;
    return stream == s->target || stream == s->current ||
           (s->current == LAYER_NONE && stream < s->target);
}

/* Packets that could not be understood are remembered, so that only those are taken when they are
 * shown again. */
static void remember_unknown(struct simulcast *s, uint16_t seq)
{
    if (s->unknown == 0)
        s->unknown_first = (uint16_t)(seq - 16); /* they may come in any order */
    uint16_t at = (uint16_t)(seq - s->unknown_first);
    if (at < 64)
        s->unknown |= UINT64_C(1) << at;
}

static bool take_unknown(struct simulcast *s, uint16_t seq)
{
    uint16_t at = (uint16_t)(seq - s->unknown_first);
    if (at >= 64 || (s->unknown >> at & 1) == 0)
        return false;
    s->unknown &= ~(UINT64_C(1) << at);
    return true;
}

/* The number closes up, or, where newer ones went out already, is filled. */
static enum simulcast_verdict leave_out(struct simulcast *s, uint16_t seq, uint32_t timestamp,
                                        struct simulcast_out *out)
{
    if (seq_rewriter_drop(&s->seq, seq) || !seq_rewriter_map(&s->seq, seq, &out->seq))
        return SIMULCAST_NOTHING;
    out->timestamp = timeline_map(&s->timeline, timestamp);
    out->marker = false;
    out->patch = LAYER_PATCH_EMPTY;
    return SIMULCAST_FILL;
}

static enum simulcast_verdict select_packet(struct simulcast *s, usec now,
                                            const struct layer_packet *p, struct simulcast_out *out)
{
    struct layer_choice choice = selector_packet(&s->selector, p);
    if (choice.want_key_frame)
        want(s, s->current);
    switch (choice.verdict) {
    case LAYER_UNKNOWN:
        remember_unknown(s, p->seq);
        return SIMULCAST_NOTHING;
    case LAYER_DROP:
        return leave_out(s, p->seq, p->timestamp, out);
    case LAYER_FORWARD:
        break;
    }
    if (!seq_rewriter_map(&s->seq, p->seq, &out->seq))
        return SIMULCAST_NOTHING;
    out->timestamp = timeline_map(&s->timeline, p->timestamp);
    out->marker = choice.marker;
    out->patch = choice.patch;
    timeline_sent(&s->timeline, now, out->timestamp);
    return SIMULCAST_SEND;
}

/* True: newer ones came before. */
static bool note_number(struct simulcast *s, uint8_t stream, uint16_t seq, bool restarted)
{
    bool seen = (s->seen >> stream & 1) != 0;
    bool late = seen && !restarted && !seq16_after(seq, s->newest[stream]);
    s->seen |= (uint16_t)(1U << stream);
    if (!late)
        s->newest[stream] = seq;
    if (!seen && stream == s->waiting)
        s->waiting_from = (uint16_t)(seq - SIMULCAST_HELD_MAX);
    return late;
}

enum simulcast_verdict simulcast_packet(struct simulcast *s, usec now,
                                        const struct simulcast_in *in, struct simulcast_out *out)
{
    const struct layer_packet *p = in->packet;
    int8_t stream = (int8_t)in->stream;
    out->replay = false;
    if (in->again) {
        if (stream != s->current || s->resync || (!s->synced && !take_unknown(s, p->seq)))
            return SIMULCAST_NOTHING;
        return select_packet(s, now, p, out);
    }
    s->synced = false;
    bool late = note_number(s, in->stream, p->seq, in->restarted);
    if (!alive(s, stream) && !in->left_out)
        simulcast_alive(s, in->stream, true);
    if (in->restarted && stream == s->line)
        s->resync = s->new_line = true;
    if (!s->active)
        return SIMULCAST_NOTHING;
    /* What was not understood so far need not be any more. */
    if (stream == s->current && p->key_frame && !late && s->unknown != 0)
        s->resync = true;
    if (stream != s->current || s->resync) {
        if (may_sync(s, in, late))
            sync(s, now, in);
        else if (stream == s->target)
            want(s, stream);
        if (stream != s->current || s->resync)
            return SIMULCAST_NOTHING;
    }
    out->replay = s->synced || (s->unknown != 0 && p->key_frame);
    return select_packet(s, now, p, out);
}

enum simulcast_verdict simulcast_skip(struct simulcast *s, uint8_t stream, uint16_t seq,
                                      uint32_t timestamp, struct simulcast_out *out)
{
    (void)note_number(s, stream, seq, false);
    out->replay = false;
    if ((int8_t)stream != s->current || s->resync)
        return SIMULCAST_NOTHING;
    return leave_out(s, seq, timestamp, out);
}

/* ---- what follows ---- */

int8_t simulcast_take_key_request(struct simulcast *s)
{
    if (s->want == 0)
        return LAYER_NONE;
    int8_t stream = (int8_t)__builtin_ctz(s->want);
    s->want &= (uint16_t)(s->want - 1);
    return stream;
}

static int8_t shown(int8_t layer, uint8_t n)
{
    return layer_min(layer, (int8_t)(n - 1));
}

struct layers simulcast_current_layers(const struct simulcast *s)
{
    struct layers inside = selector_current(&s->selector);
    if (s->current == LAYER_NONE || inside.spatial < 0)
        return LAYERS_NONE;
    return (struct layers){.spatial =
                               s->n_streams > 1 ? s->current : shown(inside.spatial, s->n_spatial),
                           .temporal = shown(inside.temporal, s->n_temporal)};
}

struct layers simulcast_target_layers(const struct simulcast *s)
{
    if (s->target == LAYER_NONE)
        return LAYERS_NONE;
    struct layers l = layers_min(s->preferred, s->max);
    if (s->lowest_spatial)
        l.spatial = 0;
    return (struct layers){.spatial = s->n_streams > 1 ? s->target : shown(l.spatial, s->n_spatial),
                           .temporal = shown(l.temporal, s->n_temporal)};
}

bool simulcast_layers_changed(struct simulcast *s, struct layers *out)
{
    *out = simulcast_current_layers(s);
    if (layers_equal(*out, s->told))
        return false;
    s->told = *out;
    return true;
}
