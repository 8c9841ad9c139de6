/* Two rooms joined by a pair of pipe transports: what is produced in one is consumed in the other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/base64.h"
#include "test/lib/stage.h"

enum { LAYERS = 3, PORT_A = 5001, PORT_B = 5002, PIPED_SSRC = 7000 };

struct end {
    struct endpoint endpoint; /* what is sent to this end's address... */
    struct end *other;
    uint16_t sock; /* ...arrives by its socket */
    size_t got;
};

static struct world w;
static struct end a;
static struct end b;
static struct browser cam;
static struct plain_peer viewer;
static struct inbox inbox;
static bool lose_next;

static void relay(struct endpoint *e, uint8_t *bytes, size_t n)
{
    struct end *end = e->ctx;
    end->got++;
    if (lose_next) {
        lose_next = false;
        return;
    }
    world_send(&w, &end->other->endpoint, end->sock, bytes, n);
}

static void open_end(struct end *end, struct end *other, const char *room, const char *id,
                     uint16_t port, const char *options)
{
    *end = (struct end){.other = other};
    end->endpoint.receive = relay;
    end->endpoint.ctx = end;
    world_add(&w, &end->endpoint, "10.0.0.9", port);
    end->sock = w.next_sock;
    world_do(&w, "router.createPipeTransport", room,
             "{'transportId':'%s','options':{'listenInfo':{'ip':'10.0.0.9','port':%u}%s}}", id,
             port, options);
}

static json_t *keys_of(const char *id)
{
    json_t *d = world_call(&w, "transport.dump", id, NULL, NULL);
    json_t *p = json_incref(json_object_get(d, "srtpParameters"));
    json_decref(d);
    return p;
}

static void connect_end(const char *id, const char *other, uint16_t port)
{
    json_t *p = keys_of(other);
    const char *key = json_string_value(json_object_get(p, "keyBase64"));
    char srtp[160] = "";
    if (key)
        snprintf(srtp, sizeof srtp,
                 ",'srtpParameters':{'cryptoSuite':'AEAD_AES_256_GCM','keyBase64':'%s'}", key);
    world_do(&w, "pipeTransport.connect", id, "{'ip':'10.0.0.9','port':%u%s}", port, srtp);
    json_decref(p);
}

static void join(const char *options)
{
    open_end(&a, &b, "one", "pipe-a", PORT_A, options);
    open_end(&b, &a, "two", "pipe-b", PORT_B, options);
    connect_end("pipe-a", "pipe-b", PORT_B);
    connect_end("pipe-b", "pipe-a", PORT_A);
    world_settle(&w);
}

static int set_up(void **state)
{
    (void)state;
    lose_next = false;
    memset(&inbox, 0, sizeof inbox);
    world_init(&w);
    world_do(&w, "worker.createRouter", "", "{'routerId':'one'}");
    world_do(&w, "worker.createRouter", "", "{'routerId':'two'}");
    browser_connect(&cam, &w, "one", "up", false);
    inbox_of_browser(&inbox, &cam);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    browser_fini(&cam);
    world_fini(&w);
    return 0;
}

/* Simulcast of three layers in room one, or one layer. */
static void produce_layers(int n)
{
    char encodings[512] = "";
    char mapping[512] = "";
    for (int i = 0; i < n; i++) {
        const char *comma = i > 0 ? "," : "";
        size_t at = strlen(encodings);
        snprintf(encodings + at, sizeof encodings - at, "%s{'ssrc':%d}", comma, VIDEO_SSRC + i);
        at = strlen(mapping);
        snprintf(mapping + at, sizeof mapping - at, "%s{'ssrc':%d,'mappedSsrc':%d}", comma,
                 VIDEO_SSRC + i, 9000 + i);
    }
    world_do(&w, "transport.produce", "up",
             "{'producerId':'cam','kind':'video','rtpParameters':{'mid':'1','codecs':[{'mimeType':"
             "'video/VP8','payloadType':96,'clockRate':90000,'rtcpFeedback':[{'type':'nack','"
             "parameter':'pli'}]}],'encodings':[%s]},'rtpMapping':{'codecs':[{'payloadType':96,"
             "'mappedPayloadType':101}],'encodings':[%s]}}",
             encodings, mapping);
}

