/* Layer selection and simulcast switching end to end in virtual time: synthetic encoders, a link
 * that loses (and retransmits) and reorders, random wishes, and a receiver that accepts nothing
 * that a strict decoder would not. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/lib/layer_model.h"
#include "worker/rtp/ntp.h"
#include "worker/rtp/simulcast.h"

enum {
    FRAME_US = 33333,
    HELD = SIMULCAST_HELD_MAX,
    FLIGHT_MAX = 4096,
    OUT_MAX = 1 << 18,
    SR_EVERY_US = 1000 * 1000
};

#define MODE(text, codec_id, streams, spatial, temporal, ...)                                      \
    {                                                                                              \
        .name = text, .codec = codec_id, .n_streams = streams, .n_spatial = spatial,               \
        .n_temporal = temporal, __VA_ARGS__                                                        \
    }

static const struct model_mode modes[] = {
    MODE("VP8 L1T1 simulcast", CODEC_VP8, 3, 1, 1, .id_bits = 15, .no_temporal_marks = true),
    MODE("VP8 L1T3", CODEC_VP8, 1, 1, 3, .id_bits = 15),
    MODE("VP8 L1T3 simulcast", CODEC_VP8, 3, 1, 3, .id_bits = 15),
    MODE("VP8 L1T3 simulcast, ids of 7 bits", CODEC_VP8, 3, 1, 3, .id_bits = 7),
    MODE("VP8 L1T2 simulcast", CODEC_VP8, 2, 1, 2, .id_bits = 15),
    MODE("H.264 simulcast", CODEC_H264, 3, 1, 1, .id_bits = 0),
    MODE("H.264 simulcast L1T3 by descriptor", CODEC_H264, 3, 1, 3, .id_bits = 0, .dd = true),
    MODE("VP9 L3T3", CODEC_VP9, 1, 3, 3, .id_bits = 15),
    MODE("VP9 L3T3 flexible", CODEC_VP9, 1, 3, 3, .id_bits = 15, .flexible = true),
    MODE("VP9 L3T3_KEY", CODEC_VP9, 1, 3, 3, .id_bits = 15, .key_svc = true),
    MODE("VP9 L2T2_KEY flexible, ids of 7 bits", CODEC_VP9, 1, 2, 2, .id_bits = 7, .key_svc = true,
         .flexible = true),
    MODE("VP9 simulcast L1T3", CODEC_VP9, 3, 1, 3, .id_bits = 15),
    MODE("VP9 simulcast L1T2 flexible", CODEC_VP9, 3, 1, 2, .id_bits = 7, .flexible = true),
    MODE("AV1 L1T1", CODEC_AV1, 1, 1, 1, .id_bits = 0, .dd = true),
    MODE("AV1 L1T3", CODEC_AV1, 1, 1, 3, .id_bits = 0, .dd = true),
    MODE("AV1 L3T3", CODEC_AV1, 1, 3, 3, .id_bits = 0, .dd = true),
    MODE("AV1 L3T3_KEY", CODEC_AV1, 1, 3, 3, .id_bits = 0, .dd = true, .key_svc = true),
    MODE("AV1 L2T1_KEY", CODEC_AV1, 1, 2, 1, .id_bits = 0, .dd = true, .key_svc = true),
    MODE("AV1 S3T3", CODEC_AV1, 1, 3, 3, .id_bits = 0, .dd = true, .independent = true),
    MODE("AV1 simulcast L1T3", CODEC_AV1, 3, 1, 3, .id_bits = 0, .dd = true),
    MODE("AV1 simulcast without descriptor", CODEC_AV1, 3, 1, 1, .id_bits = 0),
};

/* ---- what the receiver got ---- */

struct received {
    struct model_frame truth;
    uint32_t frame;
    uint32_t timestamp;
    uint16_t id; /* picture id, or frame number */
    uint8_t tl0;
    uint8_t index;
    bool has; /* anything at this number */
    bool empty;
    bool marker;
    bool excused; /* was still missing when the source changed */
    bool sync;    /* first of a source */
    bool raised;  /* sent when a higher spatial layer began in the middle of a picture */
    uint8_t fdiffs[DD_FDIFFS_MAX];
    uint8_t n_fdiffs;
    uint8_t dd[160]; /* as sent on */
    uint8_t dd_len;
};

