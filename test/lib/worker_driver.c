#include "test/lib/worker_driver.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/rng.h"
#include "proto/pipe_message.h"

enum {
    REQUESTS_FD = 3,
    ANSWERS_FD = 4,
    HIGH_FD = 10,     /* above those that the child rearranges */
    PORT_LOW = 20000, /* below the ephemeral range, which other tests' sockets come from */
    PORT_COUNT = 12000,
    PORT_TRIES = 50,
    EXIT_LISTEN = 3, /* the worker's: its port was taken */
    ARENA_LIMIT = 64 << 20
};

static void die(const struct worker_driver *d, const char *what, const char *detail)
{
    fprintf(stderr, "worker driver: %s: %s\n", what, detail ? detail : "");
    if (d && d->log_fd >= 0)
        fprintf(stderr, "---- the worker's log:\n%s----\n", driver_log(d));
    abort();
}

/* ---- ports, paths ---- */

static bool can_bind(int type, uint16_t port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    bool ok = fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0;
    if (fd >= 0)
        close(fd);
    return ok;
}

uint16_t driver_free_port(void)
{
    struct rng rng;
    rng_init_system(&rng);
    for (int i = 0; i < PORT_TRIES; i++) {
        uint16_t port = (uint16_t)(PORT_LOW + rng_u32(&rng) % PORT_COUNT);
        if (can_bind(SOCK_DGRAM, port) && can_bind(SOCK_STREAM, port))
            return port;
    }
    die(NULL, "no free port", NULL);
    return 0;
}

usec driver_patience(void)
{
    return (getenv("WEIR_TEST_SLOW") ? 200 : 20) * USEC_PER_SEC;
}

/* build/<variant>/test/... -> build/<variant>/weir-worker */
static const char *find_binary(void)
{
    static char path[1024];
    const char *env = getenv("WEIR_WORKER");
    if (env)
        return env;
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 32);
    if (n <= 0)
        die(NULL, "readlink", strerror(errno));
    path[n] = '\0';
    for (char *slash; (slash = strrchr(path, '/')) != NULL; *slash = '\0') {
        strcpy(slash, "/weir-worker");
        if (access(path, X_OK) == 0)
            return path;
    }
    die(NULL, "weir-worker", "not found beside the test program: build it, or set WEIR_WORKER");
    return NULL;
}

/* ---- process ---- */

static void run_child(const struct driver_options *o, uint16_t port, int requests, int answers,
                      int log_fd)
{
    char port_text[8];
    const char *argv[16 + 2 * DRIVER_LISTENS + DRIVER_ARGUMENTS];
    int n = 0;
    /* Whatever becomes of the test, nothing is left running. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (dup2(requests, REQUESTS_FD) < 0 || dup2(answers, ANSWERS_FD) < 0 ||
        dup2(log_fd, STDERR_FILENO) < 0)
        _exit(127);
    snprintf(port_text, sizeof port_text, "%u", port);
    argv[n++] = o->binary ? o->binary : find_binary();
    argv[n++] = "--name";
    argv[n++] = "worker-test";
    argv[n++] = "--log-level";
    argv[n++] = o->log_level ? o->log_level : "info";
    if (!o->no_shared_port) {
        argv[n++] = "--port";
        argv[n++] = port_text;
    }
    for (int i = 0; !o->no_shared_port && i < DRIVER_LISTENS && (i == 0 || o->listens[i]); i++) {
        argv[n++] = "--listen";
        argv[n++] = o->listens[i] ? o->listens[i] : "127.0.0.1";
    }
    for (int i = 0; i < DRIVER_ARGUMENTS && o->args[i]; i++)
        argv[n++] = o->args[i];
    argv[n] = NULL;
    for (int i = 0; i < DRIVER_ENVIRONMENT && o->env[i]; i++)
        putenv((char *)(uintptr_t)o->env[i]);
    execv(argv[0], (char *const *)(uintptr_t)argv);
    _exit(127);
}

/* Descriptors above those that the child puts in place. */
static void make_pipe(int ends[2])
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) < 0)
        die(NULL, "pipe", strerror(errno));
    for (int i = 0; i < 2; i++) {
        ends[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, HIGH_FD);
        close(fds[i]);
    }
}

static void spawn(struct worker_driver *d, const struct driver_options *o, uint16_t port)
{
    int requests[2];
    int answers[2];
    *d = (struct worker_driver){.port = port, .next_id = 1};
    make_pipe(requests);
    make_pipe(answers);
    int log_fd = memfd_create("worker-log", MFD_CLOEXEC);
    d->log_fd = fcntl(log_fd, F_DUPFD_CLOEXEC, HIGH_FD);
    close(log_fd);
    fflush(NULL);
    d->pid = fork();
    if (d->pid < 0)
        die(d, "fork", strerror(errno));
    if (d->pid == 0)
        run_child(o, port, requests[0], answers[1], d->log_fd);
    close(requests[0]);
    close(answers[1]);
    d->to = requests[1];
    d->from = answers[0];
    fcntl(d->from, F_SETFL, O_NONBLOCK);
    frame_reader_init(&d->reader);
    arena_init(&d->arena, ARENA_LIMIT);
    d->events = json_array();
    d->responses = json_array();
    signal(SIGPIPE, SIG_IGN);
}

