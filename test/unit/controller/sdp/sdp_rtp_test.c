#include "controller/sdp/sdp_rtp.h"

#include "test/unit/controller/sdp/sdp_samples.h"

static struct sample s;
static struct rtp_parameters p;

static void open_media(const char *name, size_t i)
{
    sample_open(&s, name);
    assert_int_equal(sdp_producer_parameters(&s.offer.media[i], &s.router, &s.arena, &p, &s.error),
                     OK);
    assert_int_equal(
        ortc_check_parameters(&p, s.offer.media[i].kind, "rtpParameters", &s.arena, &s.error), OK);
}

static void read_edited(size_t i)
{
    assert_int_equal(sample_read_again(&s), OK);
    assert_int_equal(sdp_producer_parameters(&s.offer.media[i], &s.router, &s.arena, &p, &s.error),
                     OK);
}

static bool has_feedback(const struct rtp_codec_parameters *c, const char *type,
                         const char *parameter)
{
    for (size_t i = 0; i < c->n_rtcp_feedback; i++) {
        const char *q = c->rtcp_feedback[i].parameter;
        if (strcmp(c->rtcp_feedback[i].type, type) == 0 &&
            strcmp(q ? q : "", parameter ? parameter : "") == 0)
            return true;
    }
    return false;
}

static void expect_rids(const char *a, const char *b, const char *c)
{
    const char *want[] = {a, b, c};
    size_t n = c ? 3 : 2;
    assert_int_equal(p.n_encodings, n);
    for (size_t i = 0; i < n; i++)
        assert_string_equal(p.encodings[i].rid, want[i]);
}

static void obs_sends_opus_and_h264(void **state)
{
    (void)state;
    open_media("obs", 0);
    assert_int_equal(p.n_codecs, 1);
    assert_string_equal(p.codecs[0].mime_type, "audio/opus");
    assert_int_equal(p.codecs[0].payload_type, 111);
    assert_int_equal(p.codecs[0].channels, 2);
    assert_int_equal(dict_int(p.codecs[0].parameters, p.codecs[0].n_parameters, "stereo", 0), 1);
    assert_int_equal(p.n_encodings, 1);
    assert_int_equal(p.encodings[0].ssrc, 1180642315);
    assert_string_equal(p.rtcp->cname, "Yw2cKq0sZrE8mPd1");
    assert_string_equal(p.mid, "0");
    sample_close(&s);

    open_media("obs", 1);
    assert_int_equal(p.n_codecs, 1);
    assert_string_equal(p.codecs[0].mime_type, "video/H264");
    assert_string_equal(
        dict_str(p.codecs[0].parameters, p.codecs[0].n_parameters, "profile-level-id"), "42e01f");
    assert_true(has_feedback(&p.codecs[0], "nack", "pli"));
    /* Without the extension that it is computed from. */
    assert_false(has_feedback(&p.codecs[0], "goog-remb", NULL));
    assert_int_equal(p.encodings[0].ssrc, 1180642316);
    assert_null(p.encodings[0].rtx);
    sample_close(&s);
}

/* OBS lists its layers from high to low, the others as the page did. */
static void simulcast_comes_out_from_low_to_high(void **state)
{
    (void)state;
    open_media("obs-simulcast", 1);
    expect_rids("2", "1", "0");
    assert_false(p.encodings[0].has_ssrc);
    assert_int_equal(p.n_header_extensions, 2);
    assert_int_equal(ortc_producer_type(&p), RTP_TYPE_SIMULCAST);
    sample_close(&s);
    open_media("chromium-simulcast", 1);
    expect_rids("q", "h", "f");
    sample_close(&s);
    open_media("firefox-simulcast", 1);
    expect_rids("lo", "hi", NULL);
    sample_close(&s);
}

static void restrictions_of_rids_say_which_is_larger(void **state)
{
    (void)state;
    sample_load(&s, "obs-simulcast");
    sample_edit(&s, "a=rid:0 send", "a=rid:0 send max-width=640");
    sample_edit(&s, "a=rid:1 send", "a=rid:1 send max-width=320");
    sample_edit(&s, "a=rid:2 send", "a=rid:2 send max-width=1280");
    read_edited(1);
    expect_rids("1", "0", "2");
    sample_close(&s);
}

