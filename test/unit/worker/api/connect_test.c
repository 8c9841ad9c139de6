/* How transports connect, and that nothing flows before they have. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
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

static const char *field(const char *handler, const char *event, const char *name)
{
    const char *s = json_string_value(json_object_get(world_last_event(&w, handler, event), name));
    return s ? s : "";
}

static json_int_t metric(const char *name)
{
    json_t *m = world_call(&w, "worker.getMetrics", "", NULL, NULL);
    json_int_t v = json_integer_value(json_object_get(m, name));
    json_decref(m);
    return v;
}

static void connecting_is_told_step_by_step(void **state)
{
    (void)state;
    struct browser b;
    browser_connect(&b, &w, "room", "t", false);
    assert_string_equal(field("t", "webRtcTransport.iceStateChange", "iceState"), "completed");
    assert_string_equal(field("t", "webRtcTransport.dtlsStateChange", "dtlsState"), "connected");
    assert_non_null(
        strstr(field("t", "webRtcTransport.dtlsStateChange", "remoteCert"), "BEGIN CERTIFICATE"));
    assert_int_equal(world_events(&w, "t", "webRtcTransport.dtlsStateChange"), 2);
    json_t *tuple = json_object_get(
        world_last_event(&w, "t", "webRtcTransport.iceSelectedTupleChange"), "tuple");
    assert_string_equal(json_string_value(json_object_get(tuple, "localAddress")), "10.0.0.1");
    assert_string_equal(json_string_value(json_object_get(tuple, "remoteIp")), "10.1.0.1");
    assert_string_equal(json_string_value(json_object_get(tuple, "protocol")), "udp");
    json_t *d = world_call(&w, "transport.getStats", "t", NULL, NULL);
    assert_string_equal(json_string_value(json_object_get(d, "dtlsState")), "connected");
    assert_true(json_integer_value(json_object_get(d, "bytesReceived")) > 500);
    assert_true(json_integer_value(json_object_get(d, "bytesSent")) > 500);
    json_decref(d);
    browser_fini(&b);
}

static void the_dtls_role_is_the_one_that_the_peer_leaves(void **state)
{
    (void)state;
    static const char *const remote[] = {"auto", "client", "server"};
    static const char *const local[] = {"client", "server", "client"};
    for (int i = 0; i < 3; i++) {
        char id[16];
        snprintf(id, sizeof id, "t%d", i);
        struct browser b;
        browser_create(&b, &w, "room", id, false);
        json_t *d = world_call(&w, "webRtcTransport.connect", id, NULL,
                               "{'dtlsParameters':{'role':'%s','fingerprints':[{'algorithm':"
                               "'sha-256','value':'%s'}]}}",
                               remote[i], rtc_peer_fingerprint(&b.peer));
        assert_string_equal(json_string_value(json_object_get(d, "dtlsLocalRole")), local[i]);
        json_decref(d);
        browser_fini(&b);
    }
    assert_int_equal(
        strncmp(world_refused(&w, "webRtcTransport.connect", "t0",
                              "{'dtlsParameters':{'fingerprints':[{'algorithm':"
                              "'sha-256','value':'%s'}]}}",
                              dtls_identity_fingerprint(world_identity(), DTLS_SHA256)),
                "InvalidStateError", 17),
        0);
}

static void connect_may_come_after_ice(void **state)
{
    (void)state;
    struct browser b;
    browser_create(&b, &w, "room", "t", true);
    rtc_peer_start(&b.peer, w.now);
    world_pass(&w, 50 * USEC_PER_MSEC, NULL, NULL);
    assert_string_equal(field("t", "webRtcTransport.iceStateChange", "iceState"), "completed");
    assert_int_equal(world_events(&w, "t", "webRtcTransport.dtlsStateChange"), 0);
    world_do(&w, "webRtcTransport.connect", "t",
             "{'dtlsParameters':{'role':'server','fingerprints':[{'algorithm':'sha-256','value':"
             "'%s'}]}}",
             rtc_peer_fingerprint(&b.peer));
    world_settle(&w);
    assert_true(rtc_peer_connected(&b.peer));
    assert_string_equal(field("t", "webRtcTransport.dtlsStateChange", "dtlsState"), "connected");
    browser_fini(&b);
}

static void a_wrong_fingerprint_fails_and_nothing_flows(void **state)
{
    (void)state;
    struct browser b;
    struct dtls_identity *other;
    uint8_t buf[1500];
    assert_int_equal(dtls_identity_open(&other, NULL, NULL), OK);
    browser_create(&b, &w, "room", "t", false);
    world_do(&w, "webRtcTransport.connect", "t",
             "{'dtlsParameters':{'role':'client','fingerprints':[{'algorithm':'sha-256','value':"
             "'%s'}]}}",
             dtls_identity_fingerprint(other, DTLS_SHA256));
    dtls_identity_close(other);
    produce_audio(&w, "t", "mic");
    rtc_peer_start(&b.peer, w.now);
    world_pass(&w, 200 * USEC_PER_MSEC, NULL, NULL);
    assert_string_equal(field("t", "webRtcTransport.dtlsStateChange", "dtlsState"), "failed");
    json_int_t unknown = metric("droppedUnknown");
    struct rtp_spec s = {.ssrc = AUDIO_SSRC, .pt = AUDIO_PT, .seq = 1};
    world_send(&w, &b.endpoint, 0, buf, rtp_build(buf, &s));
    assert_int_equal(metric("droppedUnknown"), unknown + 1);
    browser_fini(&b);
}

static void without_a_valid_check_neither_dtls_nor_media_is_heard(void **state)
{
    (void)state;
    struct browser b;
    uint8_t buf[1500];
    static const uint8_t hello[] = {22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    browser_connect(&b, &w, "room", "t", false);
    produce_audio(&w, "t", "mic");
    struct plain_peer mallory;
    static struct inbox in;
    plain_peer_init(&mallory, &w, &in, "10.9.9.9", 999);
    uint64_t sent = w.sent;
    json_int_t unknown = metric("droppedUnknown");
    world_send(&w, &mallory.endpoint, 0, hello, sizeof hello);
    struct rtp_spec s = {.ssrc = AUDIO_SSRC, .pt = AUDIO_PT, .seq = 1};
    world_send(&w, &mallory.endpoint, 0, buf, rtp_build(buf, &s));
    world_settle(&w);
    assert_int_equal(w.sent, sent);
    assert_int_equal(metric("droppedUnknown"), unknown + 2);
    /* From the right address without the right key: refused by SRTP. */
    json_int_t forged = metric("droppedUnauthentic");
    world_send(&w, &b.endpoint, 0, buf, rtp_build(buf, &s));
    assert_int_equal(metric("droppedUnauthentic"), forged + 1);
    json_t *d = world_call(&w, "producer.getStats", "mic", NULL, NULL);
    assert_int_equal(json_array_size(json_object_get(d, "stats")), 0);
    json_decref(d);
    browser_fini(&b);
}

