/* Two real workers joined by a pair of pipe transports, as a room that outgrows one: simulcast of
 * three layers from a browser at the first to one at the second, with RTX over a way that loses,
 * and with SRTP as between two machines. The test is the controller of both, and the way between.
 */
#include <stdio.h>

#include "proto/demux.h"
#include "proto/rtcp_fb.h"
#include "test/integration/live.h"
#include "test/lib/web_peer.h"

enum { LAYERS = 3, PIPED = 7000, PIPED_RTX = 7100, EYE = 6000, PACKET_HEAD = 12 };

/* Where one worker's pipe sends to; what comes goes on to the other worker. */
struct relay {
    struct net_socket socket;
    struct relay *other;
    unsigned every; /* of so many RTP packets one is lost; 0: none */
    unsigned n;
    unsigned lost;
    unsigned readable; /* packets with the payload as the camera made it */
};

struct rooms {
    struct net one;
    struct net two;
    struct web_peer alice;
    struct web_peer bob;
    struct relay a; /* where worker one sends to */
    struct relay b;
    uint16_t seq[LAYERS];
    uint32_t time;
    size_t plis;
    bool key;
};

static void step(struct rooms *r)
{
    net_step(&r->one, 2 * USEC_PER_MSEC);
    net_step(&r->two, 2 * USEC_PER_MSEC);
}

