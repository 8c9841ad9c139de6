#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "worker/media/ext_layout.h"

/* A packet whose extension block is what the layout wrote, parsed by the codec. */
static struct rtp_view packet_with(const uint8_t *block, size_t n, uint8_t buf[1600])
{
    struct rtp_view v;
    struct wr w = wr_of(buf, 1600);
    rtp_write_header(&w, false, 100, 1, 2, 3);
    if (n > 0)
        buf[0] |= 0x10;
    wr_bytes(&w, block, n);
    wr_u32(&w, 0xabcdef01);
    assert_int_equal(rtp_parse(&v, buf, wr_len(&w)), OK);
    assert_int_equal(v.payload_len, 4);
    return v;
}

static void assert_value(const struct rtp_view *v, uint8_t id, const void *want, size_t n)
{
    struct slice e = rtp_ext_find(v, id);
    assert_int_equal(e.n, n);
    assert_memory_equal(e.p, want, n);
}

static const struct ext_brought nothing;

static void nothing_negotiated_is_no_block(void **state)
{
    (void)state;
    struct ext_ids ids = {{0}};
    struct ext_layout l;
    uint8_t out[256];
    ext_layout_init(&l, &ids, "0");
    assert_int_equal(ext_layout_write(&l, &nothing, 5, 6, out), 0);
}

static void the_consumers_own_values_stand_in_the_block(void **state)
{
    (void)state;
    struct ext_ids ids = {{0}};
    struct ext_layout l;
    uint8_t out[256];
    uint8_t buf[1600];
    uint8_t time[3];
    ids.of[RTP_EXT_MID] = 1;
    ids.of[RTP_EXT_ABS_SEND_TIME] = 4;
    ids.of[RTP_EXT_TWCC] = 14;
    ext_layout_init(&l, &ids, "video1");
    usec now = 12345678;
    size_t n = ext_layout_write(&l, &nothing, now, 0xbeef, out);
    assert_int_equal(n % 4, 0);
    struct rtp_view v = packet_with(out, n, buf);
    assert_int_equal(v.ext_profile, RTP_EXT_PROFILE_ONE);
    assert_value(&v, 1, "video1", 6);
    assert_value(&v, 14, "\xbe\xef", 2);
    put_u24(time, abs_send_time_of(now));
    assert_value(&v, 4, time, 3);
}

static void what_the_packet_brought_follows_under_the_consumers_ids(void **state)
{
    (void)state;
    struct ext_ids producer = {{0}};
    struct ext_ids consumer = {{0}};
    struct ext_layout l;
    struct ext_brought b;
    uint8_t in[1600];
    uint8_t out[256];
    uint8_t buf[1600];
    producer.of[RTP_EXT_AUDIO_LEVEL] = 7;
    producer.of[RTP_EXT_VIDEO_ORIENTATION] = 8;
    producer.of[RTP_EXT_RID] = 9;
    consumer.of[RTP_EXT_AUDIO_LEVEL] = 2;
    consumer.of[RTP_EXT_RID] = 9;
    static const uint8_t block[] = {0xbe, 0xde, 0, 2, 0x70, 0x55, 0x80, 1, 0x90, 'h', 0, 0};
    struct rtp_view v = packet_with(block, sizeof block, in);
    ext_brought_find(&b, &producer, &v);
    assert_int_equal(b.n, 2);
    ext_layout_init(&l, &consumer, NULL);
    size_t n = ext_layout_write(&l, &b, 0, 0, out);
    v = packet_with(out, n, buf);
    assert_value(&v, 2, "\x55", 1);
    assert_null(rtp_ext_find(&v, 8).p);
    /* RIDs name the producer's streams; a consumer has its own SSRC. */
    assert_null(rtp_ext_find(&v, 9).p);
}

static void values_that_do_not_fit_one_byte_elements_widen_the_block(void **state)
{
    (void)state;
    struct ext_ids ids = {{0}};
    struct ext_layout l;
    uint8_t out[600];
    uint8_t buf[1600];
    static const uint8_t descriptor[200] = {1, 2, 3};
    ids.of[RTP_EXT_MID] = 1;
    ids.of[RTP_EXT_TWCC] = 5;
    ids.of[RTP_EXT_DEPENDENCY_DESCRIPTOR] = 12;
    ext_layout_init(&l, &ids, "m");
    struct ext_brought b = {.n = 1, .longest = sizeof descriptor};
    b.item[0].kind = RTP_EXT_DEPENDENCY_DESCRIPTOR;
    b.item[0].value = slice_of(descriptor, sizeof descriptor);
    size_t n = ext_layout_write(&l, &b, 0, 0x1234, out);
    assert_true(n <= ext_layout_max(&l, &b));
    struct rtp_view v = packet_with(out, n, buf);
    assert_int_equal(v.ext_profile, RTP_EXT_PROFILE_TWO);
    assert_value(&v, 1, "m", 1);
    assert_value(&v, 5, "\x12\x34", 2);
    assert_value(&v, 12, descriptor, sizeof descriptor);
    /* The next packet without it is narrow again. */
    n = ext_layout_write(&l, &nothing, 0, 0x1235, out);
    v = packet_with(out, n, buf);
    assert_int_equal(v.ext_profile, RTP_EXT_PROFILE_ONE);
    assert_value(&v, 5, "\x12\x35", 2);
}

static void ids_above_14_and_long_mids_use_the_wide_form(void **state)
{
    (void)state;
    static const char mid[] = "abcdefghijklmnopqrstuvwxyz012345";
    struct ext_ids ids = {{0}};
    struct ext_layout l;
    uint8_t out[256];
    uint8_t buf[1600];
    ids.of[RTP_EXT_MID] = 3;
    ids.of[RTP_EXT_TWCC] = 200;
    ids.of[RTP_EXT_ABS_SEND_TIME] = 100;
    ext_layout_init(&l, &ids, mid);
    size_t n = ext_layout_write(&l, &nothing, 0, 7, out);
    struct rtp_view v = packet_with(out, n, buf);
    assert_value(&v, 3, mid, 32);
    assert_value(&v, 200, "\0\7", 2);
    assert_int_equal(rtp_ext_find(&v, 100).n, 3);
}

static void an_id_or_a_uri_twice_is_refused(void **state)
{
    (void)state;
    struct ext_ids ids;
    size_t bad = 99;
    struct rtp_header_extension_parameters list[] = {{.uri = rtp_ext_uri(RTP_EXT_MID), .id = 1},
                                                     {.uri = "urn:unknown", .id = 2},
                                                     {.uri = rtp_ext_uri(RTP_EXT_TWCC), .id = 2}};
    assert_int_equal(ext_ids_init(&ids, list, 3, &bad), ERR_EXISTS);
    assert_int_equal(bad, 2);
    list[2].id = 3;
    assert_int_equal(ext_ids_init(&ids, list, 3, &bad), OK);
    assert_int_equal(ids.of[RTP_EXT_TWCC], 3);
    list[1].uri = rtp_ext_uri(RTP_EXT_MID);
    assert_int_equal(ext_ids_init(&ids, list, 3, &bad), ERR_EXISTS);
    assert_int_equal(bad, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_negotiated_is_no_block),
        cmocka_unit_test(the_consumers_own_values_stand_in_the_block),
        cmocka_unit_test(what_the_packet_brought_follows_under_the_consumers_ids),
        cmocka_unit_test(values_that_do_not_fit_one_byte_elements_widen_the_block),
        cmocka_unit_test(ids_above_14_and_long_mids_use_the_wide_form),
        cmocka_unit_test(an_id_or_a_uri_twice_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
