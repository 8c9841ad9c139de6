/* The object tree by requests: what is refused and how, dumps, closing in any order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/pipe.h"
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

static void create_webrtc(const char *id)
{
    world_do(&w, "router.createWebRtcTransport", "room", "{'transportId':'%s','options':{}}", id);
}

static void create_plain(const char *id, const char *options)
{
    world_do(&w, "router.createPlainTransport", "room",
             "{'transportId':'%s','options':{'listenInfo':{'ip':'127.0.0.1'}%s}}", id, options);
}

/* Two transports, producers and consumers in both. */
static void populate(void)
{
    create_webrtc("up");
    create_webrtc("down");
    create_plain("tap", "");
    produce_audio(&w, "up", "mic");
    produce_video(&w, "up", "cam");
    consume_audio(&w, "down", "ear", "mic", 5001);
    consume_video(&w, "down", "eye", "cam", 6000);
    consume_video(&w, "tap", "tapped", "cam", 6000);
}

static void starts_with(const char *text, const char *want)
{
    if (strncmp(text, want, strlen(want)) != 0)
        fail_msg("\"%s\" does not start with \"%s\"", text, want);
}

static json_int_t metric(const char *name)
{
    json_t *m = world_call(&w, "worker.getMetrics", "", NULL, NULL);
    json_int_t v = json_integer_value(json_object_get(m, name));
    json_decref(m);
    return v;
}

static void the_first_message_says_where_the_worker_listens(void **state)
{
    (void)state;
    api_running(&w.api);
    world_settle(&w);
    json_t *d = world_last_event(&w, "", "worker.running");
    assert_int_equal(json_integer_value(json_object_get(d, "protocolVersion")),
                     PIPE_PROTOCOL_VERSION);
    json_t *s = json_array_get(json_object_get(d, "sockets"), 0);
    assert_string_equal(json_string_value(json_object_get(s, "ip")), "10.0.0.1");
    assert_int_equal(json_integer_value(json_object_get(s, "port")), 40000);
}

static void every_bad_request_is_answered_by_name(void **state)
{
    (void)state;
    starts_with(world_refused(&w, "room.party", "", NULL), "UnsupportedError method");
    starts_with(world_refused(&w, "router.dump", "nowhere", NULL), "NotFound handlerId");
    starts_with(world_refused(&w, "transport.dump", "room", NULL), "NotFound handlerId");
    starts_with(world_refused(&w, "worker.createRouter", "", NULL), "TypeError data");
    starts_with(world_refused(&w, "worker.createRouter", "", "{}"), "TypeError routerId");
    starts_with(world_refused(&w, "worker.createRouter", "", "{'routerId':7}"),
                "TypeError routerId");
    starts_with(world_refused(&w, "worker.createRouter", "", "{'routerId':'room'}"),
                "AlreadyExists routerId");
    starts_with(world_refused(&w, "worker.closeRouter", "", "{'routerId':'x'}"),
                "NotFound routerId");
    starts_with(world_refused(&w, "worker.dump", "room", NULL), "TypeError handlerId");
    starts_with(world_refused(&w, "router.closeTransport", "room", "{'transportId':'t'}"),
                "NotFound transportId");
    create_plain("tap", "");
    starts_with(world_refused(&w, "webRtcTransport.connect", "tap", "{}"), "TypeError handlerId");
}

static void frames_that_are_no_requests_are_answered_without_an_id(void **state)
{
    (void)state;
    static const char *const frames[] = {"",
                                         "nonsense",
                                         "[1]",
                                         "{}",
                                         "{\"id\":-1}",
                                         "{\"id\":\"7\"}",
                                         "{\"id\":1.5}",
                                         "{\"id\":1,\"method\":\"worker.ping\"",
                                         "\xff\xfe",
                                         "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["};
    for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++) {
        api_frame(&w.api, w.now, slice_of(frames[i], strlen(frames[i])));
        struct slice s = frame_queue_peek(&w.out);
        assert_true(s.n > FRAME_HEAD);
        json_t *m = json_loadb((const char *)s.p + FRAME_HEAD, s.n - FRAME_HEAD, 0, NULL);
        assert_true(json_is_null(json_object_get(m, "id")));
        assert_non_null(json_object_get(m, "error"));
        json_decref(m);
        frame_queue_consume(&w.out, s.n);
    }
    assert_int_equal(w.api.failed, OK);
}