struct flight {
    struct model_packet packet;
    usec due;
    bool late; /* was lost or overtaken */
};

struct sim {
    struct model model;
    struct simulcast sc;
    struct layer_stream streams[MODEL_STREAMS];
    struct sr_map srs[MODEL_STREAMS];
    struct flight *flight;
    size_t n_flight;
    struct model_packet held[MODEL_STREAMS][HELD];
    size_t n_held[MODEL_STREAMS];
    usec key_at[MODEL_STREAMS]; /* when the request reaches the encoder; USEC_NEVER */
    bool awaited[MODEL_STREAMS];
    uint16_t newest_in[MODEL_STREAMS];
    struct received *out; /* by unwrapped number */
    struct seq_unwrap out_seq;
    int64_t first;
    int64_t last;
    struct dd_cache receiver; /* reads the patched descriptors */
    struct dd_packet read;
    unsigned loss_percent;
    bool gone;     /* some losses are for ever */
    bool *missing; /* frames of which something never came */
    unsigned syncs;
    bool sync_due;
    unsigned changes;
    uint32_t count[MODEL_SPATIAL][MODEL_TEMPORAL];
};

static struct received *at(struct sim *s, int64_t n)
{
    assert_true(n - s->first >= 0 && n - s->first < OUT_MAX);
    return &s->out[n - s->first];
}

/* ---- the consumer's side of the server ---- */

static void note_sync(struct sim *s, int64_t n)
{
    s->syncs++;
    for (int64_t i = s->first; i < n; i++)
        if (!at(s, i)->has)
            at(s, i)->excused = true;
    at(s, n)->sync = true;
}

static void read_numbers(struct sim *s, const struct rtp_view *v, struct slice dd,
                         struct received *r)
{
    struct vp8_desc vp8;
    struct vp9_desc vp9;
    struct slice payload = rtp_payload_slice(v);
    if (s->model.mode.codec == CODEC_VP8) {
        assert_int_equal(vp8_parse(&vp8, payload), OK);
        r->id = vp8.picture_id;
        r->tl0 = vp8.tl0_pic_idx;
    } else if (s->model.mode.codec == CODEC_VP9) {
        assert_int_equal(vp9_parse(&vp9, payload), OK);
        r->id = vp9.picture_id;
        r->tl0 = vp9.tl0_pic_idx;
        r->n_fdiffs = vp9.n_refs;
        memcpy(r->fdiffs, vp9.refs, vp9.n_refs);
    } else if (dd.n > 0) {
        assert_true(dd.n <= sizeof r->dd);
        r->id = (uint16_t)(dd.p[1] << 8 | dd.p[2]);
        r->dd_len = (uint8_t)dd.n;
        memcpy(r->dd, dd.p, dd.n);
    }
}

static void deliver(struct sim *s, const struct model_packet *p, const struct simulcast_out *o,
                    bool fill)
{
    uint8_t copy[sizeof p->data];
    uint8_t scratch[DD_LEN_MAX];
    struct rtp_view v;
    memcpy(copy, p->data, p->len);
    assert_int_equal(rtp_parse(&v, copy, p->len), OK);
    bool begin = !s->out_seq.started;
    int64_t n = seq_unwrap16(&s->out_seq, o->seq);
    if (begin) {
        s->last = n;
        s->first = n - 64; /* the very first may be overtaken */
    }
    if (n > s->last)
        s->last = n;
    struct received *r = at(s, n);
    assert_false(r->has);
    r->has = true;
    r->empty = fill;
    r->timestamp = o->timestamp;
    r->marker = o->marker;
    assert_int_equal(fill, (o->patch & LAYER_PATCH_EMPTY) != 0);
    if (s->sync_due)
        note_sync(s, n);
    s->sync_due = false;
    if (fill)
        return;
    layer_patch_payload(s->model.mode.codec, o->patch, rtp_payload(&v), v.payload_len);
    struct slice dd =
        layer_patch_dd(&s->streams[p->stream], o->patch, slice_of(p->dd, p->dd_len), scratch);
    assert_true(model_identify(&v, &r->frame, &r->index));
    r->truth = s->model.frames[r->frame];
    read_numbers(s, &v, dd, r);
}

