#include "test/bench/rooms.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "proto/rtp.h"

enum {
    FPS = 30,
    PERIOD_US = 1000000 / FPS,
    WARM_ROUNDS = 3,
    WARM_GAP_US = 400,  /* between frames while everybody reads */
    READ_AHEAD_US = 500 /* before a frame there is no time to read */
};

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "bench rooms: %s\n", what);
    abort();
}

static struct call call_of(size_t n)
{
    return (struct call){VIEWERS_WEBRTC, CALL_VIDEO_FULL, SEAL_AES_128_GCM, n, FPS, 0};
}

/* ---- cores ---- */

static void pin_core(pid_t pid, int core)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)core, &set);
    (void)sched_setaffinity(pid, sizeof set, &set);
}

static void pin(pid_t pid, int core)
{
    const struct sched_param first = {.sched_priority = 1};
    pin_core(pid, core);
    (void)sched_setscheduler(pid, SCHED_FIFO, &first);
}

void rooms_pin(const struct worker_driver *driver)
{
    if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
        return;
    pin(0, 0);
    pin(driver->pid, 1);
    prctl(PR_SET_TIMERSLACK, 1);
}

static void unpin(void)
{
    const struct sched_param usual = {0};
    cpu_set_t all;
    memset(&all, 0xff, sizeof all);
    (void)sched_setscheduler(0, SCHED_OTHER, &usual);
    (void)sched_setaffinity(0, sizeof all, &all);
}

/* ---- latency ---- */

static void tell(struct rooms *r, bool direct, const struct sender *s, uint32_t frame,
                 uint64_t arrived_ns)
{
    double us = ((double)arrived_ns - (double)sender_sent_ns(s, frame)) / 1000;
    if (arrived_ns != 0 && r->on_latency)
        r->on_latency(r->ctx, direct, us);
}

static void on_packet(void *ctx, uint64_t arrived_ns, const uint8_t *bytes, size_t n)
{
    struct rooms *r = ctx;
    struct rd in = rd_of(bytes + n - 8, 8);
    uint32_t tag = rd_u32(&in);
    uint32_t frame = rd_u32(&in);
    /* Repeated ones are late by nature; probes for the estimate are repetitions. */
    if (tag < r->n * r->plan.senders && (bytes[1] & 0x7f) == r->sampled.media_pt)
        tell(r, false, &r->senders[tag], frame, arrived_ns);
}

static void on_direct(void *ctx, uint64_t arrived_ns, uint8_t *bytes, size_t n)
{
    struct rooms *r = ctx;
    (void)n;
    if (bytes[1] < 192 || bytes[1] > 223) /* RFC 5761 4: no report */
        tell(r, true, &r->straight, r->straight.frames - 1, arrived_ns);
}

/* ---- opening ---- */

/* A few viewers of the first rooms, at all places in the row of a room's viewers. */
static bool is_sampled(const struct rooms *r, size_t room, size_t k)
{
    size_t rooms = r->n < ROOMS_SAMPLED ? r->n : ROOMS_SAMPLED;
    size_t stride = rooms * r->plan.viewers / ROOMS_SAMPLED;
    if (stride == 0)
        stride = 1;
    return room < rooms && (room * r->plan.viewers + k) % stride == room % stride;
}

static size_t count_sampled(const struct rooms *r)
{
    size_t n = 0;
    for (size_t room = 0; room < r->n; room++)
        for (size_t k = 0; k < r->plan.viewers; k++)
            n += is_sampled(r, room, k);
    return n;
}

static void open_senders(struct rooms *r)
{
    struct call call = call_of(1);
    size_t n = r->n * r->plan.senders;
    r->senders = calloc(n, sizeof *r->senders);
    r->phases = calloc(n, sizeof *r->phases);
    if (!r->senders || !r->phases)
        die("memory");
    for (size_t i = 0; i < n; i++) {
        char transport[16];
        char producer[16];
        snprintf(transport, sizeof transport, "up%zu", i);
        snprintf(producer, sizeof producer, "cam%zu", i);
        sender_open_as(&r->senders[i], &r->driver, &call, transport, producer);
        r->senders[i].tag = (uint32_t)i;
    }
    rooms_shuffle(r);
}

void rooms_shuffle(struct rooms *r)
{
    for (size_t i = 0; i < r->n * r->plan.senders; i++)
        r->phases[i] = rng_u32(&r->senders[i].rng) % PERIOD_US;
}

static void consume(struct rooms *r)
{
    size_t crowd = 0;
    size_t sampled = 0;
    for (size_t room = 0; room < r->n; room++) {
        for (size_t k = 0; k < r->plan.viewers; k++) {
            bool read = is_sampled(r, room, k);
            struct viewers *v = read ? &r->sampled : &r->crowd;
            size_t i = read ? sampled++ : crowd++;
            for (size_t s = 0; s < r->plan.senders; s++) {
                if (!r->plan.own || s != k)
                    viewers_consume_one(v, i, r->senders[room * r->plan.senders + s].producer);
            }
        }
    }
}

