/* A direct transport: RTP and RTCP from and to the controller. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/base64.h"
#include "proto/rtcp_fb.h"
#include "proto/rtp.h"
#include "test/lib/stage.h"

static struct world w;
static struct browser browser;
static struct inbox inbox;

static int set_up(void **state)
{
    (void)state;
    memset(&inbox, 0, sizeof inbox);
    world_init(&w);
    world_do(&w, "worker.createRouter", "", "{'routerId':'room'}");
    world_do(&w, "router.createDirectTransport", "room", "{'transportId':'direct','options':{}}");
    browser_connect(&browser, &w, "room", "peer", false);
    inbox_of_browser(&inbox, &browser);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    browser_fini(&browser);
    world_fini(&w);
    return 0;
}

static void command(const char *event, const char *handler, const uint8_t *bytes, size_t n)
{
    char text[BASE64_TEXT_MAX(1500)];
    char frame[4096];
    base64_write(bytes, n, text);
    int len = snprintf(frame, sizeof frame,
                       "{\"event\":\"%s\",\"handlerId\":\"%s\",\"data\":{\"data\":\"%s\"}}", event,
                       handler, text);
    api_frame(&w.api, w.now, slice_of(frame, (size_t)len));
    world_settle(&w);
}

static size_t bytes_of(json_t *event, uint8_t *out, size_t cap)
{
    const char *text = json_string_value(json_object_get(event, "data"));
    assert_non_null(text);
    size_t n = base64_read(text, out, cap);
    assert_int_not_equal(n, BASE64_BAD);
    return n;
}

static json_int_t stat_of(const char *method, const char *id, const char *field)
{
    json_t *d = world_call(&w, method, id, NULL, NULL);
    json_t *s = json_object_get(d, "stats");
    json_int_t v = json_integer_value(json_object_get(s ? json_array_get(s, 0) : d, field));
    json_decref(d);
    return v;
}

static void rtp_of_the_controller_reaches_a_browser(void **state)
{
    (void)state;
    uint8_t buf[1500];
    produce_audio(&w, "direct", "mic");
    consume_audio(&w, "peer", "ear", "mic", 5001);
    for (uint16_t seq = 1; seq <= 3; seq++) {
        struct rtp_spec s = {.ssrc = AUDIO_SSRC, .seq = seq, .pt = AUDIO_PT};
        command("producer.send", "mic", buf, rtp_build(buf, &s));
    }
    assert_int_equal(inbox_count(&inbox, 5001), 3);
    assert_int_equal(stat_of("transport.getStats", "direct", "rtpBytesReceived") > 600, true);
}

static void rtp_of_a_browser_reaches_the_controller_as_the_consumer_is_to_get_it(void **state)
{
    (void)state;
    uint8_t buf[1500];
    struct rtp_view v;
    produce_audio(&w, "peer", "mic");
    consume_audio(&w, "direct", "ear", "mic", 5001);
    for (uint16_t seq = 1; seq <= 3; seq++) {
        struct rtp_spec s = {.ssrc = AUDIO_SSRC, .seq = seq, .pt = AUDIO_PT, .size = 33};
        (void)rtc_peer_send_rtp(&browser.peer, buf, rtp_build(buf, &s));
        world_settle(&w);
    }
    assert_int_equal(world_events(&w, "ear", "consumer.rtp"), 3);
    size_t n = bytes_of(world_last_event(&w, "ear", "consumer.rtp"), buf, sizeof buf);
    assert_int_equal(rtp_parse(&v, buf, n), OK);
    assert_int_equal(v.ssrc, 5001);
    assert_int_equal(v.payload_type, OUT_AUDIO_PT);
    assert_int_equal(v.payload_len, 33);
    assert_int_equal(stat_of("consumer.getStats", "ear", "packetCount"), 3);
}

static void the_controller_gets_reports_and_may_ask_for_key_frames(void **state)
{
    (void)state;
    uint8_t buf[1500];
    produce_video(&w, "peer", "cam");
    consume_video(&w, "direct", "eye", "cam", 6000);
    struct rtp_spec s = {.ssrc = VIDEO_SSRC, .seq = 1, .pt = VIDEO_PT, .key = true, .marker = true};
    (void)rtc_peer_send_rtp(&browser.peer, buf, rtp_build(buf, &s));
    world_pass(&w, 3 * USEC_PER_SEC, NULL, NULL);
    size_t plis = inbox.plis;
    struct wr out = wr_of(buf, sizeof buf);
    rtcp_write_pli(&out, 1, 6000);
    command("transport.sendRtcp", "direct", buf, wr_len(&out));
    assert_true(inbox.plis > plis);
    produce_audio(&w, "direct", "mic");
    struct rtp_spec a = {.ssrc = AUDIO_SSRC, .seq = 1, .pt = AUDIO_PT};
    command("producer.send", "mic", buf, rtp_build(buf, &a));
    world_pass(&w, 10 * USEC_PER_SEC, NULL, NULL);
    assert_true(world_events(&w, "direct", "directTransport.rtcp") > 0);
}

static void what_is_no_packet_is_dropped(void **state)
{
    (void)state;
    uint8_t buf[1500];
    produce_audio(&w, "direct", "mic");
    produce_audio(&w, "peer", "other");
    memset(buf, 0xff, sizeof buf);
    command("producer.send", "mic", buf, 100);
    command("transport.sendRtcp", "direct", buf, 100);
    struct rtp_spec s = {.ssrc = AUDIO_SSRC, .seq = 1, .pt = AUDIO_PT};
    command("producer.send", "other", buf, rtp_build(buf, &s)); /* not in a direct transport */
    command("transport.sendRtcp", "peer", buf, 100);
    command("producer.send", "nobody", buf, 100);
    static const char *const frames[] = {
        "{\"event\":\"producer.send\"}",
        "{\"event\":\"producer.send\",\"handlerId\":\"mic\",\"data\":[]}",
        "{\"event\":\"producer.send\",\"handlerId\":\"mic\",\"data\":{}}",
        "{\"event\":\"producer.send\",\"handlerId\":\"mic\",\"data\":{\"data\":"
        "\"****************\"}}",
        "{\"event\":\"no.such\",\"handlerId\":5}"};
    for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++)
        api_frame(&w.api, w.now, slice_of(frames[i], strlen(frames[i])));
    json_t *d = world_call(&w, "producer.getStats", "mic", NULL, NULL);
    assert_int_equal(json_array_size(json_object_get(d, "stats")), 0);
    json_decref(d);
    d = world_call(&w, "producer.getStats", "other", NULL, NULL);
    assert_int_equal(json_array_size(json_object_get(d, "stats")), 0);
    json_decref(d);
}

static void it_says_what_it_is(void **state)
{
    (void)state;
    json_t *d = world_call(&w, "transport.dump", "direct", NULL, NULL);
    assert_string_equal(json_string_value(json_object_get(d, "type")), "direct");
    assert_int_equal(json_integer_value(json_object_get(d, "maxSendMessageSize")), 262144);
    assert_null(json_object_get(d, "tuple"));
    json_decref(d);
    d = world_call(&w, "transport.getStats", "direct", NULL, NULL);
    assert_string_equal(json_string_value(json_object_get(d, "type")), "direct-transport");
    json_decref(d);
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(rtp_of_the_controller_reaches_a_browser),
        T(rtp_of_a_browser_reaches_the_controller_as_the_consumer_is_to_get_it),
        T(the_controller_gets_reports_and_may_ask_for_key_frames),
        T(what_is_no_packet_is_dropped),
        T(it_says_what_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
