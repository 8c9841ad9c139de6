/* weir: the controller. `weir [--config FILE] [--check-config | --print-config | --version]`. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "common/arena.h"
#include "common/log.h"
#include "controller/app.h"
#include "controller/settings/settings.h"

enum {
    SETTINGS_BYTES_MAX = 1024 * 1024,
    EXIT_USAGE = 2,
    /* Every part has its own limit; this is for the case that one breaks it. */
    CLOSE_LIMIT_MS = 20 * 1000
};

enum action { ACTION_RUN, ACTION_CHECK, ACTION_PRINT, ACTION_VERSION };

struct options {
    const char *config;
    enum action action;
};

struct main_state {
    uv_loop_t loop;
    struct settings settings;
    struct app *app; /* owned by itself once it closes; NULL: gone */
    uv_signal_t interrupt;
    uv_signal_t term;
    uv_timer_t overdue;
    int exit_code;
    bool draining;
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
    if (optind < argc)
        fprintf(stderr, "weir: unexpected argument: %s\n", argv[optind]);
    return optind == argc;
}

/* ---- ending ---- */

static void on_overdue(uv_timer_t *timer)
{
    (void)timer;
    log_error("weir.stuck", "seconds=%d", CLOSE_LIMIT_MS / 1000);
    _exit(EXIT_FAILURE); /* workers and ffmpeg end by themselves */
}

/* A signal that comes now is too late to matter: without its watcher it would be the program's end,
 * and make a failure of an orderly one. */
static void close_handles(struct main_state *m)
{
    uv_close((uv_handle_t *)&m->interrupt, NULL);
    uv_close((uv_handle_t *)&m->term, NULL);
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    uv_close((uv_handle_t *)&m->overdue, NULL);
}

static void on_closed(void *ctx)
{
    struct main_state *m = ctx;
    m->app = NULL;
    close_handles(m);
}

static void end(struct main_state *m, int exit_code)
{
    if (m->ending || !m->app)
        return;
    m->ending = true;
    m->exit_code = exit_code;
    uv_timer_start(&m->overdue, on_overdue, CLOSE_LIMIT_MS, 0);
    app_close(m->app);
}

/* Ctrl-C: now. Impatient ones change nothing: ending takes a few seconds at most. */
static void on_interrupt(uv_signal_t *s, int signum)
{
    (void)signum;
    end(s->data, 0);
}

/* The first one lets streams go on for a while, the second one is like Ctrl-C. */
static void on_term(uv_signal_t *s, int signum)
{
    struct main_state *m = s->data;
    (void)signum;
    if (m->draining || m->settings.drain == 0 || !m->app) {
        end(m, 0);
        return;
    }
    log_info("weir.draining", "seconds=%lld", (long long)(m->settings.drain / 1000000));
    m->draining = true;
    app_drain(m->app);
}

/* ---- running ---- */

static void print_addresses(const struct settings *s)
{
    const char *scheme = s->http_tls_cert[0] ? "https" : "http";
    bool any = strcmp(s->http_host, "0.0.0.0") == 0 || strcmp(s->http_host, "::") == 0;
    bool v6 = !any && strchr(s->http_host, ':');
    char base[320];
    if (s->http_public_url[0])
        snprintf(base, sizeof base, "%s", s->http_public_url);
    else
        snprintf(base, sizeof base, v6 ? "%s://[%s]:%u" : "%s://%s:%u", scheme,
                 any ? "localhost" : s->http_host, s->http_port);
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

static void on_first_admin(void *ctx, const char *name, const char *password)
{
    (void)ctx;
    printf("\n  There was no admin, so one was made. Log in and choose another password;\n"
           "  this one is not shown again.\n\n    Name      %s\n    Password  %s\n\n",
           name, password);
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

static int run(struct main_state *m)
{
    char text[512];
    uv_loop_init(&m->loop);
    uv_signal_init(&m->loop, &m->interrupt);
    uv_signal_init(&m->loop, &m->term);
    uv_timer_init(&m->loop, &m->overdue);
    m->interrupt.data = m->term.data = m;
    uv_signal_start(&m->interrupt, on_interrupt, SIGINT);
    uv_signal_start(&m->term, on_term, SIGTERM);
    struct app_config config = {.loop = &m->loop,
                                .settings = &m->settings,
                                .started = on_started,
                                .first_admin = on_first_admin,
                                .closed = on_closed,
                                .ctx = m};
    enum err e = app_open(&config, &m->app, text, sizeof text);
    if (e != OK) {
        fprintf(stderr, "weir: %s\n", text);
        m->exit_code = EXIT_FAILURE;
        if (m->app)
            end(m, EXIT_FAILURE);
        else
            close_handles(m);
    }
    uv_run(&m->loop, UV_RUN_DEFAULT);
    if (uv_loop_close(&m->loop) != 0)
        log_warn("weir.handles_left", "%s", "");
    return m->exit_code;
}

static int load_and_run(struct main_state *m, const struct options *o)
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
        code = run(m);
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
    return load_and_run(&m, &o);
}
