/* What the worker adds to a packet's way: each packet carries the time at which it was sent, the
 * kernel says when it reached a viewer's socket, and the same way straight from socket to socket,
 * in turn with it, is what is subtracted. Some of the viewers are read here, without SRTP. Beside
 * it a relay: a process that does nothing but send on what it gets, and has to be woken as well. */
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/bytes.h"
#include "common/clock.h"
#include "test/bench/benches.h"
#include "test/bench/figures.h"
#include "test/bench/probe.h"
#include "test/bench/sender.h"
#include "test/bench/viewers.h"

enum { PROBES = 3, TIMES_MAX = 1 << 20, WARM_FRAMES = 30 };

struct setup {
    const char *label;
    struct call call;
};

static const struct setup setups[] = {
    {"frames", {VIEWERS_WEBRTC, CALL_VIDEO_FULL, SEAL_AES_128_GCM, 10, 30, 0}},
    {"frames", {VIEWERS_WEBRTC, CALL_VIDEO_FULL, SEAL_AES_128_GCM, 100, 30, 0}},
    {"packets", {VIEWERS_WEBRTC, CALL_AUDIO, SEAL_AES_128_GCM, 100, 500, 0}},
};

/* Microseconds, sorted before they are looked at. */
struct times {
    double *of; /* owned */
    size_t n;
};

static struct times through;
static struct times direct;
static struct times relayed;

/* What is measured beside the worker. */
struct beside {
    struct probe direct;
    struct probe relayed; /* where the relay sends to */
    struct probe relay;   /* what the relay reads */
    pid_t pid;            /* of the relay */
};

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

static void on_packet(void *ctx, uint64_t arrived_ns, uint8_t *bytes, size_t n)
{
    struct rd r = rd_of(bytes + n - 8, 8);
    uint64_t high = rd_u32(&r);
    uint64_t sent = high << 32 | rd_u32(&r);
    /* A report, or the clock was set. */
    if (bytes[1] >= 192 && bytes[1] <= 223)
        return;
    times_add(ctx, ((double)arrived_ns - (double)sent) / 1000);
}

/* From a socket to a probe that has no worker before it. */
static void send_stamped(const struct probe *p, int fd)
{
    uint8_t bytes[CALL_PACKET] = {0x80, 96};
    uint64_t now = sender_clock_ns();
    put_u32(bytes + sizeof bytes - 8, (uint32_t)(now >> 32));
    put_u32(bytes + sizeof bytes - 4, (uint32_t)now);
    (void)sendto(fd, bytes, sizeof bytes, 0, (const struct sockaddr *)&p->address,
                 sizeof p->address);
}

static _Noreturn void relay(const struct beside *b)
{
    uint8_t bytes[2 * CALL_PACKET];
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) {
        ssize_t n = recv(b->relay.fd, bytes, sizeof bytes, 0);
        if (n < 0)
            _exit(1);
        (void)sendto(b->relay.fd, bytes, (size_t)n, 0, (const struct sockaddr *)&b->relayed.address,
                     sizeof b->relayed.address);
    }
}

static void beside_open(struct beside *b)
{
    probe_open(&b->direct, NULL, "");
    probe_open(&b->relayed, NULL, "");
    probe_open(&b->relay, NULL, "");
    fflush(NULL);
    b->pid = fork();
    if (b->pid == 0)
        relay(b);
    if (b->pid < 0)
        abort();
}

static void beside_close(struct beside *b)
{
    kill(b->pid, SIGKILL);
    waitpid(b->pid, NULL, 0);
    probe_close(&b->direct);
    probe_close(&b->relayed);
    probe_close(&b->relay);
}

/* Frames at their pace for a while; between them what came is read, and the other ways are gone. */
static void play(struct sender *s, struct probe *probes, struct beside *beside, double seconds)
{
    usec start = clock_now();
    int frames = (int)(seconds * s->call.fps);
    for (int i = 0; i < frames; i++) {
        sender_wait_until(start + (usec)i * USEC_PER_SEC / s->call.fps);
        (void)sender_frame(s);
        sender_wait_until(start + (usec)(2 * i + 1) * USEC_PER_SEC / s->call.fps / 2);
        send_stamped(&beside->direct, s->fd);
        send_stamped(&beside->relay, s->fd);
        probe_read(&beside->direct, on_packet, &direct);
        probe_read(&beside->relayed, on_packet, &relayed);
        for (size_t k = 0; k < PROBES; k++)
            probe_read(&probes[k], on_packet, &through);
    }
}