#define BOTH_UNTIL(r, condition)                                                                   \
    do {                                                                                           \
        usec since_ = clock_now();                                                                 \
        while (!(condition)) {                                                                     \
            if (net_late(&(r)->two, since_, #condition))                                           \
                fail();                                                                            \
            step(r);                                                                               \
        }                                                                                          \
    } while (0)

/* ---- the pipe ---- */

static void on_relay(struct net_socket *s, uint8_t *bytes, size_t n)
{
    struct relay *r = s->ctx;
    bool media = packet_class(bytes, n) == PACKET_RTP;
    uint8_t payload[16];
    memset(payload, 0xab, sizeof payload);
    r->n += media;
    r->readable += media && memmem(bytes, n, payload, sizeof payload);
    if (media && r->every > 0 && r->n % r->every == 0)
        r->lost++;
    else
        net_send(&r->other->socket, bytes, n);
}

static json_t *make_pipe(struct net *net, const char *ip, bool srtp, struct relay *relay)
{
    json_t *t = driver_call(&net->driver, "router.createPipeTransport", "room",
                            "{'transportId':'pipe','options':{'listenInfo':{'ip':'%s'},'enableRtx'"
                            ":true,'enableSrtp':%s}}",
                            ip, srtp ? "true" : "false");
    assert_non_null(t);
    relay->socket.receive = on_relay;
    relay->socket.ctx = relay;
    net_open_udp(net, &relay->socket, ip, (uint16_t)json_number_at(t, "tuple.localPort"));
    return t;
}

static void connect_pipe(struct net *net, const char *ip, const struct relay *relay,
                         const json_t *other)
{
    char keys[256] = "";
    if (json_at(other, "srtpParameters.keyBase64"))
        snprintf(keys, sizeof keys, ",'srtpParameters':{'cryptoSuite':'%s','keyBase64':'%s'}",
                 json_text_at(other, "srtpParameters.cryptoSuite"),
                 json_text_at(other, "srtpParameters.keyBase64"));
    driver_do(&net->driver, "pipeTransport.connect", "pipe", "{'ip':'%s','port':%u%s}", ip,
              relay->socket.local.port, keys);
}

static void join(struct rooms *r, const char *ip_one, const char *ip_two, bool srtp)
{
    r->a.other = &r->b;
    r->b.other = &r->a;
    json_t *one = make_pipe(&r->one, ip_one, srtp, &r->a);
    json_t *two = make_pipe(&r->two, ip_two, srtp, &r->b);
    connect_pipe(&r->one, ip_one, &r->a, two);
    connect_pipe(&r->two, ip_two, &r->b, one);
    json_decref(one);
    json_decref(two);
}

/* ---- what is produced and consumed ---- */

#define CODECS                                                                                     \
    "[{'mimeType':'video/"                                                                         \
    "VP8','payloadType':%d,'clockRate':90000,'rtcpFeedback':[{'type':'nack'},{"                    \
    "'type':'nack','parameter':'pli'}]},{'mimeType':'video/"                                       \
    "rtx','payloadType':%d,'clockRate':90000,"                                                     \
    "'parameters':{'apt':%d}}]"

/* Objects of the three layers; 0 leaves a member out. */
static const char *layers(uint32_t ssrc, uint32_t rtx, uint32_t mapped)
{
    static char texts[4][512];
    static unsigned next;
    char *text = texts[next++ % 4];
    size_t n = 0;
    for (uint32_t i = 0; i < LAYERS; i++) {
        n += (size_t)snprintf(text + n, 512 - n, "%s{'ssrc':%u", i > 0 ? "," : "", ssrc + i);
        if (rtx)
            n += (size_t)snprintf(text + n, 512 - n, ",'rtx':{'ssrc':%u}", rtx + i);
        if (mapped)
            n += (size_t)snprintf(text + n, 512 - n, ",'mappedSsrc':%u", mapped + i);
        n += (size_t)snprintf(text + n, 512 - n, "}");
    }
    return text;
}

static void produce(struct net *net, const char *transport, int pt, uint32_t ssrc, uint32_t rtx)
{
    driver_do(
        &net->driver, "transport.produce", transport,
        "{'producerId':'cam','kind':'video','rtpParameters':{'codecs':" CODECS
        ",'encodings':[%s],'rtcp':{'cname':'alice'}},'rtpMapping':{'codecs':[{'payloadType':%d"
        ",'mappedPayloadType':101},{'payloadType':%d,'mappedPayloadType':102}],'encodings':["
        "%s]}}",
        pt, pt + 1, pt, layers(ssrc, rtx, 0), pt, pt + 1, layers(ssrc, 0, 9000));
}

static void consume(struct net *net, const char *transport, const char *id, const char *type,
                    const char *encodings)
{
    driver_do(&net->driver, "transport.consume", transport,
              "{'consumerId':'%s','producerId':'cam','kind':'video','type':'%s','rtpParameters':{"
              "'codecs':" CODECS ",'encodings':[%s],'rtcp':{'cname':'alice'}},"
              "'consumableRtpEncodings':[%s]}",
              id, type, 101, 102, 101, encodings, layers(9000, 0, 0));
}

static void open_rooms(struct rooms *r, const char *ip_one, const char *ip_two, bool srtp)
{
    char eye[128];
    struct driver_options one = {.listens = {ip_one}};
    struct driver_options two = {.listens = {ip_two}};
    struct web_peer_options near = {.ip = ip_one};
    struct web_peer_options far = {.ip = ip_two};
    memset(r, 0, sizeof *r);
    net_init(&r->one, &one);
    net_init(&r->two, &two);
    driver_do(&r->one.driver, "worker.createRouter", "", "{'routerId':'room'}");
    driver_do(&r->two.driver, "worker.createRouter", "", "{'routerId':'room'}");
    web_peer_open(&r->alice, &r->one, "room", "up", &near);
    web_peer_open(&r->bob, &r->two, "room", "down", &far);
    join(r, ip_one, ip_two, srtp);
    produce(&r->one, "up", VIDEO_PT, VIDEO_SSRC, VIDEO_SSRC + 100);
    consume(&r->one, "pipe", "out", "pipe", layers(PIPED, PIPED_RTX, 0));
    produce(&r->two, "pipe", 101, PIPED, PIPED_RTX);
    snprintf(eye, sizeof eye, "{'ssrc':%d,'rtx':{'ssrc':%d},'scalabilityMode':'S3T1'}", EYE,
             EYE + 1);
    consume(&r->two, "down", "eye", "simulcast", eye);
    r->key = true;
}

static void close_rooms(struct rooms *r)
{
    const char *wrong = driver_stop(&r->one.driver);
    if (wrong)
        fail_msg("%s", wrong);
    wrong = driver_stop(&r->two.driver);
    if (wrong)
        fail_msg("%s", wrong);
    web_peer_fini(&r->alice);
    web_peer_fini(&r->bob);
    net_close(&r->one, &r->a.socket);
    net_close(&r->two, &r->b.socket);
}

/* ---- what flows ---- */

/* A frame of two packets in each of the first n layers; a key frame whenever one was asked for. */
static void send_frame(struct rooms *r, int n)
{
    bool key = r->key || r->alice.in->plis != r->plis;
    r->plis = r->alice.in->plis;
    r->key = false;
    r->time += 3000;
    for (int layer = 0; layer < n; layer++) {
        for (int i = 0; i < 2; i++) {
            uint8_t buf[1500];
            struct rtp_spec s = {.ssrc = VIDEO_SSRC,
                                 .pt = VIDEO_PT,
                                 .seq = r->seq[layer]++,
                                 .timestamp = r->time,
                                 .key = key && i == 0,
                                 .middle = i > 0,
                                 .marker = i == 1,
                                 .size = 200U + 200U * (unsigned)layer};
            size_t len = rtp_build(buf, &s);
            put_u32(buf + PACKET_HEAD - 4, (uint32_t)(VIDEO_SSRC + layer));
            assert_true(rtc_peer_send_rtp(&r->alice.rtc, buf, len));
        }
    }
    for (int i = 0; i < 5; i++)
        step(r);
}

static json_int_t stat(struct net *net, const char *method, const char *id, size_t i,
                       const char *name)
{
    json_t *d = driver_call(&net->driver, method, id, NULL);
    json_int_t n =
        json_integer_value(json_object_get(json_array_get(json_object_get(d, "stats"), i), name));
    json_decref(d);
    return n;
}

static json_int_t packets(struct net *net, size_t layer)
{
    return stat(net, "producer.getStats", "cam", layer, "packetCount") +
           stat(net, "producer.getStats", "cam", layer, "packetsRepaired");
}

static bool all_arrived(struct rooms *r)
{
    for (size_t i = 0; i < LAYERS; i++)
        if (packets(&r->two, i) < packets(&r->one, i))
            return false;
    return true;
}

/* The score that was told last of a layer of the producer at the second worker; -1: none. */
static json_int_t far_score(struct rooms *r, size_t layer)
{
    const json_t *e = driver_last_event(&r->two.driver, "cam", "producer.score");
    const json_t *s = json_array_get(json_object_get(e, "scores"), layer);
    return s ? json_integer_value(json_object_get(s, "score")) : -1;
}

/* ---- tests ---- */

static void all_layers_reach(struct rooms *r)
{
    for (int i = 0; i < 40; i++)
        send_frame(r, LAYERS);
    BOTH_UNTIL(r, all_arrived(r));
    /* The viewer at the second worker gets the highest, from a key frame on. */
    size_t n = inbox_count(r->bob.in, EYE);
    assert_true(n >= 40);
    const size_t last = r->bob.in->n - 1;
    assert_int_equal(r->bob.in->rtp[last].payload_len, 200 + 200 * (LAYERS - 1));
    BOTH_UNTIL(r, far_score(r, 0) == 10 && far_score(r, 1) == 10 && far_score(r, 2) == 10);
}

static void all_layers_pass_between_two_workers(void **state)
{
    (void)state;
    static struct rooms r;
    open_rooms(&r, "127.0.0.1", "127.0.0.1", false);
    all_layers_reach(&r);
    assert_true(r.a.readable > 0);
    close_rooms(&r);
}

static void and_between_two_addresses_with_srtp(void **state)
{
    (void)state;
    static struct rooms r;
    open_rooms(&r, "127.0.0.1", "127.0.0.2", true);
    all_layers_reach(&r);
    assert_true(r.a.n >= 40 * LAYERS);
    assert_int_equal(r.a.readable, 0);
    close_rooms(&r);
}

static void what_is_lost_between_them_comes_again_by_rtx(void **state)
{
    (void)state;
    static struct rooms r;
    open_rooms(&r, "127.0.0.1", "127.0.0.2", true);
    for (int i = 0; i < 5; i++)
        send_frame(&r, LAYERS);
    r.a.every = 7;
    for (int i = 0; i < 60; i++)
        send_frame(&r, LAYERS);
    r.a.every = 0;
    for (int i = 0; i < 3; i++)
        send_frame(&r, LAYERS);
    assert_true(r.a.lost > 40);
    BOTH_UNTIL(&r, all_arrived(&r));
    json_int_t repaired = 0;
    for (size_t i = 0; i < LAYERS; i++)
        repaired += stat(&r.two, "producer.getStats", "cam", i, "packetsRepaired");
    assert_true(repaired > 30);
    close_rooms(&r);
}

static void pausing_resuming_layers_and_closing_go_through(void **state)
{
    (void)state;
    static struct rooms r;
    open_rooms(&r, "127.0.0.1", "127.0.0.1", false);
    all_layers_reach(&r);

    /* What the controller does for pause: it is told at one end and does the same at the other. */
    driver_do(&r.one.driver, "producer.pause", "cam", NULL);
    BOTH_UNTIL(&r, driver_events(&r.one.driver, "out", "consumer.producerPause") == 1);
    driver_do(&r.two.driver, "producer.pause", "cam", NULL);
    BOTH_UNTIL(&r, driver_events(&r.two.driver, "eye", "consumer.producerPause") == 1);
    json_int_t before = packets(&r.two, 0);
    for (int i = 0; i < 5; i++)
        send_frame(&r, LAYERS);
    assert_int_equal(packets(&r.two, 0), before);

    size_t plis = r.alice.in->plis;
    driver_do(&r.one.driver, "producer.resume", "cam", NULL);
    driver_do(&r.two.driver, "producer.resume", "cam", NULL);
    BOTH_UNTIL(&r, driver_events(&r.two.driver, "eye", "consumer.producerResume") == 1);
    /* Both ends need a key frame, and the camera is asked. */
    BOTH_UNTIL(&r, r.alice.in->plis > plis);
    size_t got = inbox_count(r.bob.in, EYE);
    for (int i = 0; i < 20; i++)
        send_frame(&r, LAYERS);
    BOTH_UNTIL(&r, inbox_count(r.bob.in, EYE) > got + 10);

    /* The camera stops its highest layer: the far score falls, and the viewer goes down. */
    for (usec since = clock_now(); far_score(&r, LAYERS - 1) != 0;) {
        if (net_late(&r.two, since, "the score of a dead layer is 0"))
            fail();
        send_frame(&r, LAYERS - 1);
    }
    got = inbox_count(r.bob.in, EYE);
    for (usec since = clock_now(); inbox_count(r.bob.in, EYE) < got + 10;) {
        if (net_late(&r.two, since, "a lower layer"))
            fail();
        send_frame(&r, LAYERS - 1);
    }

    driver_do(&r.one.driver, "transport.closeProducer", "up", "{'producerId':'cam'}");
    BOTH_UNTIL(&r, driver_events(&r.one.driver, "out", "consumer.producerClose") == 1);
    driver_do(&r.two.driver, "transport.closeProducer", "pipe", "{'producerId':'cam'}");
    BOTH_UNTIL(&r, driver_events(&r.two.driver, "eye", "consumer.producerClose") == 1);
    close_rooms(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_layers_pass_between_two_workers),
        cmocka_unit_test(and_between_two_addresses_with_srtp),
        cmocka_unit_test(what_is_lost_between_them_comes_again_by_rtx),
        cmocka_unit_test(pausing_resuming_layers_and_closing_go_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
