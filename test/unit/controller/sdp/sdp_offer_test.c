#include "test/unit/controller/sdp/sdp_samples.h"

static struct sample s;

static void every_recorded_offer_is_read(void **state)
{
    static const char *const names[] = {"obs",
                                        "obs-simulcast",
                                        "chromium-send",
                                        "chromium-recv",
                                        "chromium-simulcast",
                                        "firefox-simulcast",
                                        "gstreamer-send",
                                        "gstreamer-recv",
                                        "aiortc-send",
                                        "aiortc-recv"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        sample_open(&s, names[i]);
        assert_true(s.offer.n_media >= 2);
        assert_true(s.offer.media[0].usable && s.offer.media[1].usable);
        assert_int_equal(s.offer.media[0].kind, MEDIA_KIND_AUDIO);
        assert_int_equal(s.offer.media[1].kind, MEDIA_KIND_VIDEO);
        assert_int_equal(s.offer.dtls.n_fingerprints, 1);
        assert_int_equal(s.offer.dtls.fingerprints[0].algorithm, PARAM_DTLS_HASH_SHA256);
        assert_int_equal(s.offer.setup, SDP_SETUP_PASSIVE);
        assert_int_equal(s.offer.dtls.role, PARAM_DTLS_ROLE_CLIENT);
        sample_close(&s);
    }
}

static void what_obs_offers_is_known(void **state)
{
    (void)state;
    sample_open(&s, "obs");
    assert_int_equal(s.offer.n_media, 2);
    assert_string_equal(s.offer.ice.username_fragment, "OIba");
    assert_string_equal(s.offer.ice.password, "fyl7uh72RxyWKfPJ2cf70I");
    for (int i = 0; i < 2; i++)
        assert_true(s.offer.media[i].sends && !s.offer.media[i].receives);
    assert_string_equal(s.offer.media[1].mid, "1");
    sample_close(&s);
}

static void a_data_channel_is_not_for_us(void **state)
{
    (void)state;
    sample_open(&s, "chromium-recv");
    assert_int_equal(s.offer.n_media, 3);
    assert_false(s.offer.media[2].usable);
    assert_true(s.offer.media[0].receives && !s.offer.media[0].sends);
    sample_close(&s);
}

static void port_0_rejects_unless_it_is_bundle_only(void **state)
{
    (void)state;
    sample_open(&s, "gstreamer-send");
    assert_int_equal(s.offer.media[1].sdp->port, 0);
    assert_true(s.offer.media[1].usable);
    sample_edit(&s, "a=bundle-only\r\n", "");
    assert_int_equal(sample_read_again(&s), OK);
    assert_false(s.offer.media[1].usable);
    sample_close(&s);
}

/* aiortc has a transport a section until the answer bundles them. */
static void the_tagged_section_has_the_transport(void **state)
{
    (void)state;
    sample_open(&s, "aiortc-send");
    struct slice other = s.offer.media[1].sdp->transport.ice_ufrag;
    assert_memory_not_equal(other.p, s.offer.ice.username_fragment, other.n);
    sample_edit(&s, "BUNDLE 0 1", "BUNDLE 1 0");
    assert_int_equal(sample_read_again(&s), OK);
    assert_int_equal(strlen(s.offer.ice.username_fragment), other.n);
    assert_memory_equal(other.p, s.offer.ice.username_fragment, other.n);
    sample_close(&s);
}

static void credentials_of_the_session_count_for_all(void **state)
{
    (void)state;
    sample_open(&s, "firefox-simulcast");
    assert_memory_equal(s.offer.dtls.fingerprints[0].value, "1A:3A:5C", 8);
    sample_close(&s);
}

static void who_offers_passive_gets_active(void **state)
{
    (void)state;
    sample_load(&s, "obs");
    sample_edit(&s, "a=setup:actpass", "a=setup:passive");
    assert_int_equal(sample_read_again(&s), OK);
    assert_int_equal(s.offer.setup, SDP_SETUP_ACTIVE);
    assert_int_equal(s.offer.dtls.role, PARAM_DTLS_ROLE_SERVER);
    sample_close(&s);
}

