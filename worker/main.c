/* weir-worker: one media worker. Spawned by the controller with a pipe on fd 3 (requests in) and fd
 * 4 (answers and events out); ends when that pipe ends. */
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "common/clock.h"
#include "common/frame_pipe.h"
#include "common/log.h"
#include "worker/api/api.h"
#include "worker/io/turn.h"

#ifndef WEIR_VERSION
#define WEIR_VERSION "0.1.0"
#endif

enum {
    REQUESTS_FD = 3,
    ANSWERS_FD = 4,
    /* Answers and events that may wait for the controller; beyond it the worker gives up and is
       replaced. */
    PIPE_QUEUE_MAX = 32 * 1024 * 1024,
    /* 1.6 kB each: two seconds of 2.5 Mbit/s for about 600 producers. */
    PACKETS_MAX = 256 * 1024,
    EXIT_USAGE = 2,
    EXIT_LISTEN = 3,
    EXIT_PIPE = 4
};

struct options {
    const char *name;
    const char *listens[WORKER_MAX_LISTENS / 2];
    size_t n_listens;
    uint16_t port;
    uint16_t rtc_port_min; /* 0: the system chooses */
    uint16_t rtc_port_max;
    const char *dtls_cert;
    const char *dtls_key;
    int log_level; /* enum log_level, or LOG_ERROR + 1 for nothing at all */
};

struct main_state {
    uv_loop_t loop;
    struct turn turn;
    struct frame_pipe pipe;
    struct api api;
    struct rng rng;
    uv_prepare_t flush; /* answers leave before the loop waits */
    uv_signal_t term;
    bool ending;
    int exit_code;
};

static void usage(void)
{
    fprintf(stderr,
            "usage: weir-worker [--listen IP[=ANNOUNCED] [--listen ...] --port N] [--name NAME]\n"
            "                   [--log-level LEVEL] [--dtls-cert FILE --dtls-key FILE]\n"
            "                   [--rtc-ports MIN-MAX]\n"
            "--listen, --port: the port that WebRTC transports share.\n"
            "--rtc-ports: what other transports choose from; the system's range if left out.\n"
            "The controller (weir) starts it, with a pipe on file descriptors 3 and 4.\n");
}

static bool parse_port(const char *text, uint16_t *out)
{
    char *end;
    unsigned long v = strtoul(text, &end, 10);
    *out = (uint16_t)v;
    return end != text && *end == '\0' && v >= 1 && v <= UINT16_MAX;
}

/* "MIN-MAX". 0 is no port: a range from it begins at 1. */
static bool parse_range(const char *text, uint16_t *min, uint16_t *max)
{
    unsigned long a;
    unsigned long b;
    int n = 0;
    if (sscanf(text, "%lu-%lu%n", &a, &b, &n) != 2 || text[n] != '\0' || a > b || b < 1 ||
        b > UINT16_MAX)
        return false;
    *min = (uint16_t)(a > 0 ? a : 1);
    *max = (uint16_t)b;
    return true;
}

static bool parse_level(const char *text, int *out)
{
    enum log_level level;
    if (strcmp(text, "none") == 0) {
        *out = LOG_ERROR + 1;
        return true;
    }
    if (log_level_parse(text, &level) != OK)
        return false;
    *out = (int)level;
    return true;
}

static bool parse_option(struct options *o, int c)
{
    switch (c) {
    case 'n':
        o->name = optarg;
        return true;
    case 'l':
        if (o->n_listens == sizeof o->listens / sizeof o->listens[0])
            return false;
        o->listens[o->n_listens++] = optarg;
        return true;
    case 'p':
        return parse_port(optarg, &o->port);
    case 'v':
        return parse_level(optarg, &o->log_level);
    case 'r':
        return parse_range(optarg, &o->rtc_port_min, &o->rtc_port_max);
    case 'c':
        o->dtls_cert = optarg;
        return true;
    case 'k':
        o->dtls_key = optarg;
        return true;
    default:
        return false;
    }
}

static bool parse_options(struct options *o, int argc, char **argv)
{
    static const struct option table[] = {
        {"name", required_argument, NULL, 'n'},      {"listen", required_argument, NULL, 'l'},
        {"port", required_argument, NULL, 'p'},      {"log-level", required_argument, NULL, 'v'},
        {"dtls-cert", required_argument, NULL, 'c'}, {"dtls-key", required_argument, NULL, 'k'},
        {"rtc-ports", required_argument, NULL, 'r'}, {NULL, 0, NULL, 0}};
    *o = (struct options){.name = "worker", .log_level = LOG_INFO};
    int c;
    while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {
        if (!parse_option(o, c))
            return false;
    }
    return optind == argc && (o->n_listens > 0) == (o->port != 0) && !o->dtls_cert == !o->dtls_key;
}

/* ---- ending ---- */

static void end(struct main_state *m, int exit_code)
{
    if (m->ending)
        return;
    m->ending = true;
    m->exit_code = exit_code;
    frame_pipe_flush(&m->pipe);
    frame_pipe_close(&m->pipe, NULL);
    uv_close((uv_handle_t *)&m->flush, NULL);
    uv_close((uv_handle_t *)&m->term, NULL);
    turn_fini(&m->turn);
}

static void on_term(uv_signal_t *s, int signum)
{
    (void)signum;
    end(s->data, 0);
}

/* ---- the pipe ---- */

static void on_frame(void *ctx, struct slice frame)
{
    struct main_state *m = ctx;
    api_frame(&m->api, clock_now(), frame);
}

