/* Data channels: from one browser's SCTP through the worker to others'. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include <cmocka.h>

#include "proto/dcep.h"
#include "test/lib/world.h"
#include "worker/engine/sctp.h"

enum { MESSAGES_MAX = 256, PEERS = 3 };

struct peer {
    struct browser browser;
    struct assoc *assoc; /* owned */
    struct {
        uint16_t stream;
        uint32_t ppid;
        size_t n;
        uint32_t sum;
        char text[64];
    } got[MESSAGES_MAX];
    size_t n_got;
    size_t resets;
    bool used;
    bool deaf; /* what arrives is lost */
};

static struct world w;
static struct assoc_group group;
static struct peer peers[PEERS];
static struct peer *const alice = &peers[0];
static struct peer *const bob = &peers[1];
static struct peer *const carol = &peers[2];

/* usrsctp asks this for lifetimes: the time is the world's. */
int gettimeofday(struct timeval *restrict tv, void *restrict tz);
int gettimeofday(struct timeval *restrict tv, void *restrict tz)
{
    (void)tz;
    tv->tv_sec = (time_t)(w.now / USEC_PER_SEC + 1700000000);
    tv->tv_usec = (suseconds_t)(w.now % USEC_PER_SEC);
    return 0;
}

static uint32_t sum_of(const uint8_t *p, size_t n)
{
    uint32_t sum = 1;
    for (size_t i = 0; i < n; i++)
        sum = sum * 31 + p[i];
    return sum;
}

static void on_data(struct browser *b, struct slice packet)
{
    struct peer *p = container_of(b, struct peer, browser);
    if (!p->deaf)
        assoc_input(p->assoc, w.now, packet);
}

static void take(struct peer *p, const struct assoc_item *it)
{
    assert_true(p->n_got < MESSAGES_MAX);
    size_t i = p->n_got++;
    p->got[i].stream = it->stream;
    p->got[i].ppid = it->ppid;
    p->got[i].n = it->bytes.n;
    p->got[i].sum = sum_of(it->bytes.p, it->bytes.n);
    snprintf(p->got[i].text, sizeof p->got[i].text, "%.*s",
             (int)(it->bytes.n < 60 ? it->bytes.n : 60), (const char *)it->bytes.p);
}

/* Everything that can happen now; true: something did. */
static bool poll_peer(struct peer *p)
{
    struct assoc_item it;
    bool any = false;
    while (assoc_poll(p->assoc, w.now, &it)) {
        any = true;
        if (it.kind == ASSOC_PACKET)
            (void)rtc_peer_send_data(&p->browser.peer, w.now, it.bytes);
        else if (it.kind == ASSOC_MESSAGE)
            take(p, &it);
        else if (it.kind == ASSOC_STREAMS_RESET)
            p->resets += it.n_streams;
    }
    return any;
}

static void settle(void)
{
    bool any = true;
    while (any) {
        world_settle(&w);
        any = false;
        for (int i = 0; i < PEERS; i++) {
            if (peers[i].used && peers[i].assoc)
                any |= poll_peer(&peers[i]);
        }
    }
}

static void tick(void *ctx, usec now)
{
    (void)ctx;
    for (int i = 0; i < PEERS; i++) {
        if (peers[i].used)
            rtc_peer_timeout(&peers[i].browser.peer, now);
    }
    settle();
}

static void pass(usec time)
{
    settle();
    world_pass(&w, time, tick, NULL);
    settle();
}

static void join(struct peer *p, const char *transport, bool dtls_server)
{
    browser_connect(&p->browser, &w, "room", transport, dtls_server);
    struct assoc_config c = {.group = &group,
                             .port = ASSOC_PORT,
                             .out_streams = 1024,
                             .in_streams = 1024,
                             .max_send_message = 256 * 1024,
                             .max_receive_message = 256 * 1024,
                             .send_buffer = 4 << 20,
                             .stream_send_buffer = 4 << 20,
                             .receive_buffer = 1 << 20,
                             .data_channels = true};
    assert_int_equal(assoc_open(&p->assoc, w.now, &c), OK);
    p->used = true;
    p->browser.on_data = on_data;
    assert_int_equal(assoc_connect(p->assoc), OK);
    pass(2 * USEC_PER_SEC);
    assert_int_equal(assoc_get_state(p->assoc), ASSOC_CONNECTED);
}

