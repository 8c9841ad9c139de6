#include "controller/whip/whip.h"

#include <stdlib.h>

#include "common/log.h"
#include "controller/whip/whip_state.h"

struct whip_session *whip_find(struct whip *w, const char *id)
{
    struct whip_session *s = NULL;
    HASH_FIND_STR(w->sessions, id, s);
    return s;
}

/* ---- time ---- */

static void check(struct whip_session *s)
{
    /* A room that was closed says nothing to those who were in it. */
    if (s->live && !s->ended && !room_client_peer(s->client))
        whip_session_end(s, "the room was closed");
    if (s->live && !s->ended && s->use == WHIP_PLAY)
        whip_play_follow(s);
    if (s->ended)
        whip_session_free(s);
}

static void on_sweep(uv_timer_t *timer)
{
    struct whip *w = timer->data;
    struct whip_session *s;
    struct whip_session *next;
    HASH_ITER(hh, w->sessions, s, next)
    {
        check(s);
    }
    if (!w->closing)
        uv_timer_start(&w->sweep, on_sweep, WHIP_SWEEP_MS, 0);
}

void whip_sweep_soon(struct whip *w)
{
    if (!w->closing)
        uv_timer_start(&w->sweep, on_sweep, 0, 0);
}

/* ---- life ---- */

static void add_metrics(struct whip *w)
{
    static const char *const names[] = {"whip", "whep"};
    for (int i = 0; i < WHIP_USES; i++) {
        struct metric_label label = {.name = "protocol", .value = names[i]};
        w->count[i] = metric_gauge(w->config.metrics, "weir_whip_sessions",
                                   "Sessions of WHIP and WHEP now.", &label, 1);
        w->started[i] = metric_counter(w->config.metrics, "weir_whip_sessions_started_total",
                                       "Sessions of WHIP and WHEP that were answered.", &label, 1);
    }
    w->refused = metric_counter(w->config.metrics, "weir_whip_refused_total",
                                "Requests of WHIP and WHEP that were refused.", NULL, 0);
}

enum err whip_open(const struct whip_config *config, struct whip **out)
{
    struct whip *w = calloc(1, sizeof *w);
    if (!w)
        return ERR_NOMEM;
    w->config = *config;
    add_metrics(w);
    enum err e = whip_add_routes(w);
    if (e != OK) {
        free(w);
        return e;
    }
    uv_timer_init(config->loop, &w->sweep);
    w->sweep.data = w;
    uv_timer_start(&w->sweep, on_sweep, WHIP_SWEEP_MS, 0);
    *out = w;
    return OK;
}

static void finish(struct whip *w)
{
    if (!w->timer_closed || w->lookups > 0)
        return;
    void (*closed)(void *) = w->closed;
    void *ctx = w->closed_ctx;
    free(w);
    if (closed)
        closed(ctx);
}

static void on_timer_closed(uv_handle_t *h)
{
    struct whip *w = h->data;
    w->timer_closed = true;
    finish(w);
}

void whip_hold(struct whip *w)
{
    w->lookups++;
}

void whip_release(struct whip *w)
{
    w->lookups--;
    finish(w);
}

void whip_close(struct whip *w, void (*closed)(void *ctx), void *ctx)
{
    struct whip_session *s;
    struct whip_session *next;
    w->closing = true;
    w->closed = closed;
    w->closed_ctx = ctx;
    HASH_ITER(hh, w->sessions, s, next)
    {
        whip_session_end(s, "the service is closing");
        whip_session_free(s);
    }
    uv_close((uv_handle_t *)&w->sweep, on_timer_closed);
}