static void server_packet(struct sim *s, usec now, const struct model_packet *p, bool again)
{
    uint8_t before[sizeof p->data];
    struct layer_packet lp;
    struct rtp_view v;
    memcpy(before, p->data, sizeof before);
    assert_int_equal(rtp_parse(&v, (uint8_t *)p->data, p->len), OK);
    bool key = codec_is_key_frame(s->model.mode.codec, rtp_payload_slice(&v));
    layer_stream_packet(&s->streams[p->stream], &v, slice_of(p->dd, p->dd_len), key, &lp);
    int8_t line = simulcast_line(&s->sc);
    struct simulcast_in in = {.packet = &lp,
                              .sr = &s->srs[p->stream],
                              .line_sr = line < 0 ? NULL : &s->srs[line],
                              .stream = p->stream,
                              .again = again};
    struct simulcast_out out;
    struct layers was = simulcast_current_layers(&s->sc);
    enum simulcast_verdict verdict = simulcast_packet(&s->sc, now, &in, &out);
    s->sync_due |= out.replay && s->sc.synced;
    if (verdict != SIMULCAST_NOTHING)
        deliver(s, p, &out, verdict == SIMULCAST_FILL);
    if (verdict == SIMULCAST_SEND && was.spatial >= 0 && !out.replay &&
        simulcast_current_layers(&s->sc).spatial > was.spatial)
        at(s, s->last)->raised = true;
    assert_memory_equal(before, p->data, sizeof before);
    struct layers layers;
    s->changes += simulcast_layers_changed(&s->sc, &layers);
    for (int8_t k; (k = simulcast_take_key_request(&s->sc)) != LAYER_NONE;)
        if (!s->awaited[k]) {
            s->awaited[k] = true;
            s->key_at[k] = now + 40 * USEC_PER_MSEC;
            s->n_held[k] = 0;
        }
    if (again)
        return;
    bool newest = seq16_after(v.seq, s->newest_in[p->stream]);
    if (newest)
        s->newest_in[p->stream] = v.seq;
    if (out.replay && !newest) {
        uint16_t first = v.seq;
        for (size_t i = 0; i < s->n_held[p->stream]; i++) {
            const struct model_packet *h = &s->held[p->stream][i];
            if (seq16_after((uint16_t)(h->data[2] << 8 | h->data[3]), first))
                server_packet(s, now, h, true);
        }
    }
    if (key) {
        s->awaited[p->stream] = false;
        s->n_held[p->stream] = 0;
    } else if (s->awaited[p->stream]) {
        size_t *n = &s->n_held[p->stream];
        if (*n == HELD)
            memmove(&s->held[p->stream][0], &s->held[p->stream][1], --*n * sizeof s->held[0][0]);
        s->held[p->stream][(*n)++] = *p;
    }
}

/* ---- the link ---- */

static uint32_t below(struct sim *s, uint32_t n)
{
    return rng_u32(&s->model.rng) % n;
}

static void launch(struct sim *s, usec now, const struct model_packet *p, usec spread)
{
    bool lost = below(s, 100) < s->loss_percent;
    if (lost && s->gone && below(s, 4) == 0) {
        s->missing[p->frame] = true;
        return;
    }
    assert_true(s->n_flight < FLIGHT_MAX);
    usec due = now + 10 * USEC_PER_MSEC + spread;
    if (lost)
        due += (30 + (usec)below(s, 50)) * USEC_PER_MSEC;
    else if (s->loss_percent > 0 && below(s, 20) == 0)
        due += (usec)below(s, 3000);
    s->flight[s->n_flight++] = (struct flight){.packet = *p, .due = due};
}

static void arrive(struct sim *s, usec until)
{
    for (;;) {
        size_t next = s->n_flight;
        for (size_t i = 0; i < s->n_flight; i++)
            if (s->flight[i].due <= until &&
                (next == s->n_flight || s->flight[i].due < s->flight[next].due))
                next = i;
        if (next == s->n_flight)
            return;
        struct flight f = s->flight[next];
        s->n_flight--;
        memmove(&s->flight[next], &s->flight[next + 1], (s->n_flight - next) * sizeof s->flight[0]);
        server_packet(s, f.due, &f.packet, false);
    }
}

