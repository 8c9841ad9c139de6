/* Plain transports of a real worker: comedia, RTCP on a port of its own, SRTP in every suite. */
#include <stdio.h>

#include "proto/rtcp_fb.h"
#include "proto/rtcp_report.h"
#include "test/integration/live.h"
#include "test/lib/rtp_peer.h"
#include "worker/rtp/ntp.h"

enum { EAR_SSRC = 5001, EYE_SSRC = 6000 };

/* A sender and a receiver, each with its transport in the router "room". */
struct plain_call {
    struct net net;
    struct rtp_peer from;
    struct rtp_peer to;
    uint16_t seq;
};

static int up(void **state)
{
    struct plain_call *c = calloc(1, sizeof *c);
    if (!c)
        return -1;
    net_init(&c->net, NULL);
    driver_do(&c->net.driver, "worker.createRouter", "", "{'routerId':'room'}");
    *state = c;
    return 0;
}

static int down(void **state)
{
    struct plain_call *c = *state;
    const char *wrong = driver_stop(&c->net.driver);
    if (wrong)
        print_error("%s\n", wrong);
    if (c->from.in)
        rtp_peer_fini(&c->from);
    if (c->to.in)
        rtp_peer_fini(&c->to);
    free(c);
    return wrong ? -1 : 0;
}

#define plain_test(f) cmocka_unit_test_setup_teardown(f, up, down)

/* options: members beside listenInfo. Aims the peer at what was opened. */
static void create(struct plain_call *c, struct rtp_peer *p, const char *id, bool rtcp_mux,
                   const char *options)
{
    rtp_peer_init(p, &c->net, rtcp_mux);
    json_t *t = driver_call(&c->net.driver, "router.createPlainTransport", "room",
                            "{'transportId':'%s','options':{'listenInfo':{'ip':'127.0.0.1'},"
                            "'rtcpMux':%s%s}}",
                            id, rtcp_mux ? "true" : "false", options);
    if (!t)
        fail_msg("%s", c->net.driver.error);
    rtp_peer_aim(p, t);
    json_decref(t);
}

static void produce_and_consume(struct plain_call *c)
{
    struct worker_driver *d = &c->net.driver;
    driver_do(d, "transport.produce", "in", "%s", produce_audio_json("mic"));
    driver_do(d, "transport.produce", "in", "%s", produce_video_json("cam"));
    driver_do(d, "transport.consume", "out", "%s", consume_audio_json("ear", "mic", EAR_SSRC));
    driver_do(d, "transport.consume", "out", "%s", consume_video_json("eye", "cam", EYE_SSRC));
}

/* comedia in, a fixed address out. */
static void open_usual(struct plain_call *c)
{
    create(c, &c->from, "in", true, ",'comedia':true");
    create(c, &c->to, "out", true, "");
    driver_do(&c->net.driver, "plainTransport.connect", "out", "{'ip':'127.0.0.1','port':%u}",
              c->to.rtp.local.port);
    produce_and_consume(c);
}

static void send_audio(struct plain_call *c)
{
    uint8_t buf[1500];
    struct rtp_spec s = {.ssrc = AUDIO_SSRC, .pt = AUDIO_PT, .seq = c->seq};
    s.timestamp = c->seq++ * 960U;
    rtp_peer_send(&c->from, buf, rtp_build(buf, &s));
}

static void send_video(struct plain_call *c, bool key)
{
    uint8_t buf[1500];
    struct rtp_spec s = {
        .ssrc = VIDEO_SSRC, .pt = VIDEO_PT, .seq = c->seq, .key = key, .size = 1100};
    s.timestamp = c->seq++ * 3000U;
    rtp_peer_send(&c->from, buf, rtp_build(buf, &s));
}

