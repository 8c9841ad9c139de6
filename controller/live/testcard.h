/* The demo stream: a test card with a running clock and a quiet beep each second, made by ffmpeg
 * and brought into room `demo` by RTP over plain transports, as any ingest would be. Keeps itself
 * on the air: starts again when ffmpeg ends or the room's worker is lost. Single thread, the
 * controller's loop. */
#ifndef WEIR_CONTROLLER_LIVE_TESTCARD_H
#define WEIR_CONTROLLER_LIVE_TESTCARD_H

#include "common/err.h"
#include "common/metrics.h"
#include "common/rng.h"
#include "controller/room/rooms.h"

struct uv_loop_s;
struct testcard;

#define TESTCARD_ROOM "demo"

struct testcard_config {
    struct uv_loop_s *loop;
    struct rooms *rooms;
    struct rng *rng;
    struct metrics *metrics; /* NULL: none */
    const char *ffmpeg;      /* the program; borrowed, outlives it */
};

MUST_CHECK enum err testcard_open(const struct testcard_config *config, struct testcard **out);
/* To be closed before live, streams and rooms; closed is called later, once. */
void testcard_close(struct testcard *t, void (*closed)(void *ctx), void *ctx);

#endif
