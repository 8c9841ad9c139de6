/* The API from inside. Private to api/. */
#ifndef WEIR_CONTROLLER_API_API_STATE_H
#define WEIR_CONTROLLER_API_API_STATE_H

#include "common/arena.h"
#include "controller/api/api.h"

struct api_entry {
    struct api_entry *next;        /* owned */
    const struct api_route *route; /* borrowed */
    struct api *api;               /* parent */
    void *ctx;                     /* borrowed */
};

struct api {
    struct api_config config;
    struct api_authenticator auth;
    struct api_entry *first; /* owned; in the order of adding */
    struct api_entry **last;
    struct rate_table *rates; /* owned */
    char *document;           /* owned; NULL until it is asked for, or after a change */
    char *page;               /* owned; as document */
    bool refusing;
    struct metric *throttled;
};

struct api_call {
    struct http_request *req;
    const struct api_entry *entry; /* borrowed */
    struct arena arena;
    json_t *json; /* owned: what body's strings point into */
    void *body;   /* in arena */
    int64_t ints[API_QUERY_MAX];
    const char *texts[API_QUERY_MAX];
    struct api_user who;
    bool known;
    bool by_cookie;
};

extern const char *const api_limit_names[];
extern const char *const api_auth_names[];

/* Rows of the API itself. */
extern const struct api_route api_own_routes[];
extern const size_t api_own_routes_count;

/* A schema of the shape, in components when they are given (for shapes that refer to others). New
 * reference; NULL: out of memory. answers: NULL stands for a REQ string that may be null. */
json_t *api_schema(const struct shape *shape, json_t *components, bool answers);
/* The whole OpenAPI document. New reference; NULL: out of memory. */
json_t *api_openapi(const struct api *a);
/* The page; free() it. NULL: out of memory. */
char *api_page(const struct api *a);
/* "The statuses besides those in the row that a route may answer": calls each in ascending order.
 */
void api_each_general(const struct api_route *r,
                      void (*each)(void *ctx, int status, const char *doc), void *ctx);

#endif