static void a_method_name_of_broken_text_still_gets_an_answer(void **state)
{
    (void)state;
    char frame[256];
    /* 63 characters, then a two-byte one that the reason cuts in half. */
    snprintf(frame, sizeof frame, "{\"id\":5,\"method\":\"%063d\xc3\xa4x\"}", 0);
    api_frame(&w.api, w.now, slice_of(frame, strlen(frame)));
    struct slice s = frame_queue_peek(&w.out);
    assert_true(s.n > FRAME_HEAD);
    assert_int_equal(w.api.failed, OK);
    frame_queue_consume(&w.out, s.n);
}

static void every_method_of_the_vocabulary_is_answered(void **state)
{
    (void)state;
    for (size_t i = 0; i < PIPE_METHOD_COUNT; i++) {
        if (pipe_methods[i].handler == HANDLER_WORKER)
            continue;
        starts_with(world_refused(&w, pipe_methods[i].name, "nobody", "{}"), "NotFound handlerId");
    }
}

static void bad_producers_are_refused_and_leave_nothing(void **state)
{
    (void)state;
    create_webrtc("up");
    produce_video(&w, "up", "cam");
    static const struct {
        const char *find;
        const char *put;
        const char *want;
    } cases[] = {
        {"'producerId':'p'", "'producerId':'cam'", "AlreadyExists producerId"},
        {"'kind':'video'", "'kind':'smell'", "TypeError kind"},
        {"'kind':'video'", "'kind':'audio'", "TypeError rtpParameters.codecs[0].mimeType"},
        {"video/VP8", "video/NV8", "TypeError rtpParameters.codecs[0].mimeType"},
        {"'apt':96", "'apt':95", "TypeError rtpParameters.codecs[1].parameters.apt"},
        {"'apt':96", "'qpt':96", "TypeError rtpParameters.codecs[1].parameters.apt"},
        {"'payloadType':97,'clock", "'payloadType':96,'clock",
         "TypeError rtpParameters.codecs[1].payloadType"},
        {"'mid':'9'", "'mid':'1'", "AlreadyExists rtpParameters.mid"},
        {"'encodings':[{'ssrc':3333", "'encodings':[{'ssrc':2222",
         "AlreadyExists rtpParameters.encodings[0].ssrc"},
        {"'rtx':{'ssrc':3334}", "'rtx':{'ssrc':2223}",
         "AlreadyExists rtpParameters.encodings[0].rtx.ssrc"},
        {"'encodings':[{'ssrc':3333,'rtx':{'ssrc':3334}}]", "'encodings':[]",
         "TypeError rtpParameters.encodings"},
        {"'encodings':[{'ssrc':3333,'mapped", "'encodings':[{'ssrc':3,'mappedSsrc':4},{'mapped",
         "TypeError rtpMapping.encodings"},
        {"{'payloadType':96,'mapped", "{'payloadType':95,'mapped",
         "TypeError rtpMapping.codecs[0].payloadType"},
        {"'id':5}", "'id':1}", "TypeError rtpParameters.headerExtensions[1].id"},
    };
    json_int_t before = metric("producers");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        static const struct {
            const char *from;
            const char *to;
        } others[] = {{"2222", "3333"}, {"2223", "3334"}, {"'mid':'1'", "'mid':'9'"}};
        char json[4096];
        snprintf(json, sizeof json, "%s", produce_video_json("p"));
        for (size_t k = 0; k < 3; k++) {
            char *at = json;
            while ((at = strstr(at, others[k].from)))
                memcpy(at, others[k].to, strlen(others[k].to));
        }
        char *at = strstr(json, cases[i].find);
        assert_non_null(at);
        char changed[4096];
        snprintf(changed, sizeof changed, "%.*s%s%s", (int)(at - json), json, cases[i].put,
                 at + strlen(cases[i].find));
        starts_with(world_refused(&w, "transport.produce", "up", "%s", changed), cases[i].want);
    }
    assert_int_equal(metric("producers"), before);
}

