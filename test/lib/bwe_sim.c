#include "test/lib/bwe_sim.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "proto/rtcp.h"

enum {
    FRAME_US = 33333,
    KEY_US = 5000 * 1000,
    PACKET = 1200,
    TCP_PACKET = 1200,
    TCP_FLOW = 255,
    TCP_TIMEOUT_US = 1000 * 1000,
    FEEDBACK_MAX = 1400
};

static double uniform(struct bwe_sim *s)
{
    return (double)(rng_u64(&s->rng) >> 11) / (double)(1ULL << 53);
}

static double bits_per_second(uint64_t bytes, usec time)
{
    return (double)bytes * 8 * USEC_PER_SEC / (double)time;
}

/* ---- a sender ---- */

static void put_on_link(struct bwe_sim *s, unsigned flow, size_t size)
{
    struct bwe_flow *f = &s->flows[flow];
    uint8_t packet[2048] = {(uint8_t)flow, (uint8_t)(f->seq >> 8), (uint8_t)f->seq};
    est_sent(&f->est, s->now, f->seq, size);
    pacer_spend(&f->pacer, s->now, size);
    f->seq++;
    f->sent_bytes += size;
    link_send(&s->there, s->now, packet, size);
    s->queue_max = fmax(s->queue_max, (double)link_queue_delay(&s->there, s->now) / 1000);
}

static void drain_pacer(struct bwe_sim *s, unsigned flow)
{
    struct bwe_flow *f = &s->flows[flow];
    while (f->n_waiting > 0 && pacer_may_send(&f->pacer, s->now, f->queued)) {
        size_t size = f->waiting[f->head];
        f->head = (f->head + 1) % BWE_WAITING;
        f->n_waiting--;
        f->queued -= size;
        put_on_link(s, flow, size);
    }
}

static void send_padding(struct bwe_sim *s, unsigned flow)
{
    struct bwe_flow *f = &s->flows[flow];
    size_t size;
    while ((size = est_next_padding(&f->est, s->now)) > 0) {
        f->padding_bytes += size;
        put_on_link(s, flow, size);
    }
}

static void enqueue(struct bwe_flow *f, size_t size)
{
    assert(f->n_waiting < BWE_WAITING);
    f->waiting[(f->head + f->n_waiting++) % BWE_WAITING] = (uint16_t)size;
    f->queued += size;
    f->media_bytes += size;
}

/* What the source sends now. */
static double source_bps(struct bwe_sim *s, struct bwe_flow *f)
{
    if (f->consumer.n_layers > 0) {
        int8_t before = f->consumer.layer;
        (void)alloc_share(&f->consumer, 1, est_target_bps(&f->est), s->now);
        f->switches += f->consumer.layer != before;
        return f->consumer.layer < 0 ? 0 : f->consumer.layer_bps[f->consumer.layer];
    }
    return (double)(f->config.source_bps > 0 ? f->config.source_bps : est_target_bps(&f->est));
}

static void send_frame(struct bwe_sim *s, unsigned flow)
{
    struct bwe_flow *f = &s->flows[flow];
    double bps = source_bps(s, f);
    double average = bps / 8 * FRAME_US / USEC_PER_SEC;
    double size = average * (0.8 + 0.4 * uniform(s));
    if (f->config.key_frame > 0 && s->now >= f->key_at) {
        f->key_at = s->now + KEY_US;
        f->debt = average * (f->config.key_frame - 1);
        size = average * f->config.key_frame;
    } else if (f->debt > 0) {
        double paid = fmin(f->debt, average / 5);
        f->debt -= paid;
        size -= paid;
    }
    size_t left = (size_t)fmax(size, 100);
    size_t packets = (left + PACKET - 1) / PACKET;
    for (size_t i = packets; i > 0; i--) {
        enqueue(f, left / i);
        left -= left / i;
    }
    f->next_frame += FRAME_US;
}

