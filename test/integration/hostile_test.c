/* What strangers and hostile peers send to a real worker changes nothing for the others. */
#include <stdio.h>

#include "proto/stun.h"
#include "test/integration/call.h"

static struct worker_driver *driver_of(struct call *c)
{
    return &c->net.driver;
}

/* Media goes on, from the next packet, and nobody's state changed. */
static void assert_unharmed(struct call *c, size_t events)
{
    struct worker_driver *d = driver_of(c);
    size_t before = inbox_count(c->bob.in, EYE_SSRC);
    call_send_video(c, false);
    UNTIL(&c->net, inbox_count(c->bob.in, EYE_SSRC) == before + 1);
    driver_do(d, "worker.ping", "", NULL);
    size_t now = driver_events(d, NULL, "webRtcTransport.iceStateChange") +
                 driver_events(d, NULL, "webRtcTransport.iceSelectedTupleChange") +
                 driver_events(d, NULL, "webRtcTransport.dtlsStateChange");
    assert_int_equal(now, events);
    assert_int_equal(c->bob.rtc.bad_in, 0);
}

static bool connected(struct worker_driver *d, const char *transport)
{
    return strcmp(json_text_at(driver_last_event(d, transport, "webRtcTransport.iceStateChange"),
                               "iceState"),
                  "completed") == 0 &&
           strcmp(json_text_at(driver_last_event(d, transport, "webRtcTransport.dtlsStateChange"),
                               "dtlsState"),
                  "connected") == 0;
}

static size_t settle(struct call *c)
{
    struct worker_driver *d = driver_of(c);
    call_start_video(c);
    UNTIL(&c->net, connected(d, "up") && connected(d, "down"));
    return driver_events(d, NULL, "webRtcTransport.iceStateChange") +
           driver_events(d, NULL, "webRtcTransport.iceSelectedTupleChange") +
           driver_events(d, NULL, "webRtcTransport.dtlsStateChange");
}

static struct worker_get_metrics_response metrics(struct call *c)
{
    struct worker_get_metrics_response m;
    assert_true(driver_request(driver_of(c), METHOD_WORKER_GET_METRICS, "", NULL, &m));
    return m;
}

static void random_bytes_from_strangers_change_nothing(void **state)
{
    struct call *c = *state;
    struct net_socket stranger = {.fd = -1};
    size_t events = settle(c);
    uint64_t received = metrics(c).packets_received;
    net_open_udp(&c->net, &stranger, "127.0.0.1", c->net.driver.port);
    for (int i = 0; i < 3000; i++) {
        uint8_t junk[1600];
        size_t n = rng_u32(&c->net.rng) % 1500;
        rng_bytes(&c->net.rng, junk, n);
        /* A third each looks like STUN, DTLS or RTP at first. */
        static const uint8_t firsts[] = {0x00, 0x16, 0x80};
        if (n > 0)
            junk[0] = firsts[i % 3];
        net_send(&stranger, junk, n);
        if (i % 50 == 0) /* so that the sockets do not overflow */
            net_step(&c->net, 0);
    }
    assert_unharmed(c, events);
    UNTIL(&c->net, metrics(c).packets_received > received + 100);
    assert_true(metrics(c).dropped_unknown + metrics(c).dropped_malformed > 100);
    assert_int_equal(stranger.received, 0); /* nothing that it could be used to reflect */
    net_close(&c->net, &stranger);
}

/* The same from the address of a peer that is connected. */
static void random_bytes_from_a_peers_address_change_nothing(void **state)
{
    struct call *c = *state;
    size_t events = settle(c);
    for (int i = 0; i < 3000; i++) {
        uint8_t junk[1500];
        size_t n = 1 + rng_u32(&c->net.rng) % 1400;
        rng_bytes(&c->net.rng, junk, n);
        static const uint8_t firsts[] = {0x00, 0x16, 0x80, 0x81};
        junk[0] = firsts[i % 4];
        if (i % 4 == 3 && n > 1)
            junk[1] = (uint8_t)(200 + i % 8);
        net_send(&c->alice.socket, junk, n);
        if (i % 50 == 0)
            net_step(&c->net, 0);
    }
    assert_unharmed(c, events);
    UNTIL(&c->net, metrics(c).dropped_unauthentic > 100);
}

static void replays_are_dropped(void **state)
{
    struct call *c = *state;
    size_t events = settle(c);
    size_t got = call_got(c);
    for (int i = 0; i < 100; i++)
        net_send(&c->alice.socket, c->alice.last_sent, c->alice.last_sent_len);
    assert_unharmed(c, events);
    net_pass(&c->net, 20 * USEC_PER_MSEC);
    assert_int_equal(call_got(c), got + 1);
    UNTIL(&c->net, metrics(c).dropped_unauthentic == 100);
}

static void media_from_another_address_is_dropped(void **state)
{
    struct call *c = *state;
    struct net_socket spoofed = {.fd = -1};
    size_t events = settle(c);
    size_t got = call_got(c);
    net_open_udp(&c->net, &spoofed, "127.0.0.1", c->net.driver.port);
    /* Authentic and new, but not from where ICE saw the peer. */
    uint16_t port = c->alice.socket.remote.port;
    for (int i = 0; i < 20; i++) {
        c->alice.socket.remote.port = 9; /* discarded */
        call_send_video(c, false);
        net_send(&spoofed, c->alice.last_sent, c->alice.last_sent_len);
    }
    c->alice.socket.remote.port = port;
    UNTIL(&c->net, metrics(c).dropped_unknown >= 20);
    assert_int_equal(call_got(c), got);
    assert_unharmed(c, events);
    net_close(&c->net, &spoofed);
}

