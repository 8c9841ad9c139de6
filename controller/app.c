#include "controller/app.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "common/arena.h"
#include "common/log.h"
#include "common/metrics.h"
#include "common/rng.h"
#include "controller/admin/admin.h"
#include "controller/app_paths.h"
#include "controller/app_settings.h"
#include "controller/data/db.h"
#include "controller/data/migrate.h"
#include "controller/fleet/fleet.h"
#include "controller/live/live.h"
#include "controller/live/testcard.h"
#include "controller/net/files.h"
#include "controller/net/http.h"
#include "controller/room/rooms.h"
#include "controller/stream/streams.h"

enum { PATHS_BYTES_MAX = 64 * 1024, DRAIN_POLL_MS = 250 };

/* Parts are opened in this order, and closed in the opposite one. */
struct app {
    struct app_config config;
    struct arena arena; /* holds paths */
    struct app_paths paths;
    struct rng rng;
    struct metrics *metrics; /* owned, as all below; NULL: not open */
    struct http_server *http;
    struct admin admin;
    struct db *db;
    struct fleet *fleet;
    struct rooms *rooms;
    struct streams *streams;
    struct live *live;
    struct testcard *testcard;
    uv_timer_t drain_timer;
    uint64_t drain_until_ms;
    bool migrated;
    bool workers_run;
    bool told; /* config.started was called */
    bool closing;
};

static void close_next(void *ctx);

static void tell(struct app *a, enum err e, const char *text)
{
    if (a->told || a->closing)
        return;
    a->told = true;
    a->config.started(a->config.ctx, e, text);
}

/* ---- once database and workers are there ---- */

static enum err open_rooms(struct app *a)
{
    struct rooms_config config;
    app_rooms_config(a->config.settings, &config);
    config.loop = a->config.loop;
    config.fleet = a->fleet;
    config.http = a->http;
    config.metrics = a->metrics;
    config.rng = &a->rng;
    return rooms_open(&config, &a->rooms);
}

static enum err open_streams(struct app *a)
{
    struct streams_config config = {.loop = a->config.loop,
                                    .rooms = a->rooms,
                                    .db = a->db,
                                    .http = a->http,
                                    .metrics = a->metrics,
                                    .rng = &a->rng,
                                    .reconnect = a->config.settings->limits_reconnect};
    return streams_open(&config, &a->streams);
}

static enum err open_live(struct app *a)
{
    const struct settings *s = a->config.settings;
    if (!s->hls_enabled)
        return OK;
    struct live_config config = {.loop = a->config.loop,
                                 .streams = a->streams,
                                 .http = a->http,
                                 .metrics = a->metrics,
                                 .rng = &a->rng,
                                 .dir = a->paths.hls_dir,
                                 .ffmpeg = a->paths.ffmpeg,
                                 .segment = s->hls_segment,
                                 .list_size = (unsigned)s->hls_list_size,
                                 .preset = settings_x264_presets[s->hls_preset],
                                 .video_bps = s->hls_video_bitrate,
                                 .audio_bps = s->hls_audio_bitrate,
                                 .port_min = s->hls_port_min,
                                 .port_max = s->hls_port_max,
                                 .pipelines_max = (unsigned)s->hls_max_pipelines};
    return live_open(&config, &a->live);
}

static enum err open_testcard(struct app *a)
{
    struct testcard_config config = {.loop = a->config.loop,
                                     .rooms = a->rooms,
                                     .rng = &a->rng,
                                     .metrics = a->metrics,
                                     .ffmpeg = a->paths.ffmpeg};
    return a->config.settings->demo ? testcard_open(&config, &a->testcard) : OK;
}

static void open_features(struct app *a)
{
    if (!a->migrated || !a->workers_run || a->closing)
        return;
    enum err e = open_rooms(a);
    if (e == OK)
        e = open_streams(a);
    if (e == OK)
        e = open_live(a);
    if (e == OK)
        e = open_testcard(a);
    /* The app's pages come last: they take every path that nothing else has. */
    if (e == OK && a->paths.web_root[0])
        e = files_mount_app(a->http, a->paths.web_root);
    a->admin.ready = e == OK;
    tell(a, e, e == OK ? "" : err_text(e));
}

static void on_migrated(void *ctx, enum err e, const struct migrate_report *report)
{
    struct app *a = ctx;
    char text[512];
    if (a->closing)
        return;
    if (e != OK) {
        snprintf(text, sizeof text, "the database cannot be brought up to date%s%s: %s",
                 report->failed ? " by " : "", report->failed ? report->failed : "",
                 report->reason[0] ? report->reason : err_text(e));
        tell(a, e, text);
        return;
    }
    log_info("database.ready", "engine=%s version=%d applied=%d", db_engine_name(a->db),
             report->version, report->applied);
    a->migrated = true;
    open_features(a);
}

static void on_workers(void *ctx, enum err e, const char *why)
{
    struct app *a = ctx;
    if (e != OK) {
        char text[512];
        snprintf(text, sizeof text,
                 "a media worker cannot start: %s (rtc.port_base, WEIR_RTC_PORT_BASE)", why);
        tell(a, e, text);
        return;
    }
    a->workers_run = true;
    open_features(a);
}

/* ---- opening ---- */

static enum err open_http(struct app *a, char *text, size_t n)
{
    struct http_config config;
    enum err e = app_http_config(a->config.settings, &a->arena, &config);
    config.metrics = a->metrics;
    if (e == OK)
        e = http_server_open(&a->http, a->config.loop, &config, text, n);
    if (e != OK)
        return e;
    a->admin.metrics = a->metrics;
    a->admin.metrics_public = a->config.settings->metrics_public;
    return admin_add_routes(&a->admin, a->http);
}