static void bad_consumers_are_refused_and_leave_nothing(void **state)
{
    (void)state;
    create_webrtc("up");
    create_webrtc("down");
    produce_video(&w, "up", "cam");
    consume_video(&w, "down", "eye", "cam", 6000);
    world_do(&w, "worker.createRouter", "", "{'routerId':'other'}");
    world_do(&w, "router.createWebRtcTransport", "other", "{'transportId':'far','options':{}}");
    starts_with(
        world_refused(&w, "transport.consume", "far", "%s", consume_video_json("c", "cam", 6500)),
        "NotFound producerId");
    starts_with(world_refused(&w, "transport.consume", "down", "%s",
                              consume_video_json("c", "nobody", 6500)),
                "NotFound producerId");
    starts_with(world_refused(&w, "transport.consume", "down", "%s",
                              consume_video_json("eye", "cam", 6500)),
                "AlreadyExists consumerId");
    starts_with(
        world_refused(&w, "transport.consume", "down", "%s", consume_video_json("c", "cam", 6000)),
        "AlreadyExists rtpParameters.encodings[0].ssrc");
    starts_with(
        world_refused(&w, "transport.consume", "down", "%s", consume_video_json("c", "cam", 5999)),
        "AlreadyExists rtpParameters.encodings[0].rtx.ssrc");
    starts_with(
        world_refused(&w, "transport.consume", "down", "%s", consume_audio_json("c", "cam", 6500)),
        "TypeError kind");
    char json[4096];
    snprintf(json, sizeof json, "%s", consume_video_json("c", "cam", 6500));
    memcpy(strstr(json, "'type':'simple'"), "'type':'svc'   ", 15);
    starts_with(world_refused(&w, "transport.consume", "down", "%s", json), "TypeError type");
    assert_int_equal(metric("consumers"), 1);
    /* After all that the same request in its right form goes through. */
    consume_video(&w, "down", "c", "cam", 6500);
}

static void bad_transports_are_refused_and_bind_nothing(void **state)
{
    (void)state;
    size_t before = w.open_sockets;
    starts_with(
        world_refused(&w, "router.createWebRtcTransport", "room",
                      "{'transportId':'t','options':{'enableUdp':false,'enableTcp':false}}"),
        "TypeError options.enableUdp");
    starts_with(world_refused(&w, "router.createWebRtcTransport", "room",
                              "{'transportId':'t','options':{'listen':{'type':'server',"
                              "'webRtcServerId':'s'}}}"),
                "NotFound options.listen.webRtcServerId");
    starts_with(world_refused(&w, "router.createWebRtcTransport", "room",
                              "{'transportId':'t','options':{'listen':{'type':'individual',"
                              "'listenInfos':[{'ip':'10.0.0.1'},{'ip':'10.0.0.1','port':1}]}}}"),
                "Busy options.listen.listenInfos[1].port");
    starts_with(world_refused(&w, "router.createPlainTransport", "room",
                              "{'transportId':'t','options':{'listenInfo':{'ip':'localhost'}}}"),
                "TypeError options.listenInfo.ip");
    starts_with(world_refused(&w, "router.createPlainTransport", "room",
                              "{'transportId':'t','options':{'listenInfo':{'ip':'127.0.0.1',"
                              "'protocol':'tcp'}}}"),
                "TypeError options.listenInfo");
    assert_int_equal(w.open_sockets, before);
    assert_int_equal(metric("transports"), 0);
    create_plain("tap", ",'enableSrtp':true");
    starts_with(world_refused(&w, "plainTransport.connect", "tap", "{'ip':'127.0.0.1','port':5}"),
                "TypeError srtpParameters");
    starts_with(world_refused(&w, "plainTransport.connect", "tap",
                              "{'ip':'127.0.0.1','port':5,'srtpParameters':{'cryptoSuite':"
                              "'AEAD_AES_128_GCM','keyBase64':'AAAA'}}"),
                "TypeError srtpParameters.keyBase64");
    create_plain("split", ",'rtcpMux':false");
    starts_with(world_refused(&w, "plainTransport.connect", "split", "{'ip':'1.2.3.4','port':5}"),
                "TypeError rtcpPort");
    world_do(&w, "plainTransport.connect", "split", "{'ip':'1.2.3.4','port':5,'rtcpPort':6}");
    starts_with(world_refused(&w, "plainTransport.connect", "split",
                              "{'ip':'1.2.3.4','port':5,'rtcpPort':6}"),
                "InvalidStateError");
}

