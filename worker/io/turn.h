/* One turn of the worker's loop: datagrams in, timers, then everything that the turn made goes out
 * at once. Composes udp, tcp and the media worker on a libuv loop. */
#ifndef WEIR_WORKER_IO_TURN_H
#define WEIR_WORKER_IO_TURN_H

#include <uv.h>

#include "common/err.h"
#include "worker/io/tcp.h"
#include "worker/io/udp.h"
#include "worker/media/worker.h"

struct turn {
    uv_loop_t *loop; /* borrowed, outlives us */
    struct udp_io udp;
    struct tcp_io tcp;
    struct worker *worker; /* owned */
    uv_prepare_t before_poll;
    uv_check_t after_poll;
    uv_timer_t timer;
    usec armed_for; /* the deadline that timer is set to */
};

/* Prepares the sockets; the shared ports are opened by turn_listen, the worker by turn_start. */
MUST_CHECK enum err turn_init(struct turn *t, uv_loop_t *loop);
/* Binds UDP and TCP on ip (ip.port set) and adds them to config->listens. announced may be "". */
MUST_CHECK enum err turn_listen(struct turn *t, struct worker_config *config, const struct addr *ip,
                                const char *announced);
/* Opens the media worker with config, whose io is filled in here. */
MUST_CHECK enum err turn_start(struct turn *t, struct worker_config *config);
/* Closes the worker, then the sockets; handles close in later turns of the loop. */
void turn_fini(struct turn *t);

#endif
