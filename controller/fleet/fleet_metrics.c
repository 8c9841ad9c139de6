#include "controller/fleet/fleet_metrics.h"

#include <stdio.h>
#include <stdlib.h>

/* member of worker.getMetrics' answer, name, help; counters start again at 0 with a new process */
#define WORKER_METRICS(X)                                                                          \
    X(cpu_usec, "weir_worker_cpu_microseconds", "CPU time of the worker's process.")               \
    X(packets_received, "weir_worker_packets_received", "Datagrams and TCP frames received.")      \
    X(packets_sent, "weir_worker_packets_sent", "Datagrams and TCP frames sent.")                  \
    X(bytes_received, "weir_worker_bytes_received", "Bytes received.")                             \
    X(bytes_sent, "weir_worker_bytes_sent", "Bytes sent.")                                         \
    X(receive_calls, "weir_worker_receive_calls", "System calls that received.")                   \
    X(send_calls, "weir_worker_send_calls", "System calls that sent.")                             \
    X(dropped_malformed, "weir_worker_dropped_malformed",                                          \
      "Datagrams that are no protocol of ours.")                                                   \
    X(dropped_unknown, "weir_worker_dropped_unknown", "Datagrams from unknown addresses.")         \
    X(dropped_unauthentic, "weir_worker_dropped_unauthentic", "SRTP that did not authenticate.")   \
    X(dropped_no_buffer, "weir_worker_dropped_no_buffer",                                          \
      "Datagrams for which no buffer was free.")                                                   \
    X(dropped_send, "weir_worker_dropped_send", "Datagrams that the kernel did not take.")         \
    X(packet_buffers_used, "weir_worker_packet_buffers_used", "Packet buffers in use.")            \
    X(routers, "weir_worker_routers", "Routers.")                                                  \
    X(transports, "weir_worker_transports", "Transports.")                                         \
    X(producers, "weir_worker_producers", "Producers.")                                            \
    X(consumers, "weir_worker_consumers", "Consumers.")

struct worker_series {
    struct metric *up;
    struct metric *restarts;
    struct metric *load;
#define X(member, name, help) struct metric *member;
    WORKER_METRICS(X)
#undef X
};

struct fleet_metrics {
    struct worker_series *workers; /* owned, one a worker */
};

enum err fleet_metrics_open(struct fleet *f)
{
    struct fleet_metrics *m = calloc(1, sizeof *m);
    if (!m)
        return ERR_NOMEM;
    f->metrics = m;
    m->workers = calloc(f->config.n_workers, sizeof *m->workers);
    if (!m->workers)
        return ERR_NOMEM;
    for (unsigned i = 0; i < f->config.n_workers; i++) {
        char index[12];
        snprintf(index, sizeof index, "%u", i);
        struct metric_label label = {"worker", index};
        struct worker_series *s = &m->workers[i];
        s->up = metric_gauge(f->config.metrics, "weir_worker_up", "Whether the worker runs.",
                             &label, 1);
        s->restarts = metric_gauge(f->config.metrics, "weir_worker_restarts",
                                   "How often the worker was replaced.", &label, 1);
        s->load =
            metric_gauge(f->config.metrics, "weir_worker_load",
                         "Transports, producers and consumers that rooms have in it.", &label, 1);
#define X(member, name, help) s->member = metric_gauge(f->config.metrics, name, help, &label, 1);
        WORKER_METRICS(X)
#undef X
    }
    return OK;
}

void fleet_metrics_close(struct fleet *f)
{
    if (f->metrics)
        free(f->metrics->workers);
    free(f->metrics);
    f->metrics = NULL;
}

void fleet_metrics_update(struct fleet_worker *w)
{
    struct worker_series *s = &w->fleet->metrics->workers[w->index];
    metric_set(s->up, w->state == WORKER_RUNNING);
    metric_set(s->restarts, w->restarts);
    metric_set(s->load, w->load);
}

static void on_counters(void *ctx, enum err e, const char *reason, const void *data)
{
    struct fleet_worker *w = ctx;
    const struct worker_get_metrics_response *r = data;
    (void)reason;
    if (e != OK)
        return;
    struct worker_series *s = &w->fleet->metrics->workers[w->index];
#define X(member, name, help) metric_set(s->member, (double)r->member);
    WORKER_METRICS(X)
#undef X
}

void fleet_metrics_ask(struct fleet_worker *w)
{
    (void)fleet_request(w, METHOD_WORKER_GET_METRICS, NULL, NULL, on_counters, w);
}
