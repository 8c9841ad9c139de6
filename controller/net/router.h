/* The table of routes: which handler a method and a path belong to. Pure. */
#ifndef WEIR_CONTROLLER_NET_ROUTER_H
#define WEIR_CONTROLLER_NET_ROUTER_H

#include <stddef.h>

#include "common/err.h"
#include "controller/net/http.h"

struct route {
    struct http_route def;
    struct route *next; /* owned */
};

struct router {
    struct route *first; /* owned; in the order of adding */
};

/* A parameter as a part of the path that was matched. */
struct route_param {
    const char *name; /* in the pattern, behind ':' */
    size_t name_n;
    const char *value; /* in the path */
    size_t value_n;
};

struct route_match {
    const struct route *route; /* NULL: none of that method */
    struct route_param params[HTTP_MAX_PARAMS];
    size_t n_params;
    unsigned methods; /* bit per method that the path knows: for 405 and preflight */
    bool cors;        /* some route of that path is open to other origins */
    bool cors_listed; /* some route of that path is open to the configured ones */
};

void router_fini(struct router *r);
MUST_CHECK enum err router_add(struct router *r, const struct http_route *def);
void router_match(const struct router *r, enum http_method method, const char *path,
                  struct route_match *out);
/* "GET, HEAD, OPTIONS" for a set of method bits; out needs 64 bytes. */
const char *methods_text(unsigned methods, char *out);

#endif