static void pipe_layers(int n, bool nack)
{
    char encodings[512] = "";
    char consumable[512] = "";
    char mapping[512] = "";
    char codecs[512];
    for (int i = 0; i < n; i++) {
        const char *comma = i > 0 ? "," : "";
        char rtx[64] = "";
        if (nack)
            snprintf(rtx, sizeof rtx, ",'rtx':{'ssrc':%d}", PIPED_SSRC + 100 + i);
        size_t at = strlen(encodings);
        snprintf(encodings + at, sizeof encodings - at, "%s{'ssrc':%d%s}", comma, PIPED_SSRC + i,
                 rtx);
        at = strlen(consumable);
        snprintf(consumable + at, sizeof consumable - at, "%s{'ssrc':%d}", comma, 9000 + i);
        at = strlen(mapping);
        snprintf(mapping + at, sizeof mapping - at, "%s{'ssrc':%d,'mappedSsrc':%d}", comma,
                 PIPED_SSRC + i, 9100 + i);
    }
    snprintf(codecs, sizeof codecs,
             "{'mimeType':'video/VP8','payloadType':101,'clockRate':90000,'rtcpFeedback':[%s{"
             "'type':'nack','parameter':'pli'}]}%s",
             nack ? "{'type':'nack'}," : "",
             nack ? ",{'mimeType':'video/rtx','payloadType':102,'clockRate':90000,'parameters':{"
                    "'apt':101}}"
                  : "");
    world_do(&w, "transport.consume", "pipe-a",
             "{'consumerId':'out','producerId':'cam','kind':'video','type':'pipe','rtpParameters':{"
             "'codecs':[%s],'encodings':[%s],'rtcp':{'cname':'alice'}},'consumableRtpEncodings':"
             "[%s]}",
             codecs, encodings, consumable);
    world_do(&w, "transport.produce", "pipe-b",
             "{'producerId':'cam2','kind':'video','rtpParameters':{'codecs':[%s],'encodings':[%s]},"
             "'rtpMapping':{'codecs':[{'payloadType':101,'mappedPayloadType':101}%s],"
             "'encodings':[%s]}}",
             codecs, encodings, nack ? ",{'payloadType':102,'mappedPayloadType':102}" : "",
             mapping);
}

static void send_frame(int layer, uint16_t seq, bool key)
{
    uint8_t buf[1500];
    struct rtp_spec s = {.ssrc = VIDEO_SSRC,
                         .seq = seq,
                         .timestamp = seq * 3000U,
                         .pt = VIDEO_PT,
                         .marker = true,
                         .key = key};
    size_t n = rtp_build(buf, &s);
    put_u32(buf + 8, (uint32_t)(VIDEO_SSRC + layer));
    (void)rtc_peer_send_rtp(&cam.peer, buf, n);
    world_settle(&w);
}

static json_int_t packets_of(const char *producer, size_t stream)
{
    json_t *d = world_call(&w, "producer.getStats", producer, NULL, NULL);
    json_t *s = json_array_get(json_object_get(d, "stats"), stream);
    json_int_t n = json_integer_value(json_object_get(s, "packetCount"));
    json_decref(d);
    return n;
}

static void starts_with(const char *text, const char *want)
{
    if (strncmp(text, want, strlen(want)) != 0)
        fail_msg("\"%s\" does not start with \"%s\"", text, want);
}

static void all_layers_come_out_of_the_other_end(void **state)
{
    (void)state;
    join("");
    produce_layers(LAYERS);
    pipe_layers(LAYERS, false);
    for (int layer = 0; layer < LAYERS; layer++) {
        send_frame(layer, 1, true);
        for (uint16_t seq = 2; seq <= (uint16_t)(5 + layer); seq++)
            send_frame(layer, seq, false);
    }
    for (int layer = 0; layer < LAYERS; layer++)
        assert_int_equal(packets_of("cam2", (size_t)layer), 5 + layer);
    json_t *d = world_call(&w, "consumer.dump", "out", NULL, NULL);
    assert_string_equal(json_string_value(json_object_get(d, "type")), "pipe");
    assert_int_equal(json_array_size(json_object_get(d, "rtpStreams")), LAYERS);
    json_decref(d);
    d = world_call(&w, "consumer.getStats", "out", NULL, NULL);
    assert_int_equal(json_array_size(json_object_get(d, "stats")), 2 * LAYERS);
    json_decref(d);
}

