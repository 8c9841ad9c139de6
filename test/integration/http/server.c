/* A small server over controller/net for the tests beside it: every kind of handler once.
 * Prints "listening <port>", ends cleanly when its standard input ends. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "common/log.h"
#include "common/metrics.h"
#include "controller/net/files.h"
#include "controller/net/http.h"
#include "controller/net/ws.h"

enum { FLOOD_BYTES = 8 * 1024 * 1024, FLOOD_PIECE = 100 * 1000, MESSAGE_BYTES = 10 * 1000 };

static uv_loop_t loop;
static struct http_server *server;
static struct metrics *metrics;
static uv_pipe_t input;
static struct {
    unsigned requests_closed;
    unsigned ws_open;
    unsigned ws_closed;
    unsigned ws_codes[5000]; /* closings by code */
} seen;

static void on_handle_closed(uv_handle_t *h)
{
    free(h);
}

/* ---- answers at once ---- */

static void get_json(struct http_request *req, void *user)
{
    (void)user;
    http_respond_json(req, 200, json_pack("{s:b}", "ok", 1));
}

static void get_peer(struct http_request *req, void *user)
{
    (void)user;
    char text[ADDR_TEXT_MAX];
    addr_ip_text(http_peer(req), text, sizeof text);
    http_respond_json(req, 200, json_pack("{s:s}", "peer", text));
}

static void get_query(struct http_request *req, void *user)
{
    (void)user;
    int64_t n;
    struct field_error error;
    if (http_query_int(req, "n", 1, 100, 7, &n, &error) != OK) {
        http_respond_field_error(req, &error);
        return;
    }
    const char *text = http_query(req, "text");
    http_respond_json(req, 200,
                      json_pack("{s:I,s:s}", "n", (json_int_t)n, "text", text ? text : ""));
}

static void any_echo(struct http_request *req, void *user)
{
    (void)user;
    struct slice body = http_body(req);
    if (http_param(req, "name"))
        (void)http_set_header(req, "X-Name", http_param(req, "name"));
    http_respond(req, 200, "application/octet-stream", body.p, body.n);
}

static void post_json(struct http_request *req, void *user)
{
    (void)user;
    json_t *body;
    struct field_error error;
    if (http_body_json(req, &body, &error) != OK)
        http_respond_field_error(req, &error);
    else
        http_respond_json(req, 201, body);
}

static void get_page(struct http_request *req, void *user)
{
    (void)user;
    static const char page[] = "<!doctype html><title>t</title>";
    http_respond(req, 200, "text/html; charset=utf-8", page, sizeof page - 1);
}

static void get_stats(struct http_request *req, void *user)
{
    (void)user;
    json_t *codes = json_object();
    for (int i = 1000; i < 5000; i++) {
        char code[12];
        snprintf(code, sizeof code, "%d", i);
        if (seen.ws_codes[i] > 0)
            json_object_set_new(codes, code, json_integer(seen.ws_codes[i]));
    }
    http_respond_json(req, 200,
                      json_pack("{s:i,s:i,s:i,s:o,s:i}", "requestsClosed", seen.requests_closed,
                                "wsOpen", seen.ws_open, "wsClosed", seen.ws_closed, "wsCodes",
                                codes, "connections", http_server_connections(server)));
}

static void get_metrics(struct http_request *req, void *user)
{
    (void)user;
    char *text;
    size_t n;
    if (metrics_render(metrics, &text, &n) != OK) {
        http_respond_error(req, 500, err_name(ERR_NOMEM), NULL, "out of memory");
        return;
    }
    http_respond(req, 200, "text/plain; version=0.0.4", text, n);
    free(text);
}

static void get_file(struct http_request *req, void *user)
{
    http_respond_file(req, user, http_param(req, "file"), "max-age=60");
}

/* ---- answers later ---- */

static void answer_late(uv_timer_t *timer)
{
    struct http_request *req = timer->data;
    uv_close((uv_handle_t *)timer, on_handle_closed);
    http_respond_json(req, 200, json_pack("{s:b}", "late", 1));
}

static void count_closed(struct http_request *req, void *user)
{
    (void)req;
    (void)user;
    seen.requests_closed++;
}

static void get_slow(struct http_request *req, void *user)
{
    (void)user;
    int64_t ms;
    struct field_error error;
    if (http_query_int(req, "ms", 0, 60000, 100, &ms, &error) != OK) {
        http_respond_field_error(req, &error);
        return;
    }
    uv_timer_t *timer = calloc(1, sizeof *timer);
    uv_timer_init(&loop, timer);
    timer->data = req;
    http_on_closed(req, count_closed, NULL);
    uv_timer_start(timer, answer_late, (uint64_t)ms, 0);
}

