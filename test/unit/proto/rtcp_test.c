#include "proto/rtcp.h"
#include "proto/rtcp_fb.h"
#include "proto/rtcp_report.h"
#include "proto/rtcp_sdes.h"
#include "proto/rtcp_xr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct rtcp_block block_at(const void *data, size_t n, size_t index)
{
    struct rtcp_reader r;
    struct rtcp_block b = {0};
    assert_int_equal(rtcp_reader_init(&r, data, n), OK);
    for (size_t i = 0; i <= index; i++)
        assert_true(rtcp_next(&r, &b));
    return b;
}

static struct rtcp_block only_block(const struct wr *w, enum rtcp_kind kind)
{
    struct rtcp_reader r;
    struct rtcp_block b = {0};
    struct rtcp_block more;
    assert_false(w->bad);
    assert_int_equal(rtcp_reader_init(&r, w->start, wr_len(w)), OK);
    assert_true(rtcp_next(&r, &b));
    assert_int_equal(b.kind, kind);
    assert_false(rtcp_next(&r, &more));
    return b;
}

static void a_compound_packet_gives_its_blocks_in_order(void **state)
{
    (void)state;
    static const char bytes[] = "\x80\xc9\x00\x01"
                                "AAAA" /* RR */
                                "\x81\xcc\x00\x02"
                                "AAAAname" /* APP */
                                "\x81\xce\x00\x02"
                                "AAAABBBB" /* PLI */
                                "\x82\xce\x00\x03"
                                "AAAABBBBslic" /* SLI */
                                "\x8f\xce\x00\x03"
                                "AAAA\0\0\0\0what"; /* not REMB */
    static const enum rtcp_kind want[] = {RTCP_KIND_RR, RTCP_KIND_UNKNOWN, RTCP_KIND_PLI,
                                          RTCP_KIND_UNKNOWN, RTCP_KIND_UNKNOWN};
    struct rtcp_reader r;
    struct rtcp_block b;
    assert_int_equal(rtcp_reader_init(&r, bytes, sizeof bytes - 1), OK);
    for (size_t i = 0; i < 5; i++) {
        assert_true(rtcp_next(&r, &b));
        assert_int_equal(b.kind, want[i]);
        assert_int_equal(rtcp_sender_ssrc(&b), 0x41414141);
    }
    assert_false(rtcp_next(&r, &b));
    assert_false(rtcp_next(&r, &b));
}

static void hostile_compounds_are_refused_whole(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
        enum err want;
    } rows[] = {
        {"", 0, ERR_TRUNCATED},
        {"\x80\xc9\x00", 3, ERR_TRUNCATED},
        {"\x80\xc9\x00\x00", 4, OK},
        {"\x40\xc9\x00\x00", 4, ERR_MALFORMED}, /* version 1 */
        {"\x80\xc9\x00\x01", 4, ERR_TRUNCATED}, /* too short */
        {"\x80\xc9\xff\xff"
         "AAAA",
         8, ERR_TRUNCATED},
        {"\x80\xc9\x00\x00\x80", 5, ERR_TRUNCATED},             /* a tail */
        {"\x80\xc9\x00\x00\x00\xc9\x00\x00", 8, ERR_MALFORMED}, /* the second is bad */
        {"\xa0\xc9\x00\x00", 4, ERR_MALFORMED},                 /* padding, but no room */
        {"\xa0\xc9\x00\x01\x00\x00\x00\x04", 8, OK},
        {"\xa0\xc9\x00\x01\x00\x00\x00\x00", 8, ERR_MALFORMED},
        {"\xa0\xc9\x00\x01\x00\x00\x00\x03", 8, OK},            /* libwebrtc */
        {"\xa0\xc9\x00\x01\x00\x00\x00\x08", 8, ERR_MALFORMED}, /* longer than the body */
        {"\xa0\xc9\x00\x01\x00\x00\x00\x04\x80\xc9\x00\x00", 12, ERR_MALFORMED}, /* not last */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rtcp_reader r;
        struct rtcp_block b;
        enum err e = rtcp_reader_init(&r, rows[i].bytes, rows[i].n);
        assert_int_equal(e, rows[i].want);
        assert_int_equal(rtcp_next(&r, &b), e == OK);
    }
}

