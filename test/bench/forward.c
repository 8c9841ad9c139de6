/* What forwarding costs: CPU of a real worker per packet that it sends, for one sender and N
 * viewers, beside the floor (cipher and kernel alone) and the usual way, measured in turn with it.
 * docs/performance.md says how to read it. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "test/bench/benches.h"
#include "test/bench/counters.h"
#include "test/bench/figures.h"
#include "test/bench/floor.h"
#include "test/bench/sender.h"
#include "test/bench/viewers.h"
#include "test/lib/net.h"
#include "worker/engine/seal.h"

enum {
    ROUNDS = 4,
    WARM_FRAMES = 5,
    FLOOR_FRAMES = 8,
    USUAL_FRAMES = 4,  /* slow, and the sender must not be silent for long */
    USUAL_MANY = 9000, /* packets of a frame to all: one frame must do */
    COUNTERS_FD = 200,
    SETTLE_MS = 20,
    SETTLE_TRIES = 30,
    WINDOW_TRIES = 3,
    FIRST_FRAMES_MAX = 600
};

#define LOSS_MAX 0.001 /* of a window's packets */

struct setup {
    const char *label;
    struct call call;
    int read_fps; /* frames a second where viewers read */
};

#define CALL(label, kind, media, suite, n, fps, read_fps)                                          \
    {                                                                                              \
        label, {kind, media, suite, n, fps, 0}, read_fps                                           \
    }
#define VIDEO(label, kind, media, suite, n) CALL(label, kind, media, suite, n, 30, 30)
#define PLAIN(n) VIDEO("plain", VIEWERS_PLAIN, CALL_VIDEO_FULL, SEAL_AES_128_GCM, n)
#define WEBRTC(n) VIDEO("webrtc", VIEWERS_WEBRTC, CALL_VIDEO_FULL, SEAL_AES_128_GCM, n)
#define AUDIO(n) CALL("webrtc, audio", VIEWERS_WEBRTC, CALL_AUDIO, SEAL_AES_128_GCM, n, 50, 50)

static const struct setup setups[] = {
    PLAIN(1),
    PLAIN(10),
    PLAIN(100),
    PLAIN(500),
    VIDEO("plain, aes-cm", VIEWERS_PLAIN, CALL_VIDEO_FULL, SEAL_AES_128_CM_SHA1_80, 100),
    VIDEO("plain, aes-cm", VIEWERS_PLAIN, CALL_VIDEO_FULL, SEAL_AES_128_CM_SHA1_80, 500),
    WEBRTC(1),
    WEBRTC(10),
    WEBRTC(100),
    WEBRTC(500),
    /* Two cores do not also read what 30 frames a second are. */
    CALL("webrtc", VIEWERS_WEBRTC, CALL_VIDEO_FULL, SEAL_AES_128_GCM, 2000, 30, 15),
    VIDEO("webrtc, even", VIEWERS_WEBRTC, CALL_VIDEO_EVEN, SEAL_AES_128_GCM, 100),
    AUDIO(100),
    AUDIO(500),
};

/* One way of receiving. */
struct result {
    struct samples worker; /* ns a packet, as those below */
    struct samples floor;
    struct samples usual;
    struct samples calls;       /* system calls a packet */
    struct samples allocations; /* a packet */
    uint64_t sent;              /* packets that viewers should have got, all rounds */
    uint64_t lost;              /* and did not */
    uint64_t bad;
};

struct bench {
    struct worker_driver driver;
    struct sender sender;
    struct viewers viewers;
    struct floor *floor;
    struct bench_counters *counters; /* shared with the worker */
    int frames;                      /* of a window */
    FILE *json;
};

struct counts {
    uint64_t cpu_ns;
    uint64_t allocations;
    uint64_t calls;
    uint64_t bad;
};

/* What viewers got, once they have read all of it. */
static uint64_t settled(const struct bench *b)
{
    uint64_t got = atomic_load(&b->viewers.shared->rtp);
    for (int i = 0; i < SETTLE_TRIES; i++) {
        usleep(SETTLE_MS * 1000);
        uint64_t now = atomic_load(&b->viewers.shared->rtp);
        if (now == got)
            break;
        got = now;
    }
    return got;
}

static struct counts count(const struct bench *b)
{
    return (struct counts){.cpu_ns = driver_cpu_ns(&b->driver),
                           .allocations = atomic_load(&b->counters->allocations),
                           .calls = atomic_load(&b->counters->system_calls),
                           .bad = atomic_load(&b->viewers.shared->bad)};
}

/* Datagrams that left, since the start. */
static uint64_t worker_sent(struct bench *b)
{
    json_t *m = driver_call(&b->driver, "worker.getMetrics", "", NULL);
    uint64_t sent = (uint64_t)json_number_at(m, "packetsSent");
    json_decref(m);
    return sent;
}

/* One window. False: not everything was sent, or viewers lost so much that they did not get to
 * read, and what was measured is something else; nothing but the loss is noted. */
