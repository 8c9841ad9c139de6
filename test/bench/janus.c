/* What forwarding costs Weir's worker and Debian's Janus: the same frames to as many of the same
 * WebRTC viewers, in turn. docs/performance.md says how to read it. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "test/bench/benches.h"
#include "test/bench/figures.h"
#include "test/bench/janus_process.h"
#include "test/bench/janus_viewers.h"
#include "test/bench/sender.h"
#include "test/bench/viewer.h"
#include "test/bench/viewers.h"

enum {
    ROUNDS = 4,
    WARM_FRAMES = 5,
    SETTLE_MS = 20,
    SETTLE_TRIES = 50,
    WINDOW_TRIES = 3,
    FPS = 30,
    /* A second, to all viewers: two cores do not also read what more are. */
    FRAMES_MAX = 3000
};

#define LOSS_MAX 0.001 /* of a window's packets */
/* Janus keeps nothing to retransmit for a viewer until it has measured a round trip above zero. */
#define RTT (20 * USEC_PER_MSEC)

enum { WEIR, JANUS, JANUS_ONE_LOOP, SERVERS };

static const struct {
    const char *label;
    int event_loops; /* of Janus */
} kinds[SERVERS] = {{"weir", 0}, {"janus", 0}, {"janus, one event loop", 1}};

struct server {
    struct sender sender;
    struct viewers viewers;
    pid_t pid;
    double empty_kib;    /* resident, before the viewers came */
    double full_kib;     /* and after the last round */
    struct samples ns;   /* of CPU, a packet */
    uint64_t sent, lost; /* packets to viewers, all rounds but the first */
    uint64_t bad;        /* did not authenticate */
    uint64_t rtx;        /* retransmissions that came */
};

struct bench {
    struct worker_driver driver;
    struct janus janus[SERVERS];
    struct server servers[SERVERS];
    FILE *json;
};

/* ---- the kernel's accounts ---- */

/* Of all threads, also of those that have ended. */
static uint64_t cpu_ns(pid_t pid)
{
    clockid_t clock;
    struct timespec t;
    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &t) < 0)
        return 0;
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static double resident_kib(pid_t pid)
{
    char path[64];
    long pages = 0;
    snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
    FILE *f = fopen(path, "re");
    if (f) {
        if (fscanf(f, "%*d %ld", &pages) != 1)
            pages = 0;
        fclose(f);
    }
    return (double)pages * (double)sysconf(_SC_PAGESIZE) / 1024;
}

/* ---- measuring ---- */

/* What viewers got, once nothing more comes. */
static uint64_t settled(const struct server *s)
{
    uint64_t got = atomic_load(&s->viewers.shared->rtp);
    for (int i = 0; i < SETTLE_TRIES; i++) {
        usleep(SETTLE_MS * 1000);
        uint64_t now = atomic_load(&s->viewers.shared->rtp);
        if (now == got)
            break;
        got = now;
    }
    return got;
}

/* False: so much was lost that another cost was measured; only the loss is noted. CPU is counted
 * when all has arrived: Janus hands packets on from thread to thread, and may lag behind. */
static bool measure_window(struct server *s, int frames, bool count)
{
    sender_push(&s->sender, WARM_FRAMES);
    uint64_t got = settled(s);
    uint64_t bad = atomic_load(&s->viewers.shared->bad);
    uint64_t rtx = atomic_load(&s->viewers.shared->rtx);
    uint64_t ns = cpu_ns(s->pid);
    uint64_t sent = sender_push(&s->sender, frames) * s->viewers.n;
    got = settled(s) - got;
    ns = cpu_ns(s->pid) - ns;
    uint64_t lost = got < sent ? sent - got : 0;
    if (count) {
        s->sent += sent;
        s->lost += lost;
        s->bad += atomic_load(&s->viewers.shared->bad) - bad;
        s->rtx += atomic_load(&s->viewers.shared->rtx) - rtx;
    }
    if ((double)lost > LOSS_MAX * (double)sent)
        return false;
    samples_add(&s->ns, (double)ns / (double)sent);
    return true;
}

/* ---- printing ---- */

static void print_head(const struct bench *b)
{
    printf(
        "\nThe same to WebRTC viewers by Janus %s: CPU of the whole process per forwarded packet, "
        "resident memory.\n\n",
        b->janus[JANUS].version);
    printf("%5s %3s %-22s %-20s %9s %8s %8s %8s %11s\n", "N", "fps", "server", "SRTP", "ns/packet",
           "of weir", "lost", "rtx", "KiB/viewer");
}

