#include "worker/media/direct_transport.h"

#include <stdlib.h>
#include <string.h>

#include "common/base64.h"
#include "proto/pipe.h"
#include "worker/media/consumer.h"
#include "worker/media/fail.h"
#include "worker/media/producer.h"
#include "worker/media/router.h"
#include "worker/media/transport.h"
#include "worker/media/worker_state.h"

/* As of the other kinds; bytes. */
enum { DIRECT_MESSAGE_MAX = 256 * 1024 };

/* ---- to the controller ---- */

static void take_rtp(struct transport *t, uint32_t ssrc, struct slice bytes)
{
    char text[BASE64_TEXT_MAX(TX_SLOT_CAP)];
    const struct consumer *c = ssrc_map_get(&t->ssrcs, ssrc);
    if (!c)
        return;
    base64_write(bytes.p, bytes.n, text);
    struct consumer_rtp_event event = {.data = text};
    worker_notify(t->worker, c->object.id, EVENT_CONSUMER_RTP, &event);
}

static void take_rtcp(struct transport *t, struct slice bytes)
{
    char text[BASE64_TEXT_MAX(TX_SLOT_CAP)];
    base64_write(bytes.p, bytes.n, text);
    struct direct_transport_rtcp_event event = {.data = text};
    worker_notify(t->worker, t->object.id, EVENT_DIRECT_TRANSPORT_RTCP, &event);
}

/* ---- from the controller ---- */

static enum err packet_of(struct worker *w, usec now, struct slice bytes, struct packet **out)
{
    if (bytes.n > PACKET_CAP)
        return ERR_TOO_LARGE;
    struct packet *p = packet_get(&w->pool);
    if (!p)
        return ERR_NOMEM;
    memcpy(p->data, bytes.p, bytes.n);
    p->len = (uint32_t)bytes.n;
    p->arrived_at = now;
    *out = p;
    return OK;
}

enum err direct_transport_rtp(struct producer *producer, usec now, struct slice bytes)
{
    struct transport *t = producer->transport;
    struct packet *p;
    if (t->ops->type != TRANSPORT_TYPE_DIRECT)
        return ERR_TYPE;
    enum err e = packet_of(t->worker, now, bytes, &p);
    if (e != OK)
        return e;
    (void)transport_rtp(t, now, p);
    packet_unref(p);
    worker_burst_end(t->worker, now);
    return OK;
}

enum err direct_transport_rtcp(struct transport *t, usec now, struct slice bytes)
{
    struct packet *p;
    enum err e = packet_of(t->worker, now, bytes, &p);
    if (e != OK)
        return e;
    (void)transport_rtcp(t, now, p);
    packet_unref(p);
    worker_burst_end(t->worker, now);
    return OK;
}

/* ---- what it is ---- */

static enum err dump(struct transport *t, struct arena *arena, struct transport_dump_response *out)
{
    (void)t;
    (void)arena;
    (void)out;
    return OK;
}

static enum err stats(struct transport *t, struct arena *arena,
                      struct transport_get_stats_response *out)
{
    (void)t;
    (void)arena;
    (void)out;
    return OK;
}

/* ---- life cycle ---- */

static void close_direct(struct transport *t, usec now)
{
    if (t->router)
        transport_set_connected(t, now, false);
    transport_fini(t, now);
    free(t);
}

static const struct transport_ops ops = {.type = TRANSPORT_TYPE_DIRECT,
                                         .stat_type = TRANSPORT_STAT_DIRECT,
                                         .take_rtp = take_rtp,
                                         .take_rtcp = take_rtcp,
                                         .dump = dump,
                                         .stats = stats,
                                         .close = close_direct};

enum err direct_transport_open(struct router *r, usec now,
                               const struct router_create_direct_transport_request *in,
                               struct transport **out, struct field_error *f)
{
    const struct direct_transport_options *o = in->options;
    struct transport *t = calloc(1, sizeof *t);
    if (!t)
        return fail_plain(f, ERR_NOMEM);
    enum err e = transport_init(t, &ops, r, in->transport_id, now, f);
    if (e != OK) {
        close_direct(t, now);
        return e;
    }
    t->max_send_message_size =
        o->has_max_send_message_size ? o->max_send_message_size : DIRECT_MESSAGE_MAX;
    t->max_receive_message_size =
        o->has_max_receive_message_size ? o->max_receive_message_size : DIRECT_MESSAGE_MAX;
    transport_set_connected(t, now, true);
    *out = t;
    return OK;
}