static void on_pipe_broken(void *ctx, const char *why)
{
    struct main_state *m = ctx;
    /* The usual end: the controller closed it, or died. */
    log_info("worker.pipe_ended", "why=\"%s\"", why);
    end(m, 0);
}

static void on_flush(uv_prepare_t *h)
{
    struct main_state *m = h->data;
    frame_pipe_flush(&m->pipe);
    if (m->api.failed != OK) {
        log_error("worker.pipe_full", "why=%s", err_name(m->api.failed));
        end(m, EXIT_PIPE);
    } else if (m->api.closing) {
        end(m, 0);
    }
}

static void fill_metrics(void *ctx, struct worker_get_metrics_response *out)
{
    const struct main_state *m = ctx;
    const struct udp_counters *udp = &m->turn.udp.counters;
    const struct tcp_counters *tcp = &m->turn.tcp.counters;
    out->packets_received = udp->datagrams_in + tcp->frames_in;
    out->packets_sent = udp->datagrams_out + tcp->frames_out;
    out->bytes_received = udp->bytes_in + tcp->bytes_in;
    out->bytes_sent = udp->bytes_out + tcp->bytes_out;
    out->receive_calls = udp->recv_calls;
    out->send_calls = udp->send_calls;
    out->dropped_no_buffer = udp->no_buffer_in;
    out->dropped_send += udp->dropped_out + tcp->dropped_out;
    out->dropped_malformed += udp->truncated_in + tcp->oversized_in;
    out->pipe_queued_bytes = frame_queue_peek(&m->pipe.queue).n;
}

/* ---- start ---- */

static bool listen_on(struct main_state *m, struct worker_config *config, const char *spec,
                      uint16_t port)
{
    char ip[64];
    const char *equals = strchr(spec, '=');
    const char *announced = equals ? equals + 1 : "";
    size_t n = equals ? (size_t)(equals - spec) : strlen(spec);
    struct addr a;
    if (n >= sizeof ip || strlen(announced) >= sizeof config->listens[0].announced) {
        log_error("worker.bad_listen", "listen=%s is too long", spec);
        return false;
    }
    snprintf(ip, sizeof ip, "%.*s", (int)n, spec);
    if (addr_parse(&a, ip, port) != OK) {
        log_error("worker.bad_listen", "%s is no IP address", ip);
        return false;
    }
    enum err e = turn_listen(&m->turn, config, &a, announced);
    if (e != OK)
        log_error("worker.listen_failed", "cannot listen on UDP and TCP %s port %u: %s", ip, port,
                  e == ERR_BUSY    ? "the port is taken"
                  : e == ERR_RANGE ? "not an address of this machine"
                                   : err_text(e));
    return e == OK;
}

static bool open_pipe(struct main_state *m)
{
    if (fcntl(REQUESTS_FD, F_GETFD) < 0 || fcntl(ANSWERS_FD, F_GETFD) < 0) {
        fprintf(stderr, "weir-worker: no pipe on file descriptors 3 and 4\n");
        usage();
        return false;
    }
    frame_pipe_init(&m->pipe, &m->loop, PIPE_QUEUE_MAX, on_frame, on_pipe_broken, m);
    return uv_pipe_open(&m->pipe.in, REQUESTS_FD) == 0 &&
           uv_pipe_open(&m->pipe.out, ANSWERS_FD) == 0;
}

static int start(struct main_state *m, const struct options *o)
{
    static struct worker_config config;
    rng_init_system(&m->rng);
    for (size_t i = 0; i < o->n_listens; i++) {
        if (!listen_on(m, &config, o->listens[i], o->port))
            return EXIT_LISTEN;
    }
    config.rng = &m->rng;
    config.rtc_port_min = o->rtc_port_min;
    config.rtc_port_max = o->rtc_port_max;
    config.dtls_cert = o->dtls_cert;
    config.dtls_key = o->dtls_key;
    config.max_packets = PACKETS_MAX;
    config.use_retransmissions = true;
    config.notify = api_notify;
    config.notify_ctx = &m->api;
    m->api.out = &m->pipe.queue;
    m->api.fill_metrics = fill_metrics;
    m->api.ctx = m;
    m->api.version = WEIR_VERSION;
    enum err e = turn_start(&m->turn, &config);
    if (e != OK) {
        log_error("worker.open_failed", "%s", err_text(e));
        return EXIT_FAILURE;
    }
    m->api.worker = m->turn.worker;
    uv_prepare_start(&m->flush, on_flush);
    uv_signal_start(&m->term, on_term, SIGTERM);
    frame_pipe_start(&m->pipe);
    api_running(&m->api);
    return 0;
}

int main(int argc, char **argv)
{
    static struct main_state m;
    struct options o;
    if (!parse_options(&o, argc, argv)) {
        usage();
        return EXIT_USAGE;
    }
    log_init(LOG_INFO, o.name);
    log_set_level(o.log_level);
    /* Ctrl-C reaches the whole group: the controller decides what ends when. */
    signal(SIGINT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGUSR1, SIG_IGN);
    signal(SIGUSR2, SIG_IGN);
    signal(SIGALRM, SIG_IGN);
    uv_loop_init(&m.loop);
    if (!open_pipe(&m))
        return EXIT_USAGE;
    if (turn_init(&m.turn, &m.loop) != OK)
        return EXIT_FAILURE;
    uv_prepare_init(&m.loop, &m.flush);
    uv_signal_init(&m.loop, &m.term);
    m.flush.data = m.term.data = &m;
    int e = start(&m, &o);
    if (e != 0)
        end(&m, e);
    uv_run(&m.loop, UV_RUN_DEFAULT);
    uv_loop_close(&m.loop);
    return m.exit_code;
}
