#include "controller/fleet/fleet.h"

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "controller/fleet/fleet_metrics.h"
#include "controller/fleet/fleet_worker.h"

static char *copy_text(const char *s)
{
    return s ? strdup(s) : NULL;
}

static void free_config(struct fleet_config *c)
{
    /* Owned copies, made by copy_config. */
    free((char *)(uintptr_t)c->worker_path);
    free((char *)(uintptr_t)c->log_level);
    for (size_t i = 0; i < FLEET_LISTENS_MAX; i++) {
        free((char *)(uintptr_t)c->listens[i].ip);
        free((char *)(uintptr_t)c->listens[i].announced);
    }
}

static unsigned or_default(unsigned value, unsigned def)
{
    return value > 0 ? value : def;
}

static enum err copy_config(struct fleet_config *to, const struct fleet_config *from)
{
    *to = *from;
    memset(to->listens, 0, sizeof to->listens);
    to->limits = (struct fleet_limits){
        .start_ms = or_default(from->limits.start_ms, START_LIMIT_MS),
        .beat_ms = or_default(from->limits.beat_ms, BEAT_MS),
        .heartbeat_ms = or_default(from->limits.heartbeat_ms, HEARTBEAT_LIMIT_MS),
        .request_ms = or_default(from->limits.request_ms, REQUEST_LIMIT_MS),
        .term_ms = or_default(from->limits.term_ms, TERM_LIMIT_MS)};
    to->worker_path = copy_text(from->worker_path);
    to->log_level = copy_text(from->log_level ? from->log_level : "info");
    bool whole = to->worker_path && to->log_level;
    for (size_t i = 0; i < from->n_listens && i < FLEET_LISTENS_MAX; i++) {
        to->listens[i].ip = copy_text(from->listens[i].ip);
        to->listens[i].announced = copy_text(from->listens[i].announced);
        whole =
            whole && to->listens[i].ip && (to->listens[i].announced || !from->listens[i].announced);
    }
    return whole ? OK : ERR_NOMEM;
}

static void fleet_free(struct fleet *f)
{
    fleet_metrics_close(f);
    free_config(&f->config);
    free(f->workers);
    free(f);
}

enum err fleet_open(const struct fleet_config *config, struct fleet **out)
{
    if (config->n_workers == 0 || config->n_workers > FLEET_WORKERS_MAX || config->n_listens == 0 ||
        config->n_listens > FLEET_LISTENS_MAX ||
        config->port_base + config->n_workers - 1 > UINT16_MAX)
        return ERR_RANGE;
    struct fleet *f = calloc(1, sizeof *f);
    if (!f)
        return ERR_NOMEM;
    list_init(&f->observers);
    f->workers = calloc(config->n_workers, sizeof *f->workers);
    if (copy_config(&f->config, config) != OK || !f->workers || fleet_metrics_open(f) != OK) {
        fleet_free(f);
        return ERR_NOMEM;
    }
    for (unsigned i = 0; i < config->n_workers; i++) {
        struct fleet_worker *w = &f->workers[i];
        w->fleet = f;
        w->index = i;
        w->next_id = 1;
        for (size_t b = 0; b < LISTENER_BUCKETS; b++)
            list_init(&w->listeners[b]);
        uv_timer_init(config->loop, &w->timer);
        w->timer.data = w;
        f->open++;
        w->state = WORKER_WAITING;
        /* By the timer, so that on_started is never called from in here. */
        fleet_worker_schedule(w);
    }
    *out = f;
    return OK;
}

static void on_timer_closed(uv_handle_t *h)
{
    struct fleet_worker *w = h->data;
    struct fleet *f = w->fleet;
    if (--f->open > 0)
        return;
    void (*closed)(void *) = f->closed;
    void *ctx = f->closed_ctx;
    fleet_free(f);
    if (closed)
        closed(ctx);
}

void fleet_on_worker_gone(struct fleet_worker *w)
{
    uv_close((uv_handle_t *)&w->timer, on_timer_closed);
}

void fleet_close(struct fleet *f, void (*closed)(void *ctx), void *ctx)
{
    if (f->closing)
        return;
    f->closing = true;
    f->closed = closed;
    f->closed_ctx = ctx;
    for (unsigned i = 0; i < f->config.n_workers; i++)
        fleet_worker_stop(&f->workers[i]);
}

void fleet_on_running(struct fleet_worker *w)
{
    struct fleet *f = w->fleet;
    log_info("fleet.worker_running", "worker=%u pid=%d", w->index, w->pid);
    list_each (node, &f->observers) {
        struct fleet_observer *o = container_of(node, struct fleet_observer, node);
        if (o->on_running)
            o->on_running(o->ctx, w);
    }
    for (unsigned i = 0; i < f->config.n_workers && !f->started; i++) {
        if (f->workers[i].state != WORKER_RUNNING)
            return;
    }
    if (!f->started) {
        f->started = true;
        f->config.on_started(f->config.ctx, OK, "");
    }
}

void fleet_on_start_failed(struct fleet_worker *w, const char *why)
{
    struct fleet *f = w->fleet;
    f->started = f->failed = true;
    f->config.on_started(f->config.ctx, ERR_UNAVAILABLE, why);
}

struct fleet_worker *fleet_least_loaded(struct fleet *f)
{
    struct fleet_worker *best = NULL;
    for (unsigned i = 0; i < f->config.n_workers; i++) {
        struct fleet_worker *w = &f->workers[i];
        if (w->state == WORKER_RUNNING && (!best || w->load < best->load))
            best = w;
    }
    return best;
}

size_t fleet_size(const struct fleet *f)
{
    return f->config.n_workers;
}

struct fleet_worker *fleet_worker_at(struct fleet *f, size_t i)
{
    return i < f->config.n_workers ? &f->workers[i] : NULL;
}

unsigned fleet_worker_index(const struct fleet_worker *w)
{
    return w->index;
}

bool fleet_worker_running(const struct fleet_worker *w)
{
    return w->state == WORKER_RUNNING;
}

int fleet_worker_pid(const struct fleet_worker *w)
{
    return w->pid;
}

unsigned fleet_worker_restarts(const struct fleet_worker *w)
{
    return w->restarts;
}

void fleet_worker_add_load(struct fleet_worker *w, int delta)
{
    /* A lost worker starts again at 0; what is taken off late must not make it negative. */
    w->load = w->load + delta > 0 ? w->load + delta : 0;
}

int fleet_worker_load(const struct fleet_worker *w)
{
    return w->load;
}

void fleet_worker_add_routers(struct fleet_worker *w, int delta)
{
    w->routers = w->routers + delta > 0 ? w->routers + delta : 0;
}

int fleet_worker_routers(const struct fleet_worker *w)
{
    return w->routers;
}

void fleet_observe(struct fleet *f, struct fleet_observer *o)
{
    list_add(&f->observers, &o->node);
}

void fleet_unobserve(struct fleet_observer *o)
{
    list_remove(&o->node);
}