static void encode(struct sim *s, usec now)
{
    struct model_packet packets[MODEL_PICTURE_PACKETS];
    usec spread = 0;
    for (uint8_t i = 0; i < s->model.mode.n_streams; i++) {
        if (s->key_at[i] <= now) {
            s->key_at[i] = USEC_NEVER;
            s->model.streams[i].key_wanted = true;
        }
        size_t n = model_picture(&s->model, i, now, packets);
        for (size_t k = 0; k < n; k++, spread += 300)
            launch(s, now, &packets[k], spread);
    }
}

static void wish(struct sim *s)
{
    struct layers l = {.spatial = (int8_t)below(s, MODEL_SPATIAL),
                       .temporal = (int8_t)below(s, MODEL_TEMPORAL)};
    uint32_t what = below(s, 100);
    if (what < 50) {
        (void)simulcast_prefer(&s->sc, l);
    } else if (what < 85) {
        simulcast_limit(&s->sc, below(s, 3) != 0 ? LAYERS_ANY : l);
    } else if (what < 92) {
        simulcast_limit(&s->sc, LAYERS_NONE);
    } else {
        simulcast_stop(&s->sc);
        simulcast_start(&s->sc);
    }
}

static void report(struct sim *s, usec now)
{
    for (unsigned i = 0; i < MODEL_STREAMS; i++)
        sr_map_update(&s->srs[i], now, ntp_of_usec(now),
                      (uint32_t)(now * MODEL_CLOCK / USEC_PER_SEC) + s->model.streams[i].ts_offset);
}

/* ---- the strict receiver ---- */

struct decoder {
    bool *decoded;    /* by frame */
    uint16_t *ids;    /* as sent on, by frame */
    uint8_t *arrived; /* packets of the frame that stand in order so far */
    uint32_t timestamp;
    usec captured;
    int64_t drift; /* of the timestamp against the time of capture */
    bool started;
    bool ended;       /* the marker of the picture came */
    bool interrupted; /* something is excused since the last picture: numbers may show it */
    bool filled;
    bool torn; /* a hole that the change of source left: until then, frames may need it */
    uint16_t id;
    uint8_t tl0;
};

static void check_ids(const struct sim *s, struct decoder *d, const struct received *r, bool fresh)
{
    const struct model_mode *mode = &s->model.mode;
    uint16_t mask = mode->id_bits == 7 ? 0x7f : 0x7fff;
    bool first = !d->started;
    if (mode->id_bits > 0 && fresh && !first) {
        uint16_t step = (uint16_t)(r->id - d->id) & mask;
        bool leaves_holes = mode->codec == CODEC_VP9 || d->filled || d->interrupted || s->gone;
        assert_true(step != 0 && step <= (leaves_holes ? 60 : 1));
    } else if (mode->id_bits > 0 && !first) {
        assert_int_equal(r->id, d->id);
    }
    bool has_tl0 = (mode->codec == CODEC_VP8 && !mode->no_temporal_marks) ||
                   (mode->codec == CODEC_VP9 && !mode->flexible);
    if (has_tl0 && fresh && !first && !s->gone) {
        uint8_t step = (uint8_t)(r->tl0 - d->tl0);
        assert_true(step == (r->truth.temporal == 0) || (d->interrupted && step <= 2));
    }
    d->id = r->id;
    d->tl0 = r->tl0;
}

/* The references, as the patched numbers tell them, are the frames that are meant. */
static void check_references(const struct sim *s, const struct decoder *d, const struct received *r)
{
    const struct model_mode *mode = &s->model.mode;
    uint16_t mask = mode->dd ? 0xffff : mode->id_bits == 7 ? 0x7f : 0x7fff;
    unsigned found = 0;
    if (!mode->dd && !mode->flexible)
        return;
    for (unsigned i = 0; i < r->truth.n_refs; i++) {
        const struct model_frame *ref = &s->model.frames[r->truth.refs[i]];
        if (!mode->dd && ref->picture == r->truth.picture)
            continue;
        bool named = false;
        for (unsigned k = 0; k < r->n_fdiffs; k++)
            named |= ((r->id - r->fdiffs[k]) & mask) == d->ids[r->truth.refs[i]];
        found += named;
        assert_true(named);
    }
    assert_int_equal(found, r->n_fdiffs);
}