static void h_is_half_beside_f_and_high_beside_l(void **state)
{
    (void)state;
    sample_load(&s, "chromium-simulcast");
    sample_edit(&s, "a=rid:q send\r\na=rid:h send\r\na=rid:f send\r\na=simulcast:send q;h;f",
                "a=rid:h send\r\na=rid:m send\r\na=rid:l send\r\na=simulcast:send h;m;l");
    read_edited(1);
    expect_rids("l", "m", "h");
    sample_close(&s);
}

static void names_that_say_nothing_stay_in_their_order(void **state)
{
    (void)state;
    sample_load(&s, "chromium-simulcast");
    sample_edit(&s, "a=rid:q send\r\na=rid:h send\r\na=rid:f send\r\na=simulcast:send q;h;f",
                "a=rid:zz send\r\na=rid:h send\r\na=rid:aa send\r\na=simulcast:send zz;h;aa");
    read_edited(1);
    expect_rids("zz", "h", "aa");
    sample_close(&s);
}

static void a_rid_that_simulcast_does_not_list_is_no_encoding(void **state)
{
    (void)state;
    sample_load(&s, "chromium-simulcast");
    sample_edit(&s, "a=simulcast:send q;h;f", "a=simulcast:send q;~f");
    read_edited(1);
    expect_rids("q", "f", NULL);
    sample_close(&s);
}

static void browsers_get_their_first_codec_with_rtx_and_feedback(void **state)
{
    (void)state;
    open_media("chromium-send", 1);
    assert_int_equal(p.n_codecs, 2);
    assert_string_equal(p.codecs[0].mime_type, "video/VP8");
    assert_int_equal(p.codecs[0].payload_type, 96);
    assert_string_equal(p.codecs[1].mime_type, "video/rtx");
    assert_int_equal(p.codecs[1].payload_type, 97);
    assert_int_equal(dict_int(p.codecs[1].parameters, p.codecs[1].n_parameters, "apt", -1), 96);
    assert_true(has_feedback(&p.codecs[0], "transport-cc", NULL));
    assert_false(has_feedback(&p.codecs[0], "goog-remb", NULL)); /* the newer one is there */
    assert_int_equal(p.n_encodings, 1);
    assert_true(p.encodings[0].has_ssrc && p.encodings[0].rtx);
    assert_int_not_equal(p.encodings[0].rtx->ssrc, p.encodings[0].ssrc);
    for (size_t i = 0; i < p.n_header_extensions; i++)
        assert_null(strstr(p.header_extensions[i].uri, "video-timing")); /* nobody here knows it */
    sample_close(&s);
}

static void extensions_that_only_the_answerer_would_send_are_left(void **state)
{
    (void)state;
    open_media("firefox-simulcast", 1);
    for (size_t i = 0; i < p.n_header_extensions; i++)
        assert_int_not_equal(p.header_extensions[i].id, 6);
    sample_close(&s);
}

/* aiortc numbers extensions by section, and reads them as if by transport. */
static void ids_that_mean_different_things_in_sections_are_left(void **state)
{
    struct rtp_capabilities caps;
    (void)state;
    open_media("aiortc-send", 1);
    assert_int_equal(p.n_header_extensions, 1);
    assert_int_equal(p.header_extensions[0].id, 1); /* MID, in both */
    sample_close(&s);
    sample_open(&s, "aiortc-recv");
    assert_int_equal(sdp_consumer_capabilities(&s.offer.media[0], &s.arena, &caps), OK);
    assert_int_equal(caps.n_header_extensions, 1);
    sample_close(&s);
}

static void the_first_codec_that_is_known_is_taken(void **state)
{
    (void)state;
    sample_load(&s, "gstreamer-send");
    sample_edit(&s, "SAVPF 111", "SAVPF 0 111");
    read_edited(0);
    assert_string_equal(p.codecs[0].mime_type, "audio/OPUS");
    assert_int_equal(p.codecs[0].payload_type, 111);
    sample_close(&s);
}