static void sender_turn(struct bwe_sim *s, unsigned flow)
{
    struct bwe_flow *f = &s->flows[flow];
    if (s->now < f->config.start)
        return;
    est_timeout(&f->est, s->now);
    if (s->now >= f->next_frame && s->now < f->stop)
        send_frame(s, flow);
    if (!f->config.no_pacer)
        pacer_set_target(&f->pacer, s->now, est_target_bps(&f->est));
    drain_pacer(s, flow);
    if (f->n_waiting > 0) {
        double rate = fmax(f->pacer.rate, (double)f->queued / PACER_QUEUE_US);
        usec left = (usec)((double)f->queued / rate);
        f->longest_pacing = left > f->longest_pacing ? left : f->longest_pacing;
    }
    if (s->now < f->stop)
        send_padding(s, flow);
}

static usec sender_deadline(const struct bwe_sim *s, unsigned flow)
{
    const struct bwe_flow *f = &s->flows[flow];
    usec at = s->now < f->config.start ? f->config.start
              : s->now < f->stop       ? f->next_frame
                                       : USEC_NEVER;
    if (s->now >= f->config.start)
        at = usec_min(at, est_deadline(&f->est));
    if (f->n_waiting > 0)
        at = usec_min(at, pacer_next(&f->pacer, s->now, f->queued));
    return at;
}

/* ---- its receiver, and feedback ---- */

static void receiver_turn(struct bwe_sim *s, unsigned flow)
{
    struct bwe_flow *f = &s->flows[flow];
    uint8_t bytes[FEEDBACK_MAX];
    if (f->config.no_feedback || s->now < twcc_receiver_deadline(&f->receiver))
        return;
    struct wr w = wr_of(bytes, sizeof bytes);
    twcc_receiver_timeout(&f->receiver, s->now, 1, 2, &w);
    if (wr_len(&w) > 0)
        link_send(&f->back, s->now, bytes, wr_len(&w));
}

static void feedback_turn(struct bwe_sim *s, unsigned flow)
{
    struct bwe_flow *f = &s->flows[flow];
    uint8_t bytes[2048];
    size_t n;
    while (link_receive(&f->back, s->now, bytes, &n)) {
        struct rtcp_reader reader;
        struct rtcp_block block;
        struct twcc t;
        enum err e = rtcp_reader_init(&reader, bytes, n);
        assert(e == OK);
        while (rtcp_next(&reader, &block)) {
            e = twcc_parse(&block, &t);
            assert(e == OK);
            est_feedback(&f->est, s->now, &t);
        }
    }
}

/* ---- TCP with Reno's window, every packet acknowledged by itself ---- */

enum { TCP_FREE, TCP_OUT, TCP_DONE };

static void tcp_send(struct bwe_sim *s)
{
    struct bwe_tcp *t = &s->tcp;
    while (t->in_flight < (uint32_t)t->window && t->in_flight < BWE_TCP_WINDOW / 2) {
        uint8_t packet[2048] = {TCP_FLOW, (uint8_t)(t->next >> 16), (uint8_t)(t->next >> 8),
                                (uint8_t)t->next};
        t->state[t->next % BWE_TCP_WINDOW] = TCP_OUT;
        t->next++;
        t->in_flight++;
        link_send(&s->there, s->now, packet, TCP_PACKET);
        s->queue_max = fmax(s->queue_max, (double)link_queue_delay(&s->there, s->now) / 1000);
    }
}

static void tcp_lost(struct bwe_tcp *t, uint32_t number)
{
    t->state[number % BWE_TCP_WINDOW] = TCP_FREE;
    t->in_flight--;
    if (number < t->recover)
        return;
    t->recover = t->next;
    t->window = t->threshold = fmax(t->window / 2, 2);
}

static void tcp_acked(struct bwe_tcp *t, uint32_t number)
{
    if (t->state[number % BWE_TCP_WINDOW] != TCP_OUT)
        return;
    t->state[number % BWE_TCP_WINDOW] = TCP_DONE;
    t->in_flight--;
    t->window += t->window < t->threshold ? 1 : 1 / t->window;
    if (number <= t->highest)
        return;
    for (uint32_t i = t->highest > 3 ? t->highest - 3 : 0; i + 3 < number; i++)
        if (t->state[i % BWE_TCP_WINDOW] == TCP_OUT)
            tcp_lost(t, i);
    t->highest = number;
}

