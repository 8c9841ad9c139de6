/* Key frames: how long a new viewer of a running stream waits for one, and how often the sender is
 * asked while a thousand viewers join. The sender answers a PLI with its next frame, as an encoder
 * does. */
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "proto/rtp.h"
#include "test/bench/benches.h"
#include "test/bench/figures.h"
#include "test/bench/sender.h"
#include "test/bench/web_probe.h"
#include "test/lib/stage.h"
#include "worker/rtp/codec.h"

enum {
    FPS = 30,
    DELAY_MS =
        1000, /* keyFrameRequestDelay, as the controller sets it (controller/room/producer.c) */
    JOINS = 1000,
    PROBES = 20, /* transports that the joins are spread over */
    ALONE_ROUNDS = 6,
    PLIS_MAX = 64,
    FIRST_SSRC = 1
};

struct key_frames {
    struct worker_driver driver;
    struct sender sender;
    struct web_probe probes[PROBES];
    usec next_frame;
    uint64_t asked_ns[JOINS]; /* when each consumer was asked for */
    double waited_ms[JOINS];  /* until its first key frame was whole; negative: none yet */
    uint16_t next[JOINS];     /* number of the packet that it lacks next; with begun */
    bool begun[JOINS];        /* the key frame did */
    size_t shown;             /* consumers with a key frame */
    size_t out_of_order;      /* packets of key frames that were not the next */
    usec plis[PLIS_MAX];      /* when they reached the sender */
    size_t n_plis;
    FILE *json;
};

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static void on_packet(void *ctx, uint64_t arrived_ns, uint8_t *bytes, size_t n)
{
    struct key_frames *k = ctx;
    struct rtp_view v;
    if (rtp_parse(&v, bytes, n) != OK)
        return;
    uint32_t i = (v.ssrc - FIRST_SSRC) / 2;
    if ((v.ssrc - FIRST_SSRC) % 2 != 0 || i >= JOINS || k->waited_ms[i] >= 0)
        return;
    if (!k->begun[i] && !codec_is_key_frame(CODEC_VP8, rtp_payload_slice(&v)))
        return;
    if (k->begun[i] && v.seq != k->next[i])
        k->out_of_order++;
    k->begun[i] = true;
    k->next[i] = (uint16_t)(v.seq + 1);
    if (!v.marker)
        return;
    k->waited_ms[i] = ((double)arrived_ns - (double)k->asked_ns[i]) / 1e6;
    k->shown++;
}

/* Whatever is due: a frame, what the sender is told, what viewers got. */
static void turn(struct key_frames *k)
{
    uint64_t plis = k->sender.plis;
    usec now = clock_now();
    sender_read(&k->sender);
    if (now >= k->next_frame) {
        (void)sender_frame(&k->sender);
        k->next_frame += USEC_PER_SEC / FPS;
    }
    for (; plis < k->sender.plis; plis++) {
        if (k->n_plis < PLIS_MAX)
            k->plis[k->n_plis++] = now;
    }
    for (size_t i = 0; i < PROBES; i++)
        web_probe_run(&k->probes[i]);
}

static void pass(struct key_frames *k, usec until)
{
    while (clock_now() < until) {
        struct pollfd p = {.fd = k->sender.fd, .events = POLLIN};
        turn(k);
        (void)poll(&p, 1, 1);
    }
}

static void begin(struct key_frames *k, int delay_ms)
{
    struct driver_options o = {.log_level = "warn"};
    struct call call = {VIEWERS_WEBRTC, CALL_VIDEO_FULL, SEAL_AES_128_GCM, 1, FPS, delay_ms};
    FILE *json = k->json;
    memset(k, 0, sizeof *k);
    k->json = json;
    for (size_t i = 0; i < JOINS; i++)
        k->waited_ms[i] = -1;
    (void)driver_start(&k->driver, &o);
    driver_do(&k->driver, "worker.createRouter", "", "{'routerId':'room'}");
    sender_open(&k->sender, &k->driver, &call);
    for (int i = 0; i < PROBES; i++) {
        char id[16];
        snprintf(id, sizeof id, "p%d", i);
        web_probe_open(&k->probes[i], &k->driver, id, on_packet, k);
    }
    k->next_frame = clock_now();
    pass(k, k->next_frame + 2 * USEC_PER_SEC);
    k->n_plis = 0;
}

static void end(struct key_frames *k)
{
    for (int i = 0; i < PROBES; i++)
        web_probe_close(&k->probes[i]);
    sender_close(&k->sender);
    const char *wrong = driver_stop(&k->driver);
    if (wrong) {
        fprintf(stderr, "bench: %s\n", wrong);
        exit(1);
    }
}

