#include "controller/hls/origin.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>
#include <uv.h>

#include "controller/hls/dash_manifest.h"
#include "controller/hls/hls_names.h"
#include "controller/hls/media_playlist.h"
#include "controller/hls/multivariant_playlist.h"
#include "controller/net/content.h"
#include "controller/net/files.h"
#include "controller/net/gzip.h"

enum {
    SWEEP_MS = 250, /* how exactly waiting ends */
    GZIP_MIN = 400
};

#define HLS_TYPE "application/vnd.apple.mpegurl"
#define DASH_TYPE "application/dash+xml"

/* A text as it is now, made when first asked for. */
struct rendered {
    struct blob *plain; /* NULL: to be made */
    struct blob *gzip;  /* NULL: to be made, or too small to gain */
    uint64_t version;
};

struct served_track {
    struct hls_track *track; /* ref */
    struct rendered whole;
    struct rendered delta;
    uint64_t version;    /* counts parts and segments */
    struct list waiting; /* of waiter */
};

struct served {
    struct origin *origin;             /* parent */
    struct presentation *presentation; /* ref */
    struct presentation_observer observer;
    char name[ORIGIN_NAME_MAX];
    struct rendered multivariant;
    struct rendered dash;
    uint64_t version; /* counts segments */
    struct served_track tracks[HLS_TRACKS_MAX];
    struct list node; /* in folder->served */
};

struct folder {
    char name[ORIGIN_FOLDER_MAX];
    struct list served;
    UT_hash_handle hh;
};

struct origin {
    uv_loop_t *loop;
    struct http_server *http; /* ref */
    char *root;               /* owned */
    struct folder *folders;   /* owned */
    uv_timer_t sweep;
    size_t n_waiting;
    struct metric *waiting_metric;
};

/* A request for what is not there yet. */
struct waiter {
    struct http_request *req;
    struct origin *origin;
    struct list node; /* in served_track->waiting */
    uint64_t msn;
    int64_t part; /* -1: the whole segment */
    bool fetches; /* the part itself; else the playlist that has it */
    bool skip;
    uint64_t until_ms;
};

/* ---- texts ---- */

static void forget(struct rendered *r)
{
    blob_unref(r->plain);
    blob_unref(r->gzip);
    *r = (struct rendered){0};
}

/* b: the text, taken over; NULL: out of memory. */
static bool keep(struct rendered *r, struct blob *b, uint64_t version)
{
    forget(r);
    r->plain = b;
    r->version = version;
    return b != NULL;
}

static bool fresh(const struct rendered *r, uint64_t version)
{
    return r->plain && r->version == version;
}

static void respond_nothing(struct http_request *req)
{
    http_respond_error(req, 404, err_name(ERR_NOT_FOUND), NULL, "there is nothing at this path");
}

static void respond_text(struct http_request *req, const struct served *s, struct rendered *r,
                         const char *kind, const char *type, const char *cache_control)
{
    char etag[64];
    bool compressible = r->plain->n >= GZIP_MIN;
    if (compressible && !r->gzip && http_accepts_gzip(req))
        r->gzip = gzip_bytes(r->plain->bytes, r->plain->n);
    snprintf(etag, sizeof etag, "\"%s-%s%" PRIu64 "\"",
             presentation_get_config(s->presentation)->token, kind, r->version);
    struct http_content content = {.type = type,
                                   .etag = etag,
                                   .cache_control = cache_control,
                                   .blobs = &r->plain,
                                   .n_blobs = 1,
                                   .varies = compressible,
                                   .gzip = r->gzip};
    http_respond_content(req, &content);
}

static void respond_no_memory(struct http_request *req)
{
    http_respond_error(req, 500, err_name(ERR_NOMEM), NULL, err_text(ERR_NOMEM));
}

/* blocked: the answer to a request for one state of the list, which stays right; others may ask
 * again the same way (RFC 8216bis appendix B.1). */