static void tcp_turn(struct bwe_sim *s)
{
    struct bwe_tcp *t = &s->tcp;
    uint8_t bytes[2048];
    size_t n;
    if (!t->running) {
        if (s->config.tcp_start == 0 || s->now < s->config.tcp_start)
            return;
        t->running = true;
        t->heard_at = s->now;
    }
    while (link_receive(&t->back, s->now, bytes, &n)) {
        t->heard_at = s->now;
        tcp_acked(t, (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3]);
    }
    if (s->now - t->heard_at >= TCP_TIMEOUT_US) {
        for (uint32_t i = t->highest > 3 ? t->highest - 3 : 0; i < t->next; i++)
            if (t->state[i % BWE_TCP_WINDOW] == TCP_OUT)
                tcp_lost(t, i);
        t->window = 2;
        t->heard_at = s->now;
    }
    if (s->config.tcp_stop == 0 || s->now < s->config.tcp_stop)
        tcp_send(s);
}

/* ---- the bottleneck ---- */

static void arrive(struct bwe_sim *s)
{
    uint8_t bytes[2048];
    size_t n;
    while (link_receive(&s->there, s->now, bytes, &n)) {
        if (bytes[0] == TCP_FLOW) {
            s->tcp.arrived_bytes += n;
            link_send(&s->tcp.back, s->now, bytes, 40);
            continue;
        }
        struct bwe_flow *f = &s->flows[bytes[0]];
        f->arrived_bytes += n;
        /* Receivers' clocks are not ours. */
        twcc_receiver_input(&f->receiver, s->now, (uint16_t)(bytes[1] << 8 | bytes[2]));
    }
}

static void change_capacity(struct bwe_sim *s)
{
    for (unsigned i = 0; i < BWE_STEPS && s->config.capacity[i].bps > 0; i++)
        if (s->now >= s->config.capacity[i].at)
            s->there.config.rate_bps = s->config.capacity[i].bps;
}

static void sample(struct bwe_sim *s)
{
    double queue = (double)link_queue_delay(&s->there, s->now) / 1000;
    s->queue_min = fmin(s->queue_min, queue);
    if (s->now < s->sample_at)
        return;
    assert(s->n < BWE_SAMPLES);
    struct bwe_sample *x = &s->samples[s->n++];
    *x = (struct bwe_sample){
        .at = (double)s->now / USEC_PER_SEC,
        .capacity = (double)s->there.config.rate_bps,
        .queue_max = fmax(s->queue_max, queue),
        .queue_min = s->queue_min,
        .tcp = bits_per_second(s->tcp.arrived_bytes, BWE_SAMPLE_US),
    };
    s->tcp.arrived_bytes = 0;
    for (unsigned i = 0; i < s->config.n_flows; i++) {
        struct bwe_flow *f = &s->flows[i];
        bool running = s->now >= f->config.start && s->now < f->stop;
        x->target[i] = running ? (double)est_target_bps(&f->est) : 0;
        x->sent[i] = bits_per_second(f->sent_bytes, BWE_SAMPLE_US);
        x->arrived[i] = bits_per_second(f->arrived_bytes, BWE_SAMPLE_US);
        f->sent_bytes = f->arrived_bytes = 0;
    }
    s->queue_max = queue;
    s->queue_min = queue;
    s->sample_at += BWE_SAMPLE_US;
}

