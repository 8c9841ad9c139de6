/* The API over HTTP as one table: every feature hands in its routes as rows (method, path, who may,
 * what goes in, what comes out), and this does for all of them what is the same: rate limits, who
 * asks, forged requests of other sites, decoding of body and query, one form of errors. The OpenAPI
 * document at /api/openapi.json and the page at /api/docs come from the same rows.
 *
 * A handler gets a `struct api_call *` and owes it exactly one answer, now or in a later turn of
 * the loop; after the answer the pointer is dead. Controller's loop, one thread. */
#ifndef WEIR_CONTROLLER_API_API_H
#define WEIR_CONTROLLER_API_API_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/fields.h"
#include "common/metrics.h"
#include "common/rng.h"
#include "controller/api/rate_limit.h"
#include "controller/net/http.h"

struct api;
struct api_call;

#define API_COOKIE "weir_session"

/* ---- who asks ---- */

enum api_role { API_ROLE_USER, API_ROLE_MODERATOR, API_ROLE_ADMIN };

enum { API_NAME_MAX = 32, API_DISPLAY_NAME_MAX = 64 };

struct api_user {
    char id[37];
    char session_id[37];
    char name[API_NAME_MAX + 1];
    char display_name[API_DISPLAY_NAME_MAX + 1];
    enum api_role role;
    bool must_change_password; /* may do nothing else before */
};

/* user is NULL unless e is OK. ERR_AUTH: the token is not good (any more). Anything else: it cannot
 * be said now. */
typedef void api_identified_fn(void *ctx, enum err e, const struct api_user *user);

/* Calls done exactly once, now or later. */
struct api_authenticator {
    void (*identify)(void *self, const char *token, api_identified_fn *done, void *ctx);
    void *self; /* borrowed */
};

enum api_auth {
    API_ANYBODY,   /* credentials are not looked at */
    API_OPTIONAL,  /* with a token it is a known user, without an anonymous one */
    API_USER,      /* any account */
    API_MODERATOR, /* or an admin */
    API_ADMIN,
    API_SECRET /* a secret that is no account's token, and that the handler checks */
};

/* ---- rate limits ---- */

/* id, name in settings and documents */
#define API_LIMITS(X)                                                                              \
    X(API_LIMIT_NONE, "none")                                                                      \
    X(API_LIMIT_GENERAL, "api")                                                                    \
    X(API_LIMIT_LOGIN, "login")                                                                    \
    X(API_LIMIT_REGISTER, "register")                                                              \
    X(API_LIMIT_CREATE, "create")                                                                  \
    X(API_LIMIT_CHAT, "chat")

enum api_limit {
#define X(id, name) id,
    API_LIMITS(X)
#undef X
        API_LIMIT_COUNT
};

/* ---- routes ---- */

typedef void api_handler(struct api_call *call);

enum api_query_kind { API_QUERY_INT, API_QUERY_FLAG, API_QUERY_TEXT };

enum { API_QUERY_MAX = 8, API_ANSWERS_MAX = 6 };

struct api_query {
    const char *name; /* NULL ends a list */
    enum api_query_kind kind;
    int64_t min; /* INT: the value; TEXT: length in bytes */
    int64_t max;
    int64_t fallback; /* INT, FLAG: when it is absent */
    const char *doc;
};

struct api_answer {
    int status;                /* 0 ends a list */
    const struct shape *shape; /* NULL: no JSON, or see type */
    const char *doc;
    const char *type; /* media type of what is not JSON; NULL: JSON, or nothing without a shape */
};

struct api_route {
    enum http_method method;
    const char *path; /* as http_route's pattern */
    const char *id;   /* operationId: a verb and a noun in camelCase */
    const char *tag;  /* the subject under which it is listed */
    const char *summary;
    enum api_auth auth;
    enum api_limit limit;
    const struct shape *body; /* NULL: none is read */
    bool body_optional;       /* a request without one is as one with {} */
    struct api_query query[API_QUERY_MAX];
    /* What it may answer besides the general errors, which the document adds. */
    struct api_answer answers[API_ANSWERS_MAX];
    api_handler *handle;
    http_handler *raw; /* instead of handle: answers req itself; gets the ctx of api_add */
    size_t max_body;   /* bytes; 0: API_BODY_MAX */
    bool open;         /* to pages of all other sites, without cookies */
    bool signs_in;     /* sets the cookie: refused to pages of other sites even without one */
    bool any_password; /* also to who has to change the password first */
};