static void check_timestamp(struct decoder *d, const struct received *r, bool fresh)
{
    int64_t ticks = (int64_t)r->truth.captured * MODEL_CLOCK / USEC_PER_SEC;
    int32_t off = (int32_t)(r->timestamp - (uint32_t)ticks);
    if (!fresh) {
        assert_int_equal(r->timestamp, d->timestamp);
        return;
    }
    if (d->started)
        assert_true(seq32_after(r->timestamp, d->timestamp));
    else
        d->drift = off;
    /* A source may be behind by some frames, and catches up; it is never ahead. */
    assert_true(off - (int32_t)d->drift >= -4 && off - (int32_t)d->drift < MODEL_CLOCK / 3);
    d->timestamp = r->timestamp;
    d->captured = r->truth.captured;
}

static bool needs_missing(const struct sim *s, const struct decoder *d, const struct model_frame *f)
{
    for (unsigned i = 0; i < f->n_refs; i++)
        if (!d->decoded[f->refs[i]] && !s->missing[f->refs[i]])
            return false;
    return true;
}

static void decode(const struct sim *s, struct decoder *d, const struct received *r)
{
    const struct model_frame *f = &r->truth;
    bool cut = s->missing[r->frame] || d->torn;
    if (r->index != d->arrived[r->frame]) {
        assert_true(cut);
        return;
    }
    d->ids[r->frame] = r->id;
    if (++d->arrived[r->frame] < f->n_packets)
        return;
    for (unsigned i = 0; i < f->n_refs; i++) {
        if (!d->decoded[f->refs[i]]) {
            if (!d->torn && (!s->gone || !needs_missing(s, d, f))) {
                const struct model_frame *ref = &s->model.frames[f->refs[i]];
                print_message("frame %u S%uT%u of stream %u needs %u S%uT%u\n", r->frame,
                              f->spatial, f->temporal, f->stream, f->refs[i], ref->spatial,
                              ref->temporal);
                fail();
            }
            s->missing[r->frame] = true;
            return;
        }
    }
    check_references(s, d, r);
    d->decoded[r->frame] = true;
}

/* In the order of numbers, as a receiver's buffer does. */
static void read_descriptor(struct sim *s, struct received *r)
{
    if (r->dd_len == 0 || !dd_cache_packet(&s->receiver, slice_of(r->dd, r->dd_len), &s->read))
        return;
    r->n_fdiffs = s->read.dd.n_fdiffs;
    for (unsigned i = 0; i < r->n_fdiffs; i++)
        r->fdiffs[i] = (uint8_t)s->read.dd.fdiffs[i];
}

static void receive(struct sim *s)
{
    struct decoder d = {.decoded = calloc(s->model.n_frames, sizeof(bool)),
                        .ids = calloc(s->model.n_frames, sizeof(uint16_t)),
                        .arrived = calloc(s->model.n_frames, 1)};
    assert_true(d.decoded && d.ids && d.arrived);
    /* Up to where everything that will come has come. */
    int64_t end = s->last - 200;
    assert_true(end > s->first + 1000);
    int64_t start = s->first;
    while (!at(s, start)->has)
        start++;
    for (int64_t n = start; n < end; n++) {
        struct received *r = at(s, n);
        if (!r->has) {
            assert_true(r->excused || s->gone);
            d.interrupted = true;
            d.torn |= r->excused;
            continue;
        }
        d.filled |= r->empty;
        if (r->empty)
            continue;
        bool fresh = !d.started || r->timestamp != d.timestamp;
        /* The last picture of a source may be cut by the change. */
        if (fresh && d.started)
            assert_true(d.ended || r->sync || d.interrupted);
        d.interrupted |= r->sync;
        d.torn &= !r->sync;
        if (!fresh && d.ended)
            assert_true(r->raised || r->truth.spatial > 0);
        read_descriptor(s, r);
        check_timestamp(&d, r, fresh);
        check_ids(s, &d, r, fresh);
        decode(s, &d, r);
        if (r->index == 0)
            s->count[s->model.mode.n_streams > 1 ? r->truth.stream : r->truth.spatial]
                    [r->truth.temporal]++;
        d.started = true;
        d.ended = r->marker;
        if (fresh)
            d.interrupted = d.filled = false;
    }
    free(d.decoded);
    free(d.ids);
    free(d.arrived);
}

/* ---- runs ---- */