/* A sender like the others to a socket of this process. */
static void open_direct(struct rooms *r)
{
    probe_open(&r->direct, NULL, "");
    struct call call = call_of(1);
    sender_open_rtp(&r->straight, &call, ntohs(r->direct.address.sin_port));
}

/* The order in which senders send within a frame's time. */
static const uint32_t *sorted_by;

static int by_phase(const void *a, const void *b)
{
    uint32_t x = sorted_by[*(const size_t *)a];
    uint32_t y = sorted_by[*(const size_t *)b];
    return (x > y) - (x < y);
}

static void wait_until(usec at)
{
    struct timespec t = {.tv_sec = at / USEC_PER_SEC, .tv_nsec = at % USEC_PER_SEC * 1000};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) != 0)
        ;
}

static void warm(struct rooms *r)
{
    size_t n = r->n * r->plan.senders;
    viewers_set_mode(&r->crowd, VIEWERS_DRAIN);
    for (size_t round = 0; round < WARM_ROUNDS; round++) {
        for (size_t i = 0; i < n; i++) {
            (void)sender_frame(&r->senders[i]);
            usleep(WARM_GAP_US * (unsigned)(1 + r->plan.viewers / 5));
            if (i % 8 == 0)
                viewers_turn(&r->sampled);
        }
    }
    viewers_turn(&r->sampled);
    viewers_set_mode(&r->crowd, VIEWERS_IGNORE);
}

void rooms_open(struct rooms *r, const struct rooms_plan *plan, size_t n,
                void (*on_latency)(void *ctx, bool direct, double us), void *ctx)
{
    struct driver_options o = {.log_level = "warn"};
    *r = (struct rooms){.plan = *plan, .n = n, .active = n};
    (void)driver_start(&r->driver, &o);
    driver_do(&r->driver, "worker.createRouter", "", "{'routerId':'room'}");
    open_senders(r);
    size_t sampled = count_sampled(r);
    size_t streams = plan->senders - plan->own;
    struct call call = call_of(n * plan->viewers - sampled);
    struct viewers_options options = {.streams = streams};
    viewers_open_with(&r->crowd, &r->driver, &call, &options);
    options = (struct viewers_options){
        .first = call.n, .streams = streams, .on_packet = on_packet, .ctx = r};
    call.n = sampled;
    viewers_open_with(&r->sampled, &r->driver, &call, &options);
    consume(r);
    viewers_start(&r->crowd);
    warm(r);
    r->on_latency = on_latency;
    r->ctx = ctx;
    open_direct(r);
    rooms_pin(&r->driver);
    pin_core(r->crowd.pid, 0);
}

static void read_all(struct rooms *r)
{
    viewers_turn(&r->sampled);
    probe_read(&r->direct, on_direct, r);
}

/* One frame's time. */
static void play_period(struct rooms *r, const size_t *order, usec start)
{
    size_t n = r->active * r->plan.senders;
    for (size_t i = 0; i < n; i++) {
        usec at = start + r->phases[order[i]];
        if (at - clock_now() > READ_AHEAD_US)
            read_all(r);
        wait_until(at);
        (void)sender_frame(&r->senders[order[i]]);
    }
    usec end = start + PERIOD_US;
    (void)sender_frame(&r->straight);
    read_all(r);
    wait_until(end);
}

double rooms_play(struct rooms *r, double seconds)
{
    size_t n = r->active * r->plan.senders;
    size_t *order = calloc(n, sizeof *order);
    if (!order)
        die("memory");
    for (size_t i = 0; i < n; i++)
        order[i] = i;
    sorted_by = r->phases;
    qsort(order, n, sizeof *order, by_phase);
    usec start = clock_now();
    uint64_t cpu = driver_cpu_ns(&r->driver);
    int periods = (int)(seconds * FPS);
    for (int i = 0; i < periods; i++)
        play_period(r, order, start + (usec)i * PERIOD_US);
    double load = (double)(driver_cpu_ns(&r->driver) - cpu) / 1000 / (double)(clock_now() - start);
    free(order);
    driver_forget_events(&r->driver);
    return load;
}

void rooms_close(struct rooms *r)
{
    unpin();
    for (size_t i = 0; i < r->n * r->plan.senders; i++)
        sender_close(&r->senders[i]);
    sender_close(&r->straight);
    probe_close(&r->direct);
    viewers_close(&r->crowd);
    viewers_close(&r->sampled);
    free(r->senders);
    free(r->phases);
    const char *wrong = driver_stop(&r->driver);
    if (wrong)
        die(wrong);
}
