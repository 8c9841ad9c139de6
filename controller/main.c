/* weir: the controller. `weir [--config FILE] [--check-config | --print-config | --version]`. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

#include "common/arena.h"
#include "common/log.h"
#include "controller/app.h"
#include "controller/settings/settings.h"

#ifndef WEIR_VERSION
#define WEIR_VERSION "0.1.0"
#endif

enum { SETTINGS_BYTES_MAX = 1024 * 1024, EXIT_USAGE = 2 };

enum action { ACTION_RUN, ACTION_CHECK, ACTION_PRINT, ACTION_VERSION };

struct options {
    const char *config;
    enum action action;
};

struct main_state {
    uv_loop_t loop;
    struct settings settings;
    struct app *app; /* owned by itself once it closes */
    uv_signal_t interrupt;
    uv_signal_t term;
    int exit_code;
    bool ending;
};

static void usage(FILE *out)
{
    fprintf(
        out,
        "usage: weir [--config FILE] [--check-config | --print-config | --version]\n"
        "Settings: weir.conf in this folder, or FILE; each also as WEIR_... in the environment\n"
        "(docs/configuration.md).\n");
}

static bool parse_options(struct options *o, int argc, char **argv)
{
    static const struct option table[] = {
        {"config", required_argument, NULL, 'c'}, {"check-config", no_argument, NULL, 'k'},
        {"print-config", no_argument, NULL, 'p'}, {"version", no_argument, NULL, 'V'},
        {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0}};
    int c;
    while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {
        if (c == 'c') {
            o->config = optarg;
        } else if (c == 'k') {
            o->action = ACTION_CHECK;
        } else if (c == 'p') {
            o->action = ACTION_PRINT;
        } else if (c == 'V') {
            o->action = ACTION_VERSION;
        } else {
            usage(c == 'h' ? stdout : stderr);
            exit(c == 'h' ? 0 : EXIT_USAGE);
        }
    }
    return optind == argc;
}

static void close_signals(struct main_state *m)
{
    uv_close((uv_handle_t *)&m->interrupt, NULL);
    uv_close((uv_handle_t *)&m->term, NULL);
}

static void end(struct main_state *m, int exit_code)
{
    if (m->ending)
        return;
    m->ending = true;
    m->exit_code = exit_code;
    close_signals(m);
    app_close(m->app);
}

/* Ctrl-C, or a second SIGTERM: now. */
static void on_interrupt(uv_signal_t *s, int signum)
{
    (void)signum;
    end(s->data, 0);
}

static void on_term(uv_signal_t *s, int signum)
{
    struct main_state *m = s->data;
    (void)signum;
    if (m->settings.drain == 0) {
        end(m, 0);
        return;
    }
    log_info("weir.draining", "seconds=%lld", (long long)(m->settings.drain / 1000000));
    m->ending = true;
    close_signals(m);
    signal(SIGTERM, SIG_DFL);
    app_drain(m->app);
}

static void print_addresses(const struct settings *s)
{
    const char *scheme = s->http_tls_cert[0] ? "https" : "http";
    bool any = s->http_host[0] == '\0' || s->http_host[0] == ':' || s->http_host[0] == '0';
    char base[320];
    if (s->http_public_url[0])
        snprintf(base, sizeof base, "%s", s->http_public_url);
    else
        snprintf(base, sizeof base, "%s://%s:%u", scheme, any ? "localhost" : s->http_host,
                 s->http_port);
    printf("\n  Weir is up.\n\n");
    printf("    Home     %s/\n", base);
    printf("    Studio   %s/studio\n", base);
    if (s->demo) {
        printf("    Demo     %s/watch/demo\n", base);
        if (s->hls_enabled)
            printf("    HLS      %s/live/demo/index.m3u8\n", base);
    }
    printf("\n  Ctrl-C ends it.\n\n");
    fflush(stdout);
}

static void on_started(void *ctx, enum err e, const char *text)
{
    struct main_state *m = ctx;
    if (e == OK) {
        print_addresses(&m->settings);
    } else {
        fprintf(stderr, "weir: %s\n", text);
        end(m, EXIT_FAILURE);
    }
}

static int run(struct main_state *m, const char *program)
{
    char text[512];
    uv_loop_init(&m->loop);
    uv_signal_init(&m->loop, &m->interrupt);
    uv_signal_init(&m->loop, &m->term);
    m->interrupt.data = m->term.data = m;
    uv_signal_start(&m->interrupt, on_interrupt, SIGINT);
    uv_signal_start(&m->term, on_term, SIGTERM);
    struct app_config config = {.loop = &m->loop,
                                .settings = &m->settings,
                                .program = program,
                                .started = on_started,
                                .ctx = m};
    enum err e = app_open(&config, &m->app, text, sizeof text);
    if (e != OK) {
        fprintf(stderr, "weir: %s\n", text);
        if (!m->app)
            return EXIT_FAILURE;
        end(m, EXIT_FAILURE);
    }
    uv_run(&m->loop, UV_RUN_DEFAULT);
    if (uv_loop_close(&m->loop) != 0)
        log_warn("weir.handles_left", "%s", "");
    return m->exit_code;
}

static int load_and_run(struct main_state *m, const struct options *o, const char *program)
{
    static struct config_problems problems;
    struct arena arena;
    arena_init(&arena, SETTINGS_BYTES_MAX);
    config_problems_init(&problems, &arena);
    enum err e = settings_load(&m->settings, o->config, environ, &arena, &problems);
    int code;
    if (o->action == ACTION_CHECK) {
        code = settings_print_check(&problems, stdout);
    } else if (e != OK) {
        settings_print_check(&problems, stderr);
        code = EXIT_USAGE;
    } else if (o->action == ACTION_PRINT) {
        settings_print(&m->settings, stdout);
        code = 0;
    } else {
        if (problems.n > 0)
            settings_print_check(&problems, stderr);
        log_init((enum log_level)m->settings.log_level, "weir");
        code = run(m, program);
    }
    arena_fini(&arena);
    return code;
}

int main(int argc, char **argv)
{
    static struct main_state m;
    struct options o = {0};
    if (!parse_options(&o, argc, argv)) {
        usage(stderr);
        return EXIT_USAGE;
    }
    if (o.action == ACTION_VERSION) {
        printf("weir %s\n", WEIR_VERSION);
        return 0;
    }
    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    return load_and_run(&m, &o, argv[0]);
}
