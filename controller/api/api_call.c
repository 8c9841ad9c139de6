/* A call as handlers see it, and its answers. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/api/api_state.h"

enum { RETRY_AFTER_S = 2 }; /* of what is away: about as long as it takes to come back */

/* ---- looking ---- */

struct http_request *api_request(const struct api_call *call)
{
    return call->req;
}

void *api_ctx(const struct api_call *call)
{
    return call->entry->ctx;
}

const struct api_user *api_who(const struct api_call *call)
{
    return call->known ? &call->who : NULL;
}

bool api_by_cookie(const struct api_call *call)
{
    return call->by_cookie;
}

const void *api_body(const struct api_call *call)
{
    return call->body;
}

const char *api_param(const struct api_call *call, const char *name)
{
    return http_param(call->req, name);
}

struct arena *api_arena(struct api_call *call)
{
    return &call->arena;
}

static size_t query_index(const struct api_call *call, const char *name, enum api_query_kind kind)
{
    const struct api_query *q = call->entry->route->query;
    size_t i = 0;
    while (i < API_QUERY_MAX && q[i].name && strcmp(q[i].name, name) != 0)
        i++;
    assert(i < API_QUERY_MAX && q[i].name && q[i].kind == kind);
    return i;
}

int64_t api_int(const struct api_call *call, const char *name)
{
    return call->ints[query_index(call, name, API_QUERY_INT)];
}

bool api_flag(const struct api_call *call, const char *name)
{
    return call->ints[query_index(call, name, API_QUERY_FLAG)] != 0;
}

const char *api_text(const struct api_call *call, const char *name)
{
    return call->texts[query_index(call, name, API_QUERY_TEXT)];
}

/* ---- answers ---- */

struct http_request *api_release(struct api_call *call)
{
    struct http_request *req = call->req;
    json_decref(call->json);
    arena_fini(&call->arena);
    free(call);
    return req;
}

void api_answer(struct api_call *call, int status, json_t *body)
{
    http_respond_json(api_release(call), status, body);
}

void api_answer_struct(struct api_call *call, int status, const struct shape *shape,
                       const void *answer)
{
    json_t *body = shape_encode(shape, answer);
    api_answer(call, status, body);
}

void api_answer_empty(struct api_call *call, int status)
{
    http_respond_empty(api_release(call), status);
}

static void retry_after(struct http_request *req, unsigned seconds)
{
    char text[16];
    snprintf(text, sizeof text, "%u", seconds);
    (void)http_set_header(req, "Retry-After", text);
}

void api_fail(struct api_call *call, enum err e, const char *field, const char *reason)
{
    int status = http_status_of(e);
    if (status == 503)
        retry_after(call->req, RETRY_AFTER_S);
    if (status == 401) /* RFC 6750 3 */
        (void)http_set_header(call->req, "WWW-Authenticate", "Bearer realm=\"weir\"");
    http_respond_error(call->req, status, err_name(e), field, reason ? reason : err_text(e));
    (void)api_release(call);
}

void api_fail_wait(struct api_call *call, unsigned wait_s, const char *reason)
{
    retry_after(call->req, wait_s);
    http_respond_error(call->req, 429, "TooManyRequests", NULL, reason);
    (void)api_release(call);
}