static void consent_that_ends_disconnects_and_a_new_check_brings_it_back(void **state)
{
    (void)state;
    struct browser b;
    static struct inbox in;
    browser_connect(&b, &w, "room", "t", false);
    inbox_of_browser(&in, &b);
    produce_audio(&w, "t", "mic");
    consume_audio(&w, "t", "ear", "mic", 5001);
    b.peer.silent = true;
    rtc_peer_timeout(&b.peer, w.now + 10 * USEC_PER_SEC);
    world_pass(&w, 31 * USEC_PER_SEC, NULL, NULL);
    assert_string_equal(field("t", "webRtcTransport.iceStateChange", "iceState"), "disconnected");
    b.peer.silent = false;
    b.peer.ice_done = false;
    rtc_peer_start(&b.peer, w.now);
    world_settle(&w);
    assert_string_equal(field("t", "webRtcTransport.iceStateChange", "iceState"), "completed");
    uint8_t buf[1500];
    struct rtp_spec s = {.ssrc = AUDIO_SSRC, .pt = AUDIO_PT, .seq = 1};
    assert_true(rtc_peer_send_rtp(&b.peer, buf, rtp_build(buf, &s)));
    world_settle(&w);
    assert_int_equal(in.n, 1);
    browser_fini(&b);
}

