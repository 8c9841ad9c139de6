#include "worker/rtp/simulcast.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "worker/rtp/ntp.h"

enum { RATE = 90000 };

static struct simulcast make(uint8_t n_streams, enum codec codec)
{
    struct simulcast s;
    struct simulcast_config c = {.codec = codec,
                                 .clock_rate = RATE,
                                 .n_streams = n_streams,
                                 .n_spatial = 1,
                                 .n_temporal = 1,
                                 .first_seq = 100};
    simulcast_init(&s, &c);
    return s;
}

static struct simulcast_out last;

static enum simulcast_verdict give_again(struct simulcast *s, uint8_t stream, uint16_t seq,
                                         bool key, bool again)
{
    struct layer_packet p = {
        .picture = seq, .timestamp = seq * 3000U, .seq = seq, .marker = true, .key_frame = key};
    struct simulcast_in in = {.packet = &p, .stream = stream, .again = again};
    return simulcast_packet(s, seq * (usec)33333, &in, &last);
}

static void sent_as(struct simulcast *s, uint8_t stream, uint16_t seq, bool key, uint16_t expected)
{
    assert_int_equal(give_again(s, stream, seq, key, false), SIMULCAST_SEND);
    assert_int_equal(last.seq, expected);
}

static void ignored(struct simulcast *s, uint8_t stream, uint16_t seq, bool key)
{
    assert_int_equal(give_again(s, stream, seq, key, false), SIMULCAST_NOTHING);
}

/* Streams of which key frames are asked for, as bits. */
static unsigned requests(struct simulcast *s)
{
    unsigned bits = 0;
    for (int8_t i; (i = simulcast_take_key_request(s)) != LAYER_NONE;)
        bits |= 1U << i;
    return bits;
}

static void layers_are(struct simulcast *s, int8_t spatial, int8_t temporal)
{
    struct layers l;
    assert_true(simulcast_layers_changed(s, &l));
    assert_int_equal(l.spatial, spatial);
    assert_int_equal(l.temporal, temporal);
    assert_false(simulcast_layers_changed(s, &l));
}

static void the_highest_stream_that_lives_is_asked_and_begins_with_its_key_frame(void **state)
{
    (void)state;
    struct simulcast s = make(3, CODEC_H264);
    simulcast_start(&s);
    assert_int_equal(requests(&s), 0);
    simulcast_alive(&s, 0, true);
    assert_int_equal(requests(&s), 1);
    simulcast_alive(&s, 2, true);
    assert_int_equal(requests(&s), 4);
    ignored(&s, 2, 10, false);
    assert_int_equal(requests(&s), 4); /* again, with each packet in vain */
    sent_as(&s, 2, 11, true, 100);
    sent_as(&s, 2, 12, false, 101);
    layers_are(&s, 2, 0);
    assert_int_equal(requests(&s), 0);
}

static void a_lower_stream_does_until_the_wanted_one_has_its_key_frame(void **state)
{
    (void)state;
    struct simulcast s = make(2, CODEC_H264);
    simulcast_start(&s);
    simulcast_alive(&s, 1, true);
    sent_as(&s, 0, 500, true, 100);
    layers_are(&s, 0, 0);
    ignored(&s, 1, 7000, false);
    sent_as(&s, 0, 501, false, 101);
    assert_int_equal(requests(&s), 2);
    sent_as(&s, 1, 7001, true, 102);
    ignored(&s, 0, 502, false);
    ignored(&s, 0, 503, true);
    sent_as(&s, 1, 7002, false, 103);
    layers_are(&s, 1, 0);
}

static void a_dead_stream_gives_way_to_a_lower_one_and_comes_back(void **state)
{
    (void)state;
    struct simulcast s = make(3, CODEC_H264);
    simulcast_start(&s);
    simulcast_alive(&s, 0, true);
    simulcast_alive(&s, 1, true);
    sent_as(&s, 1, 1, true, 100);
    (void)requests(&s);
    simulcast_alive(&s, 1, false);
    assert_int_equal(requests(&s), 1);
    sent_as(&s, 0, 900, true, 101);
    ignored(&s, 1, 2, false); /* its first packet says that it is back */
    assert_int_equal(requests(&s), 2);
    sent_as(&s, 1, 3, true, 102);
    /* A packet of a stream that was never announced. */
    ignored(&s, 2, 70, false);
    assert_int_equal(requests(&s), 4);
}