static enum err open_database(struct app *a, char *text, size_t n)
{
    const struct settings *s = a->config.settings;
    struct db_config config = {.url = a->paths.db_url,
                               .statement_limit = s->db_statement_limit,
                               .queue_max = (unsigned)s->db_queue_max};
    enum err e = db_open(&a->db, a->config.loop, &config);
    if (e == OK)
        e = migrate_run(a->db, migrations_builtin, migrations_builtin_count, DB_WAIT, on_migrated,
                        a);
    if (e != OK)
        snprintf(text, n, "the database cannot be opened: %s (db.url)", err_text(e));
    a->admin.db = a->db;
    return e;
}

static enum err open_workers(struct app *a, char *text, size_t n)
{
    struct fleet_config config;
    enum err e = app_fleet_config(a->config.settings, &a->arena, &config);
    config.loop = a->config.loop;
    config.metrics = a->metrics;
    config.worker_path = a->paths.worker;
    config.on_started = on_workers;
    config.ctx = a;
    if (e == OK)
        e = fleet_open(&config, &a->fleet);
    if (e != OK)
        snprintf(text, n, "media workers cannot be started: %s (rtc.workers, rtc.port_base)",
                 err_text(e));
    a->admin.fleet = a->fleet;
    return e;
}

enum err app_open(const struct app_config *config, struct app **out, char *text, size_t n)
{
    struct app *a = calloc(1, sizeof *a);
    snprintf(text, n, "out of memory");
    if (!a)
        return ERR_NOMEM;
    a->config = *config;
    arena_init(&a->arena, PATHS_BYTES_MAX);
    rng_init_system(&a->rng);
    uv_timer_init(config->loop, &a->drain_timer);
    a->drain_timer.data = a;
    enum err e = app_paths_find(config->settings, config->program, &a->arena, &a->paths, text, n);
    if (e == OK)
        e = metrics_open(&a->metrics);
    if (e == OK)
        e = open_http(a, text, n);
    if (e == OK)
        e = open_database(a, text, n);
    if (e == OK)
        e = open_workers(a, text, n);
    *out = a;
    return e;
}

/* ---- closing: one part after the other, each telling when it is gone ---- */

static void on_rooms_closed(void *ctx)
{
    struct app *a = ctx;
    a->rooms = NULL;
    close_next(a);
}

static void on_testcard_closed(void *ctx)
{
    struct app *a = ctx;
    a->testcard = NULL;
    close_next(a);
}

static void on_live_closed(void *ctx)
{
    struct app *a = ctx;
    a->live = NULL;
    close_next(a);
}

static void on_streams_closed(void *ctx)
{
    struct app *a = ctx;
    a->streams = NULL;
    close_next(a);
}

static void on_fleet_closed(void *ctx)
{
    struct app *a = ctx;
    a->fleet = a->admin.fleet = NULL;
    close_next(a);
}

static void on_db_closed(void *ctx)
{
    struct app *a = ctx;
    a->db = a->admin.db = NULL;
    close_next(a);
}

static void on_http_closed(void *ctx)
{
    struct app *a = ctx;
    a->http = NULL;
    close_next(a);
}

static void on_timer_closed(uv_handle_t *h)
{
    struct app *a = h->data;
    metrics_close(a->metrics);
    arena_fini(&a->arena);
    free(a);
}

static void close_next(void *ctx)
{
    struct app *a = ctx;
    /* What is still to be written at the end, such as the end of streams, gets this long. */
    enum { DB_GRACE_S = 2 };
    if (a->testcard)
        testcard_close(a->testcard, on_testcard_closed, a);
    else if (a->live)
        live_close(a->live, on_live_closed, a);
    else if (a->streams)
        streams_close(a->streams, on_streams_closed, a);
    else if (a->rooms)
        rooms_close(a->rooms, on_rooms_closed, a);
    else if (a->fleet)
        fleet_close(a->fleet, on_fleet_closed, a);
    else if (a->db)
        db_close(a->db, DB_GRACE_S * USEC_PER_SEC, on_db_closed, a);
    else if (a->http)
        http_server_close(a->http, on_http_closed, a);
    else
        uv_close((uv_handle_t *)&a->drain_timer, on_timer_closed);
}

void app_close(struct app *a)
{
    if (a->closing)
        return;
    a->closing = true;
    a->admin.ready = false;
    uv_timer_stop(&a->drain_timer);
    close_next(a);
}

/* ---- draining ---- */

static void count_room(void *ctx, struct room *room)
{
    size_t *n = ctx;
    *n += room_clients(room);
}

static void on_drain(uv_timer_t *timer)
{
    struct app *a = timer->data;
    size_t clients = 0;
    if (a->rooms)
        rooms_each(a->rooms, count_room, &clients);
    if (clients == 0 || uv_now(a->config.loop) >= a->drain_until_ms)
        app_close(a);
}

void app_drain(struct app *a)
{
    if (a->closing || a->admin.draining)
        return;
    a->admin.draining = true;
    if (a->rooms)
        rooms_drain(a->rooms);
    a->drain_until_ms =
        uv_now(a->config.loop) + (uint64_t)(a->config.settings->drain / USEC_PER_MSEC);
    uv_timer_start(&a->drain_timer, on_drain, 0, DRAIN_POLL_MS);
}