static void respond_playlist(struct http_request *req, struct served *s, struct served_track *st,
                             bool skip, bool blocked)
{
    struct rendered *r = skip ? &st->delta : &st->whole;
    char cache[64] = "no-cache";
    char kind[HLS_TRACK_NAME_MAX + 8];
    if (!fresh(r, st->version) && !keep(r, media_playlist_print(st->track, skip), st->version)) {
        respond_no_memory(req);
        return;
    }
    if (blocked)
        snprintf(cache, sizeof cache, "public, max-age=%" PRId64,
                 2 * media_playlist_patience(st->track) / USEC_PER_SEC);
    snprintf(kind, sizeof kind, "%s%s.", hls_track_spec(st->track)->name, skip ? "~" : "");
    respond_text(req, s, r, kind, HLS_TYPE, cache);
}

/* ---- media ---- */

static void respond_blobs(struct http_request *req, const char *name, struct blob *const *blobs,
                          size_t n)
{
    char etag[HLS_NAME_MAX + 4];
    snprintf(etag, sizeof etag, "\"%s\"", name);
    struct http_content content = {.type = "video/mp4",
                                   .etag = etag,
                                   .cache_control = FILES_IMMUTABLE,
                                   .blobs = blobs,
                                   .n_blobs = n};
    http_respond_content(req, &content);
}

static void respond_part(struct http_request *req, const struct served_track *st, uint64_t msn,
                         size_t part)
{
    char name[HLS_NAME_MAX];
    const struct hls_segment *seg = hls_track_segment(st->track, msn);
    if (!seg || !seg->parts || part >= seg->n_parts) {
        respond_nothing(req);
        return;
    }
    hls_name_part(name, st->track, msn, (uint32_t)part);
    respond_blobs(req, name, &seg->parts[part].bytes, 1);
}

static void respond_stored(struct http_request *req, const struct origin *o, const char *folder,
                           const char *name)
{
    char path[ORIGIN_FOLDER_MAX + HLS_NAME_MAX + 2];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    http_respond_file(req, o->root, path, FILES_IMMUTABLE);
}

static void respond_segment(struct http_request *req, const struct origin *o, const char *folder,
                            const struct served_track *st, const struct hls_name *name,
                            const char *file)
{
    struct blob *blobs[HLS_PARTS_MAX];
    const struct hls_segment *seg = hls_track_segment(st->track, name->number);
    if (!seg || name->number >= hls_track_next_msn(st->track) || seg->gap) {
        respond_nothing(req);
        return;
    }
    if (!seg->parts) {
        respond_stored(req, o, folder, file);
        return;
    }
    for (size_t i = 0; i < seg->n_parts; i++)
        blobs[i] = seg->parts[i].bytes;
    respond_blobs(req, file, blobs, seg->n_parts);
}

/* ---- waiting ---- */

static void stop_waiting(struct waiter *w)
{
    list_remove(&w->node);
    w->origin->n_waiting--;
    metric_add(w->origin->waiting_metric, -1);
    http_on_closed(w->req, NULL, NULL);
    free(w);
}

static void on_client_gone(struct http_request *req, void *user)
{
    stop_waiting(user);
    http_respond_empty(req, 204);
}

static void wait_for(struct origin *o, struct served_track *st, const struct waiter *what)
{
    struct waiter *w = malloc(sizeof *w);
    if (!w) {
        respond_no_memory(what->req);
        return;
    }
    *w = *what;
    w->origin = o;
    w->until_ms = uv_now(o->loop) + (uint64_t)(media_playlist_patience(st->track) / USEC_PER_MSEC);
    list_add(&st->waiting, &w->node);
    o->n_waiting++;
    metric_add(o->waiting_metric, 1);
    http_on_closed(w->req, on_client_gone, w);
}

static bool is_there(const struct served_track *st, const struct waiter *w)
{
    if (!w->fetches)
        return media_playlist_when(st->track, w->msn, w->part) == MEDIA_PLAYLIST_NOW;
    const struct hls_segment *seg = hls_track_segment(st->track, w->msn);
    return presentation_ended(hls_track_presentation(st->track)) ||
           w->msn < hls_track_next_msn(st->track) || (seg && (uint64_t)w->part < seg->n_parts);
}