static void comedia_learns_the_senders_address_and_says_so(void **state)
{
    struct plain_call *c = *state;
    open_usual(c);
    struct worker_driver *d = &c->net.driver;
    for (int i = 0; i < 20; i++)
        send_audio(c);
    UNTIL(&c->net, inbox_count(c->to.in, EAR_SSRC) == 20);
    UNTIL(&c->net, driver_events(d, "in", "plainTransport.tuple") == 1);
    json_t *tuple = driver_last_event(d, "in", "plainTransport.tuple");
    assert_int_equal(json_number_at(tuple, "tuple.remotePort"), c->from.rtp.local.port);
    assert_string_equal(json_text_at(tuple, "tuple.remoteIp"), "127.0.0.1");
    for (size_t i = 0; i < 20; i++) {
        assert_int_equal(c->to.in->rtp[i].pt, OUT_AUDIO_PT);
        assert_int_equal((uint16_t)(c->to.in->rtp[i].seq - c->to.in->rtp[0].seq), i);
    }
}

static void nobody_else_is_heard_once_the_address_is_known(void **state)
{
    struct plain_call *c = *state;
    open_usual(c);
    send_audio(c);
    UNTIL(&c->net, inbox_count(c->to.in, EAR_SSRC) == 1);
    struct rtp_peer mallory;
    rtp_peer_init(&mallory, &c->net, true);
    mallory.rtp.remote = c->from.rtp.remote;
    uint8_t buf[1500];
    struct rtp_spec s = {.ssrc = AUDIO_SSRC, .pt = AUDIO_PT, .seq = 2};
    rtp_peer_send(&mallory, buf, rtp_build(buf, &s));
    send_audio(c);
    UNTIL(&c->net, inbox_count(c->to.in, EAR_SSRC) == 2);
    net_pass(&c->net, 50 * USEC_PER_MSEC);
    assert_int_equal(inbox_count(c->to.in, EAR_SSRC), 2);
    assert_int_equal(driver_events(&c->net.driver, "in", "plainTransport.tuple"), 1);
    rtp_peer_fini(&mallory);
}

static void rtcp_goes_over_its_own_ports_without_rtcp_mux(void **state)
{
    struct plain_call *c = *state;
    struct worker_driver *d = &c->net.driver;
    create(c, &c->from, "in", false, "");
    create(c, &c->to, "out", false, "");
    driver_do(d, "plainTransport.connect", "in", "{'ip':'127.0.0.1','port':%u,'rtcpPort':%u}",
              c->from.rtp.local.port, c->from.rtcp.local.port);
    driver_do(d, "plainTransport.connect", "out", "{'ip':'127.0.0.1','port':%u,'rtcpPort':%u}",
              c->to.rtp.local.port, c->to.rtcp.local.port);
    produce_and_consume(c);
    send_video(c, true);
    UNTIL(&c->net, inbox_count(c->to.in, EYE_SSRC) == 1);
    /* A sender report goes in by RTCP, and the consumer's comes out. */
    uint8_t buf[128];
    struct wr w = wr_of(buf, sizeof buf);
    struct rtcp_sr sr = {.ssrc = VIDEO_SSRC, .ntp = ntp_of_usec(clock_now()), .packets = 1};
    rtcp_write_sr(&w, &sr, NULL, 0);
    rtp_peer_send_rtcp(&c->from, buf, wr_len(&w));
    c->to.in->sr_ssrc = EYE_SSRC;
    UNTIL(&c->net, c->to.in->sr_ntp != 0);
    /* A later point of the sender's own line: as far on its clock as in its timestamps. */
    double seconds = (double)(c->to.in->sr_ntp - sr.ntp) / 4294967296.0;
    uint32_t ticks = c->to.in->sr_rtp - c->to.in->rtp[0].timestamp;
    assert_true(c->to.in->sr_ntp >= sr.ntp);
    assert_true(ticks < 90000 * seconds + 10 && ticks + 10 > 90000 * seconds);
    /* The other way: a PLI of the viewer reaches the sender. */
    size_t plis = c->from.in->plis;
    w = wr_of(buf, sizeof buf);
    rtcp_write_pli(&w, 1, EYE_SSRC);
    rtp_peer_send_rtcp(&c->to, buf, wr_len(&w));
    UNTIL(&c->net, c->from.in->plis > plis);
    assert_int_equal(c->to.rtcp_on_rtp + c->from.rtcp_on_rtp, 0);
    assert_int_equal(c->to.bad_in + c->from.bad_in, 0);
}