static void each_layer_waits_for_its_own_key_frame(void **state)
{
    (void)state;
    join("");
    produce_layers(2);
    pipe_layers(2, false);
    send_frame(0, 1, true);
    send_frame(1, 1, false);
    send_frame(1, 2, false);
    assert_int_equal(packets_of("cam2", 0), 1);
    send_frame(1, 3, true);
    send_frame(1, 4, false);
    assert_int_equal(packets_of("cam2", 1), 2);
}

static void srtp_between_them_carries_the_same(void **state)
{
    (void)state;
    join(",'enableSrtp':true");
    produce_layers(1);
    pipe_layers(1, false);
    send_frame(0, 1, true);
    send_frame(0, 2, false);
    assert_int_equal(packets_of("cam2", 0), 2);
}

static void a_packet_lost_between_them_is_sent_again_with_rtx(void **state)
{
    (void)state;
    join(",'enableRtx':true");
    produce_layers(1);
    pipe_layers(1, true);
    send_frame(0, 1, true);
    send_frame(0, 2, false);
    lose_next = true;
    send_frame(0, 3, false);
    send_frame(0, 4, false);
    assert_int_equal(packets_of("cam2", 0), 3);
    world_pass(&w, 200 * USEC_PER_MSEC, NULL, NULL);
    json_t *d = world_call(&w, "producer.getStats", "cam2", NULL, NULL);
    json_t *s = json_array_get(json_object_get(d, "stats"), 0);
    assert_int_equal(json_integer_value(json_object_get(s, "packetsRepaired")), 1);
    json_decref(d);
}

static void a_key_frame_asked_for_behind_the_pipe_reaches_the_camera(void **state)
{
    (void)state;
    join("");
    produce_layers(1);
    pipe_layers(1, false);
    send_frame(0, 1, true);
    world_pass(&w, 2 * USEC_PER_SEC, NULL, NULL);
    size_t before = inbox.plis;
    world_do(&w, "router.createPlainTransport", "two",
             "{'transportId':'tap','options':{'listenInfo':{'ip':'10.0.0.1'}}}");
    world_do(&w, "plainTransport.connect", "tap", "{'ip':'10.0.0.77','port':900}");
    consume_video(&w, "tap", "eye", "cam2", 6000);
    world_settle(&w);
    assert_true(inbox.plis > before);
}

static void pausing_and_closing_pass_through_by_the_controller_alone(void **state)
{
    (void)state;
    join("");
    produce_layers(1);
    pipe_layers(1, false);
    world_do(&w, "producer.pause", "cam", NULL);
    world_settle(&w);
    assert_int_equal(world_events(&w, "out", "consumer.producerPause"), 1);
    world_do(&w, "transport.closeProducer", "up", "{'producerId':'cam'}");
    world_settle(&w);
    assert_int_equal(world_events(&w, "out", "consumer.producerClose"), 1);
}

static void packets_of_others_are_dropped(void **state)
{
    (void)state;
    struct inbox none;
    uint8_t buf[1500];
    join("");
    produce_layers(1);
    pipe_layers(1, false);
    plain_peer_init(&viewer, &w, &none, "10.0.0.66", 66);
    struct rtp_spec s = {.ssrc = PIPED_SSRC, .seq = 1, .pt = 101, .key = true};
    world_send(&w, &viewer.endpoint, b.sock, buf, rtp_build(buf, &s));
    json_t *d = world_call(&w, "producer.getStats", "cam2", NULL, NULL);
    assert_int_equal(json_array_size(json_object_get(d, "stats")), 0);
    json_decref(d);
}

