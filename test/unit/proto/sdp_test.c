#include "proto/sdp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

static struct sdp a;
static struct sdp b;

static struct slice str(const char *s)
{
    return slice_of(s, strlen(s));
}

static void expect(struct slice got, const char *want)
{
    assert_int_equal(got.n, strlen(want));
    assert_memory_equal(got.p, want, got.n);
}

#define SESSION "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"

/* In the manner of a browser that publishes by WHIP. */
static const char offer[] =
    "v=0\r\no=- 4962303333179871722 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
    "a=group:BUNDLE 0 1 2\r\na=extmap-allow-mixed\r\na=msid-semantic: WMS stream\r\n"
    "m=audio 9 UDP/TLS/RTP/SAVPF 111 0\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\n"
    "a=candidate:1 1 udp 2122260223 192.168.1.2 54321 typ host generation 0\r\n"
    "a=ice-ufrag:abcd\r\na=ice-pwd:aaaaaaaaaaaaaaaaaaaaaaaa\r\na=ice-options:trickle\r\n"
    "a=fingerprint:sha-256 AA:BB\r\na=setup:actpass\r\na=mid:0\r\n"
    "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\na=sendonly\r\n"
    "a=msid:stream audio\r\na=rtcp-mux\r\na=rtcp-rsize\r\na=rtpmap:111 opus/48000/2\r\n"
    "a=rtcp-fb:111 transport-cc\r\na=fmtp:111 minptime=10;useinbandfec=1\r\n"
    "a=ssrc:1 cname:x\r\na=ssrc:1 msid:stream audio\r\n"
    "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\na=mid:1\r\na=rtpmap:96 H264/90000\r\n"
    "a=rtcp-fb:96 nack pli\r\na=rtcp-fb:* ccm fir\r\n"
    "a=fmtp:96 packetization-mode=1; Profile-Level-Id=42e01f\r\n"
    "a=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n"
    "a=extmap:4/sendonly urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
    "a=rid:hi send\r\na=rid:lo send max-width=320\r\na=simulcast:send hi;lo\r\n"
    "a=ssrc-group:FID 2 4294967295\r\na=unknown:thing\r\n"
    "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:2\r\na=sctp-port:5000\r\n"
    "a=max-message-size:262144\r\n";

static void a_browsers_offer_is_read(void **state)
{
    (void)state;
    unsigned line = 0;
    assert_int_equal(sdp_parse(&a, str(offer), &line), OK);
    assert_true(a.session_id == 4962303333179871722u && a.session_version == 2);
    expect(a.origin_address, "IN IP4 127.0.0.1");
    assert_int_equal(a.n_bundle, 3);
    expect(a.bundle[2], "2");
    assert_true(a.ext_mixed);
    assert_int_equal(a.n_media, 3);

    const struct sdp_media *m = &a.media[0];
    assert_int_equal(m->kind, SDP_AUDIO);
    expect(m->proto, "UDP/TLS/RTP/SAVPF");
    assert_int_equal(m->port, 9);
    expect(m->mid, "0");
    expect(m->msid, "stream audio");
    expect(sdp_ufrag(&a, m), "abcd");
    expect(sdp_pwd(&a, m), "aaaaaaaaaaaaaaaaaaaaaaaa");
    assert_int_equal(sdp_setup_of(&a, m), SDP_SETUP_ACTPASS);
    assert_int_equal(sdp_direction_of(&a, m), SDP_SENDONLY);
    expect(m->transport.fingerprints[0].algorithm, "sha-256");
    expect(m->transport.fingerprints[0].value, "AA:BB");
    assert_true(m->rtcp_mux && m->rtcp_rsize);
    assert_int_equal(m->n_codecs, 2);
    expect(m->codecs[0].name, "opus");
    assert_int_equal(m->codecs[0].clock_rate, 48000);
    assert_int_equal(m->codecs[0].channels, 2);
    assert_int_equal(m->codecs[1].payload_type, 0);
    assert_int_equal(m->codecs[1].name.n, 0);
    expect(sdp_fmtp_get(m->codecs[0].fmtp, "useinbandfec"), "1");
    assert_null(sdp_fmtp_get(m->codecs[0].fmtp, "stereo").p);
    assert_int_equal(m->n_candidates, 1);
    assert_int_equal(m->candidates[0].priority, 2122260223u);
    expect(m->candidates[0].address, "192.168.1.2");
    assert_int_equal(m->candidates[0].port, 54321);
    expect(m->candidates[0].type, "host");
    expect(m->candidates[0].rest, "generation 0");
    assert_int_equal(m->n_ssrcs, 1);
    expect(m->ssrcs[0].cname, "x");
    expect(m->ssrcs[0].msid, "stream audio");

    m = &a.media[1];
    assert_int_equal(m->kind, SDP_VIDEO);
    assert_int_equal(sdp_direction_of(&a, m), SDP_SENDRECV);
    expect(sdp_fmtp_get(sdp_codec_find(m, 96)->fmtp, "profile-level-id"), "42e01f");
    expect(sdp_codec_find(m, 97)->name, "rtx");
    assert_null(sdp_codec_find(m, 98));
    assert_int_equal(m->n_feedbacks, 2);
    expect(m->feedbacks[0].value, "nack pli");
    assert_int_equal(m->feedbacks[0].payload_type, 96);
    assert_int_equal(m->feedbacks[1].payload_type, SDP_PT_ALL);
    assert_int_equal(m->exts[0].id, 4);
    assert_true(m->exts[0].has_direction && m->exts[0].direction == SDP_SENDONLY);
    assert_int_equal(m->n_rids, 2);
    expect(m->rids[1].id, "lo");
    expect(m->rids[1].restrictions, "max-width=320");
    assert_true(m->rids[1].send);
    expect(m->simulcast_send, "hi;lo");
    expect(m->groups[0].semantics, "FID");
    assert_int_equal(m->groups[0].ssrcs[1], UINT32_MAX);

    m = &a.media[2];
    assert_int_equal(m->kind, SDP_APPLICATION);
    expect(m->formats, "webrtc-datachannel");
    assert_int_equal(m->sctp_port, 5000);
    assert_int_equal(m->max_message_size, 262144);
}