enum { API_BODY_MAX = 16 * 1024 };

struct api_config {
    struct http_server *http;
    struct metrics *metrics; /* NULL: none */
    struct rng *rng;
    struct rate rates[API_LIMIT_COUNT]; /* of one user */
    unsigned address_factor;            /* how many times as much an address may */
    size_t buckets;                     /* of the rate limits' table */
    struct origin_policy origins;       /* strings are borrowed */
    const char *version;                /* of the program; borrowed */
};

/* Adds /api/openapi.json and /api/docs. */
MUST_CHECK enum err api_open(const struct api_config *config, struct api **out);
/* After the http server is gone: its routes lead here. */
void api_close(struct api *a);

/* Rows, with what they point at, and ctx outlive the server. Adds them to the server and to the
 * document. */
MUST_CHECK enum err api_add(struct api *a, const struct api_route *routes, size_t n, void *ctx);
/* In the document only: who serves the path is not the API (WebSockets, a file mount). */
MUST_CHECK enum err api_document(struct api *a, const struct api_route *routes, size_t n);
/* auth NULL: no tokens are known from now on. Copied. */
void api_set_authenticator(struct api *a, const struct api_authenticator *auth);

/* For what is not a route, such as WebSockets: who a request's token belongs to. OK: done is called
 * once, now or later (user NULL and OK: there was none). ERR_DENIED: a page of another site. */
MUST_CHECK enum err api_identify(struct api *a, const struct http_request *req,
                                 api_identified_fn *done, void *ctx);

/* As api_identify, for a token that came in another way; ERR_AUTH comes by done. */
MUST_CHECK enum err api_identify_token(struct api *a, const char *token, api_identified_fn *done,
                                       void *ctx);

/* From now on calls are answered with 503, also those that wait for who asks: the features behind
 * them are about to go. */
void api_refuse(struct api *a);

struct rate_table *api_rates(struct api *a);

/* ---- a call ---- */

struct http_request *api_request(const struct api_call *call);
void *api_ctx(const struct api_call *call);
/* NULL: anonymous. Never NULL where the route wants a user. */
const struct api_user *api_who(const struct api_call *call);
/* The token came as a cookie. */
bool api_by_cookie(const struct api_call *call);
/* The decoded struct of the route's shape; NULL where it has none. */
const void *api_body(const struct api_call *call);
/* The path's ":name". */
const char *api_param(const struct api_call *call, const char *name);
/* Of the row's query list: asserts that it is there, with that kind. */
int64_t api_int(const struct api_call *call, const char *name);
bool api_flag(const struct api_call *call, const char *name);
const char *api_text(const struct api_call *call, const char *name); /* NULL: absent */
/* Lives as long as the call. */
struct arena *api_arena(struct api_call *call);
/* Takes a token of a limit of the caller's own choosing; false: answered with 429. */
bool api_take(struct api_call *call, enum api_limit limit);

/* ---- answers: each consumes the call ---- */

/* Takes over the reference. NULL (out of memory) answers 500. */
void api_answer(struct api_call *call, int status, json_t *body);
void api_answer_struct(struct api_call *call, int status, const struct shape *shape,
                       const void *answer);
void api_answer_empty(struct api_call *call, int status);
/* The status and code that suit e; field and reason may be NULL. 503 carries Retry-After. */
void api_fail(struct api_call *call, enum err e, const char *field, const char *reason);
/* 429 with Retry-After. */
void api_fail_wait(struct api_call *call, unsigned wait_s, const char *reason);
/* Gives up the call: the request has to be answered itself. */
struct http_request *api_release(struct api_call *call);

#endif