static void join(struct key_frames *k, uint32_t i)
{
    k->asked_ns[i] = sender_clock_ns();
    web_probe_consume(&k->probes[i % PROBES], FIRST_SSRC + 2 * i);
}

/* Sorts them. */
static double waited(double *of, size_t n, double part)
{
    qsort(of, n, sizeof *of, compare);
    return n ? of[(size_t)(part * (double)(n - 1))] : 0;
}

/* Viewers of which each is paused, then resumed when no key frame was asked for lately. */
static void measure_alone(struct key_frames *k)
{
    double times[ALONE_ROUNDS];
    begin(k, DELAY_MS);
    join(k, 0);
    pass(k, clock_now() + DELAY_MS * USEC_PER_MSEC / 2);
    for (int i = 0; i < ALONE_ROUNDS; i++) {
        driver_do(&k->driver, "consumer.pause", "c-p0-1", NULL);
        /* Not in step with the frames. */
        pass(k, clock_now() + DELAY_MS * USEC_PER_MSEC + i * 7 * USEC_PER_MSEC);
        k->waited_ms[0] = -1;
        k->begun[0] = false;
        k->shown = 0;
        k->asked_ns[0] = sender_clock_ns();
        driver_do(&k->driver, "consumer.resume", "c-p0-1", NULL);
        for (usec since = clock_now(); !k->shown && clock_now() - since < 5 * USEC_PER_SEC;)
            pass(k, clock_now() + USEC_PER_MSEC);
        times[i] = k->shown ? k->waited_ms[0] : 5000;
    }
    end(k);
    double p50 = waited(times, ALONE_ROUNDS, 0.5);
    double max = waited(times, ALONE_ROUNDS, 1);
    printf("resume of one viewer to its key frame:     %6.1f ms median, %6.1f ms at most (of %d)\n",
           p50, max, ALONE_ROUNDS);
    fflush(stdout);
    figures_write(k->json, "keyframes", "\"joins\":1", "resume_to_key_frame_p50_ms", p50);
    figures_write(k->json, "keyframes", "\"joins\":1", "resume_to_key_frame_max_ms", max);
}

/* Most requests in any second. */
static size_t busiest(const struct key_frames *k)
{
    size_t most = 0;
    for (size_t i = 0; i < k->n_plis; i++) {
        size_t n = 0;
        for (size_t j = i; j < k->n_plis && k->plis[j] - k->plis[i] < USEC_PER_SEC; j++)
            n++;
        most = n > most ? n : most;
    }
    return most;
}

static void measure_joins(struct key_frames *k, int delay_ms)
{
    char labels[64];
    begin(k, delay_ms);
    usec start = clock_now();
    for (uint32_t i = 0; i < JOINS; i++) {
        join(k, i);
        pass(k, start + (usec)(i + 1) * USEC_PER_SEC / JOINS);
        turn(k);
    }
    double took = (double)(clock_now() - start) / USEC_PER_SEC;
    pass(k, clock_now() + 2 * USEC_PER_SEC);
    size_t plis = k->n_plis;
    size_t most = busiest(k);
    size_t shown = k->shown;
    end(k);
    double p50 = waited(k->waited_ms, JOINS, 0.5);
    double max = waited(k->waited_ms, JOINS, 1);
    printf("%d joins in %.2f s, delay %4d ms: %zu requests, %zu in the busiest second; key frame "
           "after %.0f ms median, %.0f ms at most; without: %zu\n",
           JOINS, took, delay_ms, plis, most, p50, max, JOINS - shown);
    fflush(stdout);
    snprintf(labels, sizeof labels, "\"joins\":%d,\"delay_ms\":%d", JOINS, delay_ms);
    figures_write(k->json, "keyframes", labels, "requests", (double)plis);
    figures_write(k->json, "keyframes", labels, "requests_in_busiest_second", (double)most);
    figures_write(k->json, "keyframes", labels, "join_to_key_frame_p50_ms", p50);
    figures_write(k->json, "keyframes", labels, "join_to_key_frame_max_ms", max);
    figures_write(k->json, "keyframes", labels, "without_key_frame", (double)(JOINS - shown));
}

void key_frames_bench(FILE *json, char **args)
{
    static struct key_frames k;
    k.json = json;
    printf("\nKey frames: the sender answers a request with its next frame, at %d frames a "
           "second.\n\n",
           FPS);
    if (!*args || strcmp(*args, "alone") == 0)
        measure_alone(&k);
    if (!*args || strcmp(*args, "joins") == 0) {
        measure_joins(&k, DELAY_MS);
        measure_joins(&k, DELAY_MS / 2);
    }
}
