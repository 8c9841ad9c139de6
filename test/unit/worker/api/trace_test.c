/* What traces tell of a packet, as it came and as it was sent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "test/lib/stage.h"

static struct world w;
static struct browser alice;
static struct browser bob;
static struct inbox to_alice;
static struct inbox to_bob;

static int set_up(void **state)
{
    (void)state;
    memset(&to_alice, 0, sizeof to_alice);
    memset(&to_bob, 0, sizeof to_bob);
    world_init(&w);
    world_do(&w, "worker.createRouter", "", "{'routerId':'room'}");
    browser_connect(&alice, &w, "room", "up", false);
    browser_connect(&bob, &w, "room", "down", false);
    inbox_of_browser(&to_alice, &alice);
    inbox_of_browser(&to_bob, &bob);
    produce_video(&w, "up", "cam");
    consume_video(&w, "down", "eye", "cam", 6000);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    browser_fini(&alice);
    browser_fini(&bob);
    world_fini(&w);
    return 0;
}

static void send_key(void)
{
    uint8_t buf[1500];
    struct rtp_spec s = {.ssrc = VIDEO_SSRC,
                         .seq = 77,
                         .timestamp = 1234,
                         .pt = VIDEO_PT,
                         .key = true,
                         .marker = true,
                         .mid = "1",
                         .has_twcc = true,
                         .twcc = 42,
                         .size = 100};
    (void)rtc_peer_send_rtp(&alice.peer, buf, rtp_build(buf, &s));
    world_settle(&w);
}

static json_int_t number(const json_t *p, const char *field)
{
    assert_non_null(json_object_get(p, field));
    return json_integer_value(json_object_get(p, field));
}

static json_t *traced(const char *handler, const char *event, const char *direction)
{
    json_t *d = world_last_event(&w, handler, event);
    assert_string_equal(json_string_value(json_object_get(d, "direction")), direction);
    json_t *p = json_object_get(json_object_get(d, "info"), "rtpPacket");
    assert_non_null(p);
    return p;
}

static void a_received_packet_is_told_with_its_extensions(void **state)
{
    (void)state;
    world_do(&w, "producer.enableTraceEvent", "cam", "{'events':['rtp']}");
    send_key();
    json_t *p = traced("cam", "producer.trace", "in");
    assert_int_equal(number(p, "ssrc"), VIDEO_SSRC);
    assert_int_equal(number(p, "sequenceNumber"), 77);
    assert_int_equal(number(p, "payloadType"), VIDEO_PT);
    assert_int_equal(number(p, "wideSequenceNumber"), 42);
    assert_int_equal(number(p, "payloadSize"), 100);
    assert_string_equal(json_string_value(json_object_get(p, "mid")), "1");
    assert_true(json_is_true(json_object_get(p, "isKeyFrame")));
    assert_null(json_object_get(p, "rid"));
}

static void a_sent_packet_is_told_as_the_viewer_gets_it(void **state)
{
    (void)state;
    world_do(&w, "consumer.enableTraceEvent", "eye", "{'events':['rtp']}");
    send_key();
    assert_int_equal(to_bob.n, 1);
    json_t *p = traced("eye", "consumer.trace", "out");
    assert_int_equal(number(p, "ssrc"), to_bob.rtp[0].ssrc);
    assert_int_equal(number(p, "sequenceNumber"), to_bob.rtp[0].seq);
    assert_int_equal(number(p, "timestamp"), to_bob.rtp[0].timestamp);
    assert_int_equal(number(p, "payloadType"), to_bob.rtp[0].pt);
    assert_int_equal(number(p, "wideSequenceNumber"), to_bob.rtp[0].twcc);
    assert_string_equal(json_string_value(json_object_get(p, "mid")), to_bob.rtp[0].mid);
    assert_int_equal(number(p, "payloadSize"), 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_received_packet_is_told_with_its_extensions, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_sent_packet_is_told_as_the_viewer_gets_it, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