static int set_up(void **state)
{
    (void)state;
    memset(peers, 0, sizeof peers);
    assoc_group_init(&group);
    world_init(&w);
    w.transport_options = "{'enableSctp':true}";
    world_do(&w, "worker.createRouter", "", "{'routerId':'room'}");
    join(alice, "up", false);
    join(bob, "down", true);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_fini(&w);
    for (int i = 0; i < PEERS; i++) {
        if (!peers[i].used)
            continue;
        assoc_close(peers[i].assoc);
        browser_fini(&peers[i].browser);
    }
    return 0;
}

static enum err send_bytes(struct peer *p, uint16_t stream, uint32_t ppid, const void *bytes,
                           size_t n)
{
    struct assoc_sending how = {.stream = stream, .ppid = ppid};
    enum err e = assoc_send(p->assoc, w.now, &how, slice_of(bytes, n));
    settle();
    return e;
}

static void say(struct peer *p, uint16_t stream, const char *text)
{
    assert_int_equal(send_bytes(p, stream, PPID_STRING, text, strlen(text)), OK);
}

static void produce(const char *transport, const char *id, unsigned stream)
{
    world_do(&w, "transport.produceData", transport,
             "{'dataProducerId':'%s','type':'sctp','label':'chat','protocol':'p1',"
             "'sctpStreamParameters':{'streamId':%u,'ordered':true}}",
             id, stream);
}

static void consume(const char *transport, const char *id, const char *producer, unsigned stream)
{
    world_do(&w, "transport.consumeData", transport,
             "{'dataConsumerId':'%s','dataProducerId':'%s','type':'sctp','label':'chat',"
             "'protocol':'p1','sctpStreamParameters':{'streamId':%u,'ordered':true}}",
             id, producer, stream);
}

static json_int_t number(const char *method, const char *handler, const char *key)
{
    json_t *answer = world_call(&w, method, handler, NULL, NULL);
    assert_non_null(answer);
    json_int_t n = json_integer_value(json_object_get(answer, key));
    json_decref(answer);
    return n;
}

/* ---- */

static void messages_go_from_browser_to_browser(void **state)
{
    (void)state;
    produce("up", "dp", 0);
    consume("down", "dc", "dp", 7);
    say(alice, 0, "hello");
    say(alice, 1, "to nobody");
    assert_int_equal(send_bytes(alice, 0, PPID_BINARY, "", 0), OK);
    pass(100 * USEC_PER_MSEC);
    assert_int_equal(bob->n_got, 2);
    assert_string_equal(bob->got[0].text, "hello");
    assert_int_equal(bob->got[0].stream, 7);
    assert_int_equal(bob->got[0].ppid, PPID_STRING);
    assert_int_equal(bob->got[1].ppid, PPID_BINARY_EMPTY);
    assert_int_equal(number("dataProducer.getStats", "dp", "messagesReceived"), 2);
    assert_int_equal(number("dataProducer.getStats", "dp", "bytesReceived"), 6);
    assert_int_equal(number("dataConsumer.getStats", "dc", "messagesSent"), 2);
    assert_int_equal(number("dataConsumer.getStats", "dc", "bytesSent"), 6);
    assert_int_equal(alice->n_got, 0);
}

static void large_messages_go_to_all_consumers(void **state)
{
    (void)state;
    join(carol, "third", false);
    produce("up", "dp", 3);
    consume("down", "dc1", "dp", 0);
    consume("third", "dc2", "dp", 9);
    size_t n = 256 * 1024;
    uint8_t *bytes = malloc(n);
    assert_non_null(bytes);
    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)(i * 7 + i / 251);
    for (int i = 0; i < 3; i++)
        assert_int_equal(send_bytes(alice, 3, PPID_BINARY, bytes, n), OK);
    pass(5 * USEC_PER_SEC);
    assert_int_equal(bob->n_got, 3);
    assert_int_equal(carol->n_got, 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(bob->got[i].n, n);
        assert_int_equal(bob->got[i].sum, sum_of(bytes, n));
        assert_int_equal(carol->got[i].sum, sum_of(bytes, n));
    }
    free(bytes);
}