static struct rtcp_report report_of(uint32_t i)
{
    return (struct rtcp_report){.ssrc = i,
                                .lost = i % 2 ? -(int32_t)i : (int32_t)i,
                                .highest_seq = 0x10000 + i,
                                .jitter = 3 * i,
                                .lsr = 4 * i,
                                .dlsr = 5 * i,
                                .fraction_lost = (uint8_t)i};
}

static void expect_report(struct rtcp_report got, struct rtcp_report want)
{
    assert_int_equal(got.ssrc, want.ssrc);
    assert_int_equal(got.lost, want.lost);
    assert_int_equal(got.highest_seq, want.highest_seq);
    assert_int_equal(got.jitter, want.jitter);
    assert_int_equal(got.lsr, want.lsr);
    assert_int_equal(got.dlsr, want.dlsr);
    assert_int_equal(got.fraction_lost, want.fraction_lost);
}

static void more_than_31_reports_go_on_in_further_packets(void **state)
{
    (void)state;
    static const size_t counts[] = {0, 1, 31, 32, 62, 63, 100};
    for (size_t k = 0; k < sizeof counts / sizeof counts[0]; k++) {
        uint8_t buf[4096];
        struct rtcp_report list[100];
        struct wr w = wr_of(buf, sizeof buf);
        struct rtcp_sr sr = {
            .ntp = 0x0102030405060708, .ssrc = 9, .rtp_timestamp = 10, .packets = 11, .octets = 12};
        struct rtcp_reader r;
        struct rtcp_block b;
        size_t seen = 0;
        for (uint32_t i = 0; i < 100; i++)
            list[i] = report_of(i);
        rtcp_write_sr(&w, &sr, list, counts[k]);
        assert_false(w.bad);
        assert_int_equal(rtcp_reader_init(&r, buf, wr_len(&w)), OK);
        for (size_t n = 0; rtcp_next(&r, &b); n++) {
            struct rtcp_rr rr = {0};
            struct rtcp_sr back = {0};
            assert_int_equal(b.kind, n == 0 ? RTCP_KIND_SR : RTCP_KIND_RR);
            assert_int_equal(rtcp_sender_ssrc(&b), 9);
            if (n == 0) {
                assert_int_equal(rtcp_parse_sr(&b, &back), OK);
                assert_true(back.ntp == sr.ntp && back.rtp_timestamp == 10 && back.packets == 11 &&
                            back.octets == 12);
                rr = (struct rtcp_rr){.reports = back.reports, .n_reports = back.n_reports};
            } else {
                assert_int_equal(rtcp_parse_rr(&b, &rr), OK);
            }
            for (size_t i = 0; i < rr.n_reports; i++, seen++)
                expect_report(rtcp_report_at(rr.reports, i), list[seen]);
        }
        assert_int_equal(seen, counts[k]);
    }
}

static void a_real_sender_report_is_read(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0x80, 0xc8, 0x00, 0x06, 0x5d, 0x93, 0x15, 0x34, 0xdd, 0x3a,
                                    0xc1, 0xb4, 0x76, 0x54, 0x71, 0x71, 0x00, 0x08, 0xcf, 0x00,
                                    0x00, 0x00, 0x0e, 0x18, 0x00, 0x08, 0xcf, 0x00};
    struct rtcp_block b = block_at(bytes, sizeof bytes, 0);
    struct rtcp_sr sr;
    assert_int_equal(rtcp_parse_sr(&b, &sr), OK);
    assert_int_equal(sr.ssrc, 0x5d931534);
    assert_true(sr.ntp == 0xdd3ac1b476547171);
    assert_int_equal(sr.rtp_timestamp, 577280);
    assert_int_equal(sr.packets, 3608);
    assert_int_equal(sr.octets, 577280);
}

