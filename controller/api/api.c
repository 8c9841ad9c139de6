/* The registry of routes, and what happens to a request before its handler. */
#include "controller/api/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/clock.h"
#include "controller/api/api_state.h"

#define X(id, name) name,
const char *const api_limit_names[] = {API_LIMITS(X) NULL};
#undef X
const char *const api_auth_names[] = {"anybody",     "anybody, or a user", "a user",
                                      "a moderator", "an admin",           "who has the secret"};

/* ---- rate limits ---- */

static struct rate address_rate(const struct api *a, enum api_limit limit)
{
    struct rate r = a->config.rates[limit];
    r.per_minute *= a->config.address_factor;
    r.burst *= a->config.address_factor;
    return r;
}

/* Of the address while nobody is known, of the user then. */
bool api_take(struct api_call *call, enum api_limit limit)
{
    struct api *a = call->entry->api;
    usec wait;
    enum err e;
    if (call->known) {
        struct rate_key key = rate_key_text((uint8_t)limit, call->who.id, NULL);
        e = rate_take(a->rates, clock_now(), &key, a->config.rates[limit], &wait);
    } else {
        struct rate_key key = rate_key_addr((uint8_t)limit, http_peer(call->req));
        e = rate_take(a->rates, clock_now(), &key, address_rate(a, limit), &wait);
    }
    if (e == OK)
        return true;
    metric_add(a->throttled, 1);
    api_fail_wait(call, rate_wait_s(wait), "too many requests, slow down");
    return false;
}

struct rate_table *api_rates(struct api *a)
{
    return a->rates;
}

/* ---- query and body ---- */

static enum err text_error(struct field_error *error, const struct api_query *q)
{
    error->err = ERR_RANGE;
    snprintf(error->path, sizeof error->path, "%s", q->name);
    snprintf(error->reason, sizeof error->reason, "%s must have %lld to %lld bytes", q->name,
             (long long)q->min, (long long)q->max);
    return ERR_RANGE;
}

static enum err read_query(struct api_call *call, struct field_error *error)
{
    const struct api_query *q = call->entry->route->query;
    enum err e = OK;
    for (size_t i = 0; i < API_QUERY_MAX && q[i].name && e == OK; i++) {
        bool flag;
        switch (q[i].kind) {
        case API_QUERY_INT:
            e = http_query_int(call->req, q[i].name, q[i].min, q[i].max, q[i].fallback,
                               &call->ints[i], error);
            break;
        case API_QUERY_FLAG:
            e = http_query_flag(call->req, q[i].name, q[i].fallback != 0, &flag, error);
            call->ints[i] = e == OK && flag;
            break;
        case API_QUERY_TEXT:
            call->texts[i] = http_query(call->req, q[i].name);
            size_t n = call->texts[i] ? strlen(call->texts[i]) : 0;
            if (call->texts[i] && ((int64_t)n < q[i].min || (int64_t)n > q[i].max))
                e = text_error(error, &q[i]);
            break;
        }
    }
    return e;
}

/* RFC 9110 8.3: the type comes before any parameters, in any case. */
static bool is_json(const char *content_type)
{
    static const char type[] = "application/json";
    size_t n = strcspn(content_type, "; \t");
    return n == sizeof type - 1 && strncasecmp(content_type, type, n) == 0;
}

static enum err read_body(struct api_call *call, struct field_error *error)
{
    const struct api_route *r = call->entry->route;
    if (!r->body)
        return OK;
    call->body = arena_alloc(&call->arena, r->body->size);
    error->err = ERR_NOMEM;
    if (!call->body)
        return ERR_NOMEM;
    if (http_body(call->req).n == 0 && r->body_optional) {
        call->json = json_object();
        if (!call->json)
            return ERR_NOMEM;
    } else {
        enum err e = http_body_json(call->req, &call->json, error);
        if (e != OK)
            return e;
    }
    if (!json_is_object(call->json)) {
        *error = (struct field_error){.err = ERR_TYPE, .reason = "the body must be an object"};
        return ERR_TYPE;
    }
    return shape_decode(r->body, call->json, call->body, &call->arena, error);
}

