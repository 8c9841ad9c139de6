/* The OpenAPI 3.1 document, from the rows of all routes. */
#include <stdio.h>
#include <string.h>

#include "controller/api/api_state.h"

enum { PATH_MAX_TEXT = 256 };

/* ---- what may be answered besides the row's own ---- */

static bool has_own(const struct api_route *r, int status)
{
    for (size_t i = 0; i < API_ANSWERS_MAX && r->answers[i].status; i++) {
        if (r->answers[i].status == status)
            return true;
    }
    return false;
}

void api_each_general(const struct api_route *r,
                      void (*each)(void *ctx, int status, const char *doc), void *ctx)
{
    bool known = r->auth == API_USER || r->auth == API_MODERATOR || r->auth == API_ADMIN;
    const struct {
        bool may;
        int status;
        const char *doc;
    } rows[] = {
        {true, 400, "Something in the request is not as it should be; field says what."},
        {known || r->auth == API_OPTIONAL || r->auth == API_SECRET, 401,
         "There is no token, or it is not valid (any more)."},
        {r->auth != API_ANYBODY || r->signs_in, 403,
         "Not allowed to this user, or to pages of another site."},
        {r->body || r->raw, 413, "The body is too large."},
        {r->body, 415, "The body is not application/json."},
        {r->limit != API_LIMIT_NONE, 429,
         "Too many requests; Retry-After says when to come again."},
        {true, 503, "The database is away, or the service is busy or closing; see Retry-After."},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].may && !has_own(r, rows[i].status))
            each(ctx, rows[i].status, rows[i].doc);
    }
}

/* ---- parts of an operation ---- */

/* "/a/:id/b" becomes "/a/{id}/b"; the names go to parameters. */
static void convert_path(const char *pattern, char *out, json_t *parameters)
{
    size_t n = 0;
    for (const char *p = pattern; *p && n < PATH_MAX_TEXT - 3;) {
        if (*p != ':') {
            out[n++] = *p++;
            continue;
        }
        size_t len = strcspn(++p, "/");
        n += (size_t)snprintf(out + n, PATH_MAX_TEXT - n, "{%.*s}", (int)len, p);
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)len, p);
        json_array_append_new(parameters,
                              json_pack("{s:s,s:s,s:b,s:{s:s}}", "name", name, "in", "path",
                                        "required", 1, "schema", "type", "string"));
        p += len;
    }
    out[n] = '\0';
}

static json_t *query_schema(const struct api_query *q)
{
    switch (q->kind) {
    case API_QUERY_INT:
        return json_pack("{s:s,s:I,s:I,s:I}", "type", "integer", "minimum", (json_int_t)q->min,
                         "maximum", (json_int_t)q->max, "default", (json_int_t)q->fallback);
    case API_QUERY_FLAG:
        return json_pack("{s:s,s:b}", "type", "boolean", "default", q->fallback != 0);
    case API_QUERY_TEXT:
        break;
    }
    return json_pack("{s:s,s:I,s:I}", "type", "string", "minLength", (json_int_t)(q->min > 0),
                     "maxLength", (json_int_t)q->max);
}

static void add_query(json_t *parameters, const struct api_query *q)
{
    for (size_t i = 0; i < API_QUERY_MAX && q[i].name; i++)
        json_array_append_new(parameters, json_pack("{s:s,s:s,s:b,s:s,s:o}", "name", q[i].name,
                                                    "in", "query", "required", 0, "description",
                                                    q[i].doc, "schema", query_schema(&q[i])));
}

static json_t *json_content(json_t *schema)
{
    return json_pack("{s:{s:o}}", "application/json", "schema", schema);
}

static void add_general(void *ctx, int status, const char *doc)
{
    json_t *responses = ctx;
    char key[8];
    snprintf(key, sizeof key, "%d", status);
    json_object_set_new(
        responses, key,
        json_pack("{s:s,s:o}", "description", doc, "content",
                  json_content(json_pack("{s:s}", "$ref", "#/components/schemas/error"))));
}

/* JSON without a shape of its own is any JSON. */
static json_t *any_or_text(const char *type)
{
    return strcmp(type, "application/json") == 0 ? json_object()
                                                 : json_pack("{s:s}", "type", "string");
}

static json_t *responses_of(const struct api_route *r, json_t *schemas)
{
    json_t *responses = json_object();
    for (size_t i = 0; i < API_ANSWERS_MAX && r->answers[i].status; i++) {
        const struct api_answer *a = &r->answers[i];
        char key[8];
        snprintf(key, sizeof key, "%d", a->status);
        json_t *one = json_pack("{s:s}", "description", a->doc);
        if (a->shape)
            json_object_set_new(one, "content", json_content(api_schema(a->shape, schemas, true)));
        else if (a->type)
            json_object_set_new(one, "content",
                                json_pack("{s:{s:o}}", a->type, "schema", any_or_text(a->type)));
        else if (a->status >= 400)
            json_object_set_new(
                one, "content",
                json_content(json_pack("{s:s}", "$ref", "#/components/schemas/error")));
        json_object_set_new(responses, key, one);
    }
    api_each_general(r, add_general, responses);
    return responses;
}