static void release(struct worker_driver *d)
{
    driver_close_requests(d);
    driver_close_answers(d);
    if (d->log_fd >= 0)
        close(d->log_fd);
    d->log_fd = -1;
    frame_reader_fini(&d->reader);
    arena_fini(&d->arena);
    json_decref(d->events);
    json_decref(d->responses);
    d->events = d->responses = NULL;
}

static void wait_running(struct worker_driver *d)
{
    usec end = clock_now() + DRIVER_PATIENCE;
    while (driver_events(d, "", "worker.running") == 0) {
        if (!driver_poll(d, USEC_PER_SEC))
            return;
        if (clock_now() > end)
            die(d, "worker.running", "did not come");
    }
    d->started = true;
}

bool driver_start(struct worker_driver *d, const struct driver_options *options)
{
    static const struct driver_options none;
    const struct driver_options *o = options ? options : &none;
    for (int i = 0; i < PORT_TRIES; i++) {
        spawn(d, o, o->port ? o->port : driver_free_port());
        wait_running(d);
        if (d->started)
            return true;
        if (o->may_fail)
            return false;
        /* Another test may have been faster on that port. */
        if (o->port || driver_wait_exit(d, DRIVER_PATIENCE) != EXIT_LISTEN)
            die(d, "the worker", "did not start");
        release(d);
    }
    die(NULL, "the worker", "found no free port");
    return false;
}