static void a_report_count_beyond_the_body_is_refused(void **state)
{
    (void)state;
    struct rtcp_sr sr;
    struct rtcp_rr rr;
    struct rtcp_block b = block_at("\x81\xc9\x00\x01"
                                   "AAAA",
                                   8, 0);
    assert_int_equal(rtcp_parse_rr(&b, &rr), ERR_TRUNCATED);
    b = block_at("\x80\xc8\x00\x01"
                 "AAAA",
                 8, 0);
    assert_int_equal(rtcp_parse_sr(&b, &sr), ERR_TRUNCATED);
    b = block_at("\x80\xc9\x00\x00", 4, 0);
    assert_int_equal(rtcp_parse_rr(&b, &rr), ERR_TRUNCATED);
}

static void cumulative_loss_is_clamped_to_24_bits(void **state)
{
    (void)state;
    uint8_t buf[64];
    static const int32_t rows[][2] = {{INT32_MAX, 0x7fffff}, {INT32_MIN, -0x800000}, {-1, -1}};
    for (size_t i = 0; i < 3; i++) {
        struct wr w = wr_of(buf, sizeof buf);
        struct rtcp_report p = {.lost = rows[i][0]};
        struct rtcp_rr rr;
        rtcp_write_rr(&w, 1, &p, 1);
        struct rtcp_block b = only_block(&w, RTCP_KIND_RR);
        assert_int_equal(rtcp_parse_rr(&b, &rr), OK);
        assert_int_equal(rtcp_report_at(rr.reports, 0).lost, rows[i][1]);
    }
}

static void names_of_every_length_round_trip(void **state)
{
    (void)state;
    static char name[300];
    memset(name, 'x', sizeof name);
    for (size_t n = 0; n <= 256; n++) {
        uint8_t buf[512];
        struct wr w = wr_of(buf, sizeof buf);
        struct rtcp_sdes_chunk in = {.ssrc = 7, .cname = slice_of(name, n)};
        struct rtcp_sdes_chunk out;
        size_t at = 0;
        rtcp_write_sdes(&w, &in, 1);
        struct rtcp_block b = only_block(&w, RTCP_KIND_SDES);
        assert_true(rtcp_sdes_next(&b, &at, &out));
        assert_int_equal(out.ssrc, 7);
        assert_int_equal(out.cname.n, n < 255 ? n : 255);
        assert_false(rtcp_sdes_next(&b, &at, &out));
    }
}

static void many_chunks_split_and_other_items_are_skipped(void **state)
{
    (void)state;
    uint8_t buf[4096];
    struct rtcp_sdes_chunk in[40];
    struct rtcp_sdes_chunk out;
    struct rtcp_reader r;
    struct rtcp_block b;
    struct wr w = wr_of(buf, sizeof buf);
    uint32_t seen = 0;
    for (uint32_t i = 0; i < 40; i++)
        in[i] = (struct rtcp_sdes_chunk){.ssrc = i, .cname = slice_of("abcdefg", i % 8)};
    rtcp_write_sdes(&w, in, 40);
    assert_int_equal(rtcp_reader_init(&r, buf, wr_len(&w)), OK);
    while (rtcp_next(&r, &b))
        for (size_t at = 0; rtcp_sdes_next(&b, &at, &out); seen++)
            assert_int_equal(out.ssrc, seen);
    assert_int_equal(seen, 40);

    static const char tool[] = "\x81\xca\x00\x04"
                               "AAAA\x06\x02me\x01\x03you\0\0\0";
    size_t at = 0;
    b = block_at(tool, 20, 0);
    assert_true(rtcp_sdes_next(&b, &at, &out));
    assert_memory_equal(out.cname.p, "you", 3);
    static const char unended[] = "\x81\xca\x00\x02"
                                  "AAAA\x01\x02me";
    at = 0;
    b = block_at(unended, 12, 0);
    assert_false(rtcp_sdes_next(&b, &at, &out));
    static const char over[] = "\x81\xca\x00\x02"
                               "AAAA\x01\xffme";
    at = 0;
    b = block_at(over, 12, 0);
    assert_false(rtcp_sdes_next(&b, &at, &out));
}

