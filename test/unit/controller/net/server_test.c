/* The life of servers on a loop: opened, closed, several, failing; and many clients at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "controller/net/content.h"
#include "controller/net/files.h"
#include "controller/net/http.h"
#include "controller/net/ws.h"

static uv_loop_t loop;
static char error[256];

static int open_loop(void **state)
{
    (void)state;
    return uv_loop_init(&loop);
}

/* Fails when anything is left on the loop. */
static int close_loop(void **state)
{
    (void)state;
    uv_run(&loop, UV_RUN_DEFAULT);
    return uv_loop_close(&loop);
}

static enum err try_open(struct http_server **s, uint16_t port)
{
    struct http_config config = {.host = "127.0.0.1", .port = port};
    return http_server_open(s, &loop, &config, error, sizeof error);
}

static void count(void *user)
{
    (*(int *)user)++;
}

static void a_server_that_never_ran_closes(void **state)
{
    (void)state;
    struct http_server *s;
    assert_int_equal(try_open(&s, 0), OK);
    assert_true(http_server_port(s) > 0);
    int done = 0;
    http_server_close(s, count, &done);
    assert_int_equal(done, 0); /* not before a later turn */
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(done, 1);
}

static void closing_twice_and_closing_nothing_are_fine(void **state)
{
    (void)state;
    int done = 0;
    http_server_close(NULL, count, &done);
    assert_int_equal(done, 1);
    struct http_server *s;
    assert_int_equal(try_open(&s, 0), OK);
    http_server_close(s, count, &done);
    http_server_close(s, count, &done);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(done, 2);
}

static void two_servers_share_a_loop(void **state)
{
    (void)state;
    struct http_server *a;
    struct http_server *b;
    assert_int_equal(try_open(&a, 0), OK);
    assert_int_equal(try_open(&b, 0), OK);
    assert_int_not_equal(http_server_port(a), http_server_port(b));
    for (int i = 0; i < 3; i++)
        uv_run(&loop, UV_RUN_NOWAIT);
    int done = 0;
    http_server_close(a, count, &done);
    uv_run(&loop, UV_RUN_ONCE);
    http_server_close(b, count, &done);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(done, 2);
}

static void a_port_is_free_again_after_closing(void **state)
{
    (void)state;
    struct http_server *s;
    assert_int_equal(try_open(&s, 0), OK);
    uint16_t port = http_server_port(s);
    struct http_server *second;
    assert_int_equal(try_open(&second, port), ERR_BUSY);
    char expected[64];
    snprintf(expected, sizeof expected, "127.0.0.1:%u", port);
    assert_non_null(strstr(error, expected));
    http_server_close(s, NULL, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(try_open(&second, port), OK);
    http_server_close(second, NULL, NULL);
}

static void half_a_tls_configuration_is_refused(void **state)
{
    (void)state;
    struct http_config config = {.host = "127.0.0.1", .cert_file = "x.pem"};
    struct http_server *s;
    assert_int_equal(http_server_open(&s, &loop, &config, error, sizeof error), ERR_MALFORMED);
    assert_non_null(strstr(error, "key"));
}

static void answer(struct http_request *req, void *user)
{
    (void)user;
    http_respond_empty(req, 204);
}

static void ws_open(struct ws_conn *conn, const struct http_request *req, void *user)
{
    (void)conn;
    (void)req;
    (void)user;
}

static void routes_endpoints_and_mounts_are_checked(void **state)
{
    (void)state;
    static const struct ws_handlers handlers = {.open = ws_open};
    struct http_server *s;
    assert_int_equal(try_open(&s, 0), OK);
    struct http_route route = {.method = HTTP_GET, .pattern = "/a", .handler = answer};
    assert_int_equal(http_route_add(s, &route), OK);
    assert_int_equal(http_route_add(s, &route), ERR_EXISTS);
    struct ws_endpoint e = {.path = "/ws", .subprotocol = "p", .handlers = &handlers};
    assert_int_equal(ws_endpoint_add(s, &e), OK);
    assert_int_equal(ws_endpoint_add(s, &e), ERR_EXISTS);
    e.subprotocol = NULL;
    assert_int_equal(ws_endpoint_add(s, &e), OK);
    assert_int_equal(ws_endpoint_add(s, &e), ERR_EXISTS);
    assert_int_equal(files_mount(s, &(struct files_mount_config){.prefix = "/x", .root = "."}),
                     ERR_MALFORMED);
    assert_int_equal(files_mount_app(s, "."), OK);
    http_server_close(s, NULL, NULL);
}

static void every_error_has_a_status(void **state)
{
    (void)state;
    for (int e = OK; e < ERR_COUNT; e++) {
        int status = http_status_of((enum err)e);
        assert_true(e == OK ? status == 200 : status >= 400 && status < 600);
    }
    assert_int_equal(http_status_of(ERR_NOT_FOUND), 404);
    assert_int_equal(http_status_of(ERR_FULL), 429);
}

/* ---- many clients ---- */

enum { CLIENTS = 50, LARGE = 8 * 1024 * 1024, TURNS_MAX = 100000 };

static struct http_request *kept[CLIENTS];
static size_t n_kept;

static void keep(struct http_request *req, void *user)
{
    (void)user;
    kept[n_kept++] = req;
}

static void connect_clients(const struct http_server *s, int *fds)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(http_server_port(s))};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    static const char request[] = "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n";
    for (int i = 0; i < CLIENTS; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(fds[i], (struct sockaddr *)&to, sizeof to), 0);
        assert_int_equal(send(fds[i], request, sizeof request - 1, 0), sizeof request - 1);
    }
    for (int i = 0; n_kept < CLIENTS && i < TURNS_MAX; i++)
        uv_run(&loop, UV_RUN_NOWAIT);
    assert_int_equal(n_kept, CLIENTS);
}

