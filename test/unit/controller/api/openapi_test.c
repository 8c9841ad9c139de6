/* Routes of every kind in one registry: what the document and the page say of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "controller/api/api_state.h"

#define INNER_FIELDS(X, S) X(S, u16, n, "n", REQ, 1, 7, _, "A number.")
SHAPE_STRUCT(inner, INNER_FIELDS);
SHAPE_DEFINE(inner, INNER_FIELDS)

static const char *const colours[] = {"red", "green", NULL};
#define OUTER_FIELDS(X, S)                                                                         \
    X(S, str, name, "name", REQ, 1, 20, _, "With a <tag> & \"more\".")                             \
    X(S, choice, colour, "colour", OPT, 0, 0, colours, "One of two.")                              \
    X(S, flag, on, "on", OPT, 0, 0, _, "Or off.")                                                  \
    X(S, objs, parts, "parts", OPT, 0, 3, inner, "Parts of it.")                                   \
    X(S, json, any, "any", OPT, 0, 0, _, "Whatever.")
SHAPE_STRUCT(outer, OUTER_FIELDS);
SHAPE_DEFINE(outer, OUTER_FIELDS)

static void nothing(struct api_call *call)
{
    api_answer_empty(call, 204);
}

static const struct api_route routes[] = {
    {.method = HTTP_POST,
     .path = "/api/things/:thingId/parts/:n",
     .id = "addPart",
     .tag = "Things",
     .summary = "Adds.",
     .auth = API_USER,
     .limit = API_LIMIT_CREATE,
     .body = &outer_shape,
     .query = {{"dry", API_QUERY_FLAG, 0, 0, 1, "Only as if."},
               {"n", API_QUERY_INT, 1, 9, 5, "So many."}},
     .answers = {{201, &inner_shape, "It is there."}, {404, NULL, "No such thing."}},
     .handle = nothing},
    {.method = HTTP_GET,
     .path = "/api/things/:thingId/parts/:n",
     .id = "getPart",
     .tag = "Things",
     .summary = "Gets.",
     .answers = {{200, &outer_shape, "It."}},
     .handle = nothing},
};

struct world {
    uv_loop_t loop;
    struct http_server *http;
    struct api *api;
    struct rng rng;
};

static int open_world(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    char error[256];
    uv_loop_init(&w->loop);
    rng_init_seeded(&w->rng, 3);
    const struct http_config http = {.host = "127.0.0.1"};
    assert_int_equal(http_server_open(&w->http, &w->loop, &http, error, sizeof error), OK);
    const struct api_config config = {
        .http = w->http, .rng = &w->rng, .buckets = 64, .version = "9.9"};
    assert_int_equal(api_open(&config, &w->api), OK);
    assert_int_equal(api_add(w->api, routes, sizeof routes / sizeof routes[0], NULL), OK);
    *state = w;
    return 0;
}

static int close_world(void **state)
{
    struct world *w = *state;
    http_server_close(w->http, NULL, NULL);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    api_close(w->api);
    assert_int_equal(uv_loop_close(&w->loop), 0);
    free(w);
    return 0;
}

static const char *at(json_t *o, const char *path)
{
    char copy[256];
    snprintf(copy, sizeof copy, "%s", path);
    for (char *key = strtok(copy, "|"); key; key = strtok(NULL, "|"))
        o = json_is_array(o) ? json_array_get(o, (size_t)atoi(key)) : json_object_get(o, key);
    static char text[256];
    if (json_is_string(o))
        return json_string_value(o);
    char *dumped = o ? json_dumps(o, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS) : NULL;
    snprintf(text, sizeof text, "%s", dumped ? dumped : "absent");
    free(dumped);
    return text;
}

static void the_document_has_paths_bodies_queries_and_answers(void **state)
{
    struct world *w = *state;
    json_t *d = api_openapi(w->api);
    assert_non_null(d);
#define POST "paths|/api/things/{thingId}/parts/{n}|post|"
    assert_string_equal(at(d, "openapi"), "3.1.0");
    assert_string_equal(at(d, "info|version"), "9.9");
    assert_string_equal(at(d, POST "operationId"), "addPart");
    assert_string_equal(at(d, POST "parameters|0|name"), "thingId");
    assert_string_equal(at(d, POST "parameters|1|in"), "path");
    assert_string_equal(at(d, POST "parameters|2|schema"),
                        "{\"default\":true,\"type\":\"boolean\"}");
    assert_string_equal(at(d, POST "parameters|3|schema|maximum"), "9");
    assert_string_equal(at(d, POST "requestBody|content|application/json|schema|$ref"),
                        "#/components/schemas/outer");
    assert_string_equal(at(d, POST "responses|201|content|application/json|schema|$ref"),
                        "#/components/schemas/inner");
    static const char *const statuses[] = {"404", "400", "401", "403", "413", "415", "503"};
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        char path[128];
        snprintf(path, sizeof path, POST "responses|%s|content|application/json|schema|$ref",
                 statuses[i]);
        assert_string_equal(at(d, path), "#/components/schemas/error");
    }
    assert_string_equal(at(d, POST "security"), "[{\"token\":[]},{\"cookie\":[]}]");
    assert_string_equal(at(d, "paths|/api/things/{thingId}/parts/{n}|get|security"), "[]");
    assert_string_equal(at(d, "paths|/api/things/{thingId}/parts/{n}|get|responses|401"), "absent");
    json_decref(d);
}

static void shapes_become_schemas(void **state)
{
    struct world *w = *state;
    json_t *d = api_openapi(w->api);
#define OUTER "components|schemas|outer|"
    assert_string_equal(at(d, OUTER "required"), "[\"name\"]");
    assert_string_equal(at(d, OUTER "properties|name|maxLength"), "20");
    assert_string_equal(at(d, OUTER "properties|colour|enum"), "[\"red\",\"green\"]");
    assert_string_equal(at(d, OUTER "properties|on|type"), "boolean");
    assert_string_equal(at(d, OUTER "properties|parts|items|$ref"), "#/components/schemas/inner");
    assert_string_equal(at(d, "components|schemas|inner|properties|n|maximum"), "7");
    json_decref(d);
}

static void the_page_escapes_and_names_every_route(void **state)
{
    struct world *w = *state;
    char *page = api_page(w->api);
    assert_non_null(page);
    assert_non_null(strstr(page, "With a &lt;tag&gt; &amp; &quot;more&quot;."));
    assert_null(strstr(page, "<tag>"));
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        char id[64];
        snprintf(id, sizeof id, "id=\"%s\"", routes[i].id);
        assert_non_null(strstr(page, id));
    }
    assert_null(strstr(page, "http://"));
    assert_null(strstr(page, "https://"));
    free(page);
}

static void a_route_is_there_once(void **state)
{
    struct world *w = *state;
    assert_int_equal(api_add(w->api, routes, 1, NULL), ERR_EXISTS);
}

#define WORLD_TEST(f) cmocka_unit_test_setup_teardown(f, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(the_document_has_paths_bodies_queries_and_answers),
        WORLD_TEST(shapes_become_schemas),
        WORLD_TEST(the_page_escapes_and_names_every_route),
        WORLD_TEST(a_route_is_there_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
