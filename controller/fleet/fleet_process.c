#include "controller/fleet/fleet_metrics.h"
#include "controller/fleet/fleet_worker.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"

enum { ARGS_MAX = 2 * FLEET_LISTENS_MAX + 16 };

static void on_timer(uv_timer_t *t);

static void arm(struct fleet_worker *w, uint64_t ms)
{
    w->timer.data = w;
    uv_timer_start(&w->timer, on_timer, ms, 0);
}

void fleet_worker_schedule(struct fleet_worker *w)
{
    arm(w, 0);
}

/* ---- standard error: the worker's log lines go to ours ---- */

static const char *behind_word(const char *p, const char *end)
{
    const char *space = memchr(p, ' ', (size_t)(end - p));
    return space ? space + 1 : end;
}

static void take_line(struct worker_proc *p, const char *line, size_t n)
{
    fprintf(stderr, "%.*s\n", (int)n, line);
    struct fleet_worker *w = p->worker;
    const char *end = line + n;
    const char *text = w ? memmem(line, n, " error ", 7) : NULL;
    if (!text)
        return;
    /* Behind it come the name and the event, for machines, then what people understand. */
    text = behind_word(behind_word(text + 7, end), end);
    if (text < end)
        snprintf(w->last_words, sizeof w->last_words, "%.*s", (int)(end - text), text);
}

static void take_bytes(struct worker_proc *p, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] == '\n') {
            take_line(p, p->line, p->line_len);
            p->line_len = 0;
        } else if (p->line_len < sizeof p->line) {
            p->line[p->line_len++] = bytes[i];
        }
    }
}

/* After the exit: its last words, which say why, may still be in the pipe. */
static void drain_stderr(struct worker_proc *p)
{
    uv_os_fd_t fd;
    ssize_t n;
    if (uv_fileno((uv_handle_t *)&p->err, &fd) == 0) {
        while ((n = read(fd, p->err_buf, sizeof p->err_buf)) > 0)
            take_bytes(p, p->err_buf, (size_t)n);
    }
    if (p->line_len > 0)
        take_line(p, p->line, p->line_len);
    p->line_len = 0;
}

static void on_stderr(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
    struct worker_proc *p = s->data;
    if (n < 0)
        uv_read_stop(s);
    else
        take_bytes(p, buf->base, (size_t)n);
}

static void on_stderr_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
    struct worker_proc *p = h->data;
    (void)suggested;
    *buf = uv_buf_init(p->err_buf, sizeof p->err_buf);
}

/* ---- end of a process ---- */

static void let_go(struct worker_proc *p)
{
    if (--p->open_handles == 0)
        free(p);
}

static void on_handle_closed(uv_handle_t *h)
{
    let_go(h->data);
}

static void on_pipe_closed(void *ctx)
{
    let_go(ctx);
}

static void close_err(struct worker_proc *p)
{
    if (!uv_is_closing((uv_handle_t *)&p->err))
        uv_close((uv_handle_t *)&p->err, on_handle_closed);
}

static uint64_t backoff_ms(const struct fleet_worker *w)
{
    if (w->failures <= 1)
        return 0;
    unsigned shift = w->failures - 2 < 6 ? w->failures - 2 : 6;
    uint64_t ms = UINT64_C(100) << shift;
    return ms < BACKOFF_MAX_MS ? ms : BACKOFF_MAX_MS;
}

/* The process is gone: what next? */
static void after_exit(struct fleet_worker *w)
{
    w->proc = NULL;
    w->pid = 0;
    if (w->fleet->closing) {
        w->state = WORKER_GONE;
        uv_timer_stop(&w->timer);
        fleet_on_worker_gone(w);
        return;
    }
    w->state = WORKER_WAITING;
    if (!w->fleet->failed)
        arm(w, backoff_ms(w));
}

static void on_process_exit(uv_process_t *process, int64_t status, int signal)
{
    struct worker_proc *p = process->data;
    struct fleet_worker *w = p->worker;
    p->exited = true;
    drain_stderr(p);
    uv_close((uv_handle_t *)process, on_handle_closed);
    frame_pipe_close(&p->pipe, on_pipe_closed);
    close_err(p);
    char why[64];
    if (signal)
        snprintf(why, sizeof why, "signal %d", signal);
    else
        snprintf(why, sizeof why, "exit status %lld", (long long)status);
    fleet_worker_lost(w, why);
    p->worker = NULL;
    if (!w->ran && !w->fleet->started && !w->fleet->closing)
        fleet_on_start_failed(w, w->last_words[0] ? w->last_words : w->why_lost);
    after_exit(w);
}