static void print(FILE *json, const struct setup *s, double load)
{
    char labels[128];
    double p50 = percentile(&through, 0.5) - percentile(&direct, 0.5);
    double p99 = percentile(&through, 0.99) - percentile(&direct, 0.99);
    printf("%5zu %-8s %6.0f %% %9.0f %9.0f %9.0f %9.0f %9.0f %9.0f %9.0f %9.0f %8zu\n", s->call.n,
           s->label, load * 100, p50, p99, percentile(&through, 0.5), percentile(&through, 0.99),
           percentile(&direct, 0.5), percentile(&direct, 0.99), percentile(&relayed, 0.5),
           percentile(&relayed, 0.99), through.n);
    fflush(stdout);
    snprintf(labels, sizeof labels, "\"n\":%zu,\"media\":\"%s\",\"fps\":%d", s->call.n, s->label,
             s->call.fps);
    figures_write(json, "latency", labels, "load", load);
    figures_write(json, "latency", labels, "added_p50_us", p50);
    figures_write(json, "latency", labels, "added_p99_us", p99);
    figures_write(json, "latency", labels, "direct_p50_us", percentile(&direct, 0.5));
    figures_write(json, "latency", labels, "direct_p99_us", percentile(&direct, 0.99));
    figures_write(json, "latency", labels, "relay_p50_us", percentile(&relayed, 0.5));
    figures_write(json, "latency", labels, "relay_p99_us", percentile(&relayed, 0.99));
}

static void run(FILE *json, const struct setup *s)
{
    static struct worker_driver driver;
    static struct sender sender;
    static struct viewers viewers;
    static struct probe probes[PROBES];
    struct beside beside;
    struct driver_options o = {.log_level = "warn"};
    (void)driver_start(&driver, &o);
    driver_do(&driver, "worker.createRouter", "", "{'routerId':'room'}");
    sender_open(&sender, &driver, &s->call);
    sender.stamp = true;
    viewers_open(&viewers, &driver, &s->call);
    /* The first in the row of consumers, and the last two. */
    probe_open(&probes[0], &driver, "p0");
    probe_consume(&probes[0], &s->call, 1);
    viewers_consume(&viewers);
    for (size_t i = 1; i < PROBES; i++) {
        char id[16];
        snprintf(id, sizeof id, "p%zu", i);
        probe_open(&probes[i], &driver, id);
        probe_consume(&probes[i], &s->call, 1);
    }
    beside_open(&beside);
    viewers_start(&viewers);
    viewers_set_mode(&viewers, VIEWERS_DRAIN);
    play(&sender, probes, &beside, (double)WARM_FRAMES / 30);
    through.n = direct.n = relayed.n = 0;
    usec start = clock_now();
    uint64_t cpu = driver_cpu_ns(&driver);
    play(&sender, probes, &beside, 3 * figures_setting("BENCH_SECONDS", 1));
    print(json, s, (double)(driver_cpu_ns(&driver) - cpu) / 1000 / (double)(clock_now() - start));
    for (size_t i = 0; i < PROBES; i++)
        probe_close(&probes[i]);
    beside_close(&beside);
    sender_close(&sender);
    viewers_close(&viewers);
    const char *wrong = driver_stop(&driver);
    if (wrong) {
        fprintf(stderr, "bench: %s\n", wrong);
        exit(1);
    }
}

void latency_bench(FILE *json, char **args)
{
    printf("\nMicroseconds from the sender to a viewer's socket, through the worker; direct; by a "
           "relay, which is woken and sends on. added: through less direct.\n"
           "frames: 9 packets at once, all of which go to all viewers; packets: one small one at "
           "a time.\n\n%5s %-8s %8s %9s %9s %9s %9s %9s %9s %9s %9s %8s\n",
           "N", "media", "load", "added p50", "added p99", "p50", "p99", "direct 50", "direct 99",
           "relay 50", "relay 99", "packets");
    for (size_t i = 0; i < sizeof setups / sizeof setups[0]; i++) {
        struct setup s = setups[i];
        if (*args && strcmp(*args, s.label) != 0)
            continue;
        if (s.call.media == CALL_AUDIO)
            s.call.fps = (int)figures_setting("BENCH_PPS", s.call.fps);
        run(json, &s);
    }
}