static void answer(struct served *s, struct served_track *st, struct waiter *w)
{
    struct waiter was = *w;
    stop_waiting(w);
    if (was.fetches)
        respond_part(was.req, st, was.msn, (size_t)was.part);
    else
        respond_playlist(was.req, s, st, was.skip, true);
}

static void wake(struct served *s, struct served_track *st)
{
    list_each (node, &st->waiting) {
        struct waiter *w = container_of(node, struct waiter, node);
        if (is_there(st, w))
            answer(s, st, w);
    }
}

static void give_up(struct served_track *st, uint64_t now_ms, int status)
{
    list_each (node, &st->waiting) {
        struct waiter *w = container_of(node, struct waiter, node);
        struct http_request *req = w->req;
        if (status == 503 && w->until_ms > now_ms)
            continue;
        stop_waiting(w);
        if (status == 503)
            http_respond_error(req, 503, err_name(ERR_UNAVAILABLE), NULL,
                               "the stream did not go on in time");
        else
            respond_nothing(req);
    }
}

static void on_sweep(uv_timer_t *timer)
{
    struct origin *o = timer->data;
    struct folder *f;
    struct folder *next;
    if (o->n_waiting == 0)
        return;
    HASH_ITER(hh, o->folders, f, next)
    {
        list_each (node, &f->served) {
            struct served *s = container_of(node, struct served, node);
            for (size_t i = 0; i < presentation_n_tracks(s->presentation); i++)
                give_up(&s->tracks[i], uv_now(o->loop), 503);
        }
    }
}

/* ---- what presentations tell ---- */

static struct served_track *track_of(struct served *s, struct hls_track *t)
{
    size_t i = hls_track_index(t);
    s->tracks[i].track = t;
    return &s->tracks[i];
}

static void went_on(struct served *s, struct hls_track *t)
{
    struct served_track *st = track_of(s, t);
    st->version++;
    wake(s, st);
}

static void on_part(void *ctx, struct hls_track *t, const struct hls_segment *open,
                    const struct hls_part *part)
{
    struct served *s = ctx;
    (void)part;
    /* Between its last part and its end, a playlist would hint at a part that never comes. */
    if (!open->complete)
        went_on(s, t);
}

static void on_segment(void *ctx, struct hls_track *t, const struct hls_segment *seg)
{
    struct served *s = ctx;
    (void)seg;
    s->version++;
    went_on(s, t);
}

static void on_end(void *ctx, struct presentation *p)
{
    struct served *s = ctx;
    s->version++;
    for (size_t i = 0; i < presentation_n_tracks(p); i++)
        went_on(s, presentation_track(p, i));
}

/* ---- requests ---- */

static struct folder *find_folder(const struct origin *o, const char *name, size_t n)
{
    struct folder *f = NULL;
    HASH_FIND(hh, o->folders, name, n, f);
    return f;
}

static struct served *find_served(const struct folder *f, const char *name, size_t n)
{
    list_each (node, &f->served) {
        struct served *s = container_of(node, struct served, node);
        if (strlen(s->name) == n && memcmp(s->name, name, n) == 0)
            return s;
    }
    return NULL;
}

static struct served_track *find_track(const struct folder *f, const char *name, struct served **of)
{
    list_each (node, &f->served) {
        struct served *s = container_of(node, struct served, node);
        struct hls_track *t = presentation_find_track(s->presentation, name);
        if (t) {
            *of = s;
            return track_of(s, t);
        }
    }
    return NULL;
}

static void serve_multivariant(struct http_request *req, struct served *s)
{
    struct rendered *r = &s->multivariant;
    if (!presentation_playable(s->presentation))
        respond_nothing(req);
    else if (fresh(r, s->version) ||
             keep(r, multivariant_playlist_print(s->presentation), s->version))
        respond_text(req, s, r, "m", HLS_TYPE, NULL);
    else
        respond_no_memory(req);
}

static void serve_dash(struct http_request *req, struct served *s)
{
    struct rendered *r = &s->dash;
    if (!presentation_playable(s->presentation))
        respond_nothing(req);
    else if (fresh(r, s->version) || keep(r, dash_manifest_print(s->presentation), s->version))
        respond_text(req, s, r, "d", DASH_TYPE, NULL);
    else
        respond_no_memory(req);
}