static void srtp_in_every_suite(void **state)
{
    struct plain_call *c = *state;
    struct worker_driver *d = &c->net.driver;
    for (enum srtp_suite suite = 0; suite < SRTP_SUITE_COUNT; suite++) {
        char options[128];
        char key[SRTP_BASE64_MAX];
        snprintf(options, sizeof options, ",'enableSrtp':true,'srtpCryptoSuite':'%s'",
                 srtp_suite_name(suite));
        create(c, &c->to, "out", true, options);
        snprintf(options + strlen(options), sizeof options - strlen(options), ",'comedia':true");
        create(c, &c->from, "in", true, options);
        rtp_peer_seal(&c->from, suite, key);
        driver_do(d, "plainTransport.connect", "in",
                  "{'srtpParameters':{'cryptoSuite':'%s','keyBase64':'%s'}}",
                  srtp_suite_name(suite), key);
        rtp_peer_seal(&c->to, suite, key);
        json_t *answer = driver_call(
            d, "plainTransport.connect", "out",
            "{'ip':'127.0.0.1','port':%u,'srtpParameters':{'cryptoSuite':'%s','keyBase64':'%s'}}",
            c->to.rtp.local.port, srtp_suite_name(suite), key);
        assert_non_null(answer);
        assert_true(rtp_peer_open(&c->to, json_at(answer, "srtpParameters")));
        json_decref(answer);
        produce_and_consume(c);
        send_video(c, true);
        for (int i = 0; i < 50; i++)
            send_video(c, false);
        UNTIL(&c->net, inbox_count(c->to.in, EYE_SSRC) == 51);
        assert_int_equal(c->to.bad_in, 0);
        driver_do(d, "router.closeTransport", "room", "{'transportId':'in'}");
        driver_do(d, "router.closeTransport", "room", "{'transportId':'out'}");
        rtp_peer_fini(&c->from);
        rtp_peer_fini(&c->to);
    }
}

static void what_the_wrong_key_sealed_is_counted_and_dropped(void **state)
{
    struct plain_call *c = *state;
    struct worker_driver *d = &c->net.driver;
    char key[SRTP_BASE64_MAX];
    create(c, &c->from, "in", true,
           ",'comedia':true,'enableSrtp':true,'srtpCryptoSuite':'AEAD_AES_128_GCM'");
    create(c, &c->to, "out", true, "");
    rtp_peer_seal(&c->from, SEAL_AES_128_GCM, key);
    driver_do(d, "plainTransport.connect", "in",
              "{'srtpParameters':{'cryptoSuite':'AEAD_AES_128_GCM','keyBase64':'%s'}}", key);
    driver_do(d, "plainTransport.connect", "out", "{'ip':'127.0.0.1','port':%u}",
              c->to.rtp.local.port);
    produce_and_consume(c);
    seal_close(c->from.sealer);
    rtp_peer_seal(&c->from, SEAL_AES_128_GCM, key); /* another than what the worker was told */
    for (int i = 0; i < 10; i++)
        send_audio(c);
    struct worker_get_metrics_response m = {0};
    UNTIL(&c->net, driver_request(d, METHOD_WORKER_GET_METRICS, "", NULL, &m) &&
                       m.dropped_unauthentic == 10);
    assert_int_equal(driver_events(d, "in", "plainTransport.tuple"), 0);
    assert_int_equal(c->to.in->n, 0);
}