void fleet_worker_lost(struct fleet_worker *w, const char *why)
{
    if (w->state != WORKER_STARTING && w->state != WORKER_RUNNING)
        return;
    bool was_running = w->state == WORKER_RUNNING;
    struct fleet *f = w->fleet;
    w->state = WORKER_DYING;
    snprintf(w->why_lost, sizeof w->why_lost, "%s", why);
    if (!f->closing) {
        /* Before all run, on_started tells; it is no loss. */
        log_write(f->started ? LOG_ERROR : LOG_DEBUG, "fleet.worker_lost",
                  "worker=%u pid=%d why=\"%s\"", w->index, w->pid, why);
        bool young = uv_now(f->config.loop) - w->started_ms < BACKOFF_RESET_MS;
        w->failures = young ? w->failures + 1 : 1;
        w->restarts++;
    }
    if (w->proc && !w->proc->exited) {
        uv_process_kill(&w->proc->process, f->closing ? SIGTERM : SIGKILL);
        arm(w, f->config.limits.term_ms);
    }
    w->load = 0;
    w->routers = 0;
    fleet_metrics_update(w);
    fleet_channel_fail_calls(w);
    if (was_running && !f->closing) {
        list_each (node, &f->observers) {
            struct fleet_observer *o = container_of(node, struct fleet_observer, node);
            if (o->on_lost)
                o->on_lost(o->ctx, w);
        }
    }
}

void fleet_worker_stop(struct fleet_worker *w)
{
    if (w->state == WORKER_WAITING) {
        uv_timer_stop(&w->timer);
        w->state = WORKER_GONE;
        fleet_on_worker_gone(w);
    } else {
        fleet_worker_lost(w, "closing");
    }
}

/* ---- time ---- */

static void on_pong(void *ctx, enum err e, const char *reason, const void *data)
{
    struct fleet_worker *w = ctx;
    (void)reason;
    (void)data;
    if (e == OK)
        w->ping_sent_ms = 0;
}

void fleet_worker_watch(struct fleet_worker *w)
{
    w->last_chance = false;
    arm(w, w->fleet->config.limits.beat_ms);
}

/* A pipe that takes no ping is as bad as no answer. */
static void ping(struct fleet_worker *w, uint64_t now)
{
    bool sent = fleet_request(w, METHOD_WORKER_PING, NULL, NULL, on_pong, w) == OK;
    if (sent || w->ping_sent_ms == 0)
        w->ping_sent_ms = now;
    w->ping_refused = !sent;
}

static void beat(struct fleet_worker *w)
{
    const struct fleet_limits *limits = &w->fleet->config.limits;
    uint64_t now = uv_now(w->fleet->config.loop);
    if (w->ping_sent_ms != 0 && now - w->ping_sent_ms > limits->heartbeat_ms) {
        if (w->last_chance) {
            fleet_worker_lost(w, "missed its heartbeat");
            return;
        }
        w->last_chance = true;
        arm(w, LAST_CHANCE_MS);
        return;
    }
    w->last_chance = false;
    if (w->ping_sent_ms == 0 || w->ping_refused)
        ping(w, now);
    fleet_channel_expire(w, now);
    if (w->state != WORKER_RUNNING)
        return; /* who was told has closed the fleet */
    fleet_metrics_update(w);
    if (++w->beats % METRICS_BEATS == 0)
        fleet_metrics_ask(w);
    arm(w, limits->beat_ms);
}

static void start_or_retry(struct fleet_worker *w)
{
    if (fleet_worker_start(w) == OK)
        return;
    w->failures++;
    if (w->last_words[0] == '\0')
        snprintf(w->last_words, sizeof w->last_words, "out of memory");
    if (!w->fleet->started)
        fleet_on_start_failed(w, w->last_words);
    if (w->state == WORKER_WAITING && !w->fleet->failed)
        arm(w, backoff_ms(w));
}