static void states_and_streams_are_told(void **state)
{
    (void)state;
    assert_int_equal(world_events(&w, "up", "transport.sctpStateChange"), 2);
    json_t *e = world_last_event(&w, "up", "transport.sctpStateChange");
    assert_string_equal(json_string_value(json_object_get(e, "sctpState")), "connected");
    e = world_last_event(&w, "up", "transport.sctpNegotiatedCapabilities");
    json_t *streams = json_object_get(e, "negotiatedCapabilities");
    assert_int_equal(json_integer_value(json_object_get(streams, "negotiatedMaxOutboundStreams")),
                     1024);
    produce("up", "dp", 5);
    json_t *dump = world_call(&w, "transport.dump", "up", NULL, NULL);
    assert_string_equal(json_string_value(json_object_get(dump, "sctpState")), "connected");
    json_t *p = json_object_get(dump, "sctpParameters");
    assert_int_equal(json_integer_value(json_object_get(p, "port")), 5000);
    assert_int_equal(json_integer_value(json_object_get(p, "maxMessageSize")), 262144);
    json_t *table = json_object_get(json_object_get(dump, "sctpListener"), "streamIdTable");
    assert_int_equal(json_array_size(table), 1);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(table, 0), "key")), 5);
    json_decref(dump);
    assoc_abort(alice->assoc);
    settle();
    e = world_last_event(&w, "up", "transport.sctpStateChange");
    assert_string_equal(json_string_value(json_object_get(e, "sctpState")), "closed");
}

static void pausing_stops_messages_on_either_side(void **state)
{
    (void)state;
    produce("up", "dp", 0);
    consume("down", "dc", "dp", 0);
    world_do(&w, "dataConsumer.pause", "dc", NULL);
    say(alice, 0, "lost");
    world_do(&w, "dataConsumer.resume", "dc", NULL);
    say(alice, 0, "one");
    world_do(&w, "dataProducer.pause", "dp", NULL);
    world_do(&w, "dataProducer.pause", "dp", NULL);
    assert_int_equal(world_events(&w, "dc", "dataConsumer.dataProducerPause"), 1);
    say(alice, 0, "lost too");
    world_do(&w, "dataProducer.resume", "dp", NULL);
    assert_int_equal(world_events(&w, "dc", "dataConsumer.dataProducerResume"), 1);
    say(alice, 0, "two");
    pass(100 * USEC_PER_MSEC);
    assert_int_equal(bob->n_got, 2);
    assert_string_equal(bob->got[0].text, "one");
    assert_string_equal(bob->got[1].text, "two");
}

static void closing_a_data_producer_closes_its_consumers_and_resets_their_streams(void **state)
{
    (void)state;
    produce("up", "dp", 0);
    consume("down", "dc", "dp", 4);
    say(alice, 0, "x");
    pass(100 * USEC_PER_MSEC);
    world_do(&w, "transport.closeDataProducer", "up", "{'dataProducerId':'dp'}");
    assert_int_equal(world_events(&w, "dc", "dataConsumer.dataProducerClose"), 1);
    pass(USEC_PER_SEC);
    assert_int_equal(bob->resets, 1);
    world_refused(&w, "dataConsumer.dump", "dc", NULL);
    say(alice, 0, "to nobody");
    /* The stream can be used again. */
    produce("up", "dp2", 0);
    consume("down", "dc2", "dp2", 4);
    say(alice, 0, "again");
    pass(USEC_PER_SEC);
    assert_int_equal(bob->n_got, 2);
    assert_string_equal(bob->got[1].text, "again");
    world_do(&w, "transport.closeDataConsumer", "down", "{'dataConsumerId':'dc2'}");
    pass(USEC_PER_SEC);
    assert_int_equal(bob->resets, 2);
    say(alice, 0, "not any more");
    pass(100 * USEC_PER_MSEC);
    assert_int_equal(bob->n_got, 2);
}

