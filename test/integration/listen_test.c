/* Where a real worker is reached: several addresses, IPv6, announced addresses, sockets of a
 * transport's own. */
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test/integration/call.h"

static bool has_ipv6(void)
{
    struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool ok = fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0;
    if (fd >= 0)
        close(fd);
    return ok;
}

/* A call in which alice and bob use these addresses, each over UDP and then TCP. */
static void call_over(const char *const listens[2], const char *alice, const char *bob)
{
    for (int tcp = 0; tcp < 2; tcp++) {
        struct call c;
        struct driver_options options = {.listens = {listens[0], listens[1]}};
        struct web_peer_options from = {.ip = alice, .tcp = tcp == 1};
        struct web_peer_options to = {.ip = bob, .tcp = tcp == 1};
        call_init(&c, &options);
        call_open(&c, &from, &to);
        call_start_video(&c);
        for (int i = 0; i < 10; i++)
            call_send_video(&c, false);
        UNTIL(&c.net, inbox_count(c.bob.in, EYE_SSRC) == 11);
        json_t *dump = driver_call(&c.net.driver, "transport.dump", "down", NULL);
        assert_string_equal(json_text_at(dump, "iceSelectedTuple.localAddress"), bob);
        assert_string_equal(json_text_at(dump, "iceSelectedTuple.remoteIp"), bob);
        json_decref(dump);
        const char *wrong = call_fini(&c);
        if (wrong)
            fail_msg("%s", wrong);
    }
}

static void two_addresses_are_both_reached(void **state)
{
    (void)state;
    static const char *const listens[2] = {"127.0.0.1", "127.0.0.2"};
    call_over(listens, "127.0.0.1", "127.0.0.2");
}

static void ipv6_and_ipv4_meet_in_one_router(void **state)
{
    (void)state;
    static const char *const listens[2] = {"127.0.0.1", "::1"};
    if (!has_ipv6())
        skip();
    call_over(listens, "::1", "127.0.0.1");
}

static void a_listener_on_all_addresses_answers_where_it_was_asked(void **state)
{
    (void)state;
    struct call c;
    struct driver_options options = {.listens = {"0.0.0.0=127.0.0.1"}};
    call_init(&c, &options);
    call_open(&c, NULL, NULL);
    call_start_video(&c);
    json_t *dump = driver_call(&c.net.driver, "transport.dump", "down", NULL);
    assert_string_equal(json_text_at(dump, "iceCandidates.0.address"), "127.0.0.1");
    json_decref(dump);
    const char *wrong = call_fini(&c);
    if (wrong)
        fail_msg("%s", wrong);
}

static void an_announced_address_stands_in_the_candidates(void **state)
{
    (void)state;
    struct call c;
    struct driver_options options = {.listens = {"127.0.0.1=media.example.org"}};
    call_init(&c, &options);
    json_t *t = driver_call(&c.net.driver, "router.createWebRtcTransport", "room",
                            "{'transportId':'t','options':{}}");
    for (size_t i = 0; i < 2; i++) {
        const json_t *candidate = json_array_get(json_at(t, "iceCandidates"), i);
        assert_string_equal(json_text_at(candidate, "address"), "media.example.org");
        assert_int_equal(json_number_at(candidate, "port"), c.net.driver.port);
    }
    json_decref(t);
    json_t *running = driver_last_event(&c.net.driver, "", "worker.running");
    assert_string_equal(json_text_at(running, "sockets.0.announcedAddress"), "media.example.org");
    const char *wrong = call_fini(&c);
    if (wrong)
        fail_msg("%s", wrong);
}

static void udp_has_the_higher_priority_unless_tcp_is_preferred(void **state)
{
    (void)state;
    struct call c;
    call_init(&c, NULL);
    struct worker_driver *d = &c.net.driver;
    static const char *const options[] = {"", "'preferTcp':true", "'enableTcp':false",
                                          "'enableUdp':false"};
    static const char *const best[] = {"udp", "tcp", "udp", "tcp"};
    for (int i = 0; i < 4; i++) {
        json_t *t = driver_call(d, "router.createWebRtcTransport", "room",
                                "{'transportId':'t%d','options':{%s}}", i, options[i]);
        const json_t *list = json_at(t, "iceCandidates");
        assert_int_equal(json_array_size(list), i < 2 ? 2 : 1);
        const json_t *top = json_array_get(list, 0);
        for (size_t k = 1; k < json_array_size(list); k++) {
            const json_t *other = json_array_get(list, k);
            if (json_number_at(other, "priority") > json_number_at(top, "priority"))
                top = other;
        }
        assert_string_equal(json_text_at(top, "protocol"), best[i]);
        json_decref(t);
    }
    assert_prefix(driver_refused(d, "router.createWebRtcTransport", "room",
                                 "{'transportId':'x','options':{'enableUdp':false,'enableTcp':"
                                 "false}}"),
                  "TypeError options.enableUdp");
    const char *wrong = call_fini(&c);
    if (wrong)
        fail_msg("%s", wrong);
}

static void a_transport_may_have_sockets_of_its_own(void **state)
{
    (void)state;
    struct call c;
    struct web_peer_options own = {
        .options = "'listen':{'type':'individual','listenInfos':[{'protocol':'udp','ip':"
                   "'127.0.0.1'},{'protocol':'tcp','ip':'127.0.0.1'}]}"};
    struct web_peer_options own_tcp = own;
    own_tcp.tcp = true;
    call_init(&c, NULL);
    call_open(&c, &own, &own_tcp);
    assert_int_not_equal(c.alice.port, c.net.driver.port);
    assert_int_not_equal(c.bob.port, c.alice.port);
    call_start_video(&c);
    const char *wrong = call_fini(&c);
    if (wrong)
        fail_msg("%s", wrong);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_addresses_are_both_reached),
        cmocka_unit_test(ipv6_and_ipv4_meet_in_one_router),
        cmocka_unit_test(a_listener_on_all_addresses_answers_where_it_was_asked),
        cmocka_unit_test(an_announced_address_stands_in_the_candidates),
        cmocka_unit_test(udp_has_the_higher_priority_unless_tcp_is_preferred),
        cmocka_unit_test(a_transport_may_have_sockets_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
