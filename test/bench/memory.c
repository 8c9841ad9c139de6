/* What a WebRTC transport and a consumer cost the worker in resident memory, and whether it grows
 * while viewers come and go. */
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "test/bench/benches.h"
#include "test/bench/figures.h"
#include "test/bench/sender.h"
#include "test/bench/viewers.h"

enum {
    OBJECTS = 500,
    FPS = 30,
    WARM_VIEWERS = 20, /* before anything is measured: pools, tables, code */
    PLAY_FRAMES = 45,  /* until histories are full */
    ROUND_VIEWERS = 4,
    WAVES = 5,
    PRINTS = 12, /* of resident memory, where it runs for a time */
    STEPS = 4    /* equal parts of the rounds; the first fills what is kept for later use */
};

struct memory {
    struct worker_driver driver;
    struct sender sender;
    struct viewers viewers;
    FILE *json;
};

static struct call call_of(size_t n)
{
    return (struct call){VIEWERS_WEBRTC, CALL_VIDEO_FULL, SEAL_AES_128_GCM, n, FPS, 0};
}

static void open_worker(struct memory *m)
{
    struct driver_options o = {.log_level = "warn"};
    struct call call = call_of(1);
    (void)driver_start(&m->driver, &o);
    driver_do(&m->driver, "worker.createRouter", "", "{'routerId':'room'}");
    sender_open(&m->sender, &m->driver, &call);
}

static void close_worker(struct memory *m)
{
    sender_close(&m->sender);
    const char *wrong = driver_stop(&m->driver);
    if (wrong) {
        fprintf(stderr, "bench: %s\n", wrong);
        exit(1);
    }
}

/* Resident KiB, after the worker has answered: so it has done what came before. */
static double resident(struct memory *m)
{
    driver_do(&m->driver, "worker.ping", "", NULL);
    driver_forget_events(&m->driver);
    return (double)driver_memory(&m->driver) / 1024;
}

/* with_data: their transports have SCTP, and a message goes there and back. */
static void visit(struct memory *m, size_t n, int frames, bool with_data)
{
    struct call call = call_of(n);
    viewers_open_with(&m->viewers, &m->driver, &call, &(struct viewers_options){.data = with_data});
    viewers_consume(&m->viewers);
    if (with_data)
        viewers_exchange_data(&m->viewers);
    for (int i = 0; i < frames; i++)
        (void)sender_frame(&m->sender);
    viewers_leave(&m->viewers);
    viewers_close(&m->viewers);
}

static void figure(struct memory *m, const char *name, double kib, const char *limit)
{
    printf("%-42s %8.1f KiB   %s\n", name, kib, limit);
    fflush(stdout);
    char key[64];
    snprintf(key, sizeof key, "%s", name);
    for (char *c = key; *c; c++)
        *c = *c == ' ' || *c == ',' ? '_' : *c;
    figures_write(m->json, "memory", "\"viewers\":\"webrtc\"", key, kib);
}

/* All of them come and get media. Fills in what was resident with transports alone, with consumers,
 * and after playing; returns what is left when they have gone. */
static double come_and_go(struct memory *m, double *connected, double *consuming, double *playing)
{
    struct call call = call_of(OBJECTS);
    viewers_open(&m->viewers, &m->driver, &call);
    *connected = resident(m);
    viewers_consume(&m->viewers);
    *consuming = resident(m);
    viewers_start(&m->viewers);
    viewers_set_mode(&m->viewers, VIEWERS_DRAIN);
    sender_push(&m->sender, PLAY_FRAMES);
    *playing = resident(m);
    viewers_leave(&m->viewers);
    double left = resident(m);
    viewers_close(&m->viewers);
    return left;
}