static void the_controller_sends_messages_of_its_own(void **state)
{
    (void)state;
    produce("up", "dp", 0);
    consume("down", "dc", "dp", 2);
    world_do(&w, "dataConsumer.send", "dc", "{'ppid':51,'data':'aGVsbG8='}");
    pass(100 * USEC_PER_MSEC);
    assert_int_equal(bob->n_got, 1);
    assert_string_equal(bob->got[0].text, "hello");
    assert_int_equal(
        strncmp(world_refused(&w, "dataConsumer.send", "dc", "{'ppid':51,'data':'not base64!'}"),
                "TypeError data", 14),
        0);
}

static void a_full_buffer_is_told_and_drains_with_an_event(void **state)
{
    (void)state;
    produce("up", "dp", 0);
    consume("down", "dc", "dp", 2);
    world_do(&w, "dataConsumer.setBufferedAmountLowThreshold", "dc", "{'threshold':50000}");
    size_t n = 200 * 1000;
    uint8_t *bytes = calloc(1, n);
    bob->deaf = true;
    for (int i = 0; i < 12; i++) {
        assert_int_equal(send_bytes(alice, 0, PPID_BINARY, bytes, n), OK);
        pass(200 * USEC_PER_MSEC);
    }
    free(bytes);
    assert_true(world_events(&w, "dc", "dataConsumer.sctpSendbufferFull") >= 1);
    assert_true(number("dataConsumer.getBufferedAmount", "dc", "bufferedAmount") > 1500 * 1000);
    assert_true(number("dataConsumer.getBufferedAmount", "dc", "bufferedAmount") <= 2000000);
    assert_int_equal(world_events(&w, "dc", "dataConsumer.bufferedAmountLow"), 0);
    bob->deaf = false;
    pass(20 * USEC_PER_SEC);
    assert_int_equal(number("dataConsumer.getBufferedAmount", "dc", "bufferedAmount"), 0);
    assert_int_equal(world_events(&w, "dc", "dataConsumer.bufferedAmountLow"), 1);
    json_t *e = world_last_event(&w, "dc", "dataConsumer.bufferedAmountLow");
    assert_true(json_integer_value(json_object_get(e, "bufferedAmount")) <= 50000);
    assert_true(bob->n_got >= 8 && bob->n_got < 12);
}

static void consume_as(const char *id, unsigned stream, const char *reliability)
{
    world_do(&w, "transport.consumeData", "down",
             "{'dataConsumerId':'%s','dataProducerId':'dp','type':'sctp','sctpStreamParameters':{"
             "'streamId':%u,'ordered':false%s}}",
             id, stream, reliability);
}

static size_t got_on(const struct peer *p, uint16_t stream, const char *text)
{
    size_t n = 0;
    for (size_t i = 0; i < p->n_got; i++)
        n += p->got[i].stream == stream && strcmp(p->got[i].text, text) == 0;
    return n;
}

static void each_consumer_has_the_reliability_that_it_asked_for(void **state)
{
    (void)state;
    produce("up", "dp", 0);
    consume("down", "ordered", "dp", 1);
    consume_as("unordered", 2, "");
    consume_as("once", 3, ",'maxRetransmits':0");
    consume_as("brief", 4, ",'maxPacketLifeTime':100");
    bob->deaf = true;
    say(alice, 0, "early");
    pass(200 * USEC_PER_MSEC);
    bob->deaf = false;
    pass(10 * USEC_PER_SEC);
    assert_int_equal(got_on(bob, 1, "early"), 1);
    assert_int_equal(got_on(bob, 2, "early"), 1);
    assert_int_equal(got_on(bob, 3, "early"), 0);
    assert_int_equal(got_on(bob, 4, "early"), 0);
    say(alice, 0, "later");
    pass(2 * USEC_PER_SEC);
    for (uint16_t stream = 1; stream <= 4; stream++)
        assert_int_equal(got_on(bob, stream, "later"), 1);
}

static size_t subchannels(const char *method, const char *data)
{
    json_t *answer = world_call(&w, method, "dc", NULL, "%s", data);
    assert_non_null(answer);
    size_t n = json_array_size(json_object_get(answer, "subchannels"));
    json_decref(answer);
    return n;
}