/* Each entry is one way; {} is none at all. */
static json_t *security_of(enum api_auth auth)
{
    switch (auth) {
    case API_ANYBODY:
        return json_array();
    case API_OPTIONAL:
        return json_pack("[{},{s:[]},{s:[]}]", "token", "cookie");
    case API_SECRET:
        return json_pack("[{s:[]}]", "secret");
    case API_USER:
    case API_MODERATOR:
    case API_ADMIN:
        break;
    }
    return json_pack("[{s:[]},{s:[]}]", "token", "cookie");
}

static json_t *operation(const struct api_route *r, json_t *parameters, json_t *schemas)
{
    char text[256];
    snprintf(text, sizeof text, "May be used by %s. Counts for the limit \"%s\".",
             api_auth_names[r->auth], api_limit_names[r->limit]);
    add_query(parameters, r->query);
    json_t *op = json_pack("{s:s,s:s,s:s,s:[s],s:o,s:o}", "operationId", r->id, "summary",
                           r->summary, "description", text, "tags", r->tag, "security",
                           security_of(r->auth), "responses", responses_of(r, schemas));
    if (json_array_size(parameters) > 0)
        json_object_set(op, "parameters", parameters);
    if (r->body)
        json_object_set_new(op, "requestBody",
                            json_pack("{s:b,s:o}", "required", !r->body_optional, "content",
                                      json_content(api_schema(r->body, schemas, false))));
    return op;
}

static void method_key(enum http_method m, char key[16])
{
    size_t i = 0;
    for (const char *p = http_method_name(m); *p && i < 15; p++)
        key[i++] = (char)(*p + 'a' - 'A');
    key[i] = '\0';
}

static json_t *paths_of(const struct api *a, json_t *schemas)
{
    json_t *paths = json_object();
    for (const struct api_entry *e = a->first; e; e = e->next) {
        char path[PATH_MAX_TEXT];
        char key[16];
        json_t *parameters = json_array();
        convert_path(e->route->path, path, parameters);
        method_key(e->route->method, key);
        json_t *item = json_object_get(paths, path);
        if (!item) {
            item = json_object();
            json_object_set_new(paths, path, item);
        }
        json_object_set_new(item, key, operation(e->route, parameters, schemas));
        json_decref(parameters);
    }
    return paths;
}

static json_t *security_schemes(void)
{
    return json_pack(
        "{s:{s:s,s:s,s:s,s:s},s:{s:s,s:s,s:s,s:s},s:{s:s,s:s,s:s}}", "token", "type", "http",
        "scheme", "bearer", "bearerFormat", "JWT", "description",
        "The token that POST /api/account/login answers.", "cookie", "type", "apiKey", "in",
        "cookie", "name", API_COOKIE, "description",
        "The same token as a cookie. Requests that change something must come from a page of this "
        "site: Origin or Sec-Fetch-Site.",
        "secret", "type", "http", "scheme", "bearer", "description",
        "A secret of the one thing that the path names, such as a stream key.");
}

json_t *api_openapi(const struct api *a)
{
    json_t *schemas =
        json_pack("{s:{s:s,s:[s],s:{s:{s:s,s:[s,s],s:{s:{s:s,s:s},s:{s:s,s:s},s:{s:s,s:s}}}}}}",
                  "error", "type", "object", "required", "error", "properties", "error", "type",
                  "object", "required", "code", "reason", "properties", "code", "type", "string",
                  "description", "For programs, for example NotFound.", "reason", "type", "string",
                  "description", "For people.", "field", "type", "string", "description",
                  "Which field of the body or the query it is about.");
    json_t *paths = paths_of(a, schemas);
    return json_pack("{s:s,s:{s:s,s:s,s:s},s:o,s:{s:o,s:o}}", "openapi", "3.1.0", "info", "title",
                     "Weir", "version", a->config.version, "description",
                     "Live streaming that you host yourself.", "paths", paths, "components",
                     "schemas", schemas, "securitySchemes", security_schemes());
}

/* ---- served ---- */

static void on_document(struct api_call *call)
{
    struct api *a = api_ctx(call);
    if (!a->document) {
        json_t *document = api_openapi(a);
        a->document = document ? json_dumps(document, JSON_INDENT(1)) : NULL;
        json_decref(document);
    }
    struct http_request *req = api_release(call);
    if (a->document)
        http_respond(req, 200, "application/json", a->document, strlen(a->document));
    else
        http_respond_error(req, 500, err_name(ERR_NOMEM), NULL, err_text(ERR_NOMEM));
}

static void on_page(struct api_call *call)
{
    struct api *a = api_ctx(call);
    if (!a->page)
        a->page = api_page(a);
    struct http_request *req = api_release(call);
    if (a->page)
        http_respond(req, 200, "text/html; charset=utf-8", a->page, strlen(a->page));
    else
        http_respond_error(req, 500, err_name(ERR_NOMEM), NULL, err_text(ERR_NOMEM));
}

const struct api_route api_own_routes[] = {
    {.method = HTTP_GET,
     .path = "/api/openapi.json",
     .id = "getOpenApi",
     .tag = "API",
     .summary = "This document.",
     .answers = {{200, NULL, "The OpenAPI 3.1 document.", "application/json"}},
     .handle = on_document,
     .open = true},
    {.method = HTTP_GET,
     .path = "/api/docs",
     .id = "getDocs",
     .tag = "API",
     .summary = "The same for people.",
     .answers = {{200, NULL, "A page.", "text/html"}},
     .handle = on_page},
};
const size_t api_own_routes_count = sizeof api_own_routes / sizeof api_own_routes[0];