static void bad_requests_are_refused(void **state)
{
    (void)state;
    open_end(&a, &b, "one", "pipe-a", PORT_A, ",'enableSrtp':true");
    open_end(&b, &a, "two", "pipe-b", PORT_B, "");
    starts_with(world_refused(&w, "pipeTransport.connect", "pipe-a", "{'ip':'1.2.3.4','port':5}"),
                "TypeError srtpParameters");
    starts_with(world_refused(&w, "pipeTransport.connect", "pipe-a",
                              "{'ip':'1.2.3.4','port':5,'srtpParameters':{'cryptoSuite':"
                              "'AEAD_AES_256_GCM','keyBase64':'AAAA'}}"),
                "TypeError srtpParameters.keyBase64");
    starts_with(world_refused(&w, "pipeTransport.connect", "pipe-b",
                              "{'ip':'1.2.3.4','port':5,'srtpParameters':{'cryptoSuite':"
                              "'AEAD_AES_256_GCM','keyBase64':'AAAA'}}"),
                "TypeError srtpParameters");
    starts_with(world_refused(&w, "pipeTransport.connect", "pipe-b", "{'ip':'host','port':5}"),
                "TypeError ip");
    starts_with(world_refused(&w, "pipeTransport.connect", "pipe-b", "{'ip':'::1','port':5}"),
                "TypeError ip");
    world_do(&w, "pipeTransport.connect", "pipe-b", "{'ip':'1.2.3.4','port':5}");
    starts_with(world_refused(&w, "pipeTransport.connect", "pipe-b", "{'ip':'1.2.3.4','port':5}"),
                "InvalidStateError");
    size_t sockets = w.open_sockets;
    starts_with(world_refused(&w, "router.createPipeTransport", "one",
                              "{'transportId':'p','options':{'listenInfo':{'ip':'10.0.0.9',"
                              "'protocol':'tcp'}}}"),
                "TypeError options.listenInfo");
    assert_int_equal(w.open_sockets, sockets);
    produce_layers(2);
    starts_with(world_refused(&w, "transport.consume", "pipe-b",
                              "{'consumerId':'c','producerId':'cam','kind':'video','type':'pipe',"
                              "'rtpParameters':{'codecs':[{'mimeType':'video/VP8','payloadType':101"
                              ",'clockRate':90000}],'encodings':[{'ssrc':1}]},"
                              "'consumableRtpEncodings':[{'ssrc':9000},{'ssrc':9001}]}"),
                "NotFound producerId");
    starts_with(world_refused(&w, "transport.consume", "pipe-a",
                              "{'consumerId':'c','producerId':'cam','kind':'video','type':'pipe',"
                              "'rtpParameters':{'codecs':[{'mimeType':'video/VP8','payloadType':101"
                              ",'clockRate':90000}],'encodings':[{'ssrc':1}]},"
                              "'consumableRtpEncodings':[{'ssrc':9000},{'ssrc':9001}]}"),
                "TypeError rtpParameters.encodings");
}

/* ---- messages ---- */

static void send_message(const char *text, const char *more)
{
    char base64[128];
    char frame[512];
    base64_write((const uint8_t *)text, strlen(text), base64);
    int n = snprintf(frame, sizeof frame,
                     "{\"event\":\"dataProducer.send\",\"handlerId\":\"chat\",\"data\":{\"ppid\":51"
                     ",\"data\":\"%s\"%s}}",
                     base64, more);
    api_frame(&w.api, w.now, slice_of(frame, (size_t)n));
    world_pass(&w, 20 * USEC_PER_MSEC, NULL, NULL);
}

static const char *last_message(void)
{
    static char text[64];
    json_t *d = world_last_event(&w, "reader", "dataConsumer.message");
    const char *base64 = json_string_value(json_object_get(d, "data"));
    size_t n = base64 ? base64_read(base64, (uint8_t *)text, sizeof text - 1) : 0;
    text[n] = '\0';
    return text;
}

