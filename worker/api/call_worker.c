/* Methods of the worker itself. */
#include <sys/resource.h>
#include <unistd.h>

#include "common/log.h"
#include "worker/api/call.h"
#include "worker/media/fail.h"
#include "worker/media/router.h"
#include "worker/media/worker_dump.h"

static uint64_t elapsed(const struct call *c)
{
    return (uint64_t)(c->now - worker_started_at(c->worker));
}

enum err call_worker_ping(struct call *c)
{
    struct worker_ping_response *out = c->out;
    out->uptime_usec = elapsed(c);
    return OK;
}

enum err call_worker_dump(struct call *c)
{
    struct worker_dump_response *out = c->out;
    if (worker_dump(c->worker, &c->arena, out) != OK)
        return fail_plain(&c->fail, ERR_NOMEM);
    out->pid = (uint32_t)getpid();
    return OK;
}

static uint64_t time_usec(const struct timeval *t)
{
    return (uint64_t)t->tv_sec * 1000000 + (uint64_t)t->tv_usec;
}

enum err call_worker_get_resource_usage(struct call *c)
{
    struct worker_get_resource_usage_response *out = c->out;
    struct rusage ru;
    if (getrusage(RUSAGE_SELF, &ru) != 0)
        return fail(&c->fail, ERR_IO, "", "getrusage failed");
    out->ru_utime = time_usec(&ru.ru_utime) / 1000;
    out->ru_stime = time_usec(&ru.ru_stime) / 1000;
    out->ru_maxrss = (uint64_t)ru.ru_maxrss;
    out->ru_minflt = (uint64_t)ru.ru_minflt;
    out->ru_majflt = (uint64_t)ru.ru_majflt;
    out->ru_inblock = (uint64_t)ru.ru_inblock;
    out->ru_oublock = (uint64_t)ru.ru_oublock;
    out->ru_nvcsw = (uint64_t)ru.ru_nvcsw;
    out->ru_nivcsw = (uint64_t)ru.ru_nivcsw;
    return OK;
}

enum err call_worker_get_metrics(struct call *c)
{
    struct worker_get_metrics_response *out = c->out;
    const struct worker_counters *n = worker_get_counters(c->worker);
    const struct packet_pool *pool = worker_pool(c->worker);
    struct rusage ru;
    if (getrusage(RUSAGE_SELF, &ru) == 0)
        out->cpu_usec = time_usec(&ru.ru_utime) + time_usec(&ru.ru_stime);
    out->uptime_usec = elapsed(c);
    out->dropped_malformed = n->dropped_malformed;
    out->dropped_unknown = n->dropped_unknown;
    out->dropped_unauthentic = n->dropped_unauthentic;
    out->dropped_send = n->dropped_send;
    out->packet_buffers_used = pool->used;
    out->packet_buffers_total = pool->total;
    out->pipe_queued_bytes = c->api->out->len;
    out->routers = worker_router_count(c->worker);
    out->transports = n->transports;
    out->producers = n->producers;
    out->consumers = n->consumers;
    out->data_producers = n->data_producers;
    out->data_consumers = n->data_consumers;
    if (c->api->fill_metrics)
        c->api->fill_metrics(c->api->ctx, out);
    return OK;
}

enum err call_worker_update_settings(struct call *c)
{
    const struct worker_update_settings_request *in = c->in;
    static const int levels[] = {[WORKER_LOG_DEBUG] = LOG_DEBUG,
                                 [WORKER_LOG_WARN] = LOG_WARN,
                                 [WORKER_LOG_ERROR] = LOG_ERROR,
                                 [WORKER_LOG_NONE] = LOG_ERROR + 1,
                                 [WORKER_LOG_INFO] = LOG_INFO};
    if (in->has_log_level)
        log_set_level(levels[in->log_level]);
    return OK;
}

enum err call_worker_create_router(struct call *c)
{
    const struct worker_create_router_request *in = c->in;
    struct router *r;
    return router_open(c->worker, in->router_id, &r, &c->fail);
}

enum err call_worker_close_router(struct call *c)
{
    const struct worker_close_router_request *in = c->in;
    struct router *r = worker_find_router(c->worker, in->router_id);
    if (!r)
        return fail(&c->fail, ERR_NOT_FOUND, "routerId", "no such router");
    router_close(r, c->now);
    return OK;
}