static void subchannels_are_a_set(void **state)
{
    (void)state;
    produce("up", "dp", 0);
    consume("down", "dc", "dp", 2);
    assert_int_equal(subchannels("dataConsumer.setSubchannels", "{'subchannels':[1,2,1,666]}"), 3);
    assert_int_equal(subchannels("dataConsumer.addSubchannel", "{'subchannel':2}"), 3);
    assert_int_equal(subchannels("dataConsumer.addSubchannel", "{'subchannel':3}"), 4);
    assert_int_equal(subchannels("dataConsumer.removeSubchannel", "{'subchannel':1}"), 3);
    assert_int_equal(subchannels("dataConsumer.removeSubchannel", "{'subchannel':1}"), 3);
    assert_int_equal(subchannels("dataConsumer.setSubchannels", "{'subchannels':[]}"), 0);
    /* A browser's messages have none, and so go to all. */
    say(alice, 0, "x");
    pass(100 * USEC_PER_MSEC);
    assert_int_equal(bob->n_got, 1);
}

static void bad_requests_are_refused_and_leave_nothing(void **state)
{
    (void)state;
    produce("up", "dp", 0);
    consume("down", "dc", "dp", 2);
    static const struct {
        const char *method;
        const char *transport;
        const char *data;
        const char *want;
    } cases[] = {
        {"transport.produceData", "up",
         "{'dataProducerId':'dp','type':'sctp','sctpStreamParameters':{'streamId':1}}",
         "AlreadyExists dataProducerId"},
        {"transport.produceData", "up",
         "{'dataProducerId':'x','type':'sctp','sctpStreamParameters':{'streamId':0}}",
         "AlreadyExists sctpStreamParameters.streamId"},
        {"transport.produceData", "up", "{'dataProducerId':'x','type':'sctp'}",
         "TypeError sctpStreamParameters"},
        {"transport.produceData", "up", "{'dataProducerId':'x','type':'direct'}", "TypeError type"},
        {"transport.produceData", "up",
         "{'dataProducerId':'x','type':'sctp','sctpStreamParameters':{'streamId':1,"
         "'maxPacketLifeTime':1,'maxRetransmits':1}}",
         "TypeError sctpStreamParameters.maxRetransmits"},
        {"transport.produceData", "up",
         "{'dataProducerId':'x','type':'sctp','sctpStreamParameters':{'streamId':1,"
         "'ordered':true,'maxRetransmits':1}}",
         "TypeError sctpStreamParameters.ordered"},
        {"transport.consumeData", "down",
         "{'dataConsumerId':'y','dataProducerId':'nobody','type':'sctp',"
         "'sctpStreamParameters':{'streamId':1}}",
         "NotFound dataProducerId"},
        {"transport.consumeData", "down",
         "{'dataConsumerId':'dc','dataProducerId':'dp','type':'sctp',"
         "'sctpStreamParameters':{'streamId':1}}",
         "AlreadyExists dataConsumerId"},
        {"transport.consumeData", "down",
         "{'dataConsumerId':'y','dataProducerId':'dp','type':'sctp',"
         "'sctpStreamParameters':{'streamId':2}}",
         "AlreadyExists sctpStreamParameters.streamId"},
        {"transport.closeDataProducer", "down", "{'dataProducerId':'dp'}",
         "NotFound dataProducerId"},
        {"transport.closeDataConsumer", "up", "{'dataConsumerId':'dc'}", "NotFound dataConsumerId"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *got =
            world_refused(&w, cases[i].method, cases[i].transport, "%s", cases[i].data);
        if (strncmp(got, cases[i].want, strlen(cases[i].want)) != 0)
            fail_msg("case %zu: %s", i, got);
    }
    w.transport_options = NULL;
    world_do(&w, "router.createWebRtcTransport", "room", "{'transportId':'plainly','options':{}}");
    const char *got =
        world_refused(&w, "transport.produceData", "plainly",
                      "{'dataProducerId':'x','type':'sctp','sctpStreamParameters':{'streamId':1}}");
    assert_int_equal(strncmp(got, "TypeError type", 14), 0);
    assert_int_equal(number("worker.getMetrics", "", "dataProducers"), 1);
    assert_int_equal(number("worker.getMetrics", "", "dataConsumers"), 1);
}

static void dumps_show_who_consumes_what(void **state)
{
    (void)state;
    produce("up", "dp", 0);
    consume("down", "dc", "dp", 2);
    json_t *d = world_call(&w, "router.dump", "room", NULL, NULL);
    json_t *map = json_object_get(d, "mapDataProducerIdDataConsumerIds");
    assert_int_equal(json_array_size(map), 1);
    json_t *row = json_array_get(map, 0);
    assert_string_equal(json_string_value(json_object_get(row, "key")), "dp");
    assert_string_equal(json_string_value(json_array_get(json_object_get(row, "values"), 0)), "dc");
    json_decref(d);
    d = world_call(&w, "dataConsumer.dump", "dc", NULL, NULL);
    assert_string_equal(json_string_value(json_object_get(d, "dataProducerId")), "dp");
    assert_string_equal(json_string_value(json_object_get(d, "label")), "chat");
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(d, "sctpStreamParameters"), "streamId")),
        2);
    json_decref(d);
}

