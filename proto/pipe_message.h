/* The three shapes of the pipe protocol (request, response, notification): parsed from the bytes of
 * one frame, and printed into a queue of frames. No IO. */
#ifndef WEIR_PROTO_PIPE_MESSAGE_H
#define WEIR_PROTO_PIPE_MESSAGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/err.h"
#include "common/fields.h"
#include "common/frame.h"
#include "proto/pipe.h"

enum pipe_message_kind { PIPE_REQUEST, PIPE_RESPONSE, PIPE_NOTIFICATION };

struct pipe_message {
    enum pipe_message_kind kind;
    bool has_id;
    uint32_t id;            /* of requests and responses */
    const char *method;     /* of requests, not looked up */
    const char *event;      /* of notifications, not looked up */
    const char *handler_id; /* of requests and notifications; "" where it was left out */
    bool accepted;          /* of responses */
    const char *error;      /* of responses that are refused, such as "TypeError"; else NULL */
    const char *reason;     /* with error; "" where it was left out */
    json_t *data;           /* an object, or NULL; borrowed from root */
    json_t *root;           /* owned; holds all of the above */
};

/* out is to be released by pipe_message_fini whatever is returned. On failure error tells what is
 * wrong, and out->id is set if out->has_id, so that a bad request can be answered. ERR_MALFORMED:
 * no JSON; ERR_TYPE, ERR_RANGE: no valid message; ERR_NOMEM. Unknown keys are ignored. */
MUST_CHECK enum err pipe_message_parse(struct pipe_message *out, struct slice frame,
                                       struct field_error *error);
void pipe_message_fini(struct pipe_message *m);

/* Decodes m->data by shape; a missing data counts as {}; a NULL shape takes anything and leaves out
 * alone. */
MUST_CHECK enum err pipe_message_data(const struct pipe_message *m, const struct shape *shape,
                                      void *out, struct arena *arena, struct field_error *error);

/* Each appends one frame to the queue; errors as of frame_queue_push, the queue is as before then.
 * data is the struct of the row's shape; it is ignored where the row has none, and may be NULL
 * (no data is sent then). */
MUST_CHECK enum err pipe_push_request(struct frame_queue *q, uint32_t id, enum pipe_method method,
                                      const char *handler_id, const void *data);
MUST_CHECK enum err pipe_push_response(struct frame_queue *q, uint32_t id, enum pipe_method method,
                                       const void *data);
/* error: an err_name, such as "TypeError"; reason: a sentence for people, may be NULL. */
MUST_CHECK enum err pipe_push_error(struct frame_queue *q, uint32_t id, const char *error,
                                    const char *reason);
MUST_CHECK enum err pipe_push_event(struct frame_queue *q, enum pipe_event event,
                                    const char *handler_id, const void *data);
MUST_CHECK enum err pipe_push_command(struct frame_queue *q, enum pipe_command command,
                                      const char *handler_id, const void *data);

#endif