static void an_ice_restart_changes_the_credentials_and_media_goes_on(void **state)
{
    (void)state;
    struct browser b;
    static struct inbox in;
    uint8_t buf[1500];
    browser_connect(&b, &w, "room", "t", false);
    inbox_of_browser(&in, &b);
    produce_audio(&w, "t", "mic");
    consume_audio(&w, "t", "ear", "mic", 5001);
    json_t *d = world_call(&w, "transport.restartIce", "t", NULL, NULL);
    const char *ufrag = json_string_value(json_object_get(d, "usernameFragment"));
    const char *pwd = json_string_value(json_object_get(d, "password"));
    assert_string_not_equal(ufrag, b.peer.remote_ufrag);
    struct rtp_spec s = {.ssrc = AUDIO_SSRC, .pt = AUDIO_PT, .seq = 1};
    assert_true(rtc_peer_send_rtp(&b.peer, buf, rtp_build(buf, &s)));
    world_settle(&w);
    assert_int_equal(in.n, 1);
    snprintf(b.peer.remote_ufrag, sizeof b.peer.remote_ufrag, "%s", ufrag);
    snprintf(b.peer.remote_pwd, sizeof b.peer.remote_pwd, "%s", pwd);
    /* The peer moves to another address with the new credentials, as after a change of network. */
    assert_int_equal(addr_parse(&b.endpoint.at, "10.1.0.77", 7777), OK);
    b.peer.ice_done = false;
    rtc_peer_start(&b.peer, w.now);
    world_settle(&w);
    json_t *tuple = json_object_get(
        world_last_event(&w, "t", "webRtcTransport.iceSelectedTupleChange"), "tuple");
    assert_string_equal(json_string_value(json_object_get(tuple, "remoteIp")), "10.1.0.77");
    s.seq = 2;
    assert_true(rtc_peer_send_rtp(&b.peer, buf, rtp_build(buf, &s)));
    world_settle(&w);
    assert_int_equal(in.n, 2);
    json_decref(d);
    browser_fini(&b);
}

static void a_peer_that_says_goodbye_closes_dtls(void **state)
{
    (void)state;
    struct browser b;
    browser_connect(&b, &w, "room", "t", false);
    dtls_shutdown(b.peer.dtls, w.now, b.peer.sink);
    for (size_t i = 0; i < b.peer.sink->count; i++)
        world_send(&w, &b.endpoint, 0, b.peer.sink->bytes + b.peer.sink->items[i].offset,
                   b.peer.sink->items[i].len);
    world_settle(&w);
    assert_string_equal(field("t", "webRtcTransport.dtlsStateChange", "dtlsState"), "closed");
    browser_fini(&b);
}

static void a_closed_transport_says_goodbye_and_frees_its_names(void **state)
{
    (void)state;
    struct browser b;
    browser_connect(&b, &w, "room", "t", false);
    uint64_t sent = w.sent;
    world_do(&w, "router.closeTransport", "room", "{'transportId':'t'}");
    world_settle(&w);
    assert_int_equal(w.sent, sent + 1);
    assert_int_equal(dtls_get_state(b.peer.dtls), DTLS_CLOSED);
    sent = w.sent;
    rtc_peer_start(&b.peer, w.now);
    world_settle(&w);
    assert_int_equal(w.sent, sent);
    browser_fini(&b);
}

/* ---- plain transports ---- */

struct srtp_peer {
    struct endpoint endpoint;
    struct opener *opener;
    struct sealer *sealer;
    size_t got;
};

static void receive_srtp(struct endpoint *e, uint8_t *bytes, size_t n)
{
    struct srtp_peer *p = e->ctx;
    if (opener_unprotect_rtp(p->opener, bytes, &n) == OK)
        p->got++;
}

static unsigned digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    return (unsigned)(strchr(digits, c) - digits);
}

static struct srtp_key key_of(const char *base64)
{
    struct srtp_key k = {.suite = SEAL_AES_128_GCM, .key_len = 16, .salt_len = 12};
    uint8_t bytes[64];
    size_t n = 0;
    for (const char *p = base64; p[0] && p[0] != '='; p += 4) {
        unsigned v = digit(p[0]) << 18 | digit(p[1]) << 12;
        v |= p[2] == '=' ? 0 : digit(p[2]) << 6;
        v |= p[2] == '=' || p[3] == '=' ? 0 : digit(p[3]);
        bytes[n++] = (uint8_t)(v >> 16);
        bytes[n++] = (uint8_t)(v >> 8);
        bytes[n++] = (uint8_t)v;
    }
    memcpy(k.key, bytes, 16);
    memcpy(k.salt, bytes + 16, 12);
    return k;
}

