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
#include "controller/account/accounts.h"
#include "controller/api/api.h"
#include "controller/app_paths.h"
#include "controller/app_settings.h"
#include "controller/chat/chat.h"
#include "controller/data/db.h"
#include "controller/data/migrate.h"
#include "controller/data/redis.h"
#include "controller/events/events.h"
#include "controller/fleet/fleet.h"
#include "controller/live/live.h"
#include "controller/live/testcard.h"
#include "controller/record/recordings.h"
#include "controller/net/files.h"
#include "controller/net/http.h"
#include "controller/room/rooms.h"
#include "controller/stream/streams.h"
#include "controller/whip/whip.h"

enum {
    PATHS_BYTES_MAX = 64 * 1024,
    DRAIN_POLL_MS = 250,
    /* A start that waits for something says so, first after, and then every, so long. */
    WAITING_FIRST_MS = 3 * 1000,
    WAITING_AGAIN_MS = 30 * 1000
};

/* Parts are opened in this order, and closed in the opposite one. */
struct app {
    struct app_config config;
    struct arena arena; /* holds paths */
    struct app_paths paths;
    struct rng rng;
    struct metrics *metrics; /* owned, as all below; NULL: not open */
    struct http_server *http;
    struct api *api;
    struct admin admin;
    struct db *db;
    struct accounts *accounts;
    struct fleet *fleet;
    struct rooms *rooms;
    struct streams *streams;
    struct events *events;
    struct whip *whip;
    struct live *live;
    struct recordings *recordings;
    struct redis *redis;
    struct chat *chat;
    struct testcard *testcard;
    uv_timer_t waiting_timer;
    uv_timer_t drain_timer;
    unsigned open_timers;
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
    uv_timer_stop(&a->waiting_timer);
    a->config.started(a->config.ctx, e, text);
}

/* ---- once database and workers are there ---- */

static void tell_first_admin(void *ctx, const char *name, const char *password)
{
    const struct app *a = ctx;
    a->config.first_admin(a->config.ctx, name, password);
}

static enum err open_accounts(struct app *a)
{
    struct accounts_config config;
    app_accounts_config(a->config.settings, &config);
    config.loop = a->config.loop;
    config.api = a->api;
    config.db = a->db;
    config.metrics = a->metrics;
    config.rng = &a->rng;
    config.first_admin = tell_first_admin;
    config.ctx = a;
    return accounts_open(&config, &a->accounts);
}

static enum err open_rooms(struct app *a)
{
    struct rooms_config config;
    app_rooms_config(a->config.settings, &config);
    config.loop = a->config.loop;
    config.fleet = a->fleet;
    config.http = a->http;
    config.api = a->api;
    config.metrics = a->metrics;
    config.rng = &a->rng;
    return rooms_open(&config, &a->rooms);
}

static enum err open_streams(struct app *a)
{
    struct streams_config config = {.loop = a->config.loop,
                                    .rooms = a->rooms,
                                    .db = a->db,
                                    .api = a->api,
                                    .metrics = a->metrics,
                                    .rng = &a->rng,
                                    .reconnect = a->config.settings->limits_reconnect};
    return streams_open(&config, &a->streams);
}

static enum err open_whip(struct app *a)
{
    const struct settings *s = a->config.settings;
    struct whip_config config = {.loop = a->config.loop,
                                 .rooms = a->rooms,
                                 .streams = a->streams,
                                 .db = a->db,
                                 .api = a->api,
                                 .metrics = a->metrics,
                                 .rng = &a->rng,
                                 .sessions_max = (unsigned)s->limits_whip_sessions,
                                 .sessions_per_address_max =
                                     (unsigned)s->limits_whip_sessions_per_ip};
    return whip_open(&config, &a->whip);
}

