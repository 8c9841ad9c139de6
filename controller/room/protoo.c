#include "controller/room/protoo.h"

#include <stdio.h>
#include <string.h>

static enum err fail(char reason[PROTOO_REASON_MAX], enum err e, const char *why)
{
    snprintf(reason, PROTOO_REASON_MAX, "%s", why);
    return e;
}

enum err protoo_parse(struct protoo_request *out, const char *text, size_t n,
                      char reason[PROTOO_REASON_MAX])
{
    *out = (struct protoo_request){0};
    json_error_t error;
    out->root = json_loadb(text, n, JSON_REJECT_DUPLICATES, &error);
    if (!out->root) {
        snprintf(reason, PROTOO_REASON_MAX, "message is not JSON: %s at byte %d", error.text,
                 error.position);
        return ERR_MALFORMED;
    }
    if (!json_is_object(out->root))
        return fail(reason, ERR_TYPE, "message must be an object");
    if (json_is_true(json_object_get(out->root, "response")) ||
        json_is_true(json_object_get(out->root, "notification")))
        return ERR_STATE;
    json_t *id = json_object_get(out->root, "id");
    if (json_is_integer(id) && json_integer_value(id) >= 0 &&
        json_integer_value(id) <= UINT32_MAX) {
        out->id = (uint32_t)json_integer_value(id);
        out->has_id = true;
    }
    if (!json_is_true(json_object_get(out->root, "request")))
        return fail(reason, ERR_TYPE, "request must be true");
    if (!out->has_id)
        return fail(reason, ERR_TYPE, "id must be an integer from 0 to 4294967295");
    out->method = json_string_value(json_object_get(out->root, "method"));
    if (!out->method || strlen(out->method) > PROTOO_METHOD_MAX)
        return fail(reason, ERR_TYPE, "method must be a string of at most 64 bytes");
    json_t *data = json_object_get(out->root, "data");
    if (data && !json_is_null(data) && !json_is_object(data))
        return fail(reason, ERR_TYPE, "data must be an object");
    out->data = json_is_object(data) ? data : NULL;
    return OK;
}

void protoo_request_fini(struct protoo_request *r)
{
    json_decref(r->root);
    r->root = NULL;
}

json_t *protoo_response(uint32_t id, json_t *data)
{
    return json_pack("{s:b,s:I,s:b,s:o}", "response", 1, "id", (json_int_t)id, "ok", 1, "data",
                     data);
}

json_t *protoo_error(uint32_t id, int code, const char *reason)
{
    return json_pack("{s:b,s:I,s:b,s:i,s:s}", "response", 1, "id", (json_int_t)id, "ok", 0,
                     "errorCode", code, "errorReason", reason);
}

json_t *protoo_notification(const char *method, json_t *data)
{
    return json_pack("{s:b,s:s,s:o}", "notification", 1, "method", method, "data", data);
}