static void bad_connects_are_refused_by_field(void **state)
{
    struct plain_call *c = *state;
    struct worker_driver *d = &c->net.driver;
    create(c, &c->to, "out", true, "");
    create(c, &c->from, "in", true, ",'enableSrtp':true,'comedia':true");
    static const char *const cases[][3] = {
        {"out", "{}", "TypeError ip"},
        {"out", "{'ip':'127.0.0.1'}", "TypeError port"},
        {"out", "{'ip':'somewhere','port':5}", "TypeError ip"},
        {"out", "{'ip':'::1','port':5}", "TypeError ip"},
        {"out", "{'ip':'127.0.0.1','port':0}", "RangeError port"},
        {"out", "{'ip':'127.0.0.1','port':5,'rtcpPort':6}", "TypeError rtcpPort"},
        {"out",
         "{'ip':'127.0.0.1','port':5,'srtpParameters':{'cryptoSuite':'AEAD_AES_128_GCM',"
         "'keyBase64':'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGw=='}}",
         "TypeError srtpParameters"},
        {"in", "{}", "TypeError srtpParameters"},
        {"in", "{'srtpParameters':{'cryptoSuite':'ROT13','keyBase64':'AAAA'}}",
         "TypeError srtpParameters.cryptoSuite"},
        {"in", "{'srtpParameters':{'cryptoSuite':'AEAD_AES_128_GCM','keyBase64':'AAAA'}}",
         "TypeError srtpParameters.keyBase64"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_prefix(driver_refused(d, "plainTransport.connect", cases[i][0], "%s", cases[i][1]),
                      cases[i][2]);
    /* None of that used up the one connect. */
    driver_do(d, "plainTransport.connect", "out", "{'ip':'127.0.0.1','port':5}");
    assert_prefix(driver_refused(d, "plainTransport.connect", "out", "{'ip':'127.0.0.1','port':5}"),
                  "InvalidStateError");
}

/* Nobody listens where media goes: ICMP says so, and others do not suffer. */
static void a_viewer_whose_port_is_closed_hurts_nobody(void **state)
{
    struct plain_call *c = *state;
    struct worker_driver *d = &c->net.driver;
    open_usual(c);
    struct rtp_peer gone;
    create(c, &gone, "gone", true, "");
    driver_do(d, "plainTransport.connect", "gone", "{'ip':'127.0.0.1','port':%u}",
              gone.rtp.local.port);
    driver_do(d, "transport.consume", "gone", "%s", consume_audio_json("ghost", "mic", 7777));
    rtp_peer_fini(&gone);
    for (int i = 0; i < 50; i++)
        send_audio(c);
    UNTIL(&c->net, inbox_count(c->to.in, EAR_SSRC) == 50);
}

static void a_port_of_its_own_choosing_is_bound_and_given_back(void **state)
{
    struct plain_call *c = *state;
    struct worker_driver *d = &c->net.driver;
    uint16_t port = driver_free_port();
    for (int i = 0; i < 3; i++) {
        driver_do(d, "router.createPlainTransport", "room",
                  "{'transportId':'a','options':{'listenInfo':{'ip':'127.0.0.1','port':%u}}}",
                  port);
        assert_prefix(driver_refused(d, "router.createPlainTransport", "room",
                                     "{'transportId':'b','options':{'listenInfo':{'ip':'127.0.0.1'"
                                     ",'port':%u}}}",
                                     port),
                      "Busy options.listenInfo.port");
        driver_do(d, "router.closeTransport", "room", "{'transportId':'a'}");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        plain_test(comedia_learns_the_senders_address_and_says_so),
        plain_test(nobody_else_is_heard_once_the_address_is_known),
        plain_test(rtcp_goes_over_its_own_ports_without_rtcp_mux),
        plain_test(srtp_in_every_suite),
        plain_test(what_the_wrong_key_sealed_is_counted_and_dropped),
        plain_test(bad_connects_are_refused_by_field),
        plain_test(a_viewer_whose_port_is_closed_hurts_nobody),
        plain_test(a_port_of_its_own_choosing_is_bound_and_given_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
