#include "controller/admin/admin.h"

#include <stdlib.h>

#include "common/addr_range.h"

#define WORKER_HEALTH_FIELDS(X, S)                                                                 \
    X(S, flag, running, "running", REQ, 0, 0, _, "It runs.")                                       \
    X(S, u64, routers, "routers", REQ, 0, INT64_MAX, _, "Routers that rooms have in it.")          \
    X(S, u64, load, "load", REQ, 0, INT64_MAX, _, "Transports, producers and consumers.")
SHAPE_STRUCT(worker_health, WORKER_HEALTH_FIELDS);
SHAPE_DEFINE(worker_health, WORKER_HEALTH_FIELDS)

#define HEALTH_ANSWER_FIELDS(X, S)                                                                 \
    X(S, str, status, "status", REQ, 1, 32, _, "starting, ok, degraded or draining.")              \
    X(S, u64, workers, "workers", REQ, 0, INT64_MAX, _, "Media workers.")                          \
    X(S, u64, running, "workersRunning", REQ, 0, INT64_MAX, _, "Of them, how many run.")           \
    X(S, objs, per_worker, "perWorker", OPT, 0, 256, worker_health, "Each by its index.")          \
    X(S, str, database, "database", REQ, 1, 32, _, "starting, connecting, ready, away or closing.")
SHAPE_STRUCT(health_answer, HEALTH_ANSWER_FIELDS);
SHAPE_DEFINE(health_answer, HEALTH_ANSWER_FIELDS)

/* A proxy on this machine brings strangers from a loopback address, so what was forwarded is not
 * local, whoever the header names. */
static bool is_local(const struct http_request *req)
{
    return addr_is_loopback(http_peer(req)) && !http_is_forwarded(req);
}

static const char *database_state(const struct admin *a)
{
    if (!a->db)
        return "starting";
    switch (db_state(a->db)) {
    case DB_CONNECTING:
        return "connecting";
    case DB_READY:
        return "ready";
    case DB_AWAY:
        return "away";
    case DB_CLOSING:
        return "closing";
    }
    return "unknown";
}

/* By index: whether it runs, and the routers that rooms have in it. */
static json_t *describe_workers(const struct admin *a, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n && list; i++) {
        const struct fleet_worker *w = fleet_worker_at(a->fleet, i);
        json_array_append_new(list, json_pack("{s:b,s:i,s:i}", "running", fleet_worker_running(w),
                                              "routers", fleet_worker_routers(w), "load",
                                              fleet_worker_load(w)));
    }
    return list;
}

/* 200 while new viewers can be served, 503 while not. A database that is away is told, but live
 * goes on. */
static void on_healthz(struct http_request *req, void *user)
{
    const struct admin *a = user;
    size_t workers = a->fleet ? fleet_size(a->fleet) : 0;
    size_t running = 0;
    for (size_t i = 0; i < workers; i++)
        running += fleet_worker_running(fleet_worker_at(a->fleet, i));
    bool well = a->ready && running > 0 && !a->draining;
    const char *status = !a->ready           ? "starting"
                         : a->draining       ? "draining"
                         : running < workers ? "degraded"
                                             : "ok";
    http_respond_json(req, well ? 200 : 503,
                      json_pack("{s:s,s:I,s:I,s:o*,s:s}", "status", status, "workers",
                                (json_int_t)workers, "workersRunning", (json_int_t)running,
                                "perWorker", describe_workers(a, workers), "database",
                                database_state(a)));
}

static void on_metrics(struct http_request *req, void *user)
{
    const struct admin *a = user;
    if (!a->metrics_public && !is_local(req)) {
        http_respond_error(req, 403, "Forbidden", NULL,
                           "metrics are for this machine only (metrics.public)");
        return;
    }
    char *text;
    size_t n;
    if (metrics_render(a->metrics, &text, &n) != OK) {
        http_respond_error(req, 500, "OutOfMemory", NULL, "out of memory");
        return;
    }
    http_respond(req, 200, "text/plain; version=0.0.4; charset=utf-8", text, n);
    free(text);
}

static const struct api_route routes[] = {
    {.method = HTTP_GET,
     .path = "/healthz",
     .id = "getHealth",
     .tag = "Operation",
     .summary = "Whether new viewers can be served.",
     .answers = {{200, &health_answer_shape, "They can."}, {503, &health_answer_shape, "Not now."}},
     .raw = on_healthz},
    {.method = HTTP_GET,
     .path = "/metrics",
     .id = "getMetrics",
     .tag = "Operation",
     .summary = "Metrics in the text format of Prometheus; for this machine, unless metrics.public "
                "is on.",
     .answers = {{200, NULL, "The metrics.", "text/plain"}, {403, NULL, "Not from this machine."}},
     .raw = on_metrics},
};

enum err admin_add_routes(struct admin *a, struct api *api)
{
    return api_add(api, routes, sizeof routes / sizeof routes[0], a);
}