static void print(const struct bench *b, int kind)
{
    const struct server *s = &b->servers[kind];
    char labels[128];
    char ns_text[16] = "-";
    char times[16] = "-";
    double ns = samples_median(&s->ns);
    double weir = samples_median(&b->servers[WEIR].ns);
    double kib = (s->full_kib - s->empty_kib) / (double)s->viewers.n;
    const char *suite = srtp_suite_name(seal_suite(s->viewers.all[0].rtc.sealer));
    if (ns > 0)
        snprintf(ns_text, sizeof ns_text, "%.0f", ns);
    if (ns > 0 && weir > 0)
        snprintf(times, sizeof times, "%.2f", ns / weir);
    printf("%5zu %3d %-22s %-20s %9s %8s %8llu %8llu %11.1f\n", s->viewers.n, s->sender.call.fps,
           kinds[kind].label, suite, ns_text, times, (unsigned long long)s->lost,
           (unsigned long long)s->rtx, kib);
    if (s->bad)
        printf("      %llu packets did not authenticate\n", (unsigned long long)s->bad);
    fflush(stdout);
    snprintf(labels, sizeof labels, "\"n\":%zu,\"server\":\"%s\",\"fps\":%d,\"srtp\":\"%s\"",
             s->viewers.n, kinds[kind].label, s->sender.call.fps, suite);
    if (ns > 0)
        figures_write(b->json, "janus", labels, "ns_per_packet", ns);
    if (ns > 0 && weir > 0)
        figures_write(b->json, "janus", labels, "ratio_to_weir", ns / weir);
    figures_write(b->json, "janus", labels, "lost_fraction",
                  s->sent ? (double)s->lost / (double)s->sent : 0);
    figures_write(b->json, "janus", labels, "kib_per_viewer", kib);
}

/* ---- one number of viewers ---- */

static void open_weir(struct bench *b, const struct call *call)
{
    struct server *s = &b->servers[WEIR];
    struct driver_options o = {.log_level = "warn"};
    (void)driver_start(&b->driver, &o);
    driver_do(&b->driver, "worker.createRouter", "", "{'routerId':'room'}");
    s->pid = b->driver.pid;
    sender_open(&s->sender, &b->driver, call);
    s->empty_kib = resident_kib(s->pid);
    viewers_open(&s->viewers, &b->driver, call);
    viewers_consume(&s->viewers);
}

static const char *open_janus(struct bench *b, int kind, const struct call *call)
{
    struct server *s = &b->servers[kind];
    const char *absent = janus_open(&b->janus[kind], kinds[kind].event_loops);
    if (absent)
        return absent;
    s->pid = b->janus[kind].pid;
    sender_open_rtp(&s->sender, call, b->janus[kind].rtp_port);
    s->empty_kib = resident_kib(s->pid);
    janus_viewers_open(&s->viewers, &b->janus[kind], call);
    return NULL;
}

static void close_all(struct bench *b)
{
    for (int i = 0; i < SERVERS; i++) {
        sender_close(&b->servers[i].sender);
        viewers_close(&b->servers[i].viewers);
        if (i != WEIR)
            janus_close(&b->janus[i]);
    }
    const char *wrong = driver_stop(&b->driver);
    if (wrong) {
        fprintf(stderr, "bench: %s\n", wrong);
        exit(1);
    }
}

/* False: there is no Janus. */
static bool run(struct bench *b, size_t n, bool head)
{
    int fps = n * FPS > FRAMES_MAX ? FRAMES_MAX / (int)n + (n > FRAMES_MAX) : FPS;
    struct call call = {VIEWERS_WEBRTC, CALL_VIDEO_FULL, SEAL_AES_128_GCM, n, fps, 0};
    int frames = (int)(figures_setting("BENCH_SECONDS", 1) * fps + 0.5);
    memset(b->servers, 0, sizeof b->servers);
    for (int i = WEIR + 1; i < SERVERS; i++) {
        const char *absent = open_janus(b, i, &call);
        if (absent) {
            printf("\nJanus is left out: %s.\n", absent);
            return false;
        }
    }
    open_weir(b, &call);
    for (int i = 0; i < SERVERS; i++) {
        b->servers[i].viewers.rtt = RTT;
        viewers_start(&b->servers[i].viewers);
        viewers_set_mode(&b->servers[i].viewers, VIEWERS_DRAIN);
    }
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < SERVERS; i++) {
            for (int t = 0; t < WINDOW_TRIES && !measure_window(&b->servers[i], frames, round > 0);
                 t++)
                ;
            b->servers[i].full_kib = resident_kib(b->servers[i].pid);
        }
        driver_poll(&b->driver, 0);
        driver_forget_events(&b->driver);
    }
    if (head)
        print_head(b);
    for (int i = 0; i < SERVERS; i++)
        print(b, i);
    close_all(b);
    return true;
}

void janus_bench(FILE *json, char **args)
{
    static struct bench b;
    static char *usual[] = {"10", "100", "300", NULL};
    char **words = *args ? args : usual;
    b.json = json;
    for (char **word = words; *word; word++) {
        size_t n = strtoul(*word, NULL, 10);
        if (n > 0 && !run(&b, n, word == words))
            return;
    }
}