/* With the caller known, as far as the route asks for it. */
static void run(struct api_call *call)
{
    const struct api_entry *entry = call->entry;
    struct field_error error = {0};
    const char *type = http_header(call->req, "content-type");
    if (entry->api->refusing) {
        api_fail(call, ERR_UNAVAILABLE, NULL, "the service is closing");
        return;
    }
    if (entry->route->raw) {
        struct http_request *req = api_release(call);
        entry->route->raw(req, entry->ctx);
        return;
    }
    if (entry->route->body && http_body(call->req).n > 0 && type && !is_json(type)) {
        api_fail(call, ERR_UNSUPPORTED, NULL, "the body must be application/json");
        return;
    }
    if (read_query(call, &error) != OK || read_body(call, &error) != OK)
        http_respond_field_error(api_release(call), &error);
    else
        entry->route->handle(call);
}

/* ---- who asks ---- */

static bool is_unsafe(enum http_method m)
{
    return m != HTTP_GET && m != HTTP_HEAD && m != HTTP_OPTIONS;
}

/* What a browser sends along, it also sends when the page of another site asks it to. Browsers say
 * from where a request comes by Sec-Fetch-Site (Fetch Metadata) and Origin; that it is from here
 * has to be shown by one of them. absent: what it means when neither is there. */
static bool is_from_here(const struct api *a, const struct http_request *req, bool absent)
{
    const char *site = http_header(req, "sec-fetch-site");
    const char *origin = http_header(req, "origin");
    if (origin)
        return origin_trusted(&a->config.origins, origin, http_header(req, "host"),
                              http_is_tls(req));
    if (site)
        return strcmp(site, "same-origin") == 0 || strcmp(site, "none") == 0;
    return absent;
}

static bool may(struct api_call *call)
{
    const struct api_route *r = call->entry->route;
    if (!call->known) {
        if (r->auth == API_OPTIONAL)
            return true;
        api_fail(call, ERR_AUTH, NULL, "this needs a log-in");
        return false;
    }
    if ((r->auth == API_ADMIN && call->who.role != API_ROLE_ADMIN) ||
        (r->auth == API_MODERATOR && call->who.role == API_ROLE_USER)) {
        api_fail(call, ERR_DENIED, NULL,
                 r->auth == API_ADMIN ? "only admins may do that" : "only moderators may do that");
        return false;
    }
    if (call->who.must_change_password && !r->any_password) {
        http_respond_error(api_release(call), 403, "PasswordChangeRequired", NULL,
                           "the password has to be changed first: POST /api/account/password");
        return false;
    }
    return true;
}

static void identified(void *ctx, enum err e, const struct api_user *user)
{
    struct api_call *call = ctx;
    const struct api_route *r = call->entry->route;
    if (e == OK) {
        call->who = *user;
        call->known = true;
    } else if (e != ERR_AUTH) {
        api_fail(call, e, NULL, NULL);
        return;
    } else if (!call->by_cookie && r->auth == API_OPTIONAL) {
        api_fail(call, ERR_AUTH, NULL, "the token is not valid");
        return;
    }
    /* An old cookie is as good as none. */
    if ((call->known && !api_take(call, r->limit)) || !may(call))
        return;
    run(call);
}

static void authenticate(struct api_call *call)
{
    const struct api *a = call->entry->api;
    const char *token = http_bearer(call->req);
    if (!token) {
        token = http_cookie(call->req, API_COOKIE);
        call->by_cookie = token != NULL;
    }
    if (!token || !a->auth.identify) {
        if (may(call))
            run(call);
        return;
    }
    if (call->by_cookie && is_unsafe(http_method(call->req)) &&
        !is_from_here(a, call->req, false)) {
        api_fail(call, ERR_DENIED, NULL,
                 "a request with a cookie has to come from a page of this site (Origin, "
                 "Sec-Fetch-Site); others use a bearer token");
        return;
    }
    a->auth.identify(a->auth.self, token, identified, call);
}