static void goodbyes_round_trip(void **state)
{
    (void)state;
    uint8_t buf[512];
    const uint32_t ssrcs[2] = {5, 6};
    struct rtcp_bye bye;
    struct wr w = wr_of(buf, sizeof buf);
    rtcp_write_bye(&w, ssrcs, 2, slice_of("gone", 4));
    struct rtcp_block b = only_block(&w, RTCP_KIND_BYE);
    assert_int_equal(rtcp_parse_bye(&b, &bye), OK);
    assert_int_equal(bye.n_ssrcs, 2);
    assert_int_equal(bye.ssrcs[1], 6);
    assert_memory_equal(bye.reason.p, "gone", 4);
    w = wr_of(buf, sizeof buf);
    rtcp_write_bye(&w, ssrcs, 1, (struct slice){0});
    b = only_block(&w, RTCP_KIND_BYE);
    assert_int_equal(rtcp_parse_bye(&b, &bye), OK);
    assert_null(bye.reason.p);
    b = block_at("\x9f\xcb\x00\x01"
                 "AAAA",
                 8, 0);
    assert_int_equal(rtcp_parse_bye(&b, &bye), ERR_TRUNCATED);
    b = block_at("\x81\xcb\x00\x02"
                 "AAAA\x04no.",
                 12, 0);
    assert_int_equal(rtcp_parse_bye(&b, &bye), ERR_TRUNCATED);
}

static void nacks_pack_17_numbers_an_item_and_wrap(void **state)
{
    (void)state;
    static const uint16_t seqs[] = {65534, 65535, 0, 14, 15, 3000, 3016, 3017};
    uint8_t buf[128];
    uint16_t out[64];
    struct rtcp_nack nack;
    struct wr w = wr_of(buf, sizeof buf);
    rtcp_write_nack(&w, 1, 2, seqs, 8);
    struct rtcp_block b = only_block(&w, RTCP_KIND_NACK);
    assert_int_equal(rtcp_parse_nack(&b, &nack), OK);
    assert_int_equal(nack.sender_ssrc, 1);
    assert_int_equal(nack.media_ssrc, 2);
    assert_int_equal(nack.n_items, 4);
    assert_int_equal(rtcp_nack_item(&nack, 0).pid, 65534);
    assert_int_equal(rtcp_nack_item(&nack, 0).blp, 0x8003);
    assert_int_equal(rtcp_nack_item(&nack, 1).pid, 15);
    assert_int_equal(rtcp_nack_item(&nack, 2).blp, 0x8000);
    assert_int_equal(rtcp_nack_seqs(&nack, out, 64), 8);
    assert_memory_equal(out, seqs, sizeof seqs);
    assert_int_equal(rtcp_nack_seqs(&nack, out, 3), 3);
    b = block_at("\x81\xcd\x00\x02"
                 "AAAABBBB",
                 12, 0);
    assert_int_equal(rtcp_parse_nack(&b, &nack), ERR_MALFORMED);
    b = block_at("\x81\xcd\x00\x01"
                 "AAAA",
                 8, 0);
    assert_int_equal(rtcp_parse_nack(&b, &nack), ERR_TRUNCATED);
}

