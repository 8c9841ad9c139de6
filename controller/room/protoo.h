/* protoo's framing of signaling messages: JSON objects, one a WebSocket message. Pure; no IO. */
#ifndef WEIR_CONTROLLER_ROOM_PROTOO_H
#define WEIR_CONTROLLER_ROOM_PROTOO_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

enum { PROTOO_METHOD_MAX = 64, PROTOO_REASON_MAX = 512 };

/* {"request":true,"id":1,"method":"...","data":{...}} */
struct protoo_request {
    uint32_t id;
    bool has_id;
    const char *method;
    json_t *data; /* an object, or NULL; borrowed from root */
    json_t *root; /* owned */
};

/* OK: a request. ERR_STATE: a response or a notification, which this server does not await and
 * ignores. Else what is wrong, with a sentence in reason; has_id tells whether it can be answered.
 * out is to be released in any case. */
MUST_CHECK enum err protoo_parse(struct protoo_request *out, const char *text, size_t n,
                                 char reason[PROTOO_REASON_MAX]);
void protoo_request_fini(struct protoo_request *r);

/* New references, or NULL when memory is exhausted; data is stolen. */
json_t *protoo_response(uint32_t id, json_t *data);
json_t *protoo_error(uint32_t id, int code, const char *reason);
json_t *protoo_notification(const char *method, json_t *data);

#endif