static void what_is_printed_parses_to_the_same(void **state)
{
    (void)state;
    static uint8_t first[8192];
    static uint8_t second[8192];
    unsigned line = 0;
    struct wr w = wr_of(first, sizeof first);
    struct wr v = wr_of(second, sizeof second);
    assert_int_equal(sdp_parse(&a, str(offer), &line), OK);
    assert_int_equal(sdp_print(&a, &w), OK);
    assert_int_equal(sdp_parse(&b, slice_of(first, wr_len(&w)), &line), OK);
    assert_int_equal(sdp_print(&b, &v), OK);
    assert_int_equal(wr_len(&w), wr_len(&v));
    assert_memory_equal(first, second, wr_len(&w));
    static const char *const lines[] = {
        "a=rtpmap:111 opus/48000/2\r\n",
        "a=fmtp:96 packetization-mode=1; Profile-Level-Id=42e01f\r\n",
        "a=rtcp-fb:* ccm fir\r\n",
        "a=simulcast:send hi;lo\r\n",
        "a=extmap:4/sendonly urn:ietf:params:rtp-hdrext:sdes:mid\r\n",
        "a=candidate:1 1 udp 2122260223 192.168.1.2 54321 typ host generation 0\r\n",
        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n",
        "a=group:BUNDLE 0 1 2\r\n",
        "a=ssrc-group:FID 2 4294967295\r\n",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        assert_non_null(memmem(first, wr_len(&w), lines[i], strlen(lines[i])));
    for (size_t n = 0; n < wr_len(&w); n += 7) {
        struct wr small = wr_of(second, n);
        assert_int_equal(sdp_print(&a, &small), ERR_TOO_LARGE);
    }
}

static void errors_name_their_line(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum err want;
        unsigned line;
    } rows[] = {
        {"", ERR_TRUNCATED, 0},
        {"v=0\r\n", ERR_TRUNCATED, 1},
        {"o=- 1 2 IN IP4 127.0.0.1\r\n", ERR_TRUNCATED, 1},
        {"v=0\ns=-\n", ERR_TRUNCATED, 2},
        {"v=1\r\n", ERR_MALFORMED, 1},
        {"v=0\no=- x 2 IN IP4 1.1.1.1\n", ERR_RANGE, 2},
        {"v=0\no=- 1 99999999999999999999 IN IP4 1.1.1.1\n", ERR_RANGE, 2},
        {"v=0\no=- 1 2\n", ERR_MALFORMED, 2},
        {SESSION "m", ERR_MALFORMED, 5},
        {SESSION "nonsense", ERR_MALFORMED, 5},
        {SESSION "a=x\ay", ERR_MALFORMED, 5},
        {SESSION "m=audio 65536 RTP/AVP 0", ERR_RANGE, 5},
        {SESSION "m=audio 9 RTP/AVP", ERR_MALFORMED, 5},
        {SESSION "m=audio 9 RTP/AVP 128", ERR_RANGE, 5},
        {SESSION "m=audio 9 RTP/AVP 0 0", ERR_MALFORMED, 5},
        {SESSION "m=audio 9 RTP/AVP 0\na=rtpmap:0 PCMU/x", ERR_RANGE, 6},
        {SESSION "m=audio 9 RTP/AVP 0\na=rtpmap:0 /8000", ERR_MALFORMED, 6},
        {SESSION "m=audio 9 RTP/AVP 0\na=rtpmap:0 PCMU/8000/256", ERR_RANGE, 6},
        {SESSION "m=audio 9 RTP/AVP 0\na=ssrc:4294967296 cname:x", ERR_RANGE, 6},
        {SESSION "m=audio 9 RTP/AVP 0\na=rid:x sideways", ERR_MALFORMED, 6},
        {SESSION "m=audio 9 RTP/AVP 0\na=extmap:1/up urn:x", ERR_MALFORMED, 6},
        {SESSION "m=audio 9 RTP/AVP 0\na=candidate:1 1 udp 1 1.1.1.1 1 type host", ERR_MALFORMED,
         6},
        {SESSION "m=audio 9 RTP/AVP 0\na=ssrc-group:SIM 1 2 3 4 5", ERR_TOO_LARGE, 6},
        {SESSION "m=audio 9 RTP/AVP 0\na=simulcast:send", ERR_MALFORMED, 6},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        unsigned line = 99;
        assert_int_equal(sdp_parse(&a, str(rows[i].text), &line), rows[i].want);
        assert_int_equal(line, rows[i].line);
    }
}