static void key_frame_requests_round_trip(void **state)
{
    (void)state;
    uint8_t buf[128];
    struct rtcp_pli pli;
    struct rtcp_fir fir;
    const struct rtcp_fir_item items[2] = {{10, 255}, {11, 0}};
    struct wr w = wr_of(buf, sizeof buf);
    rtcp_write_pli(&w, 3, 4);
    assert_memory_equal(buf, "\x81\xce\x00\x02\0\0\0\3\0\0\0\4", 12);
    struct rtcp_block b = only_block(&w, RTCP_KIND_PLI);
    assert_int_equal(rtcp_parse_pli(&b, &pli), OK);
    assert_true(pli.sender_ssrc == 3 && pli.media_ssrc == 4);
    b = block_at("\x81\xce\x00\x01"
                 "AAAA",
                 8, 0);
    assert_int_equal(rtcp_parse_pli(&b, &pli), ERR_TRUNCATED);
    w = wr_of(buf, sizeof buf);
    rtcp_write_fir(&w, 3, items, 2);
    b = only_block(&w, RTCP_KIND_FIR);
    assert_int_equal(rtcp_parse_fir(&b, &fir), OK);
    assert_int_equal(fir.n_items, 2);
    assert_true(rtcp_fir_item(&fir, 0).ssrc == 10 && rtcp_fir_item(&fir, 0).seq == 255);
    assert_true(rtcp_fir_item(&fir, 1).ssrc == 11 && rtcp_fir_item(&fir, 1).seq == 0);
    b = block_at("\x84\xce\x00\x02"
                 "AAAABBBB",
                 12, 0);
    assert_int_equal(rtcp_parse_fir(&b, &fir), ERR_MALFORMED);
}

static void a_real_remb_is_read(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0x8f, 0xce, 0x00, 0x06, 0xfa, 0x17, 0xfa, 0x17, 0x00, 0x00,
                                    0x00, 0x00, 0x52, 0x45, 0x4d, 0x42, 0x02, 0x01, 0xdf, 0x82,
                                    0x02, 0xd0, 0x37, 0x02, 0x04, 0xa7, 0x67, 0x47};
    struct rtcp_block b = block_at(bytes, sizeof bytes, 0);
    struct rtcp_remb m;
    assert_int_equal(b.kind, RTCP_KIND_REMB);
    assert_int_equal(rtcp_parse_remb(&b, &m), OK);
    assert_int_equal(m.sender_ssrc, 0xfa17fa17);
    assert_true(m.bitrate_bps == 122754);
    assert_int_equal(m.n_ssrcs, 2);
    assert_int_equal(rtcp_remb_ssrc(&m, 0), 0x02d03702);
    assert_int_equal(rtcp_remb_ssrc(&m, 1), 0x04a76747);
}

static void bitrates_keep_18_significant_bits(void **state)
{
    (void)state;
    static const uint64_t rows[][2] = {{0, 0},
                                       {262143, 262143},
                                       {262144, 262144},
                                       {262145, 262144},
                                       {5000000, 5000000},
                                       {5000031, 5000000},
                                       {UINT64_MAX, 0x3ffffull << 46}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t buf[64];
        struct wr w = wr_of(buf, sizeof buf);
        struct rtcp_remb m;
        const uint32_t ssrc = 1;
        rtcp_write_remb(&w, 1, rows[i][0], &ssrc, 1);
        struct rtcp_block b = only_block(&w, RTCP_KIND_REMB);
        assert_int_equal(rtcp_parse_remb(&b, &m), OK);
        assert_true(m.bitrate_bps == rows[i][1]);
    }
    static const char huge[] = "\x8f\xce\x00\x04"
                               "AAAA\0\0\0\0REMB\x00\xff\xff\xff";
    struct rtcp_remb m;
    struct rtcp_block b = block_at(huge, 20, 0);
    assert_int_equal(rtcp_parse_remb(&b, &m), OK);
    assert_true(m.bitrate_bps == UINT64_MAX);
    static const char many[] = "\x8f\xce\x00\x04"
                               "AAAA\0\0\0\0REMB\x01\x00\x00\x01";
    b = block_at(many, 20, 0);
    assert_int_equal(rtcp_parse_remb(&b, &m), ERR_TRUNCATED);
}