static void dumps_say_what_there_is(void **state)
{
    (void)state;
    populate();
    json_t *d = world_call(&w, "router.dump", "room", NULL, NULL);
    assert_int_equal(json_array_size(json_object_get(d, "transportIds")), 3);
    assert_int_equal(json_array_size(json_object_get(d, "mapConsumerIdProducerId")), 3);
    assert_int_equal(json_array_size(json_object_get(d, "rtpObserverIds")), 0);
    json_decref(d);
    d = world_call(&w, "worker.dump", "", NULL, NULL);
    assert_int_equal(json_array_size(json_object_get(d, "routerIds")), 1);
    json_t *h = json_object_get(d, "channelMessageHandlers");
    assert_int_equal(json_array_size(json_object_get(h, "channelRequestHandlers")), 9);
    json_decref(d);
    d = world_call(&w, "transport.dump", "up", NULL, NULL);
    assert_string_equal(json_string_value(json_object_get(d, "type")), "webrtc");
    assert_string_equal(json_string_value(json_object_get(d, "iceState")), "new");
    assert_string_equal(json_string_value(json_object_get(d, "iceRole")), "controlled");
    assert_int_equal(json_array_size(json_object_get(d, "iceCandidates")), 2);
    json_t *l = json_object_get(d, "rtpListener");
    assert_int_equal(json_array_size(json_object_get(l, "ssrcTable")), 3);
    assert_int_equal(json_array_size(json_object_get(l, "midTable")), 2);
    json_decref(d);
    d = world_call(&w, "transport.dump", "down", NULL, NULL);
    assert_int_equal(json_array_size(json_object_get(d, "mapSsrcConsumerId")), 2);
    assert_int_equal(json_array_size(json_object_get(d, "mapRtxSsrcConsumerId")), 1);
    json_decref(d);
    d = world_call(&w, "transport.dump", "tap", NULL, NULL);
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(d, "tuple"), "localAddress")),
        "127.0.0.1");
    assert_true(json_is_true(json_object_get(d, "rtcpMux")));
    json_decref(d);
    d = world_call(&w, "producer.dump", "cam", NULL, NULL);
    json_t *p = json_object_get(d, "rtpParameters");
    json_t *e = json_array_get(json_object_get(p, "encodings"), 0);
    assert_int_equal(json_integer_value(json_object_get(e, "codecPayloadType")), 96);
    assert_string_equal(json_string_value(json_object_get(p, "mid")), "1");
    assert_string_equal(json_string_value(json_object_get(d, "type")), "simple");
    json_decref(d);
    d = world_call(&w, "consumer.dump", "eye", NULL, NULL);
    assert_string_equal(json_string_value(json_object_get(d, "producerId")), "cam");
    json_t *pts = json_object_get(d, "supportedCodecPayloadTypes");
    assert_int_equal(json_array_size(pts), 1);
    assert_int_equal(json_integer_value(json_array_get(pts, 0)), 101);
    e = json_array_get(json_object_get(d, "rtpStreams"), 0);
    assert_non_null(json_object_get(e, "rtxStream"));
    json_decref(d);
    d = world_call(&w, "transport.getStats", "up", NULL, NULL);
    assert_string_equal(json_string_value(json_object_get(d, "type")), "webrtc-transport");
    json_decref(d);
    d = world_call(&w, "worker.getResourceUsage", "", NULL, NULL);
    assert_true(json_integer_value(json_object_get(d, "ru_maxrss")) > 0);
    json_decref(d);
}