static struct link_config bottleneck(const struct bwe_config *c)
{
    usec queue = c->queue > 0 ? c->queue : 300 * USEC_PER_MSEC;
    struct link_config l = {
        .rate_bps = c->capacity[0].bps,
        .queue_bytes = (size_t)((double)c->capacity[0].bps / 8 * (double)queue / USEC_PER_SEC),
        .delay = c->rtt / 2,
        .jitter = c->jitter,
    };
    if (c->burst_length > 1) {
        /* In bad spells all is lost; the spells' share is the loss. */
        l.burst_loss = 1;
        l.burst_end = 1 / c->burst_length;
        l.burst_begin = l.burst_end * c->loss / (1 - c->loss);
    } else {
        l.loss = c->loss;
    }
    return l;
}

static void open_flow(struct bwe_sim *s, unsigned i)
{
    struct bwe_flow *f = &s->flows[i];
    memset(f, 0, sizeof *f);
    f->config = s->config.flows[i];
    f->stop = f->config.stop > 0 ? f->config.stop : USEC_NEVER;
    enum err e = est_init(&f->est, &(struct est_config){.source = EST_TRANSPORT_CC,
                                                        .initial_bps = f->config.initial_bps});
    assert(e == OK);
    if (f->config.desired_bps > 0)
        est_set_desired(&f->est, f->config.desired_bps);
    est_set_padding(&f->est, !f->config.no_padding);
    alloc_consumer_init(&f->consumer);
    for (unsigned k = 0; k < BWE_LAYERS && f->config.layers[k] > 0; k++)
        f->consumer.layer_bps[f->consumer.n_layers++] = f->config.layers[k];
    if (f->consumer.n_layers > 0)
        est_set_desired(&f->est, alloc_desired(&f->consumer, 1));
    pacer_init(&f->pacer, f->config.pacer_depth > 0 ? f->config.pacer_depth : PACER_BURST_US);
    twcc_receiver_init(&f->receiver);
    struct link_config back = {.delay = s->config.rtt / 2 + f->config.back_delay,
                               .loss = f->config.back_loss};
    link_init(&f->back, back, s->config.seed + 100 + i);
    f->next_frame = f->config.start;
    f->key_at = f->config.start;
    f->seq = (uint16_t)(65000 + i); /* wraps soon */
}

static usec next_event(const struct bwe_sim *s)
{
    usec at = usec_min(s->sample_at, link_deadline(&s->there));
    for (unsigned i = 0; i < s->config.n_flows; i++) {
        at = usec_min(at, sender_deadline(s, i));
        at = usec_min(at, link_deadline(&s->flows[i].back));
        if (!s->flows[i].config.no_feedback)
            at = usec_min(at, twcc_receiver_deadline(&s->flows[i].receiver));
    }
    if (s->config.tcp_start > 0) {
        at = usec_min(at, s->tcp.running ? s->tcp.heard_at + TCP_TIMEOUT_US : s->config.tcp_start);
        at = usec_min(at, link_deadline(&s->tcp.back));
    }
    return at > s->now ? at : s->now + 1;
}

void bwe_sim_run(struct bwe_sim *s, const struct bwe_config *c)
{
    memset(s, 0, sizeof *s);
    s->config = *c;
    s->now = 1000;
    rng_init_seeded(&s->rng, c->seed + 1);
    link_init(&s->there, bottleneck(c), c->seed + 2);
    link_init(&s->tcp.back, (struct link_config){.delay = c->rtt / 2}, c->seed + 3);
    s->tcp.window = 4;
    s->tcp.threshold = 1e9;
    s->sample_at = BWE_SAMPLE_US;
    for (unsigned i = 0; i < c->n_flows; i++)
        open_flow(s, i);
    while (s->now < c->duration) {
        change_capacity(s);
        arrive(s);
        for (unsigned i = 0; i < c->n_flows; i++) {
            receiver_turn(s, i);
            feedback_turn(s, i);
            sender_turn(s, i);
        }
        tcp_turn(s);
        sample(s);
        s->now = next_event(s);
    }
    for (unsigned i = 0; i < c->n_flows; i++) {
        est_fini(&s->flows[i].est);
        link_fini(&s->flows[i].back);
    }
    link_fini(&s->tcp.back);
    link_fini(&s->there);
}