static void preference_and_estimate_limit_the_stream(void **state)
{
    (void)state;
    struct simulcast s = make(3, CODEC_H264);
    struct layers p = simulcast_prefer(&s, (struct layers){.spatial = 9, .temporal = LAYER_NONE});
    assert_int_equal(p.spatial, 2);
    assert_int_equal(p.temporal, 0);
    simulcast_start(&s);
    for (uint8_t i = 0; i < 3; i++)
        simulcast_alive(&s, i, true);
    (void)requests(&s);
    (void)simulcast_prefer(&s, (struct layers){.spatial = 1, .temporal = 0});
    assert_int_equal(requests(&s), 2);
    sent_as(&s, 1, 1, true, 100);
    simulcast_limit(&s, (struct layers){.spatial = 0, .temporal = 0});
    assert_int_equal(requests(&s), 1);
    assert_int_equal(simulcast_target_layers(&s).spatial, 0);
    sent_as(&s, 1, 2, false, 101); /* until then */
    sent_as(&s, 0, 50, true, 102);
    layers_are(&s, 0, 0);
    simulcast_limit(&s, LAYERS_NONE);
    ignored(&s, 0, 51, false);
    ignored(&s, 0, 52, true);
    layers_are(&s, LAYER_NONE, LAYER_NONE);
    simulcast_limit(&s, LAYERS_ANY);
    assert_int_equal(requests(&s), 2);
    sent_as(&s, 1, 3, true, 103);
}

static void without_any_that_is_low_enough_the_nearest_above_is_taken(void **state)
{
    (void)state;
    struct simulcast s = make(3, CODEC_H264);
    (void)simulcast_prefer(&s, (struct layers){.spatial = 0, .temporal = 0});
    simulcast_start(&s);
    simulcast_alive(&s, 2, true);
    simulcast_alive(&s, 1, true);
    (void)requests(&s);
    assert_int_equal(s.target, 1);
    simulcast_limit(&s, (struct layers){.spatial = 0, .temporal = 0});
    assert_int_equal(s.target, LAYER_NONE);
}

static void after_a_pause_it_goes_on_with_a_key_frame_and_the_next_number(void **state)
{
    (void)state;
    struct simulcast s = make(1, CODEC_H264);
    struct layers l;
    simulcast_start(&s);
    sent_as(&s, 0, 65535, true, 100);
    (void)simulcast_layers_changed(&s, &l);
    simulcast_stop(&s);
    ignored(&s, 0, 0, true);
    layers_are(&s, LAYER_NONE, LAYER_NONE);
    simulcast_start(&s);
    assert_int_equal(requests(&s), 1);
    ignored(&s, 0, 1, false);
    sent_as(&s, 0, 2, true, 101);
    simulcast_key_frame(&s);
    assert_int_equal(requests(&s), 1);
}

static void what_overtook_a_late_key_frame_is_shown_again(void **state)
{
    (void)state;
    struct simulcast s = make(2, CODEC_H264);
    simulcast_start(&s);
    ignored(&s, 1, 20, false);
    ignored(&s, 1, 22, false);
    ignored(&s, 1, 23, false);
    sent_as(&s, 1, 21, true, 100);
    assert_true(last.replay);
    assert_int_equal(give_again(&s, 1, 22, false, true), SIMULCAST_SEND);
    assert_int_equal(last.seq, 101);
    assert_int_equal(give_again(&s, 1, 23, false, true), SIMULCAST_SEND);
    sent_as(&s, 1, 24, false, 103);
    assert_false(last.replay);
    /* Nothing waits any more. */
    assert_int_equal(give_again(&s, 1, 23, false, true), SIMULCAST_NOTHING);
}

static void a_key_frame_from_before_anyone_waited_is_too_late(void **state)
{
    (void)state;
    struct simulcast s = make(2, CODEC_H264);
    (void)simulcast_prefer(&s, (struct layers){.spatial = 0, .temporal = 0});
    simulcast_start(&s);
    sent_as(&s, 0, 1, true, 100);
    ignored(&s, 1, 500, false);
    ignored(&s, 1, 502, false); /* not held: nobody wanted it */
    (void)simulcast_prefer(&s, (struct layers){.spatial = 1, .temporal = 0});
    ignored(&s, 1, 501, true);
    ignored(&s, 1, 504, false);
    sent_as(&s, 1, 503, true, 101);
}