static struct http_server *open_waiting(int *fds)
{
    struct http_server *s;
    struct http_route route = {.method = HTTP_GET, .pattern = "/wait", .handler = keep};
    n_kept = 0;
    assert_int_equal(try_open(&s, 0), OK);
    assert_int_equal(http_route_add(s, &route), OK);
    connect_clients(s, fds);
    return s;
}

static void answers_that_were_waited_for_go_out_together_in_the_next_turn(void **state)
{
    (void)state;
    int fds[CLIENTS];
    struct http_server *s = open_waiting(fds);
    for (int i = 0; i < CLIENTS; i++)
        http_respond(kept[i], 200, "text/plain", "here", 4);
    uv_run(&loop, UV_RUN_NOWAIT);
    int answered = 0;
    for (int i = 0; i < CLIENTS; i++) {
        char text[4096];
        ssize_t n = recv(fds[i], text, sizeof text, MSG_DONTWAIT);
        answered += n > 4 && memcmp(text + n - 4, "here", 4) == 0;
        close(fds[i]);
    }
    http_server_close(s, NULL, NULL);
    assert_int_equal(answered, CLIENTS);
}

/* Reads one client to the end of its answer while the server goes on. True: it is the blob. */
static bool read_large(int fd, const struct blob *b)
{
    static uint8_t all[LARGE + 4096];
    size_t n = 0;
    const uint8_t *body = NULL;
    for (int i = 0; i < TURNS_MAX && !(body && n - (size_t)(body - all) >= b->n); i++) {
        ssize_t got = recv(fd, all + n, sizeof all - n, MSG_DONTWAIT);
        n += got > 0 ? (size_t)got : 0;
        body = memmem(all, n, "\r\n\r\n", 4);
        body = body ? body + 4 : NULL;
        uv_run(&loop, UV_RUN_NOWAIT);
    }
    return body && n - (size_t)(body - all) == b->n && memcmp(body, b->bytes, b->n) == 0;
}

static void clients_that_do_not_read_cost_no_copy_each(void **state)
{
    (void)state;
    int fds[CLIENTS];
    struct http_server *s = open_waiting(fds);
    struct blob *b = blob_new(LARGE);
    for (size_t i = 0; i < b->n; i++)
        b->bytes[i] = (uint8_t)(i * 7919 >> 8);
    struct http_content content = {.type = "video/mp4", .blobs = &b, .n_blobs = 1};
    size_t before = mallinfo2().uordblks;
    for (int i = 0; i < CLIENTS; i++)
        http_respond_content(kept[i], &content);
    for (int i = 0; i < 20; i++)
        uv_run(&loop, UV_RUN_NOWAIT);
    unsigned refs = b->refs;
    size_t after = mallinfo2().uordblks; /* the sanitizers' allocator tells nothing */
    int exact = 0;
    for (int i = 0; i < CLIENTS; i++) {
        exact += i % 10 == 0 && read_large(fds[i], b);
        close(fds[i]);
    }
    http_server_close(s, NULL, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(refs, 1 + CLIENTS);
    assert_true(after < before + CLIENTS * (size_t)2048);
    assert_int_equal(exact, CLIENTS / 10);
    assert_int_equal(b->refs, 1);
    blob_unref(b);
}

#define LOOP_TEST(f) cmocka_unit_test_setup_teardown(f, open_loop, close_loop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOOP_TEST(a_server_that_never_ran_closes),
        LOOP_TEST(closing_twice_and_closing_nothing_are_fine),
        LOOP_TEST(two_servers_share_a_loop),
        LOOP_TEST(a_port_is_free_again_after_closing),
        LOOP_TEST(half_a_tls_configuration_is_refused),
        LOOP_TEST(routes_endpoints_and_mounts_are_checked),
        cmocka_unit_test(every_error_has_a_status),
        LOOP_TEST(answers_that_were_waited_for_go_out_together_in_the_next_turn),
        LOOP_TEST(clients_that_do_not_read_cost_no_copy_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