static void several_encodings_are_simulcast_and_layers_are_svc(void **state)
{
    (void)state;
    create_webrtc("up");
    json_t *d = world_call(
        &w, "transport.produce", "up", NULL,
        "{'producerId':'p','kind':'video','rtpParameters':{'codecs':[{'mimeType':'video/VP8',"
        "'payloadType':96,'clockRate':90000}],'encodings':[{'rid':'a'},{'rid':'b'}]},'rtpMapping':"
        "{'codecs':[{'payloadType':96,'mappedPayloadType':101}],'encodings':[{'rid':'a',"
        "'mappedSsrc':1},{'rid':'b','mappedSsrc':2}]}}");
    assert_string_equal(json_string_value(json_object_get(d, "type")), "simulcast");
    json_decref(d);
    d = world_call(
        &w, "transport.produce", "up", NULL,
        "{'producerId':'q','kind':'video','rtpParameters':{'codecs':[{'mimeType':'video/VP9',"
        "'payloadType':96,'clockRate':90000}],'encodings':[{'ssrc':5,'scalabilityMode':"
        "'L3T3_KEY'}]},'rtpMapping':{'codecs':[{'payloadType':96,'mappedPayloadType':101}],"
        "'encodings':[{'ssrc':5,'mappedSsrc':1}]}}");
    assert_string_equal(json_string_value(json_object_get(d, "type")), "svc");
    json_decref(d);
}

static void bitrate_limits_must_not_cross(void **state)
{
    (void)state;
    create_webrtc("t");
    world_do(&w, "transport.setMinOutgoingBitrate", "t", "{'minOutgoingBitrate':300000}");
    starts_with(
        world_refused(&w, "transport.setMaxOutgoingBitrate", "t", "{'maxOutgoingBitrate':200000}"),
        "TypeError maxOutgoingBitrate");
    world_do(&w, "transport.setMaxOutgoingBitrate", "t", "{'maxOutgoingBitrate':400000}");
    starts_with(
        world_refused(&w, "transport.setMinOutgoingBitrate", "t", "{'minOutgoingBitrate':500000}"),
        "TypeError minOutgoingBitrate");
    world_do(&w, "transport.setMaxOutgoingBitrate", "t", "{'maxOutgoingBitrate':0}");
    json_t *d = world_call(&w, "transport.getStats", "t", NULL, NULL);
    assert_int_equal(json_integer_value(json_object_get(d, "minOutgoingBitrate")), 300000);
    assert_null(json_object_get(d, "maxOutgoingBitrate"));
    json_decref(d);
}

static void closing_a_producer_closes_its_consumers_and_tells_them(void **state)
{
    (void)state;
    populate();
    world_do(&w, "transport.closeProducer", "up", "{'producerId':'cam'}");
    assert_int_equal(world_events(&w, "eye", "consumer.producerClose"), 1);
    assert_int_equal(world_events(&w, "tapped", "consumer.producerClose"), 1);
    assert_int_equal(world_events(&w, "ear", "consumer.producerClose"), 0);
    assert_int_equal(metric("consumers"), 1);
    starts_with(world_refused(&w, "consumer.dump", "eye", NULL), "NotFound");
    /* Everything that it held is free again. */
    produce_video(&w, "up", "cam");
    consume_video(&w, "down", "eye", "cam", 6000);
}

static void closing_a_transport_closes_what_is_in_it_and_elsewhere_depends_on_it(void **state)
{
    (void)state;
    populate();
    size_t sockets = w.open_sockets;
    world_do(&w, "router.closeTransport", "room", "{'transportId':'up'}");
    assert_int_equal(metric("producers"), 0);
    assert_int_equal(metric("consumers"), 0);
    world_do(&w, "router.closeTransport", "room", "{'transportId':'tap'}");
    assert_int_equal(w.open_sockets, sockets - 1);
}

