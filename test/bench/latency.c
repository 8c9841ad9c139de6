/* What the worker adds to a packet's way: from the time at which a sender hands a frame to the
 * kernel until each of its packets is at a viewer's socket, by the kernel's stamp, less the same
 * straight from socket to socket. Of rooms with nothing else to do, and of as many rooms as load
 * the worker's thread to 70 %. Beside it the floor: the least that sealing and sending to as many
 * viewers takes, without a worker. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "test/bench/benches.h"
#include "test/bench/figures.h"
#include "test/bench/floor.h"
#include "test/bench/rooms.h"

enum {
    TIMES_MAX = 1 << 20,
    FLOOR_FRAMES = 100,
    FLOOR_PROBES = 10,
    UNREAD_BUFFER = 4096,
    WIRE_GROWTH = 36, /* bytes by which a packet grows: extensions and SRTP tag */
    TUNE_TURNS = 10,
    DRAWS = 5 /* of when senders send: how bursts meet makes the difference */
};

static const double TARGET = 0.7;
static const double TARGET_WIDTH = 0.015;

struct setup {
    struct rooms_plan plan;
    size_t rooms; /* to begin with */
    bool loaded;  /* then as many as reach the target */
};

static const struct setup setups[] = {
    {{"alone-10", 1, 10, false}, 1, false},       {{"alone-100", 1, 100, false}, 1, false},
    {{"rooms-10", 1, 10, false}, 20, true},       {{"conversations", 4, 4, true}, 16, true},
    {{"broadcasts-100", 1, 100, false}, 3, true},
};

/* Microseconds, sorted before they are looked at. */
struct times {
    double *of; /* owned */
    size_t n;
};

static struct times through;
static struct times direct;
static struct times floors;