static void join_chat(const char *subchannels)
{
    join(",'enableSctp':true");
    world_pass(&w, USEC_PER_SEC, NULL, NULL);
    world_do(&w, "router.createDirectTransport", "one", "{'transportId':'in','options':{}}");
    world_do(&w, "router.createDirectTransport", "two", "{'transportId':'out2','options':{}}");
    world_do(&w, "transport.produceData", "in", "{'dataProducerId':'chat','type':'direct'}");
    world_do(&w, "transport.consumeData", "pipe-a",
             "{'dataConsumerId':'piped','dataProducerId':'chat','type':'sctp',"
             "'sctpStreamParameters':{'streamId':0,'ordered':true}}");
    world_do(&w, "transport.produceData", "pipe-b",
             "{'dataProducerId':'chat2','type':'sctp','sctpStreamParameters':{'streamId':0,"
             "'ordered':true}}");
    world_do(&w, "transport.consumeData", "out2",
             "{'dataConsumerId':'reader','dataProducerId':'chat2','type':'direct','subchannels':"
             "[%s]}",
             subchannels);
}

static void messages_pass_with_their_subchannels(void **state)
{
    (void)state;
    join_chat("5,6");
    send_message("plain", "");
    assert_string_equal(last_message(), "plain");
    send_message("wanted", ",\"subchannels\":[1,5],\"requiredSubchannel\":6");
    assert_string_equal(last_message(), "wanted");
    send_message("elsewhere", ",\"subchannels\":[1]");
    assert_string_equal(last_message(), "wanted");
    send_message("ignored", ",\"ignoredSubchannel\":5");
    assert_string_equal(last_message(), "wanted");
    assert_int_equal(world_events(&w, "reader", "dataConsumer.message"), 2);
}

static void a_pipe_told_what_is_wanted_carries_nothing_else(void **state)
{
    (void)state;
    join_chat("5");
    world_do(&w, "dataConsumer.setSubchannels", "piped", "{'subchannels':[5]}");
    send_message("wanted", ",\"subchannels\":[5],\"ignoredSubchannel\":7");
    assert_string_equal(last_message(), "wanted");
    size_t before = a.got + b.got;
    send_message("elsewhere", ",\"subchannels\":[6]");
    assert_string_equal(last_message(), "wanted");
    assert_true(a.got + b.got <= before + 2); /* an acknowledgement may have been due */
    json_t *d = world_call(&w, "dataConsumer.getStats", "piped", NULL, NULL);
    assert_int_equal(json_integer_value(json_object_get(d, "messagesSent")), 1);
    json_decref(d);
}

static void messages_for_direct_producers_alone_are_taken_and_small_ones_only(void **state)
{
    (void)state;
    char frame[256];
    join_chat("");
    world_do(&w, "router.createDirectTransport", "one",
             "{'transportId':'narrow','options':{'maxReceiveMessageSize':4}}");
    int n = snprintf(frame, sizeof frame,
                     "{\"event\":\"dataProducer.send\",\"handlerId\":\"chat2\",\"data\":{\"ppid\":"
                     "51,\"data\":\"aGk=\"}}");
    api_frame(&w.api, w.now, slice_of(frame, (size_t)n));
    world_settle(&w);
    assert_int_equal(world_events(&w, "reader", "dataConsumer.message"), 0);
    world_do(&w, "transport.produceData", "narrow", "{'dataProducerId':'tiny','type':'direct'}");
    n = snprintf(frame, sizeof frame,
                 "{\"event\":\"dataProducer.send\",\"handlerId\":\"tiny\",\"data\":{\"ppid\":51,"
                 "\"data\":\"aGVsbG8=\"}}");
    api_frame(&w.api, w.now, slice_of(frame, (size_t)n));
    json_t *d = world_call(&w, "dataProducer.getStats", "tiny", NULL, NULL);
    assert_int_equal(json_integer_value(json_object_get(d, "messagesReceived")), 0);
    json_decref(d);
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(all_layers_come_out_of_the_other_end),
        T(each_layer_waits_for_its_own_key_frame),
        T(srtp_between_them_carries_the_same),
        T(a_packet_lost_between_them_is_sent_again_with_rtx),
        T(a_key_frame_asked_for_behind_the_pipe_reaches_the_camera),
        T(pausing_and_closing_pass_through_by_the_controller_alone),
        T(packets_of_others_are_dropped),
        T(bad_requests_are_refused),
        T(messages_pass_with_their_subchannels),
        T(a_pipe_told_what_is_wanted_carries_nothing_else),
        T(messages_for_direct_producers_alone_are_taken_and_small_ones_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