static void a_codec_that_nobody_knows_is_refused_by_name_of_the_section(void **state)
{
    (void)state;
    sample_load(&s, "obs");
    sample_edit(&s, "H264/90000", "H265/90000");
    assert_int_equal(sample_read_again(&s), OK);
    assert_int_equal(sdp_producer_parameters(&s.offer.media[1], &s.router, &s.arena, &p, &s.error),
                     ERR_UNSUPPORTED);
    assert_string_equal(s.error.path, "m=video");
    assert_non_null(strstr(s.error.reason, "H.264"));
    sample_close(&s);
}

static void streams_that_are_not_announced_are_told_by_mid(void **state)
{
    (void)state;
    sample_load(&s, "gstreamer-send");
    char *ssrc;
    while ((ssrc = strstr(s.text, "a=ssrc:")))
        memcpy(ssrc, "a=nope:", 7);
    read_edited(1);
    assert_int_equal(p.n_encodings, 1);
    assert_false(p.encodings[0].has_ssrc);
    assert_int_equal(
        ortc_check_parameters(&p, MEDIA_KIND_VIDEO, "rtpParameters", &s.arena, &s.error), OK);
    sample_close(&s);
}

static void old_simulcast_by_ssrc_group_is_understood(void **state)
{
    (void)state;
    sample_load(&s, "aiortc-send");
    char *video = strstr(s.text, "a=ssrc-group:FID");
    assert_non_null(video);
    sample_edit(&s, "a=ssrc-group:FID",
                "a=ssrc-group:SIM 11 12 13\r\na=ssrc-group:FID 11 21\r\na=ssrc-group:FID");
    read_edited(1);
    assert_int_equal(p.n_encodings, 3);
    assert_int_equal(p.encodings[0].ssrc, 11);
    assert_int_equal(p.encodings[0].rtx->ssrc, 21);
    assert_null(p.encodings[2].rtx);
    sample_close(&s);
}

static void what_a_viewer_can_receive_keeps_its_numbers(void **state)
{
    struct rtp_capabilities caps;
    bool h264 = false;
    bool mid = false;
    (void)state;
    sample_open(&s, "chromium-recv");
    assert_int_equal(sdp_consumer_capabilities(&s.offer.media[1], &s.arena, &caps), OK);
    assert_int_equal(ortc_check_capabilities(&caps, "rtpCapabilities", &s.error), OK);
    for (size_t i = 0; i < caps.n_codecs; i++) {
        const struct rtp_codec_capability *c = &caps.codecs[i];
        const char *profile = dict_str(c->parameters, c->n_parameters, "profile-level-id");
        h264 = h264 || (profile && strcmp(profile, "42e01f") == 0);
        assert_int_equal(c->kind, MEDIA_KIND_VIDEO);
    }
    for (size_t i = 0; i < caps.n_header_extensions; i++)
        mid = mid ||
              strcmp(caps.header_extensions[i].uri, "urn:ietf:params:rtp-hdrext:sdes:mid") == 0;
    assert_true(h264 && mid);
    sample_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(obs_sends_opus_and_h264),
        cmocka_unit_test(simulcast_comes_out_from_low_to_high),
        cmocka_unit_test(restrictions_of_rids_say_which_is_larger),
        cmocka_unit_test(h_is_half_beside_f_and_high_beside_l),
        cmocka_unit_test(names_that_say_nothing_stay_in_their_order),
        cmocka_unit_test(a_rid_that_simulcast_does_not_list_is_no_encoding),
        cmocka_unit_test(browsers_get_their_first_codec_with_rtx_and_feedback),
        cmocka_unit_test(extensions_that_only_the_answerer_would_send_are_left),
        cmocka_unit_test(ids_that_mean_different_things_in_sections_are_left),
        cmocka_unit_test(the_first_codec_that_is_known_is_taken),
        cmocka_unit_test(a_codec_that_nobody_knows_is_refused_by_name_of_the_section),
        cmocka_unit_test(streams_that_are_not_announced_are_told_by_mid),
        cmocka_unit_test(old_simulcast_by_ssrc_group_is_understood),
        cmocka_unit_test(what_a_viewer_can_receive_keeps_its_numbers),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
