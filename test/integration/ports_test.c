/* Ports of a real worker: ranges, sharing, and giving back; a worker without a port of its own. */
#include <stdio.h>

#include "test/integration/live.h"

enum { EXIT_USAGE = 2 };

static struct worker_driver driver;

static void start(const struct driver_options *options)
{
    assert_true(driver_start(&driver, options));
    driver_do(&driver, "worker.createRouter", "", "{'routerId':'r'}");
}

static int tear_down(void **state)
{
    (void)state;
    driver_discard(&driver);
    return 0;
}

static void stop(void)
{
    const char *wrong = driver_stop(&driver);
    if (wrong)
        fail_msg("%s", wrong);
}

/* Port of a new plain transport; listen: members of its listenInfo. */
static int open_plain(const char *id, const char *listen)
{
    json_t *d = driver_call(&driver, "router.createPlainTransport", "r",
                            "{'transportId':'%s','options':{'listenInfo':{'ip':'127.0.0.1'%s}}}",
                            id, listen);
    if (!d)
        fail_msg("%s", driver.error);
    int port = (int)json_number_at(d, "tuple.localPort");
    json_decref(d);
    return port;
}

static const char *refused_plain(const char *listen)
{
    return driver_refused(&driver, "router.createPlainTransport", "r",
                          "{'transportId':'x','options':{'listenInfo':{'ip':'127.0.0.1'%s}}}",
                          listen);
}

static void close_transport(const char *id)
{
    driver_do(&driver, "router.closeTransport", "r", "{'transportId':'%s'}", id);
}

static void a_worker_needs_no_port_of_its_own(void **state)
{
    (void)state;
    start(&(struct driver_options){.no_shared_port = true});
    json_t *running = driver_last_event(&driver, "", "worker.running");
    assert_int_equal(json_array_size(json_at(running, "sockets")), 0);
    assert_prefix(driver_refused(&driver, "router.createWebRtcTransport", "r",
                                 "{'transportId':'t','options':{}}"),
                  "TypeError options.enableUdp");
    open_plain("p", "");
    stop();
}

static void ports_come_from_the_workers_range(void **state)
{
    (void)state;
    char range[16];
    uint16_t min = driver_free_port();
    snprintf(range, sizeof range, "%u-%u", min, min + 20U);
    start(&(struct driver_options){.no_shared_port = true, .args = {"--rtc-ports", range}});
    int one = open_plain("one", "");
    int two = open_plain("two", ",'portRange':{'min':0,'max':0}");
    assert_in_range(one, min, min + 20);
    assert_in_range(two, min, min + 20);
    assert_int_not_equal(one, two);
    json_t *d = driver_call(&driver, "router.createWebRtcTransport", "r",
                            "{'transportId':'t','options':{'listen':{'type':'individual',"
                            "'listenInfos':[{'ip':'127.0.0.1'},{'ip':'127.0.0.1','protocol':"
                            "'tcp'}]}}}");
    assert_non_null(d);
    for (int i = 0; i < 2; i++) {
        json_t *c = json_array_get(json_at(d, "iceCandidates"), (size_t)i);
        assert_in_range(json_number_at(c, "port"), min, min + 20);
    }
    json_decref(d);
    stop();
}

static void a_range_that_is_used_up_is_busy_until_a_port_comes_back(void **state)
{
    (void)state;
    char listen[64];
    uint16_t port = driver_free_port();
    snprintf(listen, sizeof listen, ",'portRange':{'min':%u,'max':%u}", port, port);
    start(&(struct driver_options){.no_shared_port = true});
    assert_int_equal(open_plain("one", listen), port);
    assert_prefix(refused_plain(listen), "Busy options.listenInfo.port");
    for (int i = 0; i < 5; i++) {
        close_transport("one");
        assert_int_equal(open_plain("one", listen), port);
    }
    stop();
}

static void a_port_is_shared_only_by_those_that_ask_for_it(void **state)
{
    (void)state;
    char alone[64];
    char shared[96];
    uint16_t port = driver_free_port();
    snprintf(alone, sizeof alone, ",'port':%u", port);
    snprintf(shared, sizeof shared, ",'port':%u,'flags':{'udpReusePort':true}", port);
    start(&(struct driver_options){.no_shared_port = true});
    assert_int_equal(open_plain("one", shared), port);
    assert_int_equal(open_plain("two", shared), port);
    assert_prefix(refused_plain(alone), "Busy options.listenInfo.port");
    stop();
}

static void servers_share_one_port_among_transports_and_give_it_back(void **state)
{
    (void)state;
    uint16_t port = driver_free_port();
    start(&(struct driver_options){.no_shared_port = true});
    for (int round = 0; round < 2; round++) {
        driver_do(&driver, "worker.createWebRtcServer", "",
                  "{'webRtcServerId':'s','listenInfos':[{'protocol':'udp','ip':'127.0.0.1','port':"
                  "%u},{'protocol':'tcp','ip':'127.0.0.1','port':%u}]}",
                  port, port);
        assert_prefix(driver_refused(&driver, "worker.createWebRtcServer", "",
                                     "{'webRtcServerId':'other','listenInfos':[{'protocol':'tcp',"
                                     "'ip':'127.0.0.1','port':%u}]}",
                                     port),
                      "Busy listenInfos[0].port");
        driver_do(
            &driver, "router.createWebRtcTransportWithServer", "r",
            "{'transportId':'t','options':{'listen':{'type':'server','webRtcServerId':'s'}}}");
        driver_do(&driver, "worker.closeWebRtcServer", "", "{'webRtcServerId':'s'}");
    }
    assert_prefix(driver_refused(&driver, "worker.createWebRtcServer", "",
                                 "{'webRtcServerId':'s','listenInfos':[{'ip':'192.0.2.1'}]}"),
                  "RangeError listenInfos[0].ip");
    stop();
}

static void wrong_arguments_end_it_with_the_usage(void **state)
{
    (void)state;
    static const char *const ranges[] = {"5", "7-5", "0-0", "1-65536", "a-b", "5-7x"};
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        struct driver_options o = {
            .no_shared_port = true, .may_fail = true, .args = {"--rtc-ports", ranges[i]}};
        assert_false(driver_start(&driver, &o));
        assert_int_equal(driver_wait_exit(&driver, DRIVER_PATIENCE), EXIT_USAGE);
        assert_true(driver_log_lines(&driver, "usage: weir-worker") == 1);
        driver_discard(&driver);
    }
    struct driver_options quiet = {.no_shared_port = true, .log_level = "none"};
    start(&quiet);
    stop();
}

#define T(f) cmocka_unit_test_teardown(f, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_worker_needs_no_port_of_its_own),
        T(ports_come_from_the_workers_range),
        T(a_range_that_is_used_up_is_busy_until_a_port_comes_back),
        T(a_port_is_shared_only_by_those_that_ask_for_it),
        T(servers_share_one_port_among_transports_and_give_it_back),
        T(wrong_arguments_end_it_with_the_usage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
