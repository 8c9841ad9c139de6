#include "test/lib/sctp_pair.h"

#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

/* A day: usrsctp takes 0 for "never". */
#define WALL_START (86400 * USEC_PER_SEC)

static usec virtual_now;

/* In place of the C library's, for usrsctp, which measures round trips and lifetimes by it. */
int gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
    (void)zone;
    usec t = WALL_START + virtual_now;
    tv->tv_sec = (time_t)(t / USEC_PER_SEC);
    tv->tv_usec = (suseconds_t)(t % USEC_PER_SEC);
    return 0;
}

struct assoc_config sctp_pair_config(void)
{
    return (struct assoc_config){.port = ASSOC_PORT,
                                 .out_streams = 1024,
                                 .in_streams = 1024,
                                 .max_send_message = 256 * 1024,
                                 .max_receive_message = 256 * 1024,
                                 .send_buffer = 2000000,
                                 .stream_send_buffer = 2000000,
                                 .receive_buffer = 1024 * 1024,
                                 .low_threshold = 1024,
                                 .data_channels = true};
}

static void end_init(struct sctp_pair *p, struct sctp_end *e, const struct assoc_config *config,
                     const struct link_config *link, uint64_t seed)
{
    struct assoc_config c = config ? *config : sctp_pair_config();
    c.group = &p->group;
    c.owner = e;
    link_init(&e->out, link ? *link : (struct link_config){.delay = 10 * USEC_PER_MSEC}, seed);
    if (assoc_open(&e->assoc, p->now, &c) != OK)
        abort();
}

void sctp_pair_init(struct sctp_pair *p, const struct assoc_config *config,
                    const struct link_config *link, uint64_t seed)
{
    memset(p, 0, sizeof *p);
    p->now = virtual_now + USEC_PER_SEC; /* time goes on from test to test */
    virtual_now = p->now;
    assoc_group_init(&p->group);
    end_init(p, &p->a, config, link, seed);
    end_init(p, &p->b, config, link, seed + 1);
}

void sctp_end_forget(struct sctp_end *e)
{
    for (size_t i = 0; i < e->n_messages; i++)
        free(e->messages[i].bytes);
    e->n_messages = 0;
    e->n_resets = 0;
    e->lows = 0;
}

void sctp_pair_fini(struct sctp_pair *p)
{
    struct sctp_end *ends[] = {&p->a, &p->b};
    for (int i = 0; i < 2; i++) {
        assoc_close(ends[i]->assoc);
        link_fini(&ends[i]->out);
        sctp_end_forget(ends[i]);
    }
}

static void take_message(struct sctp_pair *p, struct sctp_end *e, const struct assoc_item *it)
{
    if (e->n_messages == SCTP_PAIR_MESSAGES)
        abort();
    struct sctp_message *m = &e->messages[e->n_messages++];
    m->stream = it->stream;
    m->ppid = it->ppid;
    m->n = it->bytes.n;
    m->at = p->now;
    m->bytes = malloc(it->bytes.n + 1);
    if (!m->bytes)
        abort();
    memcpy(m->bytes, it->bytes.p, it->bytes.n);
    m->bytes[it->bytes.n] = 0;
}

static void poll_end(struct sctp_pair *p, struct sctp_end *e)
{
    struct assoc_item it;
    while (e->assoc && assoc_poll(e->assoc, p->now, &it)) {
        switch (it.kind) {
        case ASSOC_PACKET:
            e->packets++;
            if (it.bytes.n > e->largest)
                e->largest = it.bytes.n;
            link_send(&e->out, p->now, it.bytes.p, it.bytes.n);
            break;
        case ASSOC_STATE_CHANGED:
            if (e->n_states < SCTP_PAIR_STATES)
                e->states[e->n_states++] = it.state;
            break;
        case ASSOC_MESSAGE:
            take_message(p, e, &it);
            break;
        case ASSOC_STREAMS_RESET:
            for (size_t i = 0; i < it.n_streams && e->n_resets < SCTP_PAIR_RESETS; i++)
                e->resets[e->n_resets++] = it.streams[i];
            break;
        case ASSOC_BUFFERED_LOW:
            e->lows++;
            e->low_buffered = it.buffered;
            break;
        }
    }
}

void sctp_pair_drain(struct sctp_pair *p)
{
    poll_end(p, &p->a);
    poll_end(p, &p->b);
    struct assoc *ready;
    while ((ready = assocs_ready(&p->group)) != NULL)
        poll_end(p, assoc_owner(ready));
}

static void deliver(struct sctp_pair *p, struct sctp_end *from, struct sctp_end *to)
{
    uint8_t packet[2048];
    size_t n;
    while (link_receive(&from->out, p->now, packet, &n)) {
        if (to->assoc)
            assoc_input(to->assoc, p->now, slice_of(packet, n));
        poll_end(p, to);
    }
}

static void step(struct sctp_pair *p, usec until)
{
    sctp_pair_drain(p);
    usec next =
        usec_min(assocs_deadline(), usec_min(link_deadline(&p->a.out), link_deadline(&p->b.out)));
    p->now = next > until ? until : next > p->now ? next : p->now;
    virtual_now = p->now;
    deliver(p, &p->a, &p->b);
    deliver(p, &p->b, &p->a);
    if (p->now >= assocs_deadline())
        assocs_timeout(p->now);
    sctp_pair_drain(p);
}

void sctp_pair_run(struct sctp_pair *p, usec time)
{
    usec until = p->now + time;
    sctp_pair_drain(p);
    while (p->now < until)
        step(p, until);
}

bool sctp_pair_until(struct sctp_pair *p, const struct sctp_end *e, size_t n, usec patience)
{
    usec until = p->now + patience;
    sctp_pair_drain(p);
    while (e->n_messages < n && p->now < until)
        step(p, until);
    return e->n_messages >= n;
}

bool sctp_pair_connect(struct sctp_pair *p, usec patience)
{
    usec until = p->now + patience;
    if (assoc_connect(p->a.assoc) != OK || assoc_connect(p->b.assoc) != OK)
        abort();
    while (p->now < until && (assoc_get_state(p->a.assoc) == ASSOC_CONNECTING ||
                              assoc_get_state(p->b.assoc) == ASSOC_CONNECTING))
        step(p, until);
    return assoc_get_state(p->a.assoc) == ASSOC_CONNECTED &&
           assoc_get_state(p->b.assoc) == ASSOC_CONNECTED;
}