static enum err need_msn(struct field_error *error)
{
    *error = (struct field_error){.err = ERR_TYPE, .path = "_HLS_msn"};
    snprintf(error->reason, sizeof error->reason, "must come with _HLS_part");
    return ERR_TYPE;
}

/* _HLS_msn, _HLS_part, _HLS_skip (RFC 8216bis 6.2.5). */
static void serve_playlist(struct http_request *req, struct served *s, struct served_track *st)
{
    struct field_error error;
    int64_t msn;
    int64_t part;
    const char *skip = http_query(req, "_HLS_skip");
    enum err e = http_query_int(req, "_HLS_msn", 0, INT64_MAX / 2, -1, &msn, &error);
    if (e == OK)
        e = http_query_int(req, "_HLS_part", 0, HLS_PARTS_MAX, -1, &part, &error);
    if (e == OK && msn < 0 && part >= 0)
        e = need_msn(&error);
    if (e != OK) {
        http_respond_field_error(req, &error);
        return;
    }
    struct waiter what = {
        .req = req, .msn = (uint64_t)msn, .part = part, .skip = skip && strcmp(skip, "NO") != 0};
    if (hls_track_next_msn(st->track) == hls_track_first_msn(st->track) ||
        !hls_track_init(st->track)) {
        respond_nothing(req);
        return;
    }
    switch (msn < 0 ? MEDIA_PLAYLIST_NOW : media_playlist_when(st->track, what.msn, part)) {
    case MEDIA_PLAYLIST_NOW:
        respond_playlist(req, s, st, what.skip, msn >= 0);
        break;
    case MEDIA_PLAYLIST_LATER:
        wait_for(s->origin, st, &what);
        break;
    case MEDIA_PLAYLIST_TOO_FAR:
        http_respond_error(req, 400, err_name(ERR_RANGE), "_HLS_msn", "is too far ahead");
        break;
    }
}

static void serve_part(struct http_request *req, struct served *s, struct served_track *st,
                       const struct hls_name *name)
{
    uint64_t next = hls_track_next_msn(st->track);
    struct waiter what = {.req = req, .msn = name->number, .part = name->part, .fetches = true};
    /* Only what the preload hint names is waited for, and the first part after it. */
    if (is_there(st, &what) || name->number > next)
        respond_part(req, st, name->number, name->part);
    else
        wait_for(s->origin, st, &what);
}

static void serve_init(struct http_request *req, const struct served_track *st, uint64_t id,
                       const char *file)
{
    const struct hls_init *init =
        id <= UINT32_MAX ? hls_track_find_init(st->track, (uint32_t)id) : NULL;
    if (init)
        respond_blobs(req, file, &init->bytes, 1);
    else
        respond_nothing(req);
}

static void serve_file(struct http_request *req, const struct folder *f, const char *file)
{
    struct hls_name name;
    struct served *s;
    struct served_track *st = hls_name_parse(file, &name) ? find_track(f, name.track, &s) : NULL;
    if (!st || (name.kind != HLS_NAME_PLAYLIST &&
                strcmp(name.token, presentation_get_config(s->presentation)->token) != 0)) {
        respond_nothing(req);
        return;
    }
    switch (name.kind) {
    case HLS_NAME_PLAYLIST:
        serve_playlist(req, s, st);
        break;
    case HLS_NAME_INIT:
        serve_init(req, st, name.number, file);
        break;
    case HLS_NAME_SEGMENT:
        respond_segment(req, s->origin, f->name, st, &name, file);
        break;
    case HLS_NAME_PART:
        serve_part(req, s, st, &name);
        break;
    }
}

static bool ends_with(const char *s, const char *suffix, size_t *before)
{
    size_t n = strlen(s);
    size_t k = strlen(suffix);
    *before = n > k ? n - k : 0;
    return n > k && strcmp(s + n - k, suffix) == 0;
}