static void every_list_is_bounded(void **state)
{
    (void)state;
    static const struct {
        const char *once;
        const char *again;
        size_t most;
    } rows[] = {
        {"", "m=audio 9 RTP/AVP 0\n", SDP_MEDIA_MAX},
        {"m=audio 9 RTP/AVP 0\n", "a=rtcp-fb:0 nack\n", SDP_FEEDBACKS_MAX},
        {"m=audio 9 RTP/AVP 0\n", "a=extmap:1 urn:x\n", SDP_EXTS_MAX},
        {"m=audio 9 RTP/AVP 0\n", "a=rid:x send\n", SDP_RIDS_MAX},
        {"m=audio 9 RTP/AVP 0\n", "a=ssrc-group:FID 1 2\n", SDP_SSRC_GROUPS_MAX},
        {"m=audio 9 RTP/AVP 0\n", "a=candidate:1 1 udp 1 1.1.1.1 1 typ host\n", SDP_CANDIDATES_MAX},
        {"m=audio 9 RTP/AVP 0\n", "a=fingerprint:sha-1 AA\n", SDP_FINGERPRINTS_MAX},
        {"", "a=group:BUNDLE x\n", SDP_BUNDLE_MAX},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        static char text[16384];
        unsigned line = 0;
        strcpy(text, SESSION);
        strcat(text, rows[i].once);
        for (size_t k = 0; k < rows[i].most; k++)
            strcat(text, rows[i].again);
        assert_int_equal(sdp_parse(&a, str(text), &line), OK);
        strcat(text, rows[i].again);
        assert_int_equal(sdp_parse(&a, str(text), &line), ERR_TOO_LARGE);
    }
    static uint8_t large[SDP_TEXT_MAX + 1];
    unsigned line = 0;
    assert_int_equal(sdp_parse(&a, slice_of(large, sizeof large), &line), ERR_TOO_LARGE);
}

static void more_ssrcs_than_fit_are_refused_but_more_lines_of_one_are_not(void **state)
{
    (void)state;
    static char text[16384];
    unsigned line = 0;
    strcpy(text, SESSION "m=audio 9 RTP/AVP 0\n");
    for (unsigned i = 0; i < 200; i++)
        strcat(text, "a=ssrc:7 label:x\n");
    assert_int_equal(sdp_parse(&a, str(text), &line), OK);
    assert_int_equal(a.media[0].n_ssrcs, 1);
    for (unsigned i = 0; i < SDP_SSRCS_MAX; i++) {
        char one[32];
        snprintf(one, sizeof one, "a=ssrc:%u cname:x\n", 100 + i);
        strcat(text, one);
    }
    assert_int_equal(sdp_parse(&a, str(text), &line), ERR_TOO_LARGE);
}