static void reference_times_and_their_answers_round_trip(void **state)
{
    (void)state;
    uint8_t buf[128];
    struct rtcp_xr x;
    const struct rtcp_dlrr items[2] = {{1, 2, 3}, {4, 5, 6}};
    struct wr w = wr_of(buf, sizeof buf);
    rtcp_write_xr_rrt(&w, 9, 0x1122334455667788);
    struct rtcp_block b = only_block(&w, RTCP_KIND_XR);
    assert_int_equal(rtcp_parse_xr(&b, &x), OK);
    assert_true(x.ssrc == 9 && x.has_rrt && x.rrt_ntp == 0x1122334455667788 && x.n_dlrrs == 0);
    w = wr_of(buf, sizeof buf);
    rtcp_write_xr_dlrr(&w, 9, items, 2);
    b = only_block(&w, RTCP_KIND_XR);
    assert_int_equal(rtcp_parse_xr(&b, &x), OK);
    assert_false(x.has_rrt);
    assert_int_equal(x.n_dlrrs, 2);
    assert_true(rtcp_dlrr_at(&x, 1).ssrc == 4 && rtcp_dlrr_at(&x, 1).lrr == 5 &&
                rtcp_dlrr_at(&x, 1).dlrr == 6);
    /* an unknown block before a reference time */
    static const char two[] = "\x80\xcf\x00\x06"
                              "AAAA\x09\0\0\1zzzz\x04\0\0\2\1\2\3\4\5\6\7\x08";
    b = block_at(two, 28, 0);
    assert_int_equal(rtcp_parse_xr(&b, &x), OK);
    assert_true(x.has_rrt && x.rrt_ntp == 0x0102030405060708);
}

static void hostile_extended_reports_are_refused(void **state)
{
    (void)state;
    struct rtcp_xr x;
    struct rtcp_block b = block_at("\x80\xcf\x00\x02"
                                   "AAAA\x04\0\0\2",
                                   12, 0);
    assert_int_equal(rtcp_parse_xr(&b, &x), ERR_TRUNCATED);
    b = block_at("\x80\xcf\x00\x03"
                 "AAAA\x04\0\0\1zzzz",
                 16, 0);
    assert_int_equal(rtcp_parse_xr(&b, &x), ERR_MALFORMED);
    b = block_at("\x80\xcf\x00\x03"
                 "AAAA\x05\0\0\1zzzz",
                 16, 0);
    assert_int_equal(rtcp_parse_xr(&b, &x), ERR_MALFORMED);
    b = block_at("\x80\xcf\x00\x00", 4, 0);
    assert_int_equal(rtcp_parse_xr(&b, &x), ERR_TRUNCATED);
}

static void writers_stop_where_the_buffer_ends(void **state)
{
    (void)state;
    uint8_t buf[64];
    struct rtcp_report list[40] = {0};
    const uint16_t seqs[1] = {1};
    for (size_t n = 0; n < 16; n++) {
        struct wr w = wr_of(buf, n);
        rtcp_write_nack(&w, 1, 2, seqs, 1);
        assert_true(w.bad);
        w = wr_of(buf, n);
        rtcp_write_rr(&w, 1, list, 40);
        assert_true(w.bad);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_compound_packet_gives_its_blocks_in_order),
        cmocka_unit_test(hostile_compounds_are_refused_whole),
        cmocka_unit_test(more_than_31_reports_go_on_in_further_packets),
        cmocka_unit_test(a_real_sender_report_is_read),
        cmocka_unit_test(a_report_count_beyond_the_body_is_refused),
        cmocka_unit_test(cumulative_loss_is_clamped_to_24_bits),
        cmocka_unit_test(names_of_every_length_round_trip),
        cmocka_unit_test(many_chunks_split_and_other_items_are_skipped),
        cmocka_unit_test(goodbyes_round_trip),
        cmocka_unit_test(nacks_pack_17_numbers_an_item_and_wrap),
        cmocka_unit_test(key_frame_requests_round_trip),
        cmocka_unit_test(a_real_remb_is_read),
        cmocka_unit_test(bitrates_keep_18_significant_bits),
        cmocka_unit_test(reference_times_and_their_answers_round_trip),
        cmocka_unit_test(hostile_extended_reports_are_refused),
        cmocka_unit_test(writers_stop_where_the_buffer_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
