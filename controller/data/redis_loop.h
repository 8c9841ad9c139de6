/* hiredis' asynchronous contexts on libuv. Its own adapter leaves out what a refused connection
 * reports. Inside controller/data; does IO. */
#ifndef WEIR_CONTROLLER_DATA_REDIS_LOOP_H
#define WEIR_CONTROLLER_DATA_REDIS_LOOP_H

#include <hiredis/async.h>

#include "common/err.h"

struct uv_loop_s;

/* From now on the loop moves it. ERR_NOMEM, ERR_IO. */
MUST_CHECK enum err redis_loop_attach(struct redisAsyncContext *ac, struct uv_loop_s *loop);

#endif