static void a_media_takes_from_the_session_what_it_lacks(void **state)
{
    (void)state;
    unsigned line = 0;
    static const char text[] = SESSION "a=ice-ufrag:su\na=ice-pwd:sp\na=setup:passive\n"
                                       "a=recvonly\na=ice-lite\n"
                                       "m=audio 9 RTP/AVP 0\n"
                                       "m=video 9/2 RTP/AVP 96\na=ice-ufrag:mu\na=ice-pwd:mp\n"
                                       "a=setup:active\na=inactive\n\n";
    assert_int_equal(sdp_parse(&a, str(text), &line), OK);
    assert_true(a.ice_lite);
    expect(sdp_ufrag(&a, &a.media[0]), "su");
    expect(sdp_pwd(&a, &a.media[0]), "sp");
    assert_int_equal(sdp_setup_of(&a, &a.media[0]), SDP_SETUP_PASSIVE);
    assert_int_equal(sdp_direction_of(&a, &a.media[0]), SDP_RECVONLY);
    expect(sdp_ufrag(&a, &a.media[1]), "mu");
    expect(sdp_pwd(&a, &a.media[1]), "mp");
    assert_int_equal(sdp_setup_of(&a, &a.media[1]), SDP_SETUP_ACTIVE);
    assert_int_equal(sdp_direction_of(&a, &a.media[1]), SDP_INACTIVE);
    assert_int_equal(a.media[1].port, 9);
}

static void nothing_that_is_printed_can_begin_a_line_of_its_own(void **state)
{
    (void)state;
    uint8_t out[2048];
    unsigned line = 0;
    struct wr w = wr_of(out, sizeof out);
    assert_int_equal(sdp_parse(&a, str(SESSION "m=audio 9 RTP/AVP 0"), &line), OK);
    a.media[0].mid = str("0\r\na=evil");
    assert_int_equal(sdp_print(&a, &w), ERR_MALFORMED);
    const struct sdp_rtp_input input = {
        .codec = "opus", .clock_rate = 48000, .port = 5000, .fmtp = "x\ny"};
    w = wr_of(out, sizeof out);
    assert_int_equal(sdp_print_rtp_inputs(&w, "127.0.0.1", NULL, &input, 1), ERR_MALFORMED);
}

static void inputs_for_ffmpeg_are_described(void **state)
{
    (void)state;
    static const struct sdp_rtp_input inputs[] = {
        {.video = true,
         .codec = "H264",
         .clock_rate = 90000,
         .payload_type = 96,
         .port = 5004,
         .rtcp_port = 5005,
         .ssrc = 1234,
         .cname = "peer",
         .fmtp = "packetization-mode=1;profile-level-id=42e01f"},
        {.codec = "opus", .clock_rate = 48000, .channels = 2, .payload_type = 111, .port = 5006},
    };
    static const char want[] = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=weir\r\n"
                               "c=IN IP4 127.0.0.1\r\nt=0 0\r\n"
                               "m=video 5004 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
                               "a=fmtp:96 packetization-mode=1;profile-level-id=42e01f\r\n"
                               "a=rtcp:5005\r\na=ssrc:1234 cname:peer\r\na=recvonly\r\n"
                               "m=audio 5006 RTP/AVP 111\r\na=rtpmap:111 opus/48000/2\r\n"
                               "a=rtcp-mux\r\na=recvonly\r\n";
    uint8_t out[1024];
    unsigned line = 0;
    struct wr w = wr_of(out, sizeof out);
    assert_int_equal(sdp_print_rtp_inputs(&w, "127.0.0.1", "weir", inputs, 2), OK);
    assert_int_equal(wr_len(&w), sizeof want - 1);
    assert_memory_equal(out, want, sizeof want - 1);
    assert_int_equal(sdp_parse(&a, slice_of(out, wr_len(&w)), &line), OK);
    assert_int_equal(a.media[0].rtcp_port, 5005);
    for (size_t n = 0; n < sizeof want - 1; n++) {
        w = wr_of(out, n);
        assert_int_equal(sdp_print_rtp_inputs(&w, "127.0.0.1", "weir", inputs, 2), ERR_TOO_LARGE);
    }
    w = wr_of(out, sizeof out);
    assert_int_equal(sdp_print_rtp_inputs(&w, "::1", "", inputs, 1), OK);
    assert_non_null(memmem(out, wr_len(&w), "c=IN IP6 ::1\r\n", 14));
    assert_non_null(memmem(out, wr_len(&w), "s=-\r\n", 5));
    w = wr_of(out, sizeof out);
    assert_int_equal(sdp_print_rtp_inputs(&w, "localhost", "", inputs, 1), ERR_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_browsers_offer_is_read),
        cmocka_unit_test(what_is_printed_parses_to_the_same),
        cmocka_unit_test(errors_name_their_line),
        cmocka_unit_test(every_list_is_bounded),
        cmocka_unit_test(more_ssrcs_than_fit_are_refused_but_more_lines_of_one_are_not),
        cmocka_unit_test(a_media_takes_from_the_session_what_it_lacks),
        cmocka_unit_test(nothing_that_is_printed_can_begin_a_line_of_its_own),
        cmocka_unit_test(inputs_for_ffmpeg_are_described),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
