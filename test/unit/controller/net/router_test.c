#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "controller/net/router.h"

static void nothing(struct http_request *req, void *user)
{
    (void)req;
    (void)user;
}

static struct router made(void)
{
    static const struct {
        enum http_method method;
        const char *pattern;
    } routes[] = {
        {HTTP_GET, "/"},
        {HTTP_GET, "/api/:name"},
        {HTTP_GET, "/api/live"},
        {HTTP_POST, "/api/live"},
        {HTTP_POST, "/api/:a/:b/join"},
        {HTTP_POST, "/api/room/:b/join"},
        {HTTP_DELETE, "/api/:name"},
    };
    struct router r = {0};
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        struct http_route def = {
            .method = routes[i].method, .pattern = routes[i].pattern, .handler = nothing};
        assert_int_equal(router_add(&r, &def), OK);
    }
    return r;
}

static void assert_match(const struct router *r, enum http_method m, const char *path,
                         const char *pattern)
{
    struct route_match match;
    router_match(r, m, path, &match);
    if (!pattern)
        assert_null(match.route);
    else
        assert_string_equal(match.route->def.pattern, pattern);
}

static void literals_win_over_parameters(void **state)
{
    (void)state;
    struct router r = made();
    assert_match(&r, HTTP_GET, "/", "/");
    assert_match(&r, HTTP_GET, "/api/live", "/api/live");
    assert_match(&r, HTTP_GET, "/api/other", "/api/:name");
    assert_match(&r, HTTP_GET, "/api/liver", "/api/:name");
    assert_match(&r, HTTP_POST, "/api/room/7/join", "/api/room/:b/join");
    assert_match(&r, HTTP_POST, "/api/rooms/7/join", "/api/:a/:b/join");
    router_fini(&r);
}

static void only_whole_paths_match(void **state)
{
    (void)state;
    struct router r = made();
    assert_match(&r, HTTP_GET, "/api", NULL);
    assert_match(&r, HTTP_GET, "/api/", NULL);
    assert_match(&r, HTTP_GET, "/api/live/", NULL);
    assert_match(&r, HTTP_GET, "/api/live/x", NULL);
    assert_match(&r, HTTP_GET, "//", NULL);
    assert_match(&r, HTTP_POST, "/api//7/join", NULL);
    assert_match(&r, HTTP_GET, "*", NULL);
    router_fini(&r);
}

static void parameters_are_the_segments(void **state)
{
    (void)state;
    struct router r = made();
    struct route_match m;
    router_match(&r, HTTP_POST, "/api/x-1/y y/join", &m);
    assert_int_equal(m.n_params, 2);
    assert_int_equal(m.params[0].name_n, 1);
    assert_memory_equal(m.params[0].name, "a", 1);
    assert_int_equal(m.params[0].value_n, 3);
    assert_memory_equal(m.params[0].value, "x-1", 3);
    assert_int_equal(m.params[1].value_n, 3);
    assert_memory_equal(m.params[1].value, "y y", 3);
    router_fini(&r);
}

static void the_methods_of_a_path_are_known(void **state)
{
    (void)state;
    struct router r = made();
    struct route_match m;
    char text[64];
    router_match(&r, HTTP_PUT, "/api/live", &m);
    assert_null(m.route);
    assert_string_equal(methods_text(m.methods, text), "GET, HEAD, POST, DELETE, OPTIONS");
    router_match(&r, HTTP_GET, "/nowhere/at/all", &m);
    assert_int_equal(m.methods, 0);
    assert_string_equal(methods_text(m.methods, text), "");
    router_fini(&r);
}

static void head_is_served_by_get_unless_it_has_its_own(void **state)
{
    (void)state;
    struct router r = made();
    assert_match(&r, HTTP_HEAD, "/api/live", "/api/live");
    struct http_route own = {.method = HTTP_HEAD, .pattern = "/api/live", .handler = nothing};
    assert_int_equal(router_add(&r, &own), OK);
    struct route_match m;
    router_match(&r, HTTP_HEAD, "/api/live", &m);
    assert_int_equal(m.route->def.method, HTTP_HEAD);
    router_match(&r, HTTP_GET, "/api/live", &m);
    assert_int_equal(m.route->def.method, HTTP_GET);
    router_fini(&r);
}

static void bad_patterns_are_refused(void **state)
{
    (void)state;
    struct router r = made();
    static const struct {
        const char *pattern;
        enum err e;
    } cases[] = {
        {"api", ERR_MALFORMED},    {"/:", ERR_MALFORMED},
        {"/a/:/b", ERR_MALFORMED}, {"/:a/:b/:c/:d/:e/:f/:g/:h/:i", ERR_MALFORMED},
        {"/api/live", ERR_EXISTS}, {"/:a/:b/:c/:d/:e/:f/:g/:h", OK},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct http_route def = {
            .method = HTTP_GET, .pattern = cases[i].pattern, .handler = nothing};
        assert_int_equal(router_add(&r, &def), cases[i].e);
    }
    router_fini(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(literals_win_over_parameters),
        cmocka_unit_test(only_whole_paths_match),
        cmocka_unit_test(parameters_are_the_segments),
        cmocka_unit_test(the_methods_of_a_path_are_known),
        cmocka_unit_test(head_is_served_by_get_unless_it_has_its_own),
        cmocka_unit_test(bad_patterns_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