void driver_signal(const struct worker_driver *d, int signal)
{
    if (d->pid > 0)
        kill(d->pid, signal);
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void driver_close_requests(struct worker_driver *d)
{
    close_fd(&d->to);
}

void driver_close_answers(struct worker_driver *d)
{
    close_fd(&d->from);
}

static int exit_code(int status)
{
    return WIFSIGNALED(status) ? 256 + WTERMSIG(status) : WEXITSTATUS(status);
}

int driver_wait_exit(struct worker_driver *d, usec patience)
{
    usec end = clock_now() + patience;
    while (d->pid > 0) {
        pid_t got = waitpid(d->pid, &d->status, WNOHANG);
        if (got == d->pid) {
            d->pid = 0;
            break;
        }
        if (clock_now() > end)
            return -1;
        struct timespec pause = {.tv_nsec = 1000 * 1000};
        nanosleep(&pause, NULL);
    }
    return exit_code(d->status);
}

const char *driver_stop_expecting(struct worker_driver *d, int exit)
{
    static const char *const complaints[] = {"Sanitizer", "runtime error:", "Assertion"};
    static char wrong[4096];
    wrong[0] = '\0';
    int code = driver_wait_exit(d, DRIVER_PATIENCE);
    if (code != exit)
        snprintf(wrong, sizeof wrong, "exit code %d instead of %d; log:\n%.3500s", code, exit,
                 driver_log(d));
    for (size_t i = 0; i < sizeof complaints / sizeof complaints[0]; i++) {
        const char *at = strstr(driver_log(d), complaints[i]);
        if (at)
            snprintf(wrong, sizeof wrong, "the worker complained: %.3900s", at);
    }
    driver_discard(d);
    return wrong[0] ? wrong : NULL;
}

const char *driver_stop(struct worker_driver *d)
{
    driver_close_requests(d);
    return driver_stop_expecting(d, 0);
}

void driver_discard(struct worker_driver *d)
{
    if (!d->events)
        return;
    driver_signal(d, SIGKILL);
    (void)driver_wait_exit(d, DRIVER_PATIENCE);
    release(d);
}

const char *driver_log(const struct worker_driver *d)
{
    static char text[1 << 20];
    ssize_t n = pread(d->log_fd, text, sizeof text - 1, 0);
    text[n > 0 ? n : 0] = '\0';
    return text;
}

size_t driver_log_lines(const struct worker_driver *d, const char *text)
{
    size_t n = 0;
    for (const char *line = driver_log(d); *line != '\0';) {
        size_t len = strcspn(line, "\n");
        n += memmem(line, len, text, strlen(text)) != NULL;
        line += len + (line[len] == '\n');
    }
    return n;
}

/* ---- bytes ---- */

bool driver_write(struct worker_driver *d, const void *bytes, size_t n)
{
    const uint8_t *p = bytes;
    while (n > 0) {
        ssize_t wrote = write(d->to, p, n);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return false;
        p += wrote;
        n -= (size_t)wrote;
    }
    return true;
}

static bool write_frame(struct worker_driver *d, const char *text)
{
    size_t n = strlen(text);
    uint8_t head[FRAME_HEAD] = {(uint8_t)n, (uint8_t)(n >> 8), (uint8_t)(n >> 16),
                                (uint8_t)(n >> 24)};
    return driver_write(d, head, sizeof head) && driver_write(d, text, n);
}

static char *format(const char *text, va_list args)
{
    char *out = NULL;
    if (vasprintf(&out, text, args) < 0)
        die(NULL, "memory", "none");
    for (char *p = out; *p; p++) {
        if (*p == '\'')
            *p = '"';
    }
    return out;
}

bool driver_write_frame(struct worker_driver *d, const char *text, ...)
{
    va_list args;
    va_start(args, text);
    char *frame = format(text, args);
    va_end(args);
    bool ok = write_frame(d, frame);
    free(frame);
    return ok;
}

static void arena_reset(struct arena *a)
{
    arena_fini(a);
    arena_init(a, ARENA_LIMIT);
}

/* What the worker tells must fit the tables, as the controller decodes it by them. */
static void check_event(struct worker_driver *d, json_t *m)
{
    const char *name = json_string_value(json_object_get(m, "event"));
    int event = pipe_event_find(name);
    if (event < 0)
        die(d, "unknown event", name);
    const struct shape *shape = pipe_events[event].payload;
    json_t *data = json_object_get(m, "data");
    if (!shape != !data)
        die(d, "an event with the wrong kind of data", name);
    struct field_error e;
    arena_reset(&d->arena);
    void *out = shape ? arena_alloc(&d->arena, shape->size) : NULL;
    if (shape && shape_decode(shape, data, out, &d->arena, &e) != OK)
        die(d, name, e.reason);
}

static void take_frame(struct worker_driver *d, struct slice frame)
{
    json_error_t e;
    json_t *m = json_loadb((const char *)frame.p, frame.n, 0, &e);
    if (!m)
        die(d, "the worker sent bad JSON", e.text);
    if (json_object_get(m, "event")) {
        check_event(d, m);
        json_array_append_new(d->events, m);
    } else {
        json_array_append_new(d->responses, m);
    }
}

bool driver_poll(struct worker_driver *d, usec wait)
{
    static uint8_t chunk[65536];
    struct pollfd p = {.fd = d->from, .events = POLLIN};
    if (d->ended || d->from < 0)
        return false;
    if (poll(&p, 1, (int)((wait + 999) / 1000)) <= 0)
        return true;
    for (;;) {
        ssize_t n = read(d->from, chunk, sizeof chunk);
        if (n < 0)
            return true;
        if (n == 0) {
            d->ended = true;
            return false;
        }
        if (frame_reader_feed(&d->reader, chunk, (size_t)n) != OK)
            die(d, "the worker's frames", "cannot be read");
        struct slice frame;
        while (frame_reader_next(&d->reader, &frame))
            take_frame(d, frame);
        if (frame_reader_error(&d->reader) != OK)
            die(d, "the worker's frames", err_text(frame_reader_error(&d->reader)));
    }
}

json_t *driver_next_response(struct worker_driver *d, usec patience)
{
    usec end = clock_now() + patience;
    while (json_array_size(d->responses) == 0) {
        usec left = end - clock_now();
        if (left <= 0 || !driver_poll(d, left))
            break;
    }
    if (json_array_size(d->responses) == 0)
        return NULL;
    json_t *m = json_incref(json_array_get(d->responses, 0));
    json_array_remove(d->responses, 0);
    return m;
}

/* ---- requests ---- */

static json_t *take_response(struct worker_driver *d, uint32_t id, const char *method)
{
    json_t *m = driver_next_response(d, DRIVER_PATIENCE);
    if (!m)
        die(d, "no response to", method);
    if (json_integer_value(json_object_get(m, "id")) != id)
        die(d, "a response with another id than of", method);
    const char *error = json_string_value(json_object_get(m, "error"));
    const char *reason = json_string_value(json_object_get(m, "reason"));
    d->error[0] = '\0';
    if (error)
        snprintf(d->error, sizeof d->error, "%s %s", error, reason ? reason : "");
    else if (!json_is_true(json_object_get(m, "accepted")))
        die(d, "a response that is neither accepted nor an error, to", method);
    return m;
}

/* The response's data, decoded into out when that is not NULL. */
static void decode_response(struct worker_driver *d, int method, json_t *data, void *out)
{
    const struct shape *shape = pipe_methods[method].response;
    struct field_error e;
    if (!shape)
        return;
    arena_reset(&d->arena);
    void *into = out ? out : arena_alloc(&d->arena, shape->size);
    if (shape_decode(shape, data, into, &d->arena, &e) != OK)
        die(d, pipe_methods[method].name, e.reason);
}

bool driver_request(struct worker_driver *d, enum pipe_method method, const char *handler,
                    const void *in, void *out)
{
    static json_t *last; /* what out's strings point into */
    struct frame_queue q;
    uint32_t id = d->next_id++;
    frame_queue_init(&q, FRAME_MAX + FRAME_HEAD);
    if (pipe_push_request(&q, id, method, handler, in) != OK)
        die(d, "a request that cannot be encoded", pipe_methods[method].name);
    struct slice bytes = frame_queue_peek(&q);
    if (!driver_write(d, bytes.p, bytes.n))
        die(d, "the worker no longer reads", pipe_methods[method].name);
    frame_queue_fini(&q);
    json_decref(last);
    last = take_response(d, id, pipe_methods[method].name);
    if (d->error[0] != '\0')
        return false;
    decode_response(d, (int)method, json_object_get(last, "data"), out);
    return true;
}

static json_t *call(struct worker_driver *d, const char *method, const char *handler,
                    const char *data, va_list args)
{
    uint32_t id = d->next_id++;
    char *body = data ? format(data, args) : NULL;
    char *frame = NULL;
    if (asprintf(&frame, "{\"id\":%u,\"method\":\"%s\",\"handlerId\":\"%s\"%s%s}", id, method,
                 handler, body ? ",\"data\":" : "", body ? body : "") < 0)
        die(d, "memory", "none");
    if (!write_frame(d, frame))
        die(d, "the worker no longer reads", frame);
    free(frame);
    free(body);
    json_t *m = take_response(d, id, method);
    json_t *out = json_object_get(m, "data");
    int row = pipe_method_find(method);
    if (d->error[0] == '\0' && row >= 0)
        decode_response(d, row, out, NULL);
    out = d->error[0] != '\0' ? NULL : out ? json_incref(out) : json_true();
    json_decref(m);
    return out;
}

json_t *driver_call(struct worker_driver *d, const char *method, const char *handler,
                    const char *data, ...)
{
    va_list args;
    va_start(args, data);
    json_t *out = call(d, method, handler, data, args);
    va_end(args);
    return out;
}

void driver_do(struct worker_driver *d, const char *method, const char *handler, const char *data,
               ...)
{
    va_list args;
    va_start(args, data);
    json_t *out = call(d, method, handler, data, args);
    va_end(args);
    if (!out)
        die(d, method, d->error);
    json_decref(out);
}

const char *driver_refused(struct worker_driver *d, const char *method, const char *handler,
                           const char *data, ...)
{
    va_list args;
    va_start(args, data);
    json_t *out = call(d, method, handler, data, args);
    va_end(args);
    json_decref(out);
    return out ? "accepted" : d->error;
}

/* ---- events ---- */

static bool matches(const json_t *m, const char *handler, const char *event)
{
    const char *of = json_string_value(json_object_get(m, "handlerId"));
    return strcmp(json_string_value(json_object_get(m, "event")), event) == 0 &&
           (!handler || strcmp(of ? of : "", handler) == 0);
}

size_t driver_events(const struct worker_driver *d, const char *handler, const char *event)
{
    size_t n = 0;
    for (size_t i = 0; i < json_array_size(d->events); i++)
        n += matches(json_array_get(d->events, i), handler, event);
    return n;
}

json_t *driver_last_event(const struct worker_driver *d, const char *handler, const char *event)
{
    for (size_t i = json_array_size(d->events); i > 0; i--) {
        const json_t *m = json_array_get(d->events, i - 1);
        if (matches(m, handler, event))
            return json_object_get(m, "data");
    }
    return NULL;
}

void driver_forget_events(struct worker_driver *d)
{
    json_array_clear(d->events);
}

/* ---- measuring ---- */

/* The first number after skip others in a file of /proc. */
static uint64_t proc_number(const struct worker_driver *d, const char *file, int skip)
{
    char path[64];
    unsigned long long v = 0;
    snprintf(path, sizeof path, "/proc/%d/%s", (int)d->pid, file);
    FILE *f = fopen(path, "re");
    if (!f)
        return 0;
    for (int i = 0; i <= skip; i++) {
        if (fscanf(f, "%llu", &v) != 1)
            v = 0;
    }
    fclose(f);
    return v;
}

uint64_t driver_cpu_ns(const struct worker_driver *d)
{
    /* schedstat(5): time on the CPU in ns, of the main thread, which is the only busy one. */
    return proc_number(d, "schedstat", 0);
}

size_t driver_memory(const struct worker_driver *d)
{
    return (size_t)proc_number(d, "statm", 1) * (size_t)sysconf(_SC_PAGESIZE);
}