static void on_timer(uv_timer_t *t)
{
    struct fleet_worker *w = t->data;
    switch (w->state) {
    case WORKER_STARTING:
        /* The heartbeat takes over once it runs. */
        fleet_worker_lost(w, "did not start in time");
        break;
    case WORKER_RUNNING:
        beat(w);
        break;
    case WORKER_DYING:
        if (w->proc && !w->proc->exited)
            uv_process_kill(&w->proc->process, SIGKILL);
        break;
    case WORKER_WAITING:
        if (!w->fleet->failed)
            start_or_retry(w);
        break;
    case WORKER_GONE:
        break;
    }
}

/* ---- start ---- */

struct command {
    const char *args[ARGS_MAX];
    size_t n;
    char listens[FLEET_LISTENS_MAX][160];
    char port[8];
    char name[32];
};

static void build_command(struct command *c, const struct fleet_worker *w)
{
    const struct fleet_config *cfg = &w->fleet->config;
    c->n = 0;
    c->args[c->n++] = cfg->worker_path;
    snprintf(c->name, sizeof c->name, "worker-%u", w->index);
    snprintf(c->port, sizeof c->port, "%u", cfg->port_base + w->index);
    c->args[c->n++] = "--name";
    c->args[c->n++] = c->name;
    c->args[c->n++] = "--log-level";
    c->args[c->n++] = cfg->log_level;
    c->args[c->n++] = "--port";
    c->args[c->n++] = c->port;
    for (size_t i = 0; i < cfg->n_listens; i++) {
        const struct fleet_listen *l = &cfg->listens[i];
        snprintf(c->listens[i], sizeof c->listens[i], "%s%s%s", l->ip, l->announced ? "=" : "",
                 l->announced ? l->announced : "");
        c->args[c->n++] = "--listen";
        c->args[c->n++] = c->listens[i];
    }
    c->args[c->n] = NULL;
}

static struct worker_proc *proc_new(struct fleet_worker *w)
{
    struct worker_proc *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    uv_loop_t *loop = w->fleet->config.loop;
    p->worker = w;
    frame_pipe_init(&p->pipe, loop, PIPE_QUEUE_MAX, fleet_channel_frame, fleet_channel_broken, p);
    uv_pipe_init(loop, &p->err, 0);
    p->err.data = p->process.data = p;
    p->open_handles = 3;
    return p;
}

enum err fleet_worker_start(struct fleet_worker *w)
{
    struct worker_proc *p = proc_new(w);
    w->last_words[0] = '\0';
    if (!p)
        return ERR_NOMEM;
    struct command command;
    build_command(&command, w);
    uv_stdio_container_t stdio[5] = {
        {.flags = UV_IGNORE},
        {.flags = UV_IGNORE},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&p->err},
        {.flags = UV_CREATE_PIPE | UV_READABLE_PIPE, .data.stream = (uv_stream_t *)&p->pipe.out},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&p->pipe.in}};
    /* libuv's argv is not const, but is only read. */
    uv_process_options_t options = {.file = command.args[0],
                                    .args = (char **)(uintptr_t)command.args,
                                    .exit_cb = on_process_exit,
                                    /* A group of its own: a signal to the controller's group (a
                                     * terminal, a supervisor) must not take its streams away. */
                                    .flags = UV_PROCESS_DETACHED,
                                    .stdio = stdio,
                                    .stdio_count = 5};
    int e = uv_spawn(w->fleet->config.loop, &p->process, &options);
    p->process.data = p;
    if (e != 0) {
        snprintf(w->last_words, sizeof w->last_words, "cannot run %s: %s",
                 w->fleet->config.worker_path, uv_strerror(e));
        log_write(w->fleet->started ? LOG_ERROR : LOG_DEBUG, "fleet.spawn_failed",
                  "worker=%u why=\"%s\"", w->index, w->last_words);
        p->worker = NULL;
        uv_close((uv_handle_t *)&p->process, on_handle_closed);
        frame_pipe_close(&p->pipe, on_pipe_closed);
        close_err(p);
        return ERR_IO;
    }
    w->proc = p;
    w->pid = p->process.pid;
    w->state = WORKER_STARTING;
    w->generation++;
    w->started_ms = uv_now(w->fleet->config.loop);
    w->ping_sent_ms = 0;
    w->ping_refused = false;
    w->ran = false;
    uv_read_start((uv_stream_t *)&p->err, on_stderr_alloc, on_stderr);
    frame_pipe_start(&p->pipe);
    arm(w, w->fleet->config.limits.start_ms);
    return OK;
}