static void answer_gone(struct http_request *req, void *user)
{
    (void)user;
    seen.requests_closed++;
    http_respond_empty(req, 204);
}

static void get_hang(struct http_request *req, void *user)
{
    (void)user;
    http_on_closed(req, answer_gone, NULL);
}

/* ---- streams ---- */

static void flood_on(struct http_request *req, void *user)
{
    size_t *sent = user;
    static char piece[FLOOD_PIECE];
    while (*sent < FLOOD_BYTES) {
        size_t n = FLOOD_BYTES - *sent < sizeof piece ? FLOOD_BYTES - *sent : sizeof piece;
        for (size_t i = 0; i < n; i++)
            piece[i] = (char)((*sent + i) % 251);
        enum err e = http_stream_write(req, piece, n);
        if (e == ERR_FULL)
            return; /* drained calls again */
        *sent = e == OK ? *sent + n : FLOOD_BYTES;
    }
    free(sent);
    http_stream_end(req);
}

static void flood_closed(struct http_request *req, void *user)
{
    seen.requests_closed++;
    free(user);
    http_stream_end(req);
}

static void get_flood(struct http_request *req, void *user)
{
    (void)user;
    size_t *sent = calloc(1, sizeof *sent);
    http_on_closed(req, flood_closed, sent);
    http_stream_on_drained(req, flood_on, sent);
    http_stream_begin(req, 200, "application/octet-stream");
    flood_on(req, sent);
}

struct events {
    uv_timer_t timer; /* first: freed as a handle */
    struct http_request *req;
    int n;
};

static void next_event(uv_timer_t *timer)
{
    struct events *e = (struct events *)timer;
    char text[32];
    int n = snprintf(text, sizeof text, "data: %d\n\n", e->n);
    if (http_stream_write(e->req, text, (size_t)n) == OK && ++e->n < 3)
        return;
    http_stream_end(e->req);
    uv_close((uv_handle_t *)timer, on_handle_closed);
}

static void get_events(struct http_request *req, void *user)
{
    (void)user;
    struct events *e = calloc(1, sizeof *e);
    e->req = req;
    uv_timer_init(&loop, &e->timer);
    http_stream_begin(req, 200, "text/event-stream");
    uv_timer_start(&e->timer, next_event, 20, 20);
}

/* ---- WebSocket ---- */

static int ws_accept(const struct http_request *req, void *user)
{
    (void)user;
    const char *token = http_query(req, "token");
    return token && strcmp(token, "bad") == 0 ? 401 : 0;
}

static void ws_open(struct ws_conn *conn, const struct http_request *req, void *user)
{
    seen.ws_open++;
    ws_set_user(conn, user);
    const char *greet = http_query(req, "greet");
    if (greet)
        (void)ws_send(conn, greet, strlen(greet));
}

static void ws_message(struct ws_conn *conn, const char *text, size_t n, void *user)
{
    (void)user;
    if (strcmp(text, "close") == 0) {
        ws_close(conn, 4001, "as you wish");
    } else if (strncmp(text, "flood ", 6) == 0) {
        static char piece[MESSAGE_BYTES];
        memset(piece, 'x', sizeof piece);
        for (int i = atoi(text + 6); i > 0; i--)
            (void)ws_send(conn, piece, sizeof piece);
    } else {
        (void)ws_send(conn, text, n);
    }
}

static void ws_gone(struct ws_conn *conn, int code, void *user)
{
    (void)conn;
    (void)user;
    seen.ws_closed++;
    seen.ws_codes[code]++;
}

static const struct ws_handlers handlers = {
    .accept = ws_accept,
    .open = ws_open,
    .message = ws_message,
    .close = ws_gone,
};

/* ---- life ---- */

static void stop(void)
{
    if (!server)
        return;
    http_server_close(server, NULL, NULL);
    server = NULL;
    uv_close((uv_handle_t *)&input, NULL);
}

static void post_stop(struct http_request *req, void *user)
{
    (void)user;
    http_respond_empty(req, 204);
    stop();
}

static void give(uv_handle_t *h, size_t n, uv_buf_t *buf)
{
    (void)h;
    (void)n;
    static char room[256];
    *buf = uv_buf_init(room, sizeof room);
}

static void on_input(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
    (void)s;
    (void)buf;
    if (n < 0)
        stop();
}