static void a_key_frame_further_back_than_what_is_held_is_too_late(void **state)
{
    (void)state;
    struct simulcast s = make(1, CODEC_H264);
    simulcast_start(&s);
    ignored(&s, 0, 9, false);
    ignored(&s, 0, 10 + SIMULCAST_HELD_MAX + 1, false);
    (void)requests(&s);
    ignored(&s, 0, 10, true);
    assert_int_equal(requests(&s), 1);
    sent_as(&s, 0, 11, true, 100);
}

static void a_sender_that_begins_anew_needs_a_key_frame(void **state)
{
    (void)state;
    struct simulcast s = make(1, CODEC_H264);
    simulcast_start(&s);
    sent_as(&s, 0, 1000, true, 100);
    uint32_t before = last.timestamp;
    struct layer_packet p = {.seq = 5, .timestamp = 77, .picture = 77};
    struct simulcast_in in = {.packet = &p, .restarted = true};
    assert_int_equal(simulcast_packet(&s, 1000 * 33333 + 33333, &in, &last), SIMULCAST_NOTHING);
    assert_int_equal(requests(&s), 1);
    p = (struct layer_packet){.seq = 6, .timestamp = 3077, .picture = 3077, .key_frame = true};
    in.restarted = false;
    assert_int_equal(simulcast_packet(&s, 1000 * 33333 + 66666, &in, &last), SIMULCAST_SEND);
    assert_int_equal(last.seq, 101);
    assert_in_range(last.timestamp - before, 5990, 6010);
}

static void timestamps_follow_the_senders_reports_over_a_switch(void **state)
{
    (void)state;
    struct simulcast s = make(2, CODEC_H264);
    struct sr_map low;
    struct sr_map high;
    sr_map_init(&low, RATE);
    sr_map_init(&high, RATE);
    sr_map_update(&low, 1, ntp_of_usec(1000000), 90000);
    sr_map_update(&high, 1, ntp_of_usec(1000000), 4000000);
    simulcast_start(&s);
    struct layer_packet p = {.seq = 1, .timestamp = 90000, .picture = 1, .key_frame = true};
    struct simulcast_in in = {.packet = &p, .sr = &low};
    simulcast_alive(&s, 1, true);
    assert_int_equal(simulcast_packet(&s, 1010000, &in, &last), SIMULCAST_SEND);
    assert_int_equal(last.timestamp, 90000);
    p = (struct layer_packet){.seq = 9, .timestamp = 4003000, .picture = 1, .key_frame = true};
    assert_int_equal(simulcast_line(&s), 0);
    in = (struct simulcast_in){.packet = &p, .sr = &high, .line_sr = &low, .stream = 1};
    assert_int_equal(simulcast_packet(&s, 1090000, &in, &last), SIMULCAST_SEND);
    assert_int_equal(last.timestamp, 93000);
    assert_int_equal(simulcast_line(&s), 1);
}

static void a_number_left_open_for_a_packet_that_is_not_wanted_is_filled(void **state)
{
    (void)state;
    struct simulcast s;
    struct simulcast_config c = {
        .codec = CODEC_VP8, .clock_rate = RATE, .n_streams = 1, .n_temporal = 2, .first_seq = 100};
    simulcast_init(&s, &c);
    (void)simulcast_prefer(&s, (struct layers){.spatial = 0, .temporal = 0});
    simulcast_start(&s);
    struct layer_packet p = {.seq = 1, .picture = 1, .key_frame = true, .info = LAYER_INFO_VP8};
    struct simulcast_in in = {.packet = &p};
    assert_int_equal(simulcast_packet(&s, 1, &in, &last), SIMULCAST_SEND);
    p = (struct layer_packet){.seq = 3, .picture = 3, .info = LAYER_INFO_VP8};
    assert_int_equal(simulcast_packet(&s, 2, &in, &last), SIMULCAST_SEND);
    assert_int_equal(last.seq, 102);
    p = (struct layer_packet){
        .seq = 2, .picture = 2, .marker = true, .info = LAYER_INFO_VP8, .vp8.temporal = 1};
    assert_int_equal(simulcast_packet(&s, 3, &in, &last), SIMULCAST_FILL);
    assert_int_equal(last.seq, 101);
    assert_int_equal(last.patch, LAYER_PATCH_EMPTY);
    assert_false(last.marker);
    /* In order there is nothing to fill. */
    p = (struct layer_packet){.seq = 4, .picture = 4, .info = LAYER_INFO_VP8, .vp8.temporal = 1};
    assert_int_equal(simulcast_packet(&s, 4, &in, &last), SIMULCAST_NOTHING);
    assert_int_equal(simulcast_skip(&s, 0, 5, 5, &last), SIMULCAST_NOTHING);
    p = (struct layer_packet){.seq = 6, .picture = 6, .info = LAYER_INFO_VP8};
    assert_int_equal(simulcast_packet(&s, 5, &in, &last), SIMULCAST_SEND);
    assert_int_equal(last.seq, 103);
    p = (struct layer_packet){.seq = 8, .picture = 8, .info = LAYER_INFO_VP8};
    assert_int_equal(simulcast_packet(&s, 6, &in, &last), SIMULCAST_SEND);
    assert_int_equal(simulcast_skip(&s, 0, 7, 7, &last), SIMULCAST_FILL);
    assert_int_equal(last.seq, 104);
}