static void times_add(struct times *t, double us)
{
    if (!t->of)
        t->of = malloc(TIMES_MAX * sizeof *t->of);
    if (t->of && t->n < TIMES_MAX)
        t->of[t->n++] = us;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static double percentile(struct times *t, double part)
{
    if (t->n == 0)
        return 0;
    qsort(t->of, t->n, sizeof *t->of, compare);
    return t->of[(size_t)(part * (double)(t->n - 1))];
}

static void on_latency(void *ctx, bool is_direct, double us)
{
    (void)ctx;
    times_add(is_direct ? &direct : &through, us);
}

/* ---- the floor ---- */

static uint64_t floor_began_ns;

static void on_floor(void *ctx, uint64_t arrived_ns, uint8_t *bytes, size_t n)
{
    (void)ctx;
    (void)bytes;
    (void)n;
    times_add(&floors, ((double)arrived_ns - (double)floor_began_ns) / 1000);
}

/* One frame after another to n viewers, of whom about FLOOR_PROBES are read. */
static void measure_floor(size_t n)
{
    struct call call = {VIEWERS_WEBRTC, CALL_VIDEO_FULL, SEAL_AES_128_GCM, n, 30, 0};
    struct probe *probes = calloc(n, sizeof *probes);
    struct sockaddr_in *addresses = calloc(n, sizeof *addresses);
    uint32_t sizes[SENDER_BURST_MAX];
    size_t packets = call_frame_packets(&call);
    size_t stride = n > FLOOR_PROBES ? n / FLOOR_PROBES : 1;
    int size = UNREAD_BUFFER;
    if (!probes || !addresses)
        abort();
    for (size_t i = 0; i < packets; i++)
        sizes[i] = CALL_PACKET + WIRE_GROWTH;
    sizes[packets - 1] = (uint32_t)(CALL_FRAME_BYTES - (packets - 1) * CALL_PACKET + WIRE_GROWTH);
    for (size_t i = 0; i < n; i++) {
        probe_open(&probes[i], NULL, "");
        addresses[i] = probes[i].address;
        if (i % stride != 0)
            setsockopt(probes[i].fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    }
    struct floor *f = floor_open(SEAL_AES_128_GCM, addresses, n, sizes, packets);
    for (int frame = 0; frame < FLOOR_FRAMES; frame++) {
        if (frame == FLOOR_FRAMES / 10)
            floors.n = 0;
        floor_began_ns = sender_clock_ns();
        (void)floor_frame(f);
        for (size_t i = 0; i < n; i += stride)
            probe_read(&probes[i], on_floor, NULL);
        usleep(2000);
    }
    floor_close(f);
    for (size_t i = 0; i < n; i++)
        probe_close(&probes[i]);
    free(probes);
    free(addresses);
}

/* ---- the table ---- */

static void print(FILE *json, const struct rooms *r, double load)
{
    char labels[128];
    const char *name = r->plan.label;
    double p50 = percentile(&through, 0.5) - percentile(&direct, 0.5);
    double p99 = percentile(&through, 0.99) - percentile(&direct, 0.99);
    printf("%-15s %6zu %6.1f %% %9.0f %9.0f %9.0f %9.0f %9.0f %9.0f %9.0f %8zu\n", name, r->active,
           load * 100, p50, percentile(&through, 0.9) - percentile(&direct, 0.9), p99,
           percentile(&direct, 0.5), percentile(&direct, 0.99), percentile(&floors, 0.5),
           percentile(&floors, 0.99), through.n);
    fflush(stdout);
    snprintf(labels, sizeof labels, "\"setup\":\"%s\",\"rooms\":%zu", name, r->active);
    figures_write(json, "latency", labels, "load", load);
    figures_write(json, "latency", labels, "added_p50_us", p50);
    figures_write(json, "latency", labels, "added_p99_us", p99);
    figures_write(json, "latency", labels, "direct_p50_us", percentile(&direct, 0.5));
    figures_write(json, "latency", labels, "direct_p99_us", percentile(&direct, 0.99));
    figures_write(json, "latency", labels, "floor_p50_us", percentile(&floors, 0.5));
    figures_write(json, "latency", labels, "floor_p99_us", percentile(&floors, 0.99));
}

static void open_rooms(struct rooms *r, const struct rooms_plan *plan, size_t n, double *load)
{
    double window = figures_setting("BENCH_SECONDS", 1);
    rooms_open(r, plan, n, on_latency, NULL);
    (void)rooms_play(r, window);
    *load = rooms_play(r, window);
}

/* Opens as many rooms as the target needs, and lets as many of them play as reach it. */
static void reach_target(struct rooms *r, const struct setup *s)
{
    double load;
    open_rooms(r, &s->plan, s->rooms, &load);
    double each = load / (double)s->rooms;
    rooms_close(r);
    /* More of them cost less each. */
    size_t n = (size_t)(2.5 * TARGET / each) + 1;
    rooms_open(r, &s->plan, n, on_latency, NULL);
    r->active = (size_t)(TARGET / each);
    for (int turn = 0; turn < TUNE_TURNS; turn++) {
        (void)rooms_play(r, 0.3);
        load = rooms_play(r, figures_setting("BENCH_SECONDS", 1));
        if (load > TARGET - TARGET_WIDTH && load < TARGET + TARGET_WIDTH)
            return;
        double more = (double)r->active * (1 + (TARGET - load) / TARGET * 1.4);
        r->active = more < (double)n ? (size_t)(more + 0.5) : n;
        if (r->active == 0)
            r->active = 1;
    }
}

static void run(FILE *json, const struct setup *s)
{
    static struct rooms r;
    double load;
    if (s->loaded)
        reach_target(&r, s);
    else
        open_rooms(&r, &s->plan, s->rooms, &load);
    measure_floor(s->plan.own ? s->plan.viewers - 1 : s->plan.viewers);
    through.n = direct.n = 0;
    load = 0;
    for (int draw = 0; draw < DRAWS; draw++) {
        rooms_shuffle(&r);
        load += rooms_play(&r, figures_setting("BENCH_SECONDS", 1)) / DRAWS;
    }
    print(json, &r, load);
    rooms_close(&r);
}

void latency_bench(FILE *json, char **args)
{
    printf(
        "\nMicroseconds that the worker adds, from the handing over of a frame of 9 packets until "
        "a packet is at a viewer's socket, less the same without a worker (direct).\n"
        "floor: sealing and sending one frame to as many viewers, without a worker.\n\n"
        "%-15s %6s %8s %9s %9s %9s %9s %9s %9s %9s %8s\n",
        "setup", "rooms", "load", "added p50", "p90", "p99", "direct 50", "direct 99", "floor 50",
        "floor 99", "packets");
    for (size_t i = 0; i < sizeof setups / sizeof setups[0]; i++) {
        if (!*args || strcmp(*args, setups[i].plan.label) == 0)
            run(json, &setups[i]);
    }
}