static void closing_a_transport_tells_the_peer_and_the_consumers_elsewhere(void **state)
{
    (void)state;
    produce("up", "dp", 0);
    consume("down", "dc", "dp", 2);
    world_do(&w, "router.closeTransport", "room", "{'transportId':'up'}");
    settle();
    assert_int_equal(world_events(&w, "dc", "dataConsumer.dataProducerClose"), 1);
    assert_int_equal(assoc_get_state(alice->assoc), ASSOC_CLOSED);
    assert_int_equal(number("worker.getMetrics", "", "dataConsumers"), 0);
    world_do(&w, "worker.closeRouter", "", "{'routerId':'room'}");
}

static void plain_transports_carry_sctp_without_dtls(void **state)
{
    (void)state;
    json_t *t = world_call(&w, "router.createPlainTransport", "room", NULL,
                           "{'transportId':'plain','options':{'listenInfo':{'protocol':'udp',"
                           "'ip':'10.0.0.1'},'comedia':true,'enableSctp':true}}");
    assert_non_null(t);
    json_decref(t);
    assert_int_equal(number("worker.getMetrics", "", "dataProducers"), 0);
    world_do(&w, "plainTransport.connect", "plain", "{}");
    assert_int_equal(world_events(&w, "plain", "transport.sctpStateChange"), 0);
    /* An INIT with our ports: comedia learns the address, and the worker connects. */
    static struct endpoint e;
    memset(&e, 0, sizeof e);
    e.receive = NULL;
    world_add(&w, &e, "10.9.0.1", 777);
    w.count_only = true;
    uint8_t init[32] = {0x13, 0x88, 0x13, 0x88, [12] = 1, [15] = 20};
    uint16_t sock = (uint16_t)(w.next_sock - 2); /* RTP's: rtcpMux is the default, or not */
    for (uint16_t s = sock; s < w.next_sock; s++)
        world_send(&w, &e, s, init, sizeof init);
    world_settle(&w);
    json_t *event = world_last_event(&w, "plain", "transport.sctpStateChange");
    assert_string_equal(json_string_value(json_object_get(event, "sctpState")), "connecting");
    assert_int_equal(world_events(&w, "plain", "plainTransport.tuple"), 1);
    w.count_only = false;
    w.n_endpoints--;
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(messages_go_from_browser_to_browser),
        T(large_messages_go_to_all_consumers),
        T(states_and_streams_are_told),
        T(pausing_stops_messages_on_either_side),
        T(closing_a_data_producer_closes_its_consumers_and_resets_their_streams),
        T(the_controller_sends_messages_of_its_own),
        T(a_full_buffer_is_told_and_drains_with_an_event),
        T(each_consumer_has_the_reliability_that_it_asked_for),
        T(subchannels_are_a_set),
        T(bad_requests_are_refused_and_leave_nothing),
        T(dumps_show_who_consumes_what),
        T(closing_a_transport_tells_the_peer_and_the_consumers_elsewhere),
        T(plain_transports_carry_sctp_without_dtls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