static void truncated_packets_change_nothing(void **state)
{
    struct call *c = *state;
    size_t events = settle(c);
    uint8_t whole[RTC_PEER_PACKET_MAX];
    size_t n = c->alice.last_sent_len;
    memcpy(whole, c->alice.last_sent, n);
    for (size_t len = 0; len < n; len++)
        net_send(&c->alice.socket, whole, len);
    assert_unharmed(c, events);
}

/* A check with a known name and a wrong password: an error at most, and no tuple. */
static void a_check_with_a_wrong_password_gains_nothing(void **state)
{
    struct call *c = *state;
    struct net_socket stranger = {.fd = -1};
    size_t events = settle(c);
    char username[64];
    uint8_t buf[256];
    net_open_udp(&c->net, &stranger, "127.0.0.1", c->net.driver.port);
    for (int i = 0; i < 200; i++) {
        size_t n = (size_t)snprintf(username, sizeof username, "%s:abcd", c->bob.rtc.remote_ufrag);
        struct stun_request q = {.username = slice_of(username, n),
                                 .key = slice_of("wrongwrongwrongwrongwrong", 25),
                                 .priority = 1,
                                 .controlling = true,
                                 .use_candidate = true};
        rng_bytes(&c->net.rng, q.tid, sizeof q.tid);
        struct wr w = wr_of(buf, sizeof buf);
        assert_int_equal(stun_write_request(&w, &q), OK);
        net_send(&stranger, buf, wr_len(&w));
    }
    assert_unharmed(c, events);
    net_pass(&c->net, 20 * USEC_PER_MSEC);
    assert_true(stranger.received <= 60); /* errors are rationed */
    net_close(&c->net, &stranger);
}

/* ---- TCP ---- */

static void oversized_and_empty_frames_are_passed_over(void **state)
{
    struct call c;
    struct web_peer_options tcp = {.tcp = true};
    (void)state;
    call_init(&c, NULL);
    call_open(&c, &tcp, NULL);
    call_start_video(&c);
    static uint8_t frame[2 + 65535];
    memset(frame, 0x80, sizeof frame);
    for (int i = 0; i < 3; i++) {
        frame[0] = frame[1] = 0xff;
        assert_true(net_send_raw(&c.alice.socket, frame, sizeof frame));
        assert_true(net_send_raw(&c.alice.socket, "\0\0", 2));
        assert_true(net_send_raw(&c.alice.socket, "\0\1x", 3));
    }
    call_send_video(&c, false);
    UNTIL(&c.net, inbox_count(c.bob.in, EYE_SSRC) == 2);
    assert_true(metrics(&c).dropped_malformed >= 3);
    const char *wrong = call_fini(&c);
    if (wrong)
        fail_msg("%s", wrong);
}

static void a_connection_that_says_nonsense_or_nothing_harms_nobody(void **state)
{
    struct call *c = *state;
    size_t events = settle(c);
    struct net_socket idle[20];
    memset(idle, 0, sizeof idle);
    for (int i = 0; i < 20; i++) {
        net_open_tcp(&c->net, &idle[i], "127.0.0.1", c->net.driver.port);
        if (i % 2 == 0)
            (void)net_send_raw(&idle[i], "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27);
    }
    assert_unharmed(c, events);
    for (int i = 0; i < 20; i++)
        net_close(&c->net, &idle[i]);
    assert_unharmed(c, events);
}

/* A viewer over TCP that stops reading: bounded memory, and the others go on. */
static void a_viewer_that_does_not_read_its_tcp_is_bounded(void **state)
{
    struct call *c = *state;
    struct worker_driver *d = driver_of(c);
    struct web_peer slow;
    struct web_peer_options tcp = {.tcp = true};
    web_peer_open(&slow, &c->net, "room", "slow", &tcp);
    driver_do(d, "transport.consume", "slow", "%s", consume_video_json("snail", "cam", 7000));
    settle(c);
    struct net_socket *place = NULL;
    for (size_t i = 0; i < NET_SOCKETS; i++) {
        if (c->net.sockets[i] == &slow.socket) {
            c->net.sockets[i] = NULL; /* no longer read */
            place = &slow.socket;
        }
    }
    assert_non_null(place);
    enum { PACKETS = 3000 };
    size_t first = inbox_count(c->bob.in, EYE_SSRC);
    size_t before = driver_memory(d);
    for (int i = 0; i < PACKETS; i++) {
        call_send_video(c, false);
        if (i % 20 == 19)
            UNTIL(&c->net, inbox_count(c->bob.in, EYE_SSRC) == first + (size_t)i + 1);
    }
    assert_true(driver_memory(d) < before + ((size_t)16 << 20));
    web_peer_fini(&slow);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        call_test(random_bytes_from_strangers_change_nothing),
        call_test(random_bytes_from_a_peers_address_change_nothing),
        call_test(replays_are_dropped),
        call_test(media_from_another_address_is_dropped),
        call_test(truncated_packets_change_nothing),
        call_test(a_check_with_a_wrong_password_gains_nothing),
        cmocka_unit_test(oversized_and_empty_frames_are_passed_over),
        call_test(a_connection_that_says_nonsense_or_nothing_harms_nobody),
        call_test(a_viewer_that_does_not_read_its_tcp_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
