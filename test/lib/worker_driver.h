/* A real weir-worker process and its pipe protocol, driven synchronously: for integration tests and
 * benches. Does IO. What the test itself does wrong, or a worker that does not start or answer,
 * ends the test program with a message and the worker's log. */
#ifndef WEIR_TEST_WORKER_DRIVER_H
#define WEIR_TEST_WORKER_DRIVER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/arena.h"
#include "common/frame.h"
#include "common/time.h"
#include "proto/pipe.h"

/* How long the worker may take for anything; sanitizers on a busy machine are slow. Ten times that
 * where WEIR_TEST_SLOW is set, for valgrind. */
usec driver_patience(void);
#define DRIVER_PATIENCE (driver_patience())

enum { DRIVER_LISTENS = 4, DRIVER_ENVIRONMENT = 4, DRIVER_ARGUMENTS = 4 };

struct driver_options {
    const char *binary;                  /* NULL: WEIR_WORKER, or beside the test program */
    const char *listens[DRIVER_LISTENS]; /* first NULL: "127.0.0.1" */
    uint16_t port;                       /* 0: a free one */
    const char *log_level;               /* NULL: "info" */
    const char *env[DRIVER_ENVIRONMENT]; /* NAME=value, for the worker alone */
    const char *args[DRIVER_ARGUMENTS];  /* further arguments */
    bool no_shared_port;                 /* without --listen and --port */
    bool may_fail;                       /* a worker that ends at once is not the test's end */
};

struct worker_driver {
    pid_t pid;     /* 0: waited for */
    int status;    /* of waitpid, once pid is 0 */
    int to;        /* requests; -1: closed */
    int from;      /* answers; -1: closed */
    int log_fd;    /* the worker's standard error, in memory */
    uint16_t port; /* of the shared sockets */
    uint32_t next_id;
    struct frame_reader reader;
    struct arena arena;
    json_t *events;    /* owned array: notifications not yet forgotten, oldest first */
    json_t *responses; /* owned array: not yet taken */
    bool ended;        /* the worker closed its end */
    bool started;      /* worker.running came */
    char error[512];   /* of the last refused request: "TypeError a.b ..." */
};

/* A UDP and TCP port of 127.0.0.1 that is free now, outside the kernel's ephemeral range. */
uint16_t driver_free_port(void);

/* Starts the worker and waits for worker.running. False only with may_fail: it ended instead, and
 * driver_wait_exit tells how. */
bool driver_start(struct worker_driver *d, const struct driver_options *options);
/* Ends the worker by closing the pipe. Returns NULL when it ended with 0 and no sanitizer
 * complained, else what was wrong (valid until the next call). Frees all; d may be started again.
 */
const char *driver_stop(struct worker_driver *d);
/* As driver_stop after something else has ended it: exit is the status that it must have. */
const char *driver_stop_expecting(struct worker_driver *d, int exit);
/* Kills it if it runs and frees all; for tear-downs. */
void driver_discard(struct worker_driver *d);

void driver_signal(const struct worker_driver *d, int signal);
void driver_close_requests(struct worker_driver *d);
void driver_close_answers(struct worker_driver *d);
/* The exit code; 256 + n: died by signal n; -1: it still ran after the time. */
int driver_wait_exit(struct worker_driver *d, usec patience);
/* All that it wrote to standard error. Valid until the next call. */
const char *driver_log(const struct worker_driver *d);
/* Counts lines of the log that contain text. */
size_t driver_log_lines(const struct worker_driver *d, const char *text);

/* ---- requests ---- */

/* Struct to struct, by the tables of proto/pipe.h: in is the method's request (NULL: no data), out
 * its response (may be NULL). False: refused, d->error says why. What out points to is valid until
 * the next request. */
bool driver_request(struct worker_driver *d, enum pipe_method method, const char *handler,
                    const void *in, void *out);
/* JSON to JSON. data: text in which ' stands for ", after formatting; NULL: no data. Returns the
 * response's data, a new reference (true when it has none), or NULL when it was refused: d->error.
 * A response that does not fit the method's shape ends the test. */
json_t *driver_call(struct worker_driver *d, const char *method, const char *handler,
                    const char *data, ...) __attribute__((format(printf, 4, 5)));
/* For what must succeed and whose answer does not matter. */
void driver_do(struct worker_driver *d, const char *method, const char *handler, const char *data,
               ...) __attribute__((format(printf, 4, 5)));
/* For what must be refused: "<error> <reason>", d->error. "accepted" if it was not. */
const char *driver_refused(struct worker_driver *d, const char *method, const char *handler,
                           const char *data, ...) __attribute__((format(printf, 4, 5)));

/* ---- bytes ---- */

/* As they are, whole. False: the worker no longer reads. */
bool driver_write(struct worker_driver *d, const void *bytes, size_t n);
/* One frame around text in which ' stands for ". */
bool driver_write_frame(struct worker_driver *d, const char *text, ...)
    __attribute__((format(printf, 2, 3)));
/* The next response, whatever its id; NULL: none within the time. A new reference. */
json_t *driver_next_response(struct worker_driver *d, usec patience);

/* ---- events ---- */

/* Reads what is there, waiting at most so long for something. False: the worker closed the pipe. */
bool driver_poll(struct worker_driver *d, usec wait);
/* Notifications of this event for this handler (NULL: any) so far. */
size_t driver_events(const struct worker_driver *d, const char *handler, const char *event);
/* The data of the newest; NULL: none. Borrowed. */
json_t *driver_last_event(const struct worker_driver *d, const char *handler, const char *event);
void driver_forget_events(struct worker_driver *d);

/* ---- measuring ---- */

/* Nanoseconds of CPU that the worker has used. */
uint64_t driver_cpu_ns(const struct worker_driver *d);
/* Resident bytes. */
size_t driver_memory(const struct worker_driver *d);

#endif