static enum err open_events(struct app *a)
{
    const struct settings *s = a->config.settings;
    struct events_config config = {.loop = a->config.loop,
                                   .api = a->api,
                                   .streams = a->streams,
                                   .metrics = a->metrics,
                                   .rng = &a->rng,
                                   .listeners_max = (unsigned)s->limits_event_listeners,
                                   .webhook_urls = s->webhooks_urls.items,
                                   .n_webhook_urls = s->webhooks_urls.n,
                                   .webhook_secret = s->webhooks_secret,
                                   .webhook_attempts = (unsigned)s->webhooks_attempts,
                                   .webhook_pause = s->webhooks_pause};
    return events_open(&config, &a->events);
}

static void on_recording_ready(void *ctx, const char *id, const char *room_id, const char *stream)
{
    const struct app *a = ctx;
    if (a->events)
        events_recording_ready(a->events, id, room_id, stream);
}

static enum err open_live(struct app *a)
{
    const struct settings *s = a->config.settings;
    if (!s->hls_enabled)
        return OK;
    struct live_config config = {.loop = a->config.loop,
                                 .rooms = a->rooms,
                                 .streams = a->streams,
                                 .http = a->http,
                                 .metrics = a->metrics,
                                 .rng = &a->rng,
                                 .dir = a->paths.hls_dir,
                                 .ffmpeg = a->paths.ffmpeg,
                                 .cmaf = s->hls_container == 0,
                                 .segment = s->hls_segment,
                                 .part = s->hls_part,
                                 .window = s->hls_window,
                                 .list_size = (unsigned)s->hls_list_size,
                                 .encoder = s->hls_encoder,
                                 .preset = settings_x264_presets[s->hls_preset],
                                 .video_bps = s->hls_video_bitrate,
                                 .audio_bps = s->hls_audio_bitrate,
                                 .port_min = s->hls_port_min,
                                 .port_max = s->hls_port_max,
                                 .pipelines_max = (unsigned)s->hls_max_pipelines};
    struct settings_rendition ladder[SETTINGS_LADDER_MAX];
    enum err e = settings_ladder(s, ladder, &config.n_ladder);
    for (size_t i = 0; e == OK && i < config.n_ladder; i++)
        config.ladder[i] = (struct rendition){.height = ladder[i].height, .bps = ladder[i].bps};
    return e == OK ? live_open(&config, &a->live) : e;
}

static enum err open_recordings(struct app *a)
{
    const struct settings *s = a->config.settings;
    struct recordings_config config = {.loop = a->config.loop,
                                       .streams = a->streams,
                                       .live = a->live,
                                       .db = a->db,
                                       .api = a->api,
                                       .metrics = a->metrics,
                                       .rng = &a->rng,
                                       .dir = s->record_dir,
                                       .ffmpeg = a->paths.ffmpeg,
                                       .automatic = s->record_automatic,
                                       .max_age = s->record_max_age,
                                       .max_bytes = (uint64_t)s->record_max_size,
                                       .storage = {.endpoint = s->storage_endpoint,
                                                   .region = s->storage_region,
                                                   .bucket = s->storage_bucket,
                                                   .prefix = s->storage_prefix,
                                                   .access_key = s->storage_access_key,
                                                   .secret_key = s->storage_secret_key,
                                                   .path_style = s->storage_path_style,
                                                   .part_size = (uint64_t)s->storage_part_size,
                                                   .url_lifetime = s->storage_url_lifetime,
                                                   .retry_min = USEC_PER_SEC},
                                       .ready = on_recording_ready,
                                       .ctx = a};
    return a->live ? recordings_open(&config, &a->recordings) : OK;
}

static enum err open_redis(struct app *a)
{
    const struct settings *s = a->config.settings;
    struct redis_config config = {
        .url = s->redis_url, .prefix = s->redis_prefix, .metrics = a->metrics, .rng = &a->rng};
    return s->redis_url[0] != '\0' ? redis_open(&a->redis, a->config.loop, &config) : OK;
}