static void comedia_with_srtp_learns_only_from_what_authenticates(void **state)
{
    (void)state;
    static const char ours[] = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGw==";
    struct srtp_peer p = {0};
    uint8_t buf[1600];
    world_do(&w, "router.createPlainTransport", "room",
             "{'transportId':'t','options':{'comedia':true,'enableSrtp':true,'listenInfo':{'ip':"
             "'127.0.0.1'}}}");
    uint16_t sock = (uint16_t)(w.next_sock - 1);
    json_t *d =
        world_call(&w, "plainTransport.connect", "t", NULL,
                   "{'srtpParameters':{'cryptoSuite':'AEAD_AES_128_GCM','keyBase64':'%s'}}", ours);
    json_t *theirs = json_object_get(d, "srtpParameters");
    assert_string_equal(json_string_value(json_object_get(theirs, "cryptoSuite")),
                        "AEAD_AES_128_GCM");
    struct srtp_key in = key_of(json_string_value(json_object_get(theirs, "keyBase64")));
    struct srtp_key out = key_of(ours);
    json_decref(d);
    assert_int_equal(opener_open(&p.opener, &in), OK);
    assert_int_equal(seal_open(&p.sealer, &out), OK);
    p.endpoint.receive = receive_srtp;
    p.endpoint.ctx = &p;
    world_add(&w, &p.endpoint, "127.0.0.1", 6000);
    struct plain_peer mallory;
    static struct inbox inbox;
    plain_peer_init(&mallory, &w, &inbox, "127.0.0.1", 6666);
    produce_audio(&w, "t", "mic");
    consume_audio(&w, "t", "ear", "mic", 5001);
    struct rtp_spec s = {.ssrc = AUDIO_SSRC, .pt = AUDIO_PT, .seq = 1};
    size_t n = rtp_build(buf, &s);
    world_send(&w, &mallory.endpoint, sock, buf, n);
    world_settle(&w);
    assert_int_equal(world_events(&w, "t", "plainTransport.tuple"), 0);
    for (uint16_t seq = 1; seq <= 3; seq++) {
        s.seq = seq;
        n = rtp_build(buf, &s);
        assert_int_equal(seal_protect_rtp(p.sealer, buf, &n), OK);
        world_send(&w, &p.endpoint, sock, buf, n);
        world_settle(&w);
    }
    assert_int_equal(world_events(&w, "t", "plainTransport.tuple"), 1);
    /* The one that it was learnt from too: it goes out with the end of its burst. */
    assert_int_equal(p.got, 3);
    opener_close(p.opener);
    seal_close(p.sealer);
}

static void rtcp_has_its_own_port_without_rtcp_mux(void **state)
{
    (void)state;
    struct plain_peer rtp;
    struct plain_peer rtcp;
    static struct inbox rtp_in;
    static struct inbox rtcp_in;
    uint8_t buf[1500];
    plain_peer_init(&rtp, &w, &rtp_in, "127.0.0.1", 7000);
    plain_peer_init(&rtcp, &w, &rtcp_in, "127.0.0.1", 7001);
    world_do(&w, "router.createPlainTransport", "room",
             "{'transportId':'t','options':{'comedia':true,'rtcpMux':false,'listenInfo':{'ip':"
             "'127.0.0.1'}}}");
    uint16_t rtcp_sock = (uint16_t)(w.next_sock - 1);
    uint16_t rtp_sock = (uint16_t)(w.next_sock - 2);
    produce_video(&w, "t", "cam");
    struct rtp_spec s = {.ssrc = VIDEO_SSRC, .pt = VIDEO_PT, .seq = 1, .key = true};
    world_send(&w, &rtp.endpoint, rtp_sock, buf, rtp_build(buf, &s));
    static const uint8_t empty_rr[] = {0x80, 201, 0, 1, 0, 0, 0, 9};
    /* RTCP on the RTP port is not for us here, nor RTP on the other. */
    json_int_t unknown = metric("droppedUnknown");
    world_send(&w, &rtp.endpoint, rtp_sock, empty_rr, sizeof empty_rr);
    s.seq = 2;
    world_send(&w, &rtcp.endpoint, rtcp_sock, buf, rtp_build(buf, &s));
    assert_int_equal(metric("droppedUnknown"), unknown + 2);
    world_send(&w, &rtcp.endpoint, rtcp_sock, empty_rr, sizeof empty_rr);
    world_settle(&w);
    assert_int_equal(world_events(&w, "t", "plainTransport.rtcpTuple"), 1);
    world_pass(&w, 2 * USEC_PER_SEC, NULL, NULL);
    assert_true(rtcp_in.rrs > 0);
    assert_int_equal(rtp_in.rrs, 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(connecting_is_told_step_by_step),
        T(the_dtls_role_is_the_one_that_the_peer_leaves),
        T(connect_may_come_after_ice),
        T(a_wrong_fingerprint_fails_and_nothing_flows),
        T(without_a_valid_check_neither_dtls_nor_media_is_heard),
        T(consent_that_ends_disconnects_and_a_new_check_brings_it_back),
        T(an_ice_restart_changes_the_credentials_and_media_goes_on),
        T(a_peer_that_says_goodbye_closes_dtls),
        T(a_closed_transport_says_goodbye_and_frees_its_names),
        T(comedia_with_srtp_learns_only_from_what_authenticates),
        T(rtcp_has_its_own_port_without_rtcp_mux),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
