#include "controller/live/pipeline_state.h"

static uint64_t stall_ms(const struct pipeline *p)
{
    uint64_t patience = 2 * (uint64_t)(p->longest / USEC_PER_MSEC) + 1000;
    return patience > STALL_MIN_MS ? patience : STALL_MIN_MS;
}

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* ---- key frames ---- */

/* How long after the key frame that began a segment the next is asked for: where video is copied,
 * it ends the segment. */
static uint64_t key_frame_every(const struct run *r)
{
    return (uint64_t)(r->pipeline->config.encoding.segment / USEC_PER_MSEC) + KEY_LATE_MS;
}

/* One that comes early, as browsers send them when they change the resolution, ends no segment: the
 * next is due as if it had not come. */
void run_note_key_frame(struct run_input *in, uint64_t now)
{
    const struct encoding *e = &in->run->pipeline->config.encoding;
    uint64_t least = (uint64_t)(hls_least_segment(e->segment) / USEC_PER_MSEC);
    if (in->key_came_ms == 0 || now - in->key_cut_ms >= least)
        in->key_cut_ms = now;
    in->key_came_ms = now;
}

static uint64_t key_frame_turn(struct run *r, struct run_input *in, uint64_t now)
{
    bool unanswered = in->key_came_ms == 0 || in->key_came_ms < in->key_asked_ms;
    uint64_t due = unanswered ? in->key_asked_ms + KEY_ASK_MS : in->key_cut_ms + key_frame_every(r);
    if (now < due)
        return due;
    run_ask_key_frame(r, in, now);
    return now + KEY_ASK_MS;
}

/* Every picture needs a first one. After that only segments of video that goes through as it is are
 * cut at the broadcaster's. Browsers send none unless asked; encoders that send them regularly are
 * left alone. When to look again. */
static uint64_t key_frame_turns(struct run *r, uint64_t now)
{
    uint64_t next = PIPELINE_NO_TIMER;
    for (size_t i = 0; i < r->plan.n_inputs; i++) {
        struct run_input *in = &r->inputs[i];
        if (in->kind != MEDIA_KIND_VIDEO)
            continue;
        if (in->key_came_ms == 0 || r->plan.tracks[MEDIA_KIND_VIDEO].copies)
            next = earlier(next, key_frame_turn(r, in, now));
    }
    return next;
}

static bool waits_for_key_frame(const struct run *r)
{
    for (size_t i = 0; i < r->plan.n_inputs; i++) {
        if (r->inputs[i].kind == MEDIA_KIND_VIDEO && r->inputs[i].key_came_ms == 0)
            return true;
    }
    return false;
}

/* ---- an ffmpeg that hangs ---- */

/* Under load ffmpeg may be late; a run that follows one that seemed to hang is given more time. */
static uint64_t hang_ms(const struct pipeline *p)
{
    return HANG_MS * (uint64_t)(1 + (p->hangs < HANGS_COUNTED ? p->hangs : HANGS_COUNTED));
}

static bool reads_its_input(struct run *r)
{
    const struct pipeline_env *env = &r->pipeline->config.env;
    uint16_t ports[LIVE_INPUTS_MAX];
    size_t n = r->plan.n_inputs;
    for (size_t i = 0; i < n; i++)
        ports[i] = r->inputs[i].port;
    /* Without RTP it paces itself, and writes all the time. */
    return n > 0 && !env->backlog(env->ctx, ports, n);
}

/* ffmpeg hangs: seen by what it does not read, long before a segment is missed. A broadcaster that
 * sends nothing leaves its sockets empty. When to look again; 0: it hangs. */
static uint64_t hang_turn(struct run *r, uint64_t now)
{
    if (!r->pipeline->config.encoding.cmaf)
        return PIPELINE_NO_TIMER;
    uint64_t due = r->output_ms + hang_ms(r->pipeline);
    if (now < due)
        return due;
    return reads_its_input(r) ? now + LOOK_AGAIN_MS : 0;
}

/* ffmpeg was stopped by a signal. When to look again; 0: it was. */
static uint64_t held_turn(struct run *r, uint64_t now)
{
    const struct pipeline_env *env = &r->pipeline->config.env;
    uint64_t wrote = later(r->step_ms, later(r->output_ms, r->segment_ms));
    if (now < wrote + HELD_MS)
        return wrote + HELD_MS;
    return env->held(env->ctx, r->ffmpeg) ? 0 : now + LOOK_AGAIN_MS;
}

/* ---- what is due ---- */

static const char held_words[] = "ffmpeg was stopped by a signal";

void run_prime(struct run *r, uint64_t now)
{
    uint64_t limit = r->step_ms + PRIME_LIMIT_MS;
    uint64_t held = held_turn(r, now);
    if (held == 0)
        pipeline_fail(r->pipeline, PIPELINE_STALLED, held_words);
    else if (now >= limit)
        pipeline_fail(r->pipeline, PIPELINE_STALLED,
                      waits_for_key_frame(r) ? "no key frame came" : "no first segment came");
    else
        pipeline_arm(r->pipeline, earlier(limit, earlier(held, key_frame_turns(r, now))));
}

void run_watch(struct run *r, uint64_t now)
{
    struct pipeline *p = r->pipeline;
    uint64_t limit = r->segment_ms + stall_ms(p);
    uint64_t held = held_turn(r, now);
    uint64_t hung = hang_turn(r, now);
    if (held == 0) {
        pipeline_fail(p, PIPELINE_STALLED, held_words);
        return;
    }
    if (hung == 0) {
        p->hangs++;
        pipeline_fail(p, PIPELINE_STALLED, "ffmpeg does not read what comes");
        return;
    }
    if (now >= limit) {
        pipeline_fail(p, PIPELINE_STALLED, "no new segment came");
        return;
    }
    if (p->grow_ms != 0 && now >= p->grow_ms) {
        pipeline_grow(p);
        return;
    }
    limit = p->grow_ms != 0 ? earlier(limit, p->grow_ms) : limit;
    uint64_t next = earlier(held, earlier(hung, key_frame_turns(r, now)));
    pipeline_arm(p, earlier(limit, next));
}
