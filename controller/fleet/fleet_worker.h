/* One worker process and the pipe to it. Private to fleet. */
#ifndef WEIR_CONTROLLER_FLEET_FLEET_WORKER_H
#define WEIR_CONTROLLER_FLEET_FLEET_WORKER_H

#include <uthash.h>
#include <uv.h>

#include "common/frame_pipe.h"
#include "controller/fleet/fleet.h"

enum {
    /* The worker answers pings between packets; silent for this long, it hangs. */
    BEAT_MS = 500,
    HEARTBEAT_LIMIT_MS = 1500,
    /* When it was this process that stood still (a suspended machine), the answers are in the pipe:
     * before a worker is given up, the loop gets this long to read them. */
    LAST_CHANCE_MS = 100,
    /* Its counters are asked for with every tenth. */
    METRICS_BEATS = 10,
    REQUEST_LIMIT_MS = 10 * 1000,
    /* A worker says worker.running within this. */
    START_LIMIT_MS = 10 * 1000,
    /* The first restart comes at once: a room of people waits for it. */
    BACKOFF_MAX_MS = 5 * 1000,
    /* Alive for this long, the next crash counts as the first again. */
    BACKOFF_RESET_MS = 10 * 1000,
    TERM_LIMIT_MS = 2 * 1000,
    /* What may wait for a worker to read: far more than a busy second of signaling. */
    PIPE_QUEUE_MAX = 16 * 1024 * 1024,
    LISTENER_BUCKETS = 4096, /* power of two */
    STDERR_LINE_MAX = 2048
};

enum worker_state {
    WORKER_STARTING, /* spawned, has not said worker.running */
    WORKER_RUNNING,
    WORKER_DYING,   /* its pipes or its heart failed: waiting for the exit */
    WORKER_WAITING, /* gone; the next start is timed */
    WORKER_GONE     /* gone, and the fleet closes */
};

struct pipe_call {
    uint32_t id;
    enum pipe_method method;
    uint64_t sent_ms;
    fleet_reply_fn *reply;
    void *ctx; /* borrowed; NULL with reply NULL after fleet_forget */
    UT_hash_handle hh;
};

struct fleet_worker {
    struct fleet *fleet; /* parent, outlives us */
    unsigned index;
    enum worker_state state;
    unsigned generation; /* counts processes: what belongs to an older one is ignored */
    unsigned restarts;
    unsigned failures; /* in a row */
    bool ran;          /* this process said worker.running */
    int load;
    int routers;
    int pid;
    uint64_t started_ms;

    struct worker_proc *proc; /* owned until its handles are closed; NULL when none */
    struct pipe_call *calls;  /* owned; by id, in the order in which they were made */
    uint32_t next_id;
    struct list listeners[LISTENER_BUCKETS];

    uv_timer_t timer; /* heartbeat, start limit, backoff: one at a time, by state */
    unsigned beats;
    uint64_t ping_sent_ms; /* 0: none under way */
    bool ping_refused;     /* the pipe is full: since ping_sent_ms */
    bool last_chance;      /* its heartbeat is overdue */
    char why_lost[128];
    char last_words[256]; /* the newest error line that it wrote, for the operator */
};

/* What belongs to one process; outlives it until libuv has closed the handles. */
struct worker_proc {
    struct fleet_worker *worker; /* NULL once the worker has let go */
    uv_process_t process;
    struct frame_pipe pipe; /* to its fd 3, from its fd 4 */
    uv_pipe_t err;          /* its standard error */
    unsigned open_handles;  /* process, pipe (as one), err */
    bool exited;
    char line[STDERR_LINE_MAX]; /* an unfinished line of standard error */
    size_t line_len;
    char err_buf[4096];
};

struct fleet {
    struct fleet_config config;   /* strings owned */
    struct fleet_worker *workers; /* owned */
    struct list observers;
    bool started; /* on_started was called */
    bool failed;  /* with an error: nothing is started any more, it waits to be closed */
    bool closing;
    unsigned open; /* workers whose process or timer is not gone yet */
    void (*closed)(void *ctx);
    void *closed_ctx;
    struct fleet_metrics *metrics; /* owned, NULL: none */
};

/* fleet_process.c */
/* It said worker.running: from now on its heart is watched. */
void fleet_worker_watch(struct fleet_worker *w);
/* Starts it in the loop's next turn. */
void fleet_worker_schedule(struct fleet_worker *w);
enum err fleet_worker_start(struct fleet_worker *w);
/* Kills the process; what had been asked of it is answered with ERR_CLOSED, observers are told. */
void fleet_worker_lost(struct fleet_worker *w, const char *why);
void fleet_worker_stop(struct fleet_worker *w);

/* fleet_channel.c */
/* Of frame_pipe; ctx is the struct worker_proc. */
void fleet_channel_frame(void *ctx, struct slice frame);
void fleet_channel_broken(void *ctx, const char *why);
void fleet_channel_fail_calls(struct fleet_worker *w);
/* Answers calls that took too long. */
void fleet_channel_expire(struct fleet_worker *w, uint64_t now_ms);

/* fleet.c */
void fleet_on_running(struct fleet_worker *w);
void fleet_on_worker_gone(struct fleet_worker *w);
void fleet_on_start_failed(struct fleet_worker *w, const char *why);

#endif
