/* The hot path allocates nothing once it is warm (STYLE 21): malloc itself is counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test/lib/stage.h"

/* Volatile: compilers take it that malloc does not look at them. */
static volatile bool counting;
static volatile size_t allocations;

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define COUNTS 1
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void *malloc(size_t n);
void *calloc(size_t n, size_t size);
void *realloc(void *p, size_t n);

void *malloc(size_t n)
{
    allocations += counting;
    return __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
    allocations += counting;
    return __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
    allocations += counting;
    return __libc_realloc(p, n);
}
#else
#define COUNTS 0 /* a sanitizer owns malloc; the test still runs the path */
#endif

enum { CONSUMERS = 20, PACKETS = 3000 };

static struct world w;
static struct browser alice;
static struct browser viewers[4];

/* What alice's browser sends goes here first, sealed, so that only the worker is counted. */
static struct {
    uint8_t bytes[1600];
    size_t n;
} wire;

static void capture(void *ctx, const void *bytes, size_t n)
{
    (void)ctx;
    memcpy(wire.bytes, bytes, n);
    wire.n = n;
}

static void give(struct packet *p)
{
    struct tuple from = {.remote = alice.endpoint.at, .proto = TUPLE_UDP};
    memcpy(p->data, wire.bytes, wire.n);
    p->len = (uint32_t)wire.n;
    counting = true;
    worker_datagram(w.worker, w.now, &from, p);
    worker_burst_end(w.worker, w.now);
    if (worker_deadline(w.worker) <= w.now)
        worker_timeout(w.worker, w.now);
    struct txq *q = worker_txq(w.worker);
    q->drain(q->drain_ctx, q);
    counting = false;
    packet_unref(p);
}

static void run(size_t n, uint16_t *seq)
{
    uint8_t buf[1500];
    for (size_t i = 0; i < n; i++, (*seq)++) {
        struct rtp_spec s = {.ssrc = VIDEO_SSRC,
                             .pt = VIDEO_PT,
                             .seq = *seq,
                             .timestamp = *seq * 300U,
                             .key = *seq % 500 == 0,
                             .twcc = *seq,
                             .has_twcc = true,
                             .size = 1100};
        assert_true(rtc_peer_send_rtp(&alice.peer, buf, rtp_build(buf, &s)));
        /* One in a hundred is lost, so that NACK runs too. */
        struct packet *p = packet_get(worker_pool(w.worker));
        if (*seq % 100 == 50)
            packet_unref(p);
        else
            give(p);
        w.now += 4 * USEC_PER_MSEC;
    }
}

static void forwarding_with_feedback_allocates_nothing_once_warm(void **state)
{
    (void)state;
    uint16_t seq = 0;
    world_init(&w);
    world_do(&w, "worker.createRouter", "", "{'routerId':'room'}");
    browser_connect(&alice, &w, "room", "up", false);
    produce_video(&w, "up", "cam");
    for (size_t i = 0; i < 4; i++) {
        char id[32];
        snprintf(id, sizeof id, "v%zu", i);
        browser_connect(&viewers[i], &w, "room", id, false);
    }
    for (uint32_t i = 0; i < CONSUMERS; i++) {
        char id[32];
        char transport[32];
        snprintf(id, sizeof id, "c%u", i);
        snprintf(transport, sizeof transport, "v%u", i % 4);
        consume_video(&w, transport, id, "cam", 6000 + 2 * i);
    }
    alice.peer.config.send = capture;
    w.count_only = true;
    run(PACKETS, &seq); /* warm: histories at their size, SRTP contexts made */
    allocations = 0;
    uint64_t sent = w.sent;
    run(PACKETS, &seq);
    assert_true(w.sent - sent >= (uint64_t)(PACKETS - PACKETS / 100) * CONSUMERS);
    if (COUNTS)
        assert_int_equal(allocations, 0);
    world_fini(&w);
    browser_fini(&alice);
    for (size_t i = 0; i < 4; i++)
        browser_fini(&viewers[i]);
}

static void the_counter_counts(void **state)
{
    (void)state;
    counting = true;
    allocations = 0;
    void *volatile p = malloc(100);
    counting = false;
    free(p);
    if (COUNTS)
        assert_int_equal(allocations, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_counter_counts),
        cmocka_unit_test(forwarding_with_feedback_allocates_nothing_once_warm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
