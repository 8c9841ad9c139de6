#include "controller/hls/presentation.h"

#include <stdlib.h>
#include <string.h>

#include "controller/hls/presentation_state.h"

/* The presentation's clock begins here, so that an encoder's times before its zero have room. */
#define CLOCK_START (10 * USEC_PER_SEC)
/* How much longer than aimed at, or than the first one, segments become. */
#define OWN_SLACK (100 * USEC_PER_MSEC)
#define COPIED_SLACK (250 * USEC_PER_MSEC)
/* A track waits so long for the leading one before it is cut without it. */
#define PATIENCE (2 * USEC_PER_SEC)

enum err presentation_open(const struct presentation_config *config, struct presentation **out)
{
    struct presentation *p = calloc(1, sizeof *p);
    if (!p)
        return ERR_NOMEM;
    p->config = *config;
    memcpy(p->token, config->token, HLS_TOKEN_LEN);
    p->config.token = p->token;
    p->until = CLOCK_START;
    list_init(&p->observers);
    *out = p;
    return OK;
}

void presentation_close(struct presentation *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->n_tracks; i++)
        hls_track_fini(&p->tracks[i]);
    free(p);
}

void presentation_observe(struct presentation *p, struct presentation_observer *o)
{
    list_add(&p->observers, &o->node);
}

void presentation_unobserve(struct presentation_observer *o)
{
    if (o->node.next)
        list_remove(&o->node);
}

/* ---- runs ---- */

static bool same_tracks(const struct presentation *p, const struct track_spec *tracks, size_t n)
{
    bool same = n == p->n_tracks;
    for (size_t i = 0; same && i < n; i++)
        same = strcmp(tracks[i].name, p->tracks[i].spec.name) == 0 &&
               tracks[i].video == p->tracks[i].spec.video;
    return same;
}

static void make_tracks(struct presentation *p, const struct track_spec *tracks, size_t n)
{
    p->n_tracks = n;
    p->leader = n;
    for (size_t i = 0; i < n; i++) {
        hls_track_begin(&p->tracks[i], p, &tracks[i]);
        if (tracks[i].video && p->leader == n)
            p->leader = i;
    }
    if (p->leader == n)
        p->leader = 0;
}

enum err presentation_run_begin(struct presentation *p, const struct track_spec *tracks, size_t n,
                                usec now)
{
    if (n == 0 || n > HLS_TRACKS_MAX)
        return ERR_RANGE;
    if (p->ended || p->running || (p->n_tracks > 0 && !same_tracks(p, tracks, n)))
        return ERR_STATE;
    if (p->n_tracks == 0) {
        make_tracks(p, tracks, n);
        p->begun = now;
    }
    p->running = true;
    p->wall = now;
    p->base = CLOCK_START + (now - p->begun);
    if (p->base < p->until)
        p->base = p->until;
    for (size_t i = 0; i < n; i++) {
        p->tracks[i].spec = tracks[i];
        hls_track_run_begin(&p->tracks[i]);
    }
    return OK;
}

void presentation_run_wall(struct presentation *p, usec wall)
{
    p->wall = wall;
}

void presentation_rotate(struct presentation *p, unsigned clockwise)
{
    p->rotation = clockwise;
}

static usec cut_until(const struct presentation *p, const struct hls_track *t)
{
    const struct hls_track *leader = &p->tracks[p->leader];
    usec newest = hls_track_newest(t);
    usec known = hls_track_newest(leader);
    if (newest == USEC_NEVER)
        return USEC_NEVER;
    return known == USEC_NEVER || known < newest - PATIENCE ? newest - PATIENCE : known;
}

/* Segments of nothing, up to where another track is. */
static void add_gaps(struct hls_track *t, const struct hls_track *most)
{
    const struct hls_segment *like;
    while (t != most && t->failed != ERR_NOMEM &&
           hls_track_next_msn(t) < hls_track_next_msn(most) &&
           (like = hls_track_segment(most, hls_track_next_msn(t))) != NULL)
        hls_track_add_gap(t, like);
}