static void dispatch(struct http_request *req, void *user)
{
    struct api_entry *entry = user;
    const struct api_route *r = entry->route;
    struct api_call *call = calloc(1, sizeof *call);
    if (!call) {
        http_respond_error(req, 503, err_name(ERR_NOMEM), NULL, err_text(ERR_NOMEM));
        return;
    }
    call->req = req;
    call->entry = entry;
    arena_init(&call->arena, 8 * (r->max_body ? r->max_body : API_BODY_MAX));
    if (!api_take(call, r->limit))
        return;
    if (r->signs_in && !is_from_here(entry->api, req, true))
        api_fail(call, ERR_DENIED, NULL, "this has to come from a page of this site");
    else if (r->auth == API_ANYBODY || r->auth == API_SECRET)
        run(call);
    else
        authenticate(call);
}

void api_refuse(struct api *a)
{
    a->refusing = true;
}

struct outside {
    api_identified_fn *done;
    void *ctx;
};

static void identified_outside(void *ctx, enum err e, const struct api_user *user)
{
    struct outside o = *(struct outside *)ctx;
    free(ctx);
    o.done(o.ctx, e, user);
}

enum err api_identify(struct api *a, const struct http_request *req, api_identified_fn *done,
                      void *ctx)
{
    const char *token = http_bearer(req);
    bool by_cookie = !token;
    if (!token)
        token = http_cookie(req, API_COOKIE);
    if (!token || !a->auth.identify) {
        done(ctx, OK, NULL);
        return OK;
    }
    if (by_cookie && !is_from_here(a, req, false))
        return ERR_DENIED;
    return api_identify_token(a, token, done, ctx);
}

enum err api_identify_token(struct api *a, const char *token, api_identified_fn *done, void *ctx)
{
    if (!a->auth.identify)
        return ERR_UNAVAILABLE;
    struct outside *o = malloc(sizeof *o);
    if (!o)
        return ERR_NOMEM;
    *o = (struct outside){.done = done, .ctx = ctx};
    a->auth.identify(a->auth.self, token, identified_outside, o);
    return OK;
}

/* ---- life ---- */

static enum err add(struct api *a, const struct api_route *r, void *ctx, bool served)
{
    struct api_entry *entry = calloc(1, sizeof *entry);
    if (!entry)
        return ERR_NOMEM;
    *entry = (struct api_entry){.route = r, .api = a, .ctx = ctx};
    struct http_route route = {.method = r->method,
                               .pattern = r->path,
                               .handler = dispatch,
                               .user = entry,
                               .max_body = r->max_body ? r->max_body : API_BODY_MAX,
                               .cors = r->open,
                               .cors_listed = true};
    enum err e = served ? http_route_add(a->config.http, &route) : OK;
    if (e != OK) {
        free(entry);
        return e;
    }
    *a->last = entry;
    a->last = &entry->next;
    free(a->document);
    free(a->page);
    a->document = a->page = NULL;
    return OK;
}

enum err api_add(struct api *a, const struct api_route *routes, size_t n, void *ctx)
{
    enum err e = OK;
    for (size_t i = 0; i < n && e == OK; i++)
        e = add(a, &routes[i], ctx, true);
    return e;
}

enum err api_document(struct api *a, const struct api_route *routes, size_t n)
{
    enum err e = OK;
    for (size_t i = 0; i < n && e == OK; i++)
        e = add(a, &routes[i], NULL, false);
    return e;
}

void api_set_authenticator(struct api *a, const struct api_authenticator *auth)
{
    a->auth = auth ? *auth : (struct api_authenticator){0};
}

enum err api_open(const struct api_config *config, struct api **out)
{
    struct api *a = calloc(1, sizeof *a);
    if (!a)
        return ERR_NOMEM;
    a->config = *config;
    a->last = &a->first;
    a->throttled = metric_counter(config->metrics, "weir_api_throttled_total",
                                  "API requests answered with 429.", NULL, 0);
    enum err e = rate_table_open(&a->rates, config->buckets, config->rng);
    if (e == OK)
        e = api_add(a, api_own_routes, api_own_routes_count, a);
    if (e != OK) {
        api_close(a);
        return e;
    }
    *out = a;
    return OK;
}

void api_close(struct api *a)
{
    if (!a)
        return;
    while (a->first) {
        struct api_entry *next = a->first->next;
        free(a->first);
        a->first = next;
    }
    rate_table_close(a->rates);
    free(a->document);
    free(a->page);
    free(a);
}