static void must(enum err e)
{
    if (e == OK)
        return;
    fprintf(stderr, "setting up: %s\n", err_text(e));
    exit(1);
}

static void add_routes(char *root)
{
    const struct http_route routes[] = {
        {.method = HTTP_GET, .pattern = "/json", .handler = get_json, .cors = true},
        {.method = HTTP_GET, .pattern = "/peer", .handler = get_peer},
        {.method = HTTP_GET, .pattern = "/query", .handler = get_query},
        {.method = HTTP_POST, .pattern = "/echo", .handler = any_echo, .max_body = 4 << 20},
        {.method = HTTP_PUT, .pattern = "/echo/:name", .handler = any_echo},
        {.method = HTTP_PATCH, .pattern = "/echo/:name", .handler = any_echo},
        {.method = HTTP_DELETE, .pattern = "/echo/:name", .handler = any_echo},
        {.method = HTTP_POST, .pattern = "/json", .handler = post_json},
        {.method = HTTP_GET, .pattern = "/page", .handler = get_page},
        {.method = HTTP_GET, .pattern = "/stats", .handler = get_stats},
        {.method = HTTP_GET, .pattern = "/metrics", .handler = get_metrics},
        {.method = HTTP_GET, .pattern = "/file/:file", .handler = get_file, .user = root},
        {.method = HTTP_GET, .pattern = "/slow", .handler = get_slow},
        {.method = HTTP_GET, .pattern = "/hang", .handler = get_hang},
        {.method = HTTP_GET, .pattern = "/flood", .handler = get_flood},
        {.method = HTTP_GET, .pattern = "/events", .handler = get_events},
        {.method = HTTP_POST, .pattern = "/stop", .handler = post_stop},
    };
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++)
        must(http_route_add(server, &routes[i]));
    must(ws_endpoint_add(
        server,
        &(struct ws_endpoint){.path = "/ws", .subprotocol = "protoo", .handlers = &handlers}));
    must(ws_endpoint_add(server, &(struct ws_endpoint){.path = "/ws", .handlers = &handlers}));
    must(ws_endpoint_add(server, &(struct ws_endpoint){.path = "/ws-small",
                                                       .subprotocol = "small",
                                                       .handlers = &handlers,
                                                       .max_message = 1024,
                                                       .max_queue = 200 * 1000,
                                                       .ping_s = 1,
                                                       .idle_s = 3}));
    must(files_mount_app(server, root));
    must(files_mount_hls(server, "/live/", root, NULL, NULL));
}

/* server <root> [<host> <port> [<cert> <key>]]; WEIR_TEST_SHORT=1: time-outs of one second */
int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    log_init(LOG_DEBUG, "http-test-server");
    signal(SIGPIPE, SIG_IGN);
    uv_loop_init(&loop);
    must(metrics_open(&metrics));
    unsigned timeout = getenv("WEIR_TEST_SHORT") ? 1 : 0;
    const char *limit = getenv("WEIR_TEST_CONNECTIONS");
    const char *per_ip = getenv("WEIR_TEST_CONNECTIONS_PER_IP");
    const char *proxy = getenv("WEIR_TEST_PROXY");
    struct addr_range proxies;
    struct http_config config = {
        .host = argc > 2 ? argv[2] : "127.0.0.1",
        .port = argc > 3 ? (uint16_t)atoi(argv[3]) : 0,
        .cert_file = argc > 4 ? argv[4] : NULL,
        .key_file = argc > 5 ? argv[5] : NULL,
        .request_timeout_s = timeout,
        .idle_timeout_s = timeout,
        .write_timeout_s = timeout,
        .max_connections = limit ? (unsigned)atoi(limit) : 0,
        .max_connections_per_ip = per_ip ? (unsigned)atoi(per_ip) : 0,
        .trusted_proxies = &proxies,
        .n_trusted_proxies = proxy && addr_range_parse(&proxies, proxy) == OK,
        .metrics = metrics,
    };
    char error[256] = "";
    enum err e = http_server_open(&server, &loop, &config, error, sizeof error);
    if (e == OK) {
        add_routes(argv[1]);
        uv_pipe_init(&loop, &input, 0);
        uv_pipe_open(&input, 0);
        uv_read_start((uv_stream_t *)&input, give, on_input);
        printf("listening %u\n", http_server_port(server));
        fflush(stdout);
    } else {
        fprintf(stderr, "error: %s\n", error);
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    if (uv_loop_close(&loop) != 0) {
        fprintf(stderr, "handles are left\n");
        return 3;
    }
    metrics_close(metrics);
    return e == OK ? 0 : 1;
}