static void cut(struct presentation *p)
{
    hls_track_cut(&p->tracks[p->leader], USEC_NEVER);
    for (size_t i = 0; i < p->n_tracks; i++) {
        struct hls_track *t = &p->tracks[i];
        if (t->spec.absent)
            add_gaps(t, &p->tracks[p->leader]);
        else if (i != p->leader)
            hls_track_cut(t, cut_until(p, t));
    }
}

enum err presentation_feed(struct presentation *p, size_t track, const void *bytes, size_t n)
{
    if (!p->running || track >= p->n_tracks)
        return ERR_STATE;
    struct hls_track *t = &p->tracks[track];
    if (t->failed == OK) {
        enum err e = bmff_reader_feed(&t->reader, bytes, n);
        t->failed = t->failed != OK ? t->failed : e;
    }
    if (t->failed == OK)
        cut(p);
    return t->failed;
}

/* Numbers of all tracks go on from one value. */
static void fill_gaps(struct presentation *p)
{
    const struct hls_track *most = &p->tracks[0];
    for (size_t i = 1; i < p->n_tracks; i++) {
        if (hls_track_next_msn(&p->tracks[i]) > hls_track_next_msn(most))
            most = &p->tracks[i];
    }
    for (size_t i = 0; i < p->n_tracks; i++)
        add_gaps(&p->tracks[i], most);
}

void presentation_run_end(struct presentation *p)
{
    if (!p->running)
        return;
    p->running = false;
    hls_track_run_end(&p->tracks[p->leader]);
    for (size_t i = 0; i < p->n_tracks; i++) {
        if (i != p->leader)
            hls_track_run_end(&p->tracks[i]);
    }
    fill_gaps(p);
}

void presentation_end(struct presentation *p)
{
    if (p->ended)
        return;
    presentation_run_end(p);
    p->ended = true;
    list_each (node, &p->observers) {
        struct presentation_observer *o = container_of(node, struct presentation_observer, node);
        if (o->on_end)
            o->on_end(o->ctx, p);
    }
}

bool presentation_ended(const struct presentation *p)
{
    return p->ended;
}

bool presentation_playable(const struct presentation *p)
{
    for (size_t i = 0; i < p->n_tracks; i++) {
        if (p->tracks[i].n == 0 && !p->tracks[i].spec.absent)
            return false;
    }
    return p->n_tracks > 0;
}

/* An encoder of ours is a frame late at most. Broadcasters have their own ways with key frames,
 * which the first segment shows: some send them each other second, whatever they are asked. */
static usec aimed_after(const struct presentation *p, usec first)
{
    usec own = p->config.segment + OWN_SLACK;
    bool copied = p->n_tracks > 0 && p->tracks[p->leader].spec.copied;
    return copied && first + COPIED_SLACK > own ? first + COPIED_SLACK : own;
}

void presentation_first_segment(struct presentation *p, usec duration)
{
    if (p->aimed == 0)
        p->aimed = aimed_after(p, duration);
}

usec presentation_aimed(const struct presentation *p)
{
    return p->aimed > 0 ? p->aimed : aimed_after(p, p->config.segment);
}

/* ---- what there is ---- */

const struct presentation_config *presentation_get_config(const struct presentation *p)
{
    return &p->config;
}

size_t presentation_n_tracks(const struct presentation *p)
{
    return p->n_tracks;
}

struct hls_track *presentation_track(struct presentation *p, size_t i)
{
    return &p->tracks[i];
}

struct hls_track *presentation_find_track(struct presentation *p, const char *name)
{
    for (size_t i = 0; i < p->n_tracks; i++) {
        if (strcmp(p->tracks[i].spec.name, name) == 0)
            return &p->tracks[i];
    }
    return NULL;
}

struct hls_track *presentation_leader(struct presentation *p)
{
    return p->n_tracks > 0 ? &p->tracks[p->leader] : NULL;
}