static void lower_case_fingerprints_are_as_good(void **state)
{
    (void)state;
    sample_load(&s, "obs");
    sample_edit(&s, "sha-256 BB:9A", "SHA-256 bb:9a");
    assert_int_equal(sample_read_again(&s), OK);
    assert_memory_equal(s.offer.dtls.fingerprints[0].value, "BB:9A", 5);
    sample_close(&s);
}

static void what_cannot_be_answered_is_refused_with_the_reason(void **state)
{
    static const struct {
        const char *from;
        const char *to;
        enum err err;
        const char *path;
    } edits[] = {
        {"v=0\r\n", "", ERR_MALFORMED, "line 1"},
        {"m=audio 34083", "m=audio x", ERR_MALFORMED, "line 10"},
        {"a=rtcp-mux\r\n", "", ERR_UNSUPPORTED, "a=rtcp-mux"},
        {"a=group:BUNDLE 0 1", "a=group:BUNDLE 0", ERR_UNSUPPORTED, "a=group:BUNDLE"},
        {"a=mid:1", "a=mid:0", ERR_UNSUPPORTED, "a=mid"},
        {"a=ice-ufrag:OIba", "a=ice-ufrag:OIb", ERR_UNSUPPORTED, "a=ice-ufrag"},
        {"a=ice-pwd:fyl7uh72RxyWKfPJ2cf70I", "a=ice-pwd:short", ERR_UNSUPPORTED, "a=ice-pwd"},
        {"a=fingerprint:sha-256 BB:", "a=fingerprint:sha-256 ", ERR_UNSUPPORTED, "a=fingerprint"},
        {"a=fingerprint:sha-256", "a=fingerprint:md5", ERR_UNSUPPORTED, "a=fingerprint"},
        {"s=-\r\n", "s=-\r\na=ice-lite\r\n", ERR_UNSUPPORTED, "a=ice-lite"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
        sample_load(&s, "obs");
        sample_edit(&s, edits[i].from, edits[i].to);
        assert_int_equal(sample_read_again(&s), edits[i].err);
        assert_string_equal(s.error.path, edits[i].path);
        assert_memory_equal(s.error.reason, s.error.path, strlen(s.error.path));
        sample_close(&s);
    }
}

static void an_offer_without_media_is_refused(void **state)
{
    (void)state;
    sample_load(&s, "obs");
    strcpy(s.text, "v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n");
    s.n = strlen(s.text);
    assert_int_equal(sample_read_again(&s), ERR_UNSUPPORTED);
    assert_string_equal(s.error.path, "m=");
    sample_close(&s);
}

static void memory_that_runs_out_is_an_error(void **state)
{
    (void)state;
    sample_load(&s, "chromium-simulcast");
    for (size_t limit = 0; limit < SDP_OFFER_ARENA_MAX; limit += 4099) {
        struct arena small;
        arena_init(&small, limit);
        enum err e = sdp_offer_read(slice_of(s.text, s.n), &small, &s.offer, &s.error);
        assert_true(e == OK || e == ERR_NOMEM);
        arena_fini(&small);
        if (e == OK)
            break;
    }
    sample_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_recorded_offer_is_read),
        cmocka_unit_test(what_obs_offers_is_known),
        cmocka_unit_test(a_data_channel_is_not_for_us),
        cmocka_unit_test(port_0_rejects_unless_it_is_bundle_only),
        cmocka_unit_test(the_tagged_section_has_the_transport),
        cmocka_unit_test(credentials_of_the_session_count_for_all),
        cmocka_unit_test(who_offers_passive_gets_active),
        cmocka_unit_test(lower_case_fingerprints_are_as_good),
        cmocka_unit_test(what_cannot_be_answered_is_refused_with_the_reason),
        cmocka_unit_test(an_offer_without_media_is_refused),
        cmocka_unit_test(memory_that_runs_out_is_an_error),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