static enum err open_chat(struct app *a)
{
    const struct settings *s = a->config.settings;
    struct chat_config config = {.loop = a->config.loop,
                                 .rooms = a->rooms,
                                 .api = a->api,
                                 .streams = a->streams,
                                 .db = a->db,
                                 .redis = a->redis,
                                 .redis_prefix = s->redis_prefix,
                                 .metrics = a->metrics,
                                 .rng = &a->rng,
                                 .message_max = (unsigned)s->chat_message_max,
                                 .per_minute = (unsigned)s->limits_chat_per_minute,
                                 .burst = (unsigned)s->limits_chat_burst,
                                 .ban_addresses = s->chat_ban_addresses};
    return s->chat_enabled ? chat_open(&config, &a->chat) : OK;
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

static enum err open_pages(struct app *a)
{
    return a->paths.web_root[0] ? files_mount_app(a->http, a->paths.web_root) : OK;
}

static void open_features(struct app *a)
{
    static const struct {
        const char *what;
        enum err (*open)(struct app *a);
    } parts[] = {
        {"accounts cannot be opened", open_accounts},
        {"the rooms cannot be opened", open_rooms},
        {"the streams cannot be opened", open_streams},
        {"WHIP and WHEP cannot be opened", open_whip},
        {"events cannot be opened (webhooks.urls)", open_events},
        {"HLS cannot be opened (hls.dir, hls.port_min, hls.port_max)", open_live},
        {"recordings cannot be opened (record.dir)", open_recordings},
        {"Redis cannot be used (redis.url)", open_redis},
        {"the chat cannot be opened", open_chat},
        {"the test card cannot be opened (demo)", open_testcard},
        /* Its pages come last: they take every path that nothing else has. */
        {"the web app cannot be opened (web.root)", open_pages},
    };
    char text[256] = "";
    if (!a->migrated || !a->workers_run || a->closing || a->told)
        return;
    enum err e = OK;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0] && e == OK; i++) {
        e = parts[i].open(a);
        if (e != OK)
            snprintf(text, sizeof text, "%s: %s", parts[i].what, err_text(e));
    }
    a->admin.ready = e == OK;
    tell(a, e, text);
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
        snprintf(text, sizeof text, "a media worker cannot start: %s%s", why,
                 strstr(why, "listen") ? " (rtc.port_base, WEIR_RTC_PORT_BASE; rtc.listen_ips)"
                                       : "");
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
    if (e == ERR_BUSY || e == ERR_DENIED)
        snprintf(text + strlen(text), n - strlen(text), " (http.port, WEIR_HTTP_PORT)");
    if (e != OK)
        return e;
    struct api_config api;
    app_api_config(a->config.settings, &api);
    api.http = a->http;
    api.metrics = a->metrics;
    api.rng = &a->rng;
    a->admin.metrics = a->metrics;
    a->admin.metrics_public = a->config.settings->metrics_public;
    e = api_open(&api, &a->api);
    return e == OK ? admin_add_routes(&a->admin, a->api) : e;
}