static void measure_objects(struct memory *m)
{
    double connected;
    double consuming;
    double playing;
    open_worker(m);
    visit(m, WARM_VIEWERS, 2, false);
    double before = resident(m);
    double left = come_and_go(m, &connected, &consuming, &playing);
    figure(m, "WebRTC transport, connected", (connected - before) / OBJECTS, "at most 64");
    figure(m, "consumer", (consuming - connected) / OBJECTS, "at most 24");
    figure(m, "consumer, playing", (playing - connected) / OBJECTS, "at most 24, with its history");
    figure(m, "left when all have gone, per viewer", (left - before) / OBJECTS, "for the next");
    /* The allocator finds its layout over a few waves; then nothing may be added. */
    for (int wave = 2; wave <= WAVES; wave++) {
        double was = playing;
        (void)come_and_go(m, &connected, &consuming, &playing);
        if (wave == 2)
            figure(m, "second wave of as many, above the first", (playing - was) / OBJECTS, "");
        if (wave == WAVES)
            figure(m, "last of five waves, above the fourth", (playing - was) / OBJECTS, "flat");
    }
    close_worker(m);
}

static void measure_growth(struct memory *m, int rounds)
{
    double at[STEPS + 1];
    open_worker(m);
    at[0] = resident(m);
    for (int step = 0; step < STEPS; step++) {
        for (int i = 0; i < rounds / STEPS; i++)
            visit(m, ROUND_VIEWERS, 1, i % 2 == 1);
        at[step + 1] = resident(m);
    }
    close_worker(m);
    printf("\n%d rounds of %d viewers that join, get media and leave; resident KiB:", rounds,
           ROUND_VIEWERS);
    for (int i = 0; i <= STEPS; i++)
        printf(" %.0f", at[i]);
    printf("\n");
    figure(m, "growth per 1000 joins after the first quarter",
           (at[STEPS] - at[1]) / ((double)rounds / STEPS * (STEPS - 1) * ROUND_VIEWERS) * 1000,
           "flat");
}

/* A transport whose SCTP association is connected; nothing is consumed. */
static void measure_sctp(struct memory *m)
{
    struct call call = call_of(OBJECTS);
    open_worker(m);
    visit(m, WARM_VIEWERS, 2, true);
    double before = resident(m);
    viewers_open_with(&m->viewers, &m->driver, &call, &(struct viewers_options){.data = true});
    figure(m, "WebRTC transport with SCTP, connected", (resident(m) - before) / OBJECTS,
           "at most 64");
    viewers_exchange_data(&m->viewers);
    figure(m, "the same, with a data channel each way", (resident(m) - before) / OBJECTS, "");
    viewers_leave(&m->viewers);
    viewers_close(&m->viewers);
    close_worker(m);
}

/* The same for a time: a round a second, every second one with data channels. */
static void measure_hour(struct memory *m, double seconds)
{
    open_worker(m);
    visit(m, WARM_VIEWERS, 2, true);
    usec start = clock_now();
    usec next_print = start;
    usec end = start + (usec)(seconds * USEC_PER_SEC);
    double first = 0;
    printf("\n%d joins a second, half of them with data channels.\n\n%8s %10s\n", ROUND_VIEWERS,
           "seconds", "KiB");
    for (usec at = start; at <= end; at += USEC_PER_SEC) {
        sender_wait_until(at);
        if (at >= next_print) {
            char labels[64];
            double kib = resident(m);
            if (at > start + (end - start) / STEPS && first == 0)
                first = kib;
            snprintf(labels, sizeof labels, "\"seconds\":%d", (int)((at - start) / USEC_PER_SEC));
            printf("%8d %10.0f\n", (int)((at - start) / USEC_PER_SEC), kib);
            fflush(stdout);
            figures_write(m->json, "memory", labels, "resident_kib", kib);
            next_print += (end - start) / PRINTS;
        }
        visit(m, ROUND_VIEWERS, 1, (at - start) / USEC_PER_SEC % 2 == 1);
    }
    figure(m, "growth after the first quarter", resident(m) - first, "flat");
    close_worker(m);
}

void memory_bench(FILE *json, char **args)
{
    static struct memory m;
    m.json = json;
    printf("\nResident memory of the worker, %d objects.\n\n", OBJECTS);
    if (!*args || strcmp(*args, "objects") == 0)
        measure_objects(&m);
    if (!*args || strcmp(*args, "sctp") == 0)
        measure_sctp(&m);
    double seconds = figures_setting("BENCH_MEMORY_SECONDS", 0);
    if ((!*args || strcmp(*args, "rounds") == 0) && seconds > 0)
        measure_hour(&m, seconds);
    else if (!*args || strcmp(*args, "rounds") == 0)
        measure_growth(&m, (int)figures_setting("BENCH_ROUNDS", 200));
}