static void the_tree_closes_in_any_order(void **state)
{
    (void)state;
    static const char *const steps[][3] = {
        {"transport.closeConsumer", "down", "{'consumerId':'ear'}"},
        {"transport.closeConsumer", "tap", "{'consumerId':'tapped'}"},
        {"transport.closeProducer", "up", "{'producerId':'mic'}"},
        {"transport.closeProducer", "up", "{'producerId':'cam'}"},
        {"router.closeTransport", "room", "{'transportId':'down'}"},
        {"router.closeTransport", "room", "{'transportId':'up'}"},
        {"router.closeTransport", "room", "{'transportId':'tap'}"},
    };
    struct rng rng;
    rng_init_seeded(&rng, 11);
    for (int round = 0; round < 60; round++) {
        size_t order[7] = {0, 1, 2, 3, 4, 5, 6};
        populate();
        for (size_t i = 7; i > 1; i--) {
            size_t j = rng_u32(&rng) % i;
            size_t t = order[i - 1];
            order[i - 1] = order[j];
            order[j] = t;
        }
        /* Some rounds stop half-way, and the router takes the rest with it. */
        size_t n = round % 2 ? 7 : rng_u32(&rng) % 7;
        for (size_t i = 0; i < n; i++)
            json_decref(world_call(&w, steps[order[i]][0], steps[order[i]][1], NULL, "%s",
                                   steps[order[i]][2]));
        world_do(&w, "worker.closeRouter", "", "{'routerId':'room'}");
        assert_int_equal(metric("transports") + metric("producers") + metric("consumers"), 0);
        world_do(&w, "worker.createRouter", "", "{'routerId':'room'}");
    }
    assert_int_equal(w.open_sockets, 0);
}

static void a_router_that_closes_says_nothing_of_its_consumers(void **state)
{
    (void)state;
    populate();
    world_do(&w, "worker.closeRouter", "", "{'routerId':'room'}");
    assert_int_equal(world_events(&w, NULL, "consumer.producerClose"), 0);
}

static void the_worker_closes_with_everything_open_and_connected(void **state)
{
    (void)state;
    static struct browser alice;
    static struct inbox inbox;
    browser_connect(&alice, &w, "room", "up", false);
    inbox_of_browser(&inbox, &alice);
    create_webrtc("down");
    produce_audio(&w, "up", "mic");
    consume_audio(&w, "down", "ear", "mic", 5001);
    consume_audio(&w, "up", "own", "mic", 5002);
    uint8_t buf[1500];
    for (uint16_t seq = 0; seq < 20; seq++) {
        struct rtp_spec s = {.ssrc = AUDIO_SSRC, .pt = AUDIO_PT, .seq = seq};
        assert_true(rtc_peer_send_rtp(&alice.peer, buf, rtp_build(buf, &s)));
    }
    browser_fini(&alice);
    w.n_endpoints = 0;
    /* tear_down closes the worker; the sanitizers look on. */
}

static void worker_close_ends_it(void **state)
{
    (void)state;
    static const char frame[] = "{\"event\":\"worker.close\"}";
    assert_false(w.api.closing);
    api_frame(&w.api, w.now, slice_of(frame, sizeof frame - 1));
    assert_true(w.api.closing);
}

static void a_full_pipe_is_noticed(void **state)
{
    (void)state;
    frame_queue_fini(&w.out);
    frame_queue_init(&w.out, 64);
    static const char frame[] = "{\"id\":1,\"method\":\"worker.dump\"}";
    api_frame(&w.api, w.now, slice_of(frame, sizeof frame - 1));
    assert_int_equal(w.api.failed, ERR_FULL);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(the_first_message_says_where_the_worker_listens),
        T(every_bad_request_is_answered_by_name),
        T(frames_that_are_no_requests_are_answered_without_an_id),
        T(a_method_name_of_broken_text_still_gets_an_answer),
        T(every_method_of_the_vocabulary_is_answered),
        T(bad_producers_are_refused_and_leave_nothing),
        T(bad_consumers_are_refused_and_leave_nothing),
        T(bad_transports_are_refused_and_bind_nothing),
        T(dumps_say_what_there_is),
        T(several_encodings_are_simulcast_and_layers_are_svc),
        T(bitrate_limits_must_not_cross),
        T(closing_a_producer_closes_its_consumers_and_tells_them),
        T(closing_a_transport_closes_what_is_in_it_and_elsewhere_depends_on_it),
        T(the_tree_closes_in_any_order),
        T(a_router_that_closes_says_nothing_of_its_consumers),
        T(the_worker_closes_with_everything_open_and_connected),
        T(worker_close_ends_it),
        T(a_full_pipe_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
