#include "controller/live/ffmpeg.h"

#include <assert.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "common/list.h"
#include "common/log.h"
#include "controller/live/udp_bound.h"

enum { POLL_MS = 10, READ_BYTES = 64 * 1024 };

/* Bytes in, lines out; what is longer than a line may be is cut. */
struct lines {
    uv_pipe_t pipe;
    char text[FFMPEG_LINE_MAX];
    size_t n;
    void (*take)(struct ffmpeg *f, const char *line);
};

struct output {
    uv_pipe_t pipe;
    size_t index;
};

struct ffmpeg {
    uv_process_t process;
    uv_pipe_t in;
    struct lines out;
    struct lines err;
    struct output outputs[FFMPEG_OUTPUTS_MAX];
    uv_timer_t timer; /* looks for the ports, then ends a process that does not end */
    uv_write_t write;
    struct ffmpeg_config config; /* path, args, input are not valid any more */
    char *input;                 /* owned */
    char name[96];
    char last_words[FFMPEG_WORDS_MAX];
    char read_buf[READ_BYTES];
    unsigned open_handles;
    bool exited;
    bool stopping;
};

int ffmpeg_pid(const struct ffmpeg *f)
{
    return f->process.pid;
}

/* "123 (ffmpeg) T ...": T is stopped, t is traced. The name may hold anything. */
bool ffmpeg_held(const struct ffmpeg *f)
{
    char path[64];
    char line[256];
    snprintf(path, sizeof path, "/proc/%d/stat", f->process.pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    const char *name_end = fgets(line, sizeof line, file) ? strrchr(line, ')') : NULL;
    fclose(file);
    return name_end && (strncmp(name_end, ") T", 3) == 0 || strncmp(name_end, ") t", 3) == 0);
}

/* ---- its words ---- */

static void take_out(struct ffmpeg *f, const char *line)
{
    if (f->config.on_line)
        f->config.on_line(f->config.ctx, line);
}

/* So that it can stand in quotes in a log line. */
static void take_err(struct ffmpeg *f, const char *line)
{
    size_t n = 0;
    if (line[0] == '\0')
        return;
    for (; line[n] && n < sizeof f->last_words - 1; n++) {
        bool plain = line[n] >= ' ' && line[n] <= '~' && line[n] != '"' && line[n] != '\\';
        f->last_words[n] = plain ? line[n] : '\'';
    }
    f->last_words[n] = '\0';
    log_debug("ffmpeg.says", "name=%s line=\"%s\"", f->name, f->last_words);
}

static void take_bytes(struct ffmpeg *f, struct lines *l, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] == '\n' || bytes[i] == '\r') {
            l->text[l->n] = '\0';
            l->n = 0;
            l->take(f, l->text);
        } else if (l->n < sizeof l->text - 1) {
            l->text[l->n++] = bytes[i];
        }
    }
}

static void on_read_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
    struct ffmpeg *f = h->data;
    (void)suggested;
    *buf = uv_buf_init(f->read_buf, sizeof f->read_buf);
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
    struct ffmpeg *f = s->data;
    struct lines *l = s == (uv_stream_t *)&f->out.pipe ? &f->out : &f->err;
    if (n < 0)
        uv_read_stop(s);
    else
        take_bytes(f, l, buf->base, (size_t)n);
}

static void on_output(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
    struct ffmpeg *f = s->data;
    const struct output *o = container_of(s, struct output, pipe);
    if (n < 0)
        uv_read_stop(s);
    else if (n > 0)
        f->config.on_output(f->config.ctx, o->index, buf->base, (size_t)n);
}

static void drain_output(struct ffmpeg *f, struct output *o)
{
    uv_os_fd_t fd;
    ssize_t n;
    if (uv_fileno((uv_handle_t *)&o->pipe, &fd) != 0)
        return;
    while ((n = read(fd, f->read_buf, sizeof f->read_buf)) > 0)
        f->config.on_output(f->config.ctx, o->index, f->read_buf, (size_t)n);
}

/* After the exit: what it said last may still be in the pipe. */
static void drain(struct ffmpeg *f, struct lines *l)
{
    uv_os_fd_t fd;
    ssize_t n;
    if (uv_fileno((uv_handle_t *)&l->pipe, &fd) != 0)
        return;
    while ((n = read(fd, f->read_buf, sizeof f->read_buf)) > 0)
        take_bytes(f, l, f->read_buf, (size_t)n);
    if (l->n > 0)
        take_bytes(f, l, "\n", 1);
}

/* ---- its end ---- */

