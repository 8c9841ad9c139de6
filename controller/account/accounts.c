/* Opening, closing, and what waits in between. */
#include "controller/account/accounts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "controller/account/accounts_state.h"

enum { SESSIONS_KNOWN_MAX = 20000, PURGE_EVERY_MS = 10 * 60 * 1000 };

static void finish_close(struct accounts *a)
{
    if (!a->closing || a->pending > 0 || a->passwords || !a->tick_closed)
        return;
    void (*closed)(void *) = a->closed;
    void *ctx = a->closed_ctx;
    session_cache_close(a->cache);
    free(a);
    if (closed)
        closed(ctx);
}

void accounts_hold(struct accounts *a)
{
    a->pending++;
}

void accounts_release(struct accounts *a)
{
    a->pending--;
    finish_close(a);
}

/* ---- sessions that are over ---- */

static void on_purged(void *ctx, enum err e)
{
    if (e != OK)
        log_debug("account.purge", "why=%s", err_name(e));
    accounts_release(ctx);
}

static void on_tick(uv_timer_t *timer)
{
    struct accounts *a = timer->data;
    accounts_hold(a);
    enum err e = account_store_purge(a->config.db, clock_wall() / USEC_PER_MSEC, on_purged, a);
    if (e != OK)
        on_purged(a, e);
}

/* ---- life ---- */

enum err accounts_open(const struct accounts_config *config, struct accounts **out)
{
    struct accounts *a = calloc(1, sizeof *a);
    if (!a)
        return ERR_NOMEM;
    a->config = *config;
    const struct passwords_config passwords = {.loop = config->loop,
                                               .rng = config->rng,
                                               .cost = config->scrypt_cost,
                                               .running_max = config->scrypt_running,
                                               .waiting_max = config->scrypt_waiting};
    a->logins =
        metric_counter(config->metrics, "weir_logins_total", "Log-ins that worked.", NULL, 0);
    a->failed = metric_counter(config->metrics, "weir_logins_failed_total",
                               "Log-ins with a wrong name or password.", NULL, 0);
    enum err e = session_cache_open(&a->cache, SESSIONS_KNOWN_MAX);
    if (e == OK)
        e = accounts_add_routes(a);
    if (e == OK)
        e = passwords_open(&passwords, &a->passwords);
    if (e != OK) {
        session_cache_close(a->cache);
        free(a);
        return e;
    }
    uv_timer_init(config->loop, &a->tick);
    a->tick.data = a;
    uv_timer_start(&a->tick, on_tick, PURGE_EVERY_MS, PURGE_EVERY_MS);
    api_set_authenticator(config->api,
                          &(struct api_authenticator){.identify = account_identify, .self = a});
    accounts_begin(a);
    *out = a;
    return OK;
}

static void on_passwords_closed(void *ctx)
{
    struct accounts *a = ctx;
    a->passwords = NULL;
    finish_close(a);
}

static void on_tick_closed(uv_handle_t *h)
{
    struct accounts *a = h->data;
    a->tick_closed = true;
    finish_close(a);
}

void accounts_close(struct accounts *a, void (*closed)(void *ctx), void *ctx)
{
    a->closing = true;
    a->closed = closed;
    a->closed_ctx = ctx;
    api_set_authenticator(a->config.api, NULL);
    uv_close((uv_handle_t *)&a->tick, on_tick_closed);
    passwords_close(a->passwords, on_passwords_closed, a);
}
