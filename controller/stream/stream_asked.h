/* Calls of the API about streams, while they wait for the database, and what streams look like in
 * answers. Private to stream/. */
#ifndef WEIR_CONTROLLER_STREAM_STREAM_ASKED_H
#define WEIR_CONTROLLER_STREAM_STREAM_ASKED_H

#include "controller/stream/stream_shapes.h"
#include "controller/stream/stream_state.h"

struct stream_asked {
    struct streams *streams; /* held */
    struct api_call *call;
    char id[STREAM_ID_LEN]; /* of a stream that is made or changed */
    char key[STREAM_KEY_LEN];
    int64_t now_ms;
};

/* NULL: answered. */
struct stream_asked *stream_ask(struct api_call *call);
/* The call was answered. */
void stream_asked_end(struct stream_asked *q);
void stream_asked_fail(struct stream_asked *q, enum err e, const char *field, const char *reason);
void stream_asked_succeed(struct stream_asked *q);

bool stream_asked_by_owner(const struct api_call *call, const char *user_id);

/* From memory; key: for its owner. */
struct livestream livestream_of(const struct stream *s, bool key);
/* From the database, with what memory knows better (s may be NULL). */
struct livestream livestream_of_row(const struct stream_row *row, const struct stream *s, bool key);

#endif