static void on_handle_closed(uv_handle_t *h)
{
    struct ffmpeg *f = h->data;
    if (--f->open_handles > 0)
        return;
    free(f->input);
    free(f);
}

static void close_handle(uv_handle_t *h)
{
    if (!uv_is_closing(h))
        uv_close(h, on_handle_closed);
}

static void close_all(struct ffmpeg *f)
{
    close_handle((uv_handle_t *)&f->process);
    close_handle((uv_handle_t *)&f->in);
    close_handle((uv_handle_t *)&f->out.pipe);
    close_handle((uv_handle_t *)&f->err.pipe);
    for (size_t i = 0; i < f->config.n_outputs; i++)
        close_handle((uv_handle_t *)&f->outputs[i].pipe);
    close_handle((uv_handle_t *)&f->timer);
}

static void on_process_exit(uv_process_t *process, int64_t status, int sig)
{
    struct ffmpeg *f = process->data;
    f->exited = true;
    uv_timer_stop(&f->timer);
    drain(f, &f->out);
    drain(f, &f->err);
    for (size_t i = 0; i < f->config.n_outputs; i++)
        drain_output(f, &f->outputs[i]);
    char words[FFMPEG_WORDS_MAX];
    memcpy(words, f->last_words, sizeof words);
    struct ffmpeg_exit how = {.status = (int)status, .signal = sig, .last_words = words};
    void (*on_exit)(void *, const struct ffmpeg_exit *) = f->config.on_exit;
    void *ctx = f->config.ctx;
    log_debug("ffmpeg.exited", "name=%s pid=%d status=%d signal=%d", f->name, process->pid,
              how.status, sig);
    close_all(f);
    on_exit(ctx, &how);
}

/* It leads a group of its own (UV_PROCESS_DETACHED), so a terminal's Ctrl-C does not reach it. */
static void send_signal(struct ffmpeg *f, int sig)
{
    if (!f->exited)
        kill(-f->process.pid, sig);
}

static void on_grace_over(uv_timer_t *t)
{
    struct ffmpeg *f = t->data;
    send_signal(f, SIGKILL);
}

void ffmpeg_stop(struct ffmpeg *f, unsigned grace_ms)
{
    if (f->exited)
        return;
    if (grace_ms == 0) {
        uv_timer_stop(&f->timer);
        send_signal(f, SIGKILL);
    } else if (!f->stopping) {
        send_signal(f, SIGTERM);
        uv_timer_start(&f->timer, on_grace_over, grace_ms, 0);
    }
    f->stopping = true;
}

/* ---- its start ---- */

static void on_poll(uv_timer_t *t)
{
    struct ffmpeg *f = t->data;
    if (!udp_all_bound(f->config.ports, f->config.n_ports))
        return;
    uv_timer_stop(t);
    f->config.on_listening(f->config.ctx);
}

static void on_written(uv_write_t *w, int status)
{
    struct ffmpeg *f = w->handle->data;
    /* A process that died without reading tells so by its exit. */
    (void)status;
    close_handle((uv_handle_t *)&f->in);
}

static void feed(struct ffmpeg *f)
{
    uv_buf_t buf = uv_buf_init(f->input, (unsigned)strlen(f->input));
    if (uv_write(&f->write, (uv_stream_t *)&f->in, &buf, 1, on_written) != 0)
        close_handle((uv_handle_t *)&f->in);
}

static void init_pipe(uv_loop_t *loop, struct ffmpeg *f, uv_pipe_t *pipe)
{
    uv_pipe_init(loop, pipe, 0);
    pipe->data = f;
    f->open_handles++;
}

static struct ffmpeg *ffmpeg_new(uv_loop_t *loop, const struct ffmpeg_config *config)
{
    struct ffmpeg *f = calloc(1, sizeof *f);
    char *input = config->input ? strdup(config->input) : NULL;
    if (!f || (config->input && !input)) {
        free(f);
        free(input);
        return NULL;
    }
    f->config = *config;
    f->input = input;
    snprintf(f->name, sizeof f->name, "%s", config->name);
    f->out.take = take_out;
    f->err.take = take_err;
    init_pipe(loop, f, &f->in);
    init_pipe(loop, f, &f->out.pipe);
    init_pipe(loop, f, &f->err.pipe);
    for (size_t i = 0; i < config->n_outputs; i++) {
        f->outputs[i].index = i;
        init_pipe(loop, f, &f->outputs[i].pipe);
    }
    uv_timer_init(loop, &f->timer);
    f->timer.data = f->process.data = f;
    f->open_handles += 2;
    return f;
}

