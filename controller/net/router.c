#include "controller/net/router.h"

#include <stdlib.h>
#include <string.h>

void router_fini(struct router *r)
{
    while (r->first) {
        struct route *next = r->first->next;
        free(r->first);
        r->first = next;
    }
}

static size_t segment(const char *s)
{
    return strcspn(s, "/");
}

static enum err check_pattern(const char *pattern)
{
    if (pattern[0] != '/')
        return ERR_MALFORMED;
    size_t params = 0;
    for (const char *s = pattern + 1;; s++) {
        size_t n = segment(s);
        if (s[0] == ':') {
            if (n == 1 || ++params > HTTP_MAX_PARAMS)
                return ERR_MALFORMED;
        }
        s += n;
        if (*s == '\0')
            return OK;
    }
}

enum err router_add(struct router *r, const struct http_route *def)
{
    enum err e = check_pattern(def->pattern);
    if (e != OK)
        return e;
    struct route **at = &r->first;
    for (; *at; at = &(*at)->next) {
        if ((*at)->def.method == def->method && strcmp((*at)->def.pattern, def->pattern) == 0)
            return ERR_EXISTS;
    }
    struct route *route = calloc(1, sizeof *route);
    if (!route)
        return ERR_NOMEM;
    route->def = *def;
    *at = route;
    return OK;
}

/* Fills params of m. *literals: a bit per segment that matched as itself, the first segment
 * highest, so that a greater number is the more exact match. */
static bool match_pattern(const char *pattern, const char *path, struct route_match *m,
                          uint32_t *literals)
{
    m->n_params = 0;
    *literals = 0;
    uint32_t bit = 1U << 31;
    for (;;) {
        if (*pattern != *path) /* both at '/' or both at the end */
            return false;
        if (*pattern == '\0')
            return true;
        pattern++;
        path++;
        size_t p = segment(pattern);
        size_t n = segment(path);
        if (pattern[0] == ':') {
            if (n == 0)
                return false;
            m->params[m->n_params++] = (struct route_param){pattern + 1, p - 1, path, n};
        } else {
            if (p != n || memcmp(pattern, path, n) != 0)
                return false;
            *literals |= bit;
        }
        bit >>= 1;
        pattern += p;
        path += n;
    }
}

void router_match(const struct router *r, enum http_method method, const char *path,
                  struct route_match *out)
{
    *out = (struct route_match){0};
    uint32_t best = 0;
    bool best_own = false; /* of the very method, not GET standing in for HEAD */
    for (const struct route *route = r->first; route; route = route->next) {
        struct route_match m;
        uint32_t literals;
        if (!match_pattern(route->def.pattern, path, &m, &literals))
            continue;
        out->methods |= 1U << route->def.method;
        out->cors = out->cors || route->def.cors;
        out->cors_listed = out->cors_listed || route->def.cors_listed;
        bool own = route->def.method == method;
        if (!own && !(method == HTTP_HEAD && route->def.method == HTTP_GET))
            continue;
        if (out->route && (literals < best || (literals == best && best_own)))
            continue;
        out->route = route;
        memcpy(out->params, m.params, sizeof m.params[0] * m.n_params);
        out->n_params = m.n_params;
        best = literals;
        best_own = own;
    }
    if (out->methods & 1U << HTTP_GET)
        out->methods |= 1U << HTTP_HEAD;
    if (out->methods)
        out->methods |= 1U << HTTP_OPTIONS;
}

const char *methods_text(unsigned methods, char *out)
{
    char *p = out;
    *p = '\0';
    for (int i = 0; i < HTTP_METHOD_COUNT; i++) {
        if (!(methods & 1U << i))
            continue;
        if (p != out)
            p = stpcpy(p, ", ");
        p = stpcpy(p, http_method_name((enum http_method)i));
    }
    return out;
}