/* False: the folder is not one of ours. */
static bool on_request(struct http_request *req, const char *path, void *user)
{
    const struct origin *o = user;
    const char *slash = strchr(path, '/');
    const struct folder *f = slash ? find_folder(o, path, (size_t)(slash - path)) : NULL;
    struct served *s;
    size_t n;
    if (!f)
        return false;
    const char *file = slash + 1;
    if (ends_with(file, ".m3u8", &n) && (s = find_served(f, file, n)) != NULL)
        serve_multivariant(req, s);
    else if (ends_with(file, ".mpd", &n) && (s = find_served(f, file, n)) != NULL)
        serve_dash(req, s);
    else
        serve_file(req, f, file);
    return true;
}

/* ---- life ---- */

enum err origin_open(struct origin **out, struct uv_loop_s *loop, struct http_server *http,
                     const char *root, struct metrics *metrics)
{
    struct origin *o = calloc(1, sizeof *o);
    if (!o)
        return ERR_NOMEM;
    o->loop = loop;
    o->http = http;
    o->root = strdup(root);
    enum err e = o->root ? files_mount_hls(http, "/live/", root, on_request, o) : ERR_NOMEM;
    if (e != OK) {
        free(o->root);
        free(o);
        return e;
    }
    o->waiting_metric = metric_gauge(metrics, "weir_hls_waiting_requests",
                                     "Requests that wait for a part or a playlist.", NULL, 0);
    uv_timer_init(loop, &o->sweep);
    o->sweep.data = o;
    uv_timer_start(&o->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
    uv_unref((uv_handle_t *)&o->sweep);
    *out = o;
    return OK;
}

static void on_timer_closed(uv_handle_t *h)
{
    struct origin *o = h->data;
    free(o->root);
    free(o);
}

void origin_close(struct origin *o)
{
    if (o)
        uv_close((uv_handle_t *)&o->sweep, on_timer_closed);
}

static struct folder *make_folder(struct origin *o, const char *name)
{
    struct folder *f = find_folder(o, name, strlen(name));
    if (f || strlen(name) >= sizeof f->name)
        return f;
    f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    snprintf(f->name, sizeof f->name, "%s", name);
    list_init(&f->served);
    HASH_ADD_STR(o->folders, name, f);
    return f;
}

static void drop_folder_if_empty(struct origin *o, struct folder *f)
{
    if (!list_empty(&f->served))
        return;
    HASH_DEL(o->folders, f);
    free(f);
}

enum err origin_add(struct origin *o, const char *folder, const char *name, struct presentation *p)
{
    struct folder *f = make_folder(o, folder);
    if (!f || strlen(name) >= ORIGIN_NAME_MAX)
        return f ? ERR_TOO_LARGE : ERR_NOMEM;
    struct served *s = find_served(f, name, strlen(name)) ? NULL : calloc(1, sizeof *s);
    if (!s) {
        enum err e = find_served(f, name, strlen(name)) ? ERR_EXISTS : ERR_NOMEM;
        drop_folder_if_empty(o, f);
        return e;
    }
    s->origin = o;
    s->presentation = p;
    snprintf(s->name, sizeof s->name, "%s", name);
    for (size_t i = 0; i < HLS_TRACKS_MAX; i++)
        list_init(&s->tracks[i].waiting);
    s->observer = (struct presentation_observer){
        .on_part = on_part, .on_segment = on_segment, .on_end = on_end, .ctx = s};
    list_add(&f->served, &s->node);
    presentation_observe(p, &s->observer);
    return OK;
}

static void drop(struct served *s)
{
    presentation_unobserve(&s->observer);
    for (size_t i = 0; i < HLS_TRACKS_MAX; i++) {
        give_up(&s->tracks[i], 0, 404);
        forget(&s->tracks[i].whole);
        forget(&s->tracks[i].delta);
    }
    forget(&s->multivariant);
    forget(&s->dash);
    list_remove(&s->node);
    free(s);
}

void origin_remove(struct origin *o, struct presentation *p)
{
    struct folder *f;
    struct folder *next;
    HASH_ITER(hh, o->folders, f, next)
    {
        list_each (node, &f->served) {
            struct served *s = container_of(node, struct served, node);
            if (s->presentation == p)
                drop(s);
        }
        drop_folder_if_empty(o, f);
    }
}

size_t origin_waiting(const struct origin *o)
{
    return o->n_waiting;
}