static enum err open_database(struct app *a, char *text, size_t n)
{
    const struct settings *s = a->config.settings;
    struct db_config config = {.url = a->paths.db_url,
                               .statement_limit = s->db_statement_limit,
                               .queue_max = (unsigned)s->db_queue_max};
    enum err e = db_open(&a->db, a->config.loop, &config);
    /* A server may come up later than this program; a file that cannot be used stays so. */
    unsigned flags = e == OK && strcmp(db_engine_name(a->db), "postgresql") == 0 ? DB_WAIT : 0;
    if (e == OK)
        e = migrate_run(a->db, migrations_builtin, migrations_builtin_count, flags, on_migrated, a);
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

/* A database that is away at the start is waited for: it may come up later than this program. */
static void on_waiting(uv_timer_t *timer)
{
    struct app *a = timer->data;
    char quoted[300];
    if (!a->migrated)
        log_warn("weir.waiting", "for=database engine=%s reason=%s", db_engine_name(a->db),
                 log_quote(db_last_error(a->db), quoted, sizeof quoted));
    if (!a->workers_run)
        log_warn("weir.waiting", "for=workers");
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
    uv_timer_init(config->loop, &a->waiting_timer);
    uv_timer_init(config->loop, &a->drain_timer);
    a->waiting_timer.data = a->drain_timer.data = a;
    a->open_timers = 2;
    enum err e = app_paths_find(config->settings, &a->arena, &a->paths, text, n);
    if (e == OK)
        e = metrics_open(&a->metrics);
    if (e == OK)
        e = open_http(a, text, n);
    if (e == OK)
        e = open_database(a, text, n);
    if (e == OK)
        e = open_workers(a, text, n);
    if (e == OK)
        uv_timer_start(&a->waiting_timer, on_waiting, WAITING_FIRST_MS, WAITING_AGAIN_MS);
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

static void on_redis_closed(void *ctx)
{
    struct app *a = ctx;
    a->redis = NULL;
    close_next(a);
}

static void on_chat_closed(void *ctx)
{
    struct app *a = ctx;
    a->chat = NULL;
    close_next(a);
}

static void on_testcard_closed(void *ctx)
{
    struct app *a = ctx;
    a->testcard = NULL;
    close_next(a);
}

static void on_recordings_closed(void *ctx)
{
    struct app *a = ctx;
    a->recordings = NULL;
    close_next(a);
}

static void on_live_closed(void *ctx)
{
    struct app *a = ctx;
    a->live = NULL;
    close_next(a);
}

static void on_whip_closed(void *ctx)
{
    struct app *a = ctx;
    a->whip = NULL;
    close_next(a);
}

static void on_streams_closed(void *ctx)
{
    struct app *a = ctx;
    a->streams = NULL;
    close_next(a);
}

static void on_events_closed(void *ctx)
{
    struct app *a = ctx;
    a->events = NULL;
    close_next(a);
}

static void on_fleet_closed(void *ctx)
{
    struct app *a = ctx;
    a->fleet = a->admin.fleet = NULL;
    close_next(a);
}

static void on_accounts_closed(void *ctx)
{
    struct app *a = ctx;
    a->accounts = NULL;
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
    api_close(a->api);
    a->api = NULL;
    close_next(a);
}

static void on_timer_closed(uv_handle_t *h)
{
    struct app *a = h->data;
    if (--a->open_timers > 0)
        return;
    void (*closed)(void *) = a->config.closed;
    void *ctx = a->config.ctx;
    metrics_close(a->metrics);
    arena_fini(&a->arena);
    free(a);
    if (closed)
        closed(ctx);
}

static void close_timers(struct app *a)
{
    uv_close((uv_handle_t *)&a->waiting_timer, on_timer_closed);
    uv_close((uv_handle_t *)&a->drain_timer, on_timer_closed);
}

static void close_next(void *ctx)
{
    struct app *a = ctx;
    /* What is still to be written at the end, such as the end of streams, gets this long. */
    enum { DB_GRACE_S = 2 };
    if (a->testcard)
        testcard_close(a->testcard, on_testcard_closed, a);
    else if (a->chat)
        chat_close(a->chat, on_chat_closed, a);
    else if (a->recordings)
        recordings_close(a->recordings, on_recordings_closed, a);
    else if (a->live)
        live_close(a->live, on_live_closed, a);
    else if (a->whip)
        whip_close(a->whip, on_whip_closed, a);
    else if (a->streams)
        streams_close(a->streams, on_streams_closed, a);
    else if (a->events)
        events_close(a->events, on_events_closed, a);
    else if (a->rooms)
        rooms_close(a->rooms, on_rooms_closed, a);
    else if (a->redis)
        redis_close(a->redis, on_redis_closed, a);
    else if (a->fleet)
        fleet_close(a->fleet, on_fleet_closed, a);
    else if (a->accounts)
        accounts_close(a->accounts, on_accounts_closed, a);
    else if (a->db)
        db_close(a->db, DB_GRACE_S * USEC_PER_SEC, on_db_closed, a);
    else if (a->http)
        http_server_close(a->http, on_http_closed, a);
    else
        close_timers(a);
}

void app_close(struct app *a)
{
    if (a->closing)
        return;
    a->closing = true;
    a->admin.ready = false;
    if (a->http)
        http_server_refuse(a->http);
    if (a->api)
        api_refuse(a->api);
    uv_timer_stop(&a->waiting_timer);
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