static bool measure_window(struct bench *b, struct result *r, bool drained)
{
    sender_push(&b->sender, WARM_FRAMES);
    uint64_t got = settled(b);
    uint64_t sent = worker_sent(b);
    struct counts before = count(b);
    double packets = (double)(sender_push(&b->sender, b->frames) * b->viewers.n);
    struct counts after = count(b);
    sent = worker_sent(b) - sent;
    got = settled(b) - got;
    double lost = got < (uint64_t)packets ? packets - (double)got : 0;
    if (drained && r->worker.n > 0) {
        r->sent += (uint64_t)packets;
        r->lost += (uint64_t)lost;
        r->bad += after.bad - before.bad;
    }
    if ((double)sent < packets * (1 - LOSS_MAX) || (drained && lost > packets * LOSS_MAX))
        return false;
    samples_add(&r->worker, (double)(after.cpu_ns - before.cpu_ns) / packets);
    samples_add(&r->calls, (double)(after.calls - before.calls) / packets);
    samples_add(&r->allocations, (double)(after.allocations - before.allocations) / packets);
    return true;
}

static void measure_worker(struct bench *b, struct result *r, bool drained)
{
    viewers_set_mode(&b->viewers, drained ? VIEWERS_DRAIN : VIEWERS_IGNORE);
    for (int i = 0; i < WINDOW_TRIES && !measure_window(b, r, drained); i++)
        ;
}

static void measure_floor(struct bench *b, struct samples *out, uint64_t (*frame)(struct floor *),
                          int frames, size_t packets)
{
    uint64_t ns = 0;
    usec start = clock_now();
    for (int i = 0; i < frames; i++) {
        sender_wait_until(start + i * USEC_PER_SEC / b->sender.call.fps);
        ns += frame(b->floor);
    }
    samples_add(out, (double)ns / frames / (double)packets);
}

static void measure(struct bench *b, struct result *r, bool drained, int fps)
{
    size_t packets = call_frame_packets(&b->sender.call) * b->viewers.n;
    b->sender.call.fps = fps;
    b->frames = (int)(figures_setting("BENCH_SECONDS", 1) * fps + 0.5);
    measure_worker(b, r, drained);
    if (drained)
        viewers_set_mode(&b->viewers, VIEWERS_SWALLOW);
    measure_floor(b, &r->floor, floor_frame, FLOOR_FRAMES, packets);
    sender_push(&b->sender,
                1); /* or else the stream counts as silent, which is told to everybody */
    measure_floor(b, &r->usual, floor_usual_frame, packets < USUAL_MANY ? USUAL_FRAMES : 1,
                  packets);
}

/* ---- printing ---- */

static void print_head(void)
{
    printf("CPU of the worker per forwarded packet: frames of %d packets (2.5 Mbit/s at 30 fps), "
           "audio: %d bytes 50 times a second.\nSRTP AEAD_AES_128_GCM by %s; aes-cm: "
           "AES_CM_128_HMAC_SHA1_80.\n"
           "floor: the cipher alone and UDP_SEGMENT; usual: libsrtp2 and a sendto a packet; the "
           "same bytes to the same sockets.\n\n",
           (CALL_FRAME_BYTES + CALL_PACKET - 1) / CALL_PACKET, CALL_AUDIO_PACKET, seal_backend());
    printf("%5s %-14s %-8s %9s %7s %6s %7s %6s %10s %9s %8s\n", "N", "viewers", "read?",
           "ns/packet", "floor", "ratio", "usual", "ratio", "lost", "calls/pkt", "mallocs");
}

static void print(struct bench *b, const struct setup *s, const struct result *r, bool drained)
{
    char labels[160];
    double ns = samples_median(&r->worker);
    double floor = samples_median(&r->floor);
    double usual = samples_median(&r->usual);
    int fps = drained ? s->read_fps : s->call.fps;
    char lost[32] = "-";
    char name[64];
    snprintf(name, sizeof name, fps == s->call.fps ? "%s" : "%s, %d fps", s->label, fps);
    if (drained)
        snprintf(lost, sizeof lost, "%llu", (unsigned long long)r->lost);
    printf("%5zu %-14s %-8s %9.0f %7.0f %6.2f %7.0f %6.2f %10s %9.4f %8.4g\n", s->call.n, name,
           drained ? "yes" : "no", ns, floor, ns / floor, usual, ns / usual, lost,
           samples_median(&r->calls), samples_median(&r->allocations));
    fflush(stdout);
    snprintf(labels, sizeof labels, "\"n\":%zu,\"viewers\":\"%s\",\"fps\":%d,\"drained\":%s",
             s->call.n, s->label, fps, drained ? "true" : "false");
    figures_write(b->json, "forward", labels, "ns_per_packet", ns);
    figures_write(b->json, "forward", labels, "floor_ns_per_packet", floor);
    figures_write(b->json, "forward", labels, "ratio", ns / floor);
    figures_write(b->json, "forward", labels, "usual_ns_per_packet", usual);
    figures_write(b->json, "forward", labels, "ratio_to_usual", ns / usual);
    figures_write(b->json, "forward", labels, "calls_per_packet", samples_median(&r->calls));
    figures_write(b->json, "forward", labels, "allocations_per_packet",
                  samples_median(&r->allocations));
    if (drained)
        figures_write(b->json, "forward", labels, "lost_fraction",
                      r->sent ? (double)r->lost / (double)r->sent : 0);
    if (r->bad)
        printf("      %llu packets did not authenticate\n", (unsigned long long)r->bad);
}