static void what_was_never_understood_does_not_leave_a_hole(void **state)
{
    (void)state;
    struct simulcast s = make(1, CODEC_AV1);
    static struct dd_epoch epoch = {.structure = {.n_templates = 1, .n_targets = 1}};
    simulcast_start(&s);
    struct layer_packet p = {.seq = 1,
                             .picture = 1,
                             .key_frame = true,
                             .info = LAYER_INFO_DD,
                             .dd = {.dd = {.has_structure = true, .dtis = {DD_SWITCH}},
                                    .epoch = &epoch,
                                    .frame = 1,
                                    .active = 1}};
    struct simulcast_in in = {.packet = &p};
    assert_int_equal(simulcast_packet(&s, 1, &in, &last), SIMULCAST_SEND);
    struct layer_packet bad = {.seq = 2, .picture = 2, .info = LAYER_INFO_MISSING};
    in.packet = &bad;
    assert_int_equal(simulcast_packet(&s, 2, &in, &last), SIMULCAST_NOTHING);
    assert_int_equal(requests(&s), 1);
    p.seq = 3;
    p.picture = p.dd.frame = 3;
    in.packet = &p;
    assert_int_equal(simulcast_packet(&s, 3, &in, &last), SIMULCAST_SEND);
    assert_int_equal(last.seq, 101);
}

static void layers_of_one_stream_are_limited_as_announced(void **state)
{
    (void)state;
    struct simulcast s;
    struct simulcast_config c = {
        .codec = CODEC_VP9, .clock_rate = RATE, .n_streams = 1, .n_spatial = 3, .n_temporal = 3};
    simulcast_init(&s, &c);
    simulcast_start(&s);
    simulcast_alive(&s, 0, true);
    assert_int_equal(simulcast_target_layers(&s).spatial, 2);
    struct layers p = simulcast_prefer(&s, (struct layers){.spatial = 1, .temporal = LAYER_NONE});
    assert_int_equal(p.temporal, 2);
    simulcast_limit(&s, (struct layers){.spatial = 2, .temporal = 0});
    assert_int_equal(s.selector.target.spatial, 1);
    assert_int_equal(s.selector.target.temporal, 0);
    /* A stream that announced nothing is not cut. */
    s = make(1, CODEC_VP8);
    simulcast_start(&s);
    simulcast_alive(&s, 0, true);
    assert_int_equal(s.selector.target.temporal, LAYER_ANY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_highest_stream_that_lives_is_asked_and_begins_with_its_key_frame),
        cmocka_unit_test(a_lower_stream_does_until_the_wanted_one_has_its_key_frame),
        cmocka_unit_test(a_dead_stream_gives_way_to_a_lower_one_and_comes_back),
        cmocka_unit_test(preference_and_estimate_limit_the_stream),
        cmocka_unit_test(without_any_that_is_low_enough_the_nearest_above_is_taken),
        cmocka_unit_test(after_a_pause_it_goes_on_with_a_key_frame_and_the_next_number),
        cmocka_unit_test(what_overtook_a_late_key_frame_is_shown_again),
        cmocka_unit_test(a_key_frame_from_before_anyone_waited_is_too_late),
        cmocka_unit_test(a_key_frame_further_back_than_what_is_held_is_too_late),
        cmocka_unit_test(a_sender_that_begins_anew_needs_a_key_frame),
        cmocka_unit_test(timestamps_follow_the_senders_reports_over_a_switch),
        cmocka_unit_test(a_number_left_open_for_a_packet_that_is_not_wanted_is_filled),
        cmocka_unit_test(what_was_never_understood_does_not_leave_a_hole),
        cmocka_unit_test(layers_of_one_stream_are_limited_as_announced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
