/* WebRTC servers: transports on their sockets, and only there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "test/lib/stage.h"

static struct world w;

static int set_up(void **state)
{
    (void)state;
    world_init(&w);
    world_do(&w, "worker.createRouter", "", "{'routerId':'room'}");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_fini(&w);
    return 0;
}

static void starts_with(const char *text, const char *want)
{
    if (strncmp(text, want, strlen(want)) != 0)
        fail_msg("\"%s\" does not start with \"%s\"", text, want);
}

static void open_server(const char *id)
{
    world_do(&w, "worker.createWebRtcServer", "",
             "{'webRtcServerId':'%s','listenInfos':[{'protocol':'udp','ip':'10.0.0.1','port':"
             "4444},{'protocol':'tcp','ip':'10.0.0.1','port':4445,'announcedAddress':"
             "'media.example','exposeInternalIp':true}]}",
             id);
}

static json_t *open_transport(const char *id, const char *more)
{
    json_t *d = world_call(&w, "router.createWebRtcTransportWithServer", "room", NULL,
                           "{'transportId':'%s','options':{'listen':{'type':'server',"
                           "'webRtcServerId':'s'}%s}}",
                           id, more);
    assert_non_null(d);
    return d;
}

static size_t count(const char *method, const char *id, const char *field)
{
    json_t *d = world_call(&w, method, id, NULL, NULL);
    size_t n = json_array_size(json_object_get(d, field));
    json_decref(d);
    return n;
}

static void its_transports_have_its_addresses_as_candidates(void **state)
{
    (void)state;
    open_server("s");
    json_t *d = open_transport("t", "");
    json_t *all = json_object_get(d, "iceCandidates");
    assert_int_equal(json_array_size(all), 3);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(all, 0), "port")), 4444);
    assert_string_equal(json_string_value(json_object_get(json_array_get(all, 1), "address")),
                        "media.example");
    assert_string_equal(json_string_value(json_object_get(json_array_get(all, 2), "address")),
                        "10.0.0.1");
    json_decref(d);
    d = open_transport("u", ",'enableUdp':false");
    assert_int_equal(json_array_size(json_object_get(d, "iceCandidates")), 2);
    json_decref(d);
}

static uint16_t server_sock;

static void send_to_server(void *ctx, const void *bytes, size_t n)
{
    struct browser *b = ctx;
    world_send(&w, &b->endpoint, server_sock, bytes, n);
}

static void try_to_connect(struct browser *b)
{
    rtc_peer_start(&b->peer, w.now);
    for (int i = 0; i < 50; i++) {
        world_pass(&w, 10 * USEC_PER_MSEC, NULL, NULL);
        rtc_peer_timeout(&b->peer, w.now);
    }
}

static void a_browser_connects_by_its_socket_and_not_by_another(void **state)
{
    (void)state;
    struct browser b;
    server_sock = w.next_sock;
    open_server("s");
    w.transport_options = "{'listen':{'type':'server','webRtcServerId':'s'}}";
    browser_create(&b, &w, "room", "t", false);
    w.transport_options = NULL;
    world_do(&w, "webRtcTransport.connect", "t",
             "{'dtlsParameters':{'role':'client','fingerprints':[{'algorithm':'sha-256','value':'%"
             "s'}]}}",
             rtc_peer_fingerprint(&b.peer));
    try_to_connect(&b);
    assert_false(b.peer.ice_done);
    b.peer.config.send = send_to_server;
    try_to_connect(&b);
    assert_true(rtc_peer_connected(&b.peer));
    json_t *e = world_last_event(&w, "t", "webRtcTransport.iceSelectedTupleChange");
    json_t *tuple = json_object_get(e, "tuple");
    assert_int_equal(json_integer_value(json_object_get(tuple, "localPort")), 4444);
    world_do(&w, "worker.closeWebRtcServer", "", "{'webRtcServerId':'s'}");
    browser_fini(&b);
}

static void a_dump_names_sockets_transports_and_their_fragments(void **state)
{
    (void)state;
    open_server("s");
    json_decref(open_transport("t", ""));
    assert_int_equal(count("webRtcServer.dump", "s", "udpSockets"), 1);
    assert_int_equal(count("webRtcServer.dump", "s", "tcpServers"), 1);
    assert_int_equal(count("webRtcServer.dump", "s", "webRtcTransportIds"), 1);
    assert_int_equal(count("webRtcServer.dump", "s", "localIceUsernameFragments"), 1);
    world_do(&w, "transport.restartIce", "t", NULL);
    assert_int_equal(count("webRtcServer.dump", "s", "localIceUsernameFragments"), 2);
    world_do(&w, "router.closeTransport", "room", "{'transportId':'t'}");
    assert_int_equal(count("webRtcServer.dump", "s", "webRtcTransportIds"), 0);
    assert_int_equal(count("worker.dump", "", "webRtcServerIds"), 1);
}

static void closing_it_closes_its_transports_and_sockets(void **state)
{
    (void)state;
    size_t sockets = w.open_sockets;
    open_server("s");
    json_decref(open_transport("t", ""));
    json_decref(open_transport("u", ""));
    world_do(&w, "worker.closeWebRtcServer", "", "{'webRtcServerId':'s'}");
    assert_int_equal(count("router.dump", "room", "transportIds"), 0);
    assert_int_equal(w.open_sockets, sockets);
    starts_with(world_refused(&w, "webRtcServer.dump", "s", NULL), "NotFound handlerId");
}

static void a_router_that_closes_leaves_it(void **state)
{
    (void)state;
    open_server("s");
    json_decref(open_transport("t", ""));
    world_do(&w, "worker.closeRouter", "", "{'routerId':'room'}");
    assert_int_equal(count("webRtcServer.dump", "s", "webRtcTransportIds"), 0);
    assert_int_equal(count("webRtcServer.dump", "s", "udpSockets"), 1);
}

static void bad_requests_are_refused_and_bind_nothing(void **state)
{
    (void)state;
    size_t sockets = w.open_sockets;
    starts_with(world_refused(&w, "worker.createWebRtcServer", "",
                              "{'webRtcServerId':'s','listenInfos':[]}"),
                "RangeError listenInfos");
    starts_with(world_refused(&w, "worker.createWebRtcServer", "",
                              "{'webRtcServerId':'s','listenInfos':[{'ip':'10.0.0.1'},{'ip':"
                              "'10.0.0.1','port':1}]}"),
                "Busy listenInfos[1].port");
    assert_int_equal(w.open_sockets, sockets);
    open_server("s");
    starts_with(world_refused(&w, "worker.createWebRtcServer", "",
                              "{'webRtcServerId':'s','listenInfos':[{'ip':'10.0.0.1'}]}"),
                "AlreadyExists webRtcServerId");
    starts_with(world_refused(&w, "router.createWebRtcTransport", "room",
                              "{'transportId':'t','options':{'listen':{'type':'server'}}}"),
                "TypeError options.listen.webRtcServerId");
    starts_with(world_refused(&w, "router.createWebRtcTransport", "room",
                              "{'transportId':'t','options':{'enableUdp':false,'enableTcp':false,"
                              "'listen':{'type':'server','webRtcServerId':'s'}}}"),
                "TypeError options.enableUdp");
    starts_with(world_refused(&w, "worker.closeWebRtcServer", "", "{'webRtcServerId':'x'}"),
                "NotFound webRtcServerId");
    assert_int_equal(count("webRtcServer.dump", "s", "webRtcTransportIds"), 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(its_transports_have_its_addresses_as_candidates),
        T(a_browser_connects_by_its_socket_and_not_by_another),
        T(a_dump_names_sockets_transports_and_their_fragments),
        T(closing_it_closes_its_transports_and_sockets),
        T(a_router_that_closes_leaves_it),
        T(bad_requests_are_refused_and_bind_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