/* Every event is some allocations: what they were, where the count is not zero. */
static void print_events(struct bench *b)
{
    size_t counts[PIPE_EVENT_COUNT] = {0};
    (void)driver_request(&b->driver, METHOD_WORKER_PING, "", NULL, NULL);
    for (size_t i = 0; i < json_array_size(b->driver.events); i++) {
        const json_t *m = json_array_get(b->driver.events, i);
        int event = pipe_event_find(json_string_value(json_object_get(m, "event")));
        if (event >= 0)
            counts[event]++;
    }
    for (int i = 0; i < PIPE_EVENT_COUNT; i++) {
        if (counts[i])
            printf("      %zu %s\n", counts[i], pipe_events[i].name);
    }
}

/* ---- one setup ---- */

static void start_worker(struct bench *b)
{
    static char preload[512];
    static char counters[64];
    char self[400];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    self[n > 0 ? n : 0] = '\0';
    *strrchr(self, '/') = '\0';
    snprintf(preload, sizeof preload, "LD_PRELOAD=%s/counters.so", self);
    snprintf(counters, sizeof counters, "%s=%d", BENCH_COUNTERS_ENV, COUNTERS_FD);
    struct driver_options o = {.log_level = "warn", .env = {preload, counters}};
    (void)driver_start(&b->driver, &o);
    driver_do(&b->driver, "worker.createRouter", "", "{'routerId':'room'}");
}

/* The first frames, until a viewer has seen what sizes they have on the wire. */
static void open_floor(struct bench *b)
{
    uint32_t sizes[VIEWERS_SIZES];
    size_t n = call_frame_packets(&b->sender.call);
    for (int i = 0; atomic_load(&b->viewers.shared->n_sizes) < n * VIEWERS_SIZE_FRAMES; i++) {
        sender_push(&b->sender, 1);
        if (i > FIRST_FRAMES_MAX) {
            fprintf(stderr, "bench: no media arrives\n%s", driver_log(&b->driver));
            abort();
        }
    }
    for (size_t i = 0; i < n; i++)
        sizes[i] = atomic_load(&b->viewers.shared->sizes[i]);
    b->floor = floor_open(b->sender.call.suite, b->viewers.addresses, b->viewers.n, sizes, n);
}

static void run(struct bench *b, const struct setup *s)
{
    struct result drained = {0};
    struct result full = {0};
    start_worker(b);
    sender_open(&b->sender, &b->driver, &s->call);
    viewers_open(&b->viewers, &b->driver, &s->call);
    viewers_consume(&b->viewers);
    viewers_start(&b->viewers);
    viewers_set_mode(&b->viewers, VIEWERS_DRAIN);
    open_floor(b);
    driver_forget_events(&b->driver);
    for (int round = 0; round < ROUNDS; round++) {
        measure(b, &drained, true, s->read_fps);
        measure(b, &full, false, s->call.fps);
    }
    print(b, s, &drained, true);
    print(b, s, &full, false);
    if (samples_median(&drained.allocations) + samples_median(&full.allocations) > 0)
        print_events(b);
    sender_close(&b->sender);
    viewers_close(&b->viewers);
    floor_close(b->floor);
    const char *wrong = driver_stop(&b->driver);
    if (wrong) {
        fprintf(stderr, "bench: %s\n", wrong);
        exit(1);
    }
}

/* Shared memory under a descriptor that the worker inherits. */
static struct bench_counters *share_counters(void)
{
    int fd = memfd_create("counters", 0);
    if (fd < 0 || dup2(fd, COUNTERS_FD) < 0 || ftruncate(fd, sizeof(struct bench_counters)) < 0)
        return NULL;
    close(fd);
    void *p = mmap(NULL, sizeof(struct bench_counters), PROT_READ | PROT_WRITE, MAP_SHARED,
                   COUNTERS_FD, 0);
    return p == MAP_FAILED ? NULL : p;
}

static bool is_meant(const struct setup *s, const char *word)
{
    size_t n = strtoul(word, NULL, 10);
    if (n)
        return n == s->call.n;
    if (strcmp(word, "full") == 0)
        return s->call.media == CALL_VIDEO_FULL;
    return strstr(s->label, word) != NULL;
}

/* Every word must be the number of viewers, or stand in the label; full: what is neither even nor
 * audio. */
static bool chosen(const struct setup *s, char **args)
{
    for (; *args; args++) {
        if (!is_meant(s, *args))
            return false;
    }
    return true;
}

void forward_bench(FILE *json, char **args)
{
    static struct bench b;
    b.json = json;
    b.counters = share_counters();
    if (!b.counters) {
        fprintf(stderr, "bench: no shared memory for counters\n");
        return;
    }
    print_head();
    for (size_t i = 0; i < sizeof setups / sizeof setups[0]; i++) {
        if (chosen(&setups[i], args))
            run(&b, &setups[i]);
    }
}