/* "setpriv --pdeathsig KILL ffmpeg ...": the kernel ends it with us, also when we are killed. */
static const char setpriv[] = "/usr/bin/setpriv";

static bool runs(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

/* Whether the program can be run at all, which setpriv would tell too late. */
static bool program_is_there(const char *name)
{
    char path[4096];
    const char *dirs = getenv("PATH");
    if (strchr(name, '/'))
        return runs(name);
    for (const char *at = dirs ? dirs : "/usr/bin:/bin"; at;) {
        size_t n = strcspn(at, ":");
        int k = snprintf(path, sizeof path, "%.*s/%s", (int)n, at, name);
        if (k > 0 && (size_t)k < sizeof path && runs(path))
            return true;
        at = at[n] ? at + n + 1 : NULL;
    }
    return false;
}

/* Owned by the caller; the strings are not. NULL: out of memory. A program that is not there is
 * left to uv_spawn to tell. */
static char **tied_args(const struct ffmpeg_config *config)
{
    size_t n = 0;
    while (config->args[n])
        n++;
    const char **args = calloc(n + 5, sizeof *args);
    if (!args)
        return NULL;
    size_t k = 0;
    if (runs(setpriv) && program_is_there(config->path)) {
        args[k++] = setpriv;
        args[k++] = "--pdeathsig";
        args[k++] = "KILL";
        args[k++] = config->path;
    } else {
        args[k++] = config->args[0];
    }
    memcpy(args + k, config->args + 1, (n - 1) * sizeof *args);
    /* libuv's argv is not const, but is only read. */
    return (char **)(uintptr_t)args;
}

static int spawn(uv_loop_t *loop, struct ffmpeg *f, const struct ffmpeg_config *config,
                 uv_stdio_container_t *stdio)
{
    char **args = tied_args(config);
    if (!args)
        args = (char **)(uintptr_t)config->args;
    uv_process_options_t options = {.file = strcmp(args[0], setpriv) == 0 ? setpriv : config->path,
                                    .args = args,
                                    .exit_cb = on_process_exit,
                                    .flags = UV_PROCESS_DETACHED,
                                    .stdio = stdio,
                                    .stdio_count = FFMPEG_OUTPUT_FD + (int)config->n_outputs};
    int e = uv_spawn(loop, &f->process, &options);
    if (args != (char **)(uintptr_t)config->args)
        free(args);
    return e;
}

enum err ffmpeg_start(struct uv_loop_s *loop, const struct ffmpeg_config *config,
                      struct ffmpeg **out, char *why)
{
    assert(config->n_ports <= FFMPEG_PORTS_MAX && config->n_outputs <= FFMPEG_OUTPUTS_MAX);
    struct ffmpeg *f = ffmpeg_new(loop, config);
    if (!f) {
        snprintf(why, FFMPEG_WORDS_MAX, "out of memory");
        return ERR_NOMEM;
    }
    uv_stdio_container_t stdio[FFMPEG_OUTPUT_FD + FFMPEG_OUTPUTS_MAX] = {
        {.flags = UV_IGNORE},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&f->out.pipe},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&f->err.pipe}};
    if (f->input)
        stdio[0] = (uv_stdio_container_t){.flags = UV_CREATE_PIPE | UV_READABLE_PIPE,
                                          .data.stream = (uv_stream_t *)&f->in};
    for (size_t i = 0; i < config->n_outputs; i++)
        stdio[FFMPEG_OUTPUT_FD + i] =
            (uv_stdio_container_t){.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE,
                                   .data.stream = (uv_stream_t *)&f->outputs[i].pipe};
    int e = spawn(loop, f, config, stdio);
    f->process.data = f;
    if (e != 0) {
        snprintf(why, FFMPEG_WORDS_MAX, "cannot run %s: %s", config->path, uv_strerror(e));
        close_all(f);
        return e == UV_ENOENT ? ERR_NOT_FOUND : ERR_IO;
    }
    log_debug("ffmpeg.started", "name=%s pid=%d", f->name, f->process.pid);
    uv_read_start((uv_stream_t *)&f->out.pipe, on_read_alloc, on_read);
    uv_read_start((uv_stream_t *)&f->err.pipe, on_read_alloc, on_read);
    for (size_t i = 0; i < config->n_outputs; i++)
        uv_read_start((uv_stream_t *)&f->outputs[i].pipe, on_read_alloc, on_output);
    if (f->input)
        feed(f);
    uv_timer_start(&f->timer, on_poll, f->config.n_ports > 0 ? POLL_MS : 0, POLL_MS);
    *out = f;
    return OK;
}