static void init(struct sim *s, const struct model_mode *mode, uint64_t seed, bool wraps)
{
    memset(s, 0, sizeof *s);
    model_init(&s->model, mode, seed, wraps);
    struct simulcast_config c = {.codec = mode->codec,
                                 .clock_rate = MODEL_CLOCK,
                                 .n_streams = mode->n_streams,
                                 .n_spatial = mode->n_spatial,
                                 .n_temporal = mode->n_temporal,
                                 .key_svc = mode->key_svc,
                                 .first_seq = wraps ? 65530 : 1};
    simulcast_init(&s->sc, &c);
    for (unsigned i = 0; i < MODEL_STREAMS; i++) {
        assert_int_equal(layer_stream_init(&s->streams[i], mode->codec, mode->dd), OK);
        sr_map_init(&s->srs[i], MODEL_CLOCK);
        s->key_at[i] = USEC_NEVER;
        s->newest_in[i] = (uint16_t)(s->model.streams[i].seq - 1);
    }
    dd_cache_init(&s->receiver);
    s->flight = calloc(FLIGHT_MAX, sizeof *s->flight);
    s->out = calloc(OUT_MAX, sizeof *s->out);
    s->missing = calloc(1 << 20, sizeof *s->missing);
    assert_true(s->flight && s->out && s->missing);
}

static void fini(struct sim *s)
{
    for (unsigned i = 0; i < MODEL_STREAMS; i++)
        layer_stream_fini(&s->streams[i]);
    model_fini(&s->model);
    free(s->flight);
    free(s->out);
    free(s->missing);
}

static void run(struct sim *s, usec length)
{
    usec wish_at = 0;
    usec sr_at = 0;
    simulcast_start(&s->sc);
    for (usec now = USEC_PER_SEC; now < USEC_PER_SEC + length; now += FRAME_US) {
        if (now >= sr_at) {
            report(s, now);
            sr_at = now + SR_EVERY_US;
        }
        if (now >= wish_at) {
            wish(s);
            wish_at = now + (50 + (usec)below(s, 1500)) * USEC_PER_MSEC;
        }
        encode(s, now);
        arrive(s, now + FRAME_US);
    }
    arrive(s, USEC_PER_SEC + length + USEC_PER_SEC);
}

typedef uint32_t layer_counts[MODEL_SPATIAL][MODEL_TEMPORAL];

static void try_mode(const struct model_mode *mode, uint64_t seed, unsigned loss, bool gone,
                     layer_counts counts)
{
    struct sim *s = malloc(sizeof *s);
    assert_non_null(s);
    print_message("%s, loss %u %%%s, seed %u\n", mode->name, loss, gone ? " for ever" : "",
                  (unsigned)seed);
    init(s, mode, seed, seed % 2 == 1);
    s->loss_percent = loss;
    s->gone = gone;
    run(s, 90 * USEC_PER_SEC);
    receive(s);
    for (unsigned i = 0; i < MODEL_SPATIAL; i++)
        for (unsigned t = 0; t < MODEL_TEMPORAL; t++)
            counts[i][t] += s->count[i][t];
    assert_true(s->changes > 5);
    fini(s);
    free(s);
}

/* It did come to every layer there is, not once only. */
static void check_counts(const struct model_mode *mode, layer_counts counts)
{
    unsigned n = mode->n_streams > 1 ? mode->n_streams : mode->n_spatial;
    for (unsigned i = 0; i < n; i++)
        for (unsigned t = 0; t < mode->n_temporal; t++)
            assert_true(counts[i][t] > 40);
}

static void every_mode(unsigned loss, bool gone)
{
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        layer_counts counts = {{0}};
        for (uint64_t seed = 1; seed <= 4; seed++)
            try_mode(&modes[i], seed + 10 * i, loss, gone, counts);
        check_counts(&modes[i], counts);
    }
}

static void what_is_sent_can_be_decoded_over_random_switches(void **state)
{
    (void)state;
    every_mode(0, false);
}

static void reordered_and_retransmitted_packets_fill_their_holes(void **state)
{
    (void)state;
    every_mode(5, false);
}

static void only_what_was_lost_for_ever_is_missed(void **state)
{
    (void)state;
    every_mode(5, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_sent_can_be_decoded_over_random_switches),
        cmocka_unit_test(reordered_and_retransmitted_packets_fill_their_holes),
        cmocka_unit_test(only_what_was_lost_for_ever_is_missed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
