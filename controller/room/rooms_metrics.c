#include "controller/room/rooms_metrics.h"

#include <stdlib.h>

#include "controller/room/room_pipe.h"

static struct metric *labelled(struct metrics *m, const char *name, const char *help,
                               const char *label, const char *value)
{
    struct metric_label l = {label, value};
    return metric_gauge(m, name, help, &l, 1);
}

enum err rooms_metrics_open(struct rooms *r)
{
    struct metrics *m = r->config.metrics;
    struct rooms_metrics *x = calloc(1, sizeof *x);
    if (!x)
        return ERR_NOMEM;
    x->rooms = metric_gauge(m, "weir_rooms", "Rooms that are open.", NULL, 0);
    x->spread = metric_gauge(m, "weir_rooms_spread", "Rooms that are in several workers.", NULL, 0);
    x->pipes = metric_gauge(m, "weir_room_pipes",
                            "Pairs of pipe transports between routers of rooms.", NULL, 0);
    x->piped = metric_gauge(m, "weir_room_piped", "Producers and data producers that go over them.",
                            NULL, 0);
    for (int role = ROLE_PARTICIPANT; role <= ROLE_VIEWER; role++)
        x->peers[role] =
            labelled(m, "weir_peers", "Peers in rooms, by role.", "role", sig_role_names[role]);
    for (int kind = MEDIA_KIND_AUDIO; kind <= MEDIA_KIND_VIDEO; kind++)
        x->producers[kind] =
            labelled(m, "weir_producers", "Producers, by kind.", "kind", media_kind_names[kind]);
    x->consumers = metric_gauge(m, "weir_consumers", "Consumers of clients.", NULL, 0);
    x->transports = metric_gauge(m, "weir_transports", "WebRTC transports of clients.", NULL, 0);
    x->connections =
        metric_gauge(m, "weir_signaling_connections", "Signaling connections.", NULL, 0);
    x->requests =
        metric_counter(m, "weir_signaling_requests_total", "Signaling requests.", NULL, 0);
    x->refused = metric_counter(m, "weir_signaling_refused_total",
                                "Signaling requests that were answered with an error.", NULL, 0);
    x->foreign = metric_counter(m, "weir_signaling_foreign_origin_total",
                                "Connections refused since another site's page asked.", NULL, 0);
    r->metrics = x;
    return OK;
}

void rooms_metrics_close(struct rooms *r)
{
    free(r->metrics);
    r->metrics = NULL;
}

static void count_peer(const struct room_peer *p, unsigned producers[2], unsigned *consumers,
                       unsigned *transports)
{
    *consumers += p->n_consumers;
    list_each (tn, (struct list *)(uintptr_t)&p->transports) {
        struct room_transport *t = container_of(tn, struct room_transport, node);
        *transports += t->use != USE_OWN;
        list_each (pn, &t->producers) {
            producers[container_of(pn, struct room_producer, node)->kind]++;
        }
    }
}

struct spread {
    unsigned rooms;
    unsigned pipes;
    unsigned piped;
};

static void count_pipes(const struct room *room, struct spread *out)
{
    out->rooms += room->routers.next != room->routers.prev;
    list_each (ln, (struct list *)(uintptr_t)&room->links) {
        struct pipe_link *l = container_of(ln, struct pipe_link, node);
        out->pipes++;
        list_each (pn, &l->piped) {
            out->piped++;
        }
    }
}

void rooms_metrics_update(struct rooms *r)
{
    struct spread spread = {0};
    unsigned peers[3] = {0};
    unsigned producers[2] = {0};
    unsigned consumers = 0;
    unsigned transports = 0;
    for (struct room *room = r->rooms; room; room = room->hh.next) {
        count_pipes(room, &spread);
        list_each (node, &room->peers) {
            struct room_peer *p = container_of(node, struct room_peer, node);
            peers[p->role]++;
            count_peer(p, producers, &consumers, &transports);
        }
    }
    struct rooms_metrics *x = r->metrics;
    metric_set(x->rooms, r->n_rooms);
    metric_set(x->spread, spread.rooms);
    metric_set(x->pipes, spread.pipes);
    metric_set(x->piped, spread.piped);
    for (int i = 0; i < 3; i++)
        metric_set(x->peers[i], peers[i]);
    for (int i = 0; i < 2; i++)
        metric_set(x->producers[i], producers[i]);
    metric_set(x->consumers, consumers);
    metric_set(x->transports, transports);
}
