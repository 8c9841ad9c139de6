#include "controller/sdp/sdp_answer.h"

#include "controller/sdp/sdp_frag.h"
#include "controller/sdp/sdp_rtp.h"
#include "test/unit/controller/sdp/sdp_samples.h"

static struct sample s;
static char text[SDP_OFFER_TEXT_MAX];
static struct sdp back;

static const struct ice_parameters ice = {.username_fragment = "weirufrag",
                                          .password = "weirpasswordweirpassword"};
static const struct ice_candidate candidates[] = {{.foundation = "udpcandidate",
                                                   .priority = 1076302079,
                                                   .address = "192.0.2.7",
                                                   .protocol = PARAM_PROTOCOL_UDP,
                                                   .port = 40000,
                                                   .type = PARAM_ICE_CANDIDATE_HOST},
                                                  {.foundation = "tcpcandidate",
                                                   .priority = 1076276479,
                                                   .address = "2001:db8::7",
                                                   .protocol = PARAM_PROTOCOL_TCP,
                                                   .port = 40000,
                                                   .type = PARAM_ICE_CANDIDATE_HOST,
                                                   .tcp_type = PARAM_ICE_TCP_PASSIVE,
                                                   .has_tcp_type = true}};
static struct dtls_fingerprint fingerprints[] = {
    {.algorithm = PARAM_DTLS_HASH_SHA1, .value = "00:11"},
    {.algorithm = PARAM_DTLS_HASH_SHA256, .value = "AA:BB:CC"}};
static const struct dtls_parameters dtls = {.fingerprints = fingerprints, .n_fingerprints = 2};

/* All that is offered is received, but the sections from `first_rejected` on. */
static void answer_all(const char *name, size_t first_rejected)
{
    static struct rtp_parameters p[SDP_MEDIA_MAX];
    struct sdp_answer_media media[SDP_MEDIA_MAX] = {0};
    struct wr w = wr_of(text, sizeof text - 1);
    unsigned line;
    sample_open(&s, name);
    for (size_t i = 0; i < s.offer.n_media && i < first_rejected; i++) {
        if (!s.offer.media[i].usable)
            continue;
        assert_int_equal(
            sdp_producer_parameters(&s.offer.media[i], &s.router, &s.arena, &p[i], &s.error), OK);
        media[i] = (struct sdp_answer_media){.parameters = &p[i], .direction = SDP_RECVONLY};
    }
    struct sdp_answer answer = {.session_id = 42,
                                .ice = &ice,
                                .candidates = candidates,
                                .n_candidates = 2,
                                .dtls = &dtls,
                                .media = media};
    assert_int_equal(sdp_answer_write(&s.offer, &answer, &s.arena, &w), OK);
    text[wr_len(&w)] = '\0';
    assert_int_equal(sdp_parse(&back, slice_of(text, wr_len(&w)), &line), OK);
    assert_int_equal(back.n_media, s.offer.n_media);
}

static void expect(struct slice got, const char *want)
{
    assert_int_equal(got.n, strlen(want));
    assert_memory_equal(got.p, want, got.n);
}

static void obs_is_answered_recvonly_on_one_transport(void **state)
{
    (void)state;
    answer_all("obs", SDP_MEDIA_MAX);
    assert_true(back.ice_lite);
    assert_int_equal(back.n_bundle, 2);
    for (int i = 0; i < 2; i++) {
        const struct sdp_media *m = &back.media[i];
        assert_int_equal(m->direction, SDP_RECVONLY);
        assert_int_equal(m->port, 9);
        assert_true(m->rtcp_mux);
        expect(m->transport.ice_ufrag, "weirufrag");
        expect(m->transport.fingerprints[0].value, "AA:BB:CC");
        assert_int_equal(m->transport.n_fingerprints, 1);
        assert_int_equal(m->transport.setup, SDP_SETUP_PASSIVE);
        assert_int_equal(m->n_codecs, 1);
    }
    expect(back.media[0].mid, "0");
    assert_int_equal(back.media[0].codecs[0].payload_type, 111);
    assert_int_equal(back.media[0].codecs[0].channels, 2);
    assert_int_equal(back.media[1].codecs[0].payload_type, 96);
    expect(sdp_fmtp_get(back.media[1].codecs[0].fmtp, "profile-level-id"), "42e01f");
    assert_int_equal(back.media[0].n_candidates, 2);
    assert_int_equal(back.media[1].n_candidates, 0);
    assert_true(back.media[0].end_of_candidates);
    assert_non_null(strstr(
        text,
        "a=candidate:tcpcandidate 1 tcp 1076276479 2001:db8::7 40000 typ host tcptype passive"));
    sample_close(&s);
}

static void simulcast_is_answered_in_the_offers_order(void **state)
{
    (void)state;
    answer_all("obs-simulcast", SDP_MEDIA_MAX);
    expect(back.media[1].simulcast_recv, "0;1;2");
    assert_int_equal(back.media[1].n_rids, 3);
    assert_false(back.media[1].rids[0].send);
    sample_close(&s);
}

static void numbers_are_those_of_the_offer(void **state)
{
    (void)state;
    answer_all("chromium-simulcast", SDP_MEDIA_MAX);
    const struct sdp_media *m = &back.media[1];
    assert_int_equal(m->n_codecs, 2);
    assert_int_equal(m->codecs[0].payload_type, 96);
    expect(sdp_fmtp_get(m->codecs[1].fmtp, "apt"), "96");
    for (size_t i = 0; i < m->n_exts; i++) {
        bool same = false;
        for (size_t k = 0; k < s.offer.media[1].sdp->n_exts; k++) {
            const struct sdp_ext *x = &s.offer.media[1].sdp->exts[k];
            same = same || (x->id == m->exts[i].id && x->uri.n == m->exts[i].uri.n &&
                            memcmp(x->uri.p, m->exts[i].uri.p, x->uri.n) == 0);
        }
        assert_true(same);
    }
    assert_true(m->n_exts >= 5);
    sample_close(&s);
}

static void what_is_not_wanted_is_rejected_in_its_place(void **state)
{
    (void)state;
    answer_all("chromium-recv", 1);
    assert_int_equal(back.n_bundle, 1);
    assert_int_equal(back.media[1].port, 0);
    assert_int_equal(back.media[1].n_codecs, s.offer.media[1].sdp->n_codecs);
    assert_int_equal(back.media[1].direction, SDP_INACTIVE);
    assert_int_equal(back.media[2].port, 0);
    expect(back.media[2].formats, "webrtc-datachannel");
    sample_close(&s);
}

static void answer_sending(const char *name)
{
    static struct rtp_encoding_parameters encoding = {.ssrc = 77, .has_ssrc = true};
    static struct rtp_rtx_parameters rtx = {.ssrc = 78, .has_ssrc = true};
    struct rtp_parameters p;
    struct sdp_answer_media media[SDP_MEDIA_MAX] = {0};
    struct wr w = wr_of(text, sizeof text - 1);
    encoding.rtx = &rtx;
    sample_open(&s, name);
    assert_int_equal(sdp_producer_parameters(&s.offer.media[1], &s.router, &s.arena, &p, &s.error),
                     OK);
    p.encodings = &encoding;
    p.n_encodings = 1;
    media[1] = (struct sdp_answer_media){.parameters = &p, .direction = SDP_SENDONLY};
    struct sdp_answer answer = {.ice = &ice, .dtls = &dtls, .media = media, .stream = "room7"};
    assert_int_equal(sdp_answer_write(&s.offer, &answer, &s.arena, &w), OK);
    text[wr_len(&w)] = '\0';
    sample_close(&s);
}

static void what_is_sent_names_its_stream(void **state)
{
    (void)state;
    answer_sending("gstreamer-recv");
    assert_non_null(strstr(text, "a=msid:room7 videovideo1\r\n"));
    assert_non_null(strstr(text, "a=sendonly\r\n"));
    assert_non_null(strstr(text, "m=audio 0 "));
}

static void ssrcs_are_announced_where_packets_do_not_name_their_section(void **state)
{
    (void)state;
    answer_sending("gstreamer-recv");
    assert_non_null(strstr(text, "a=ssrc-group:FID 77 78\r\n"));
    assert_non_null(strstr(text, "a=ssrc:77 cname:"));
    answer_sending("chromium-recv");
    assert_non_null(strstr(text, "sdes:mid"));
    assert_null(strstr(text, "a=ssrc"));
}

static void an_answer_that_does_not_fit_is_an_error(void **state)
{
    (void)state;
    answer_all("obs", SDP_MEDIA_MAX);
    struct sdp_answer_media media[SDP_MEDIA_MAX] = {0};
    struct sdp_answer answer = {.ice = &ice, .dtls = &dtls, .media = media};
    struct wr w = wr_of(text, 100);
    assert_int_equal(sdp_answer_write(&s.offer, &answer, &s.arena, &w), ERR_TOO_LARGE);
    sample_close(&s);
}

/* ---- fragments ---- */

static enum err read_frag(const char *frag, struct sdp_frag *out)
{
    arena_fini(&s.arena);
    arena_init(&s.arena, SDP_FRAG_ARENA_MAX);
    return sdp_frag_read(slice_of(frag, strlen(frag)), &s.arena, out);
}

static void a_fragment_brings_candidates_or_credentials(void **state)
{
    struct sdp_frag f;
    (void)state;
    arena_init(&s.arena, 0);
    assert_int_equal(read_frag("a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n"
                               "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n"
                               "a=candidate:1 1 udp 1 192.0.2.1 61764 typ host\r\n"
                               "a=candidate:2 1 udp 1 x.local 61765 typ host\r\n"
                               "a=end-of-candidates\r\n",
                               &f),
                     OK);
    assert_string_equal(f.ufrag, "EsAw");
    assert_string_equal(f.pwd, "P2uYro0UCOQ4zxjKXaWCBui1");
    assert_int_equal(f.n_candidates, 2);
    assert_true(f.end_of_candidates);
    assert_int_equal(
        read_frag("m=audio 9 RTP/SAVPF 0\r\na=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0\r\n", &f), OK);
    assert_string_equal(f.ufrag, "EsAw");
    sample_close(&s);
}

static void a_fragment_without_sense_is_malformed(void **state)
{
    struct sdp_frag f;
    (void)state;
    arena_init(&s.arena, 0);
    assert_int_equal(read_frag("", &f), ERR_MALFORMED);
    assert_int_equal(read_frag("nonsense", &f), ERR_MALFORMED);
    assert_int_equal(read_frag("a=mid:0\r\n", &f), ERR_MALFORMED);
    assert_int_equal(read_frag("a=ice-ufrag:EsAw\r\n", &f), ERR_MALFORMED);
    assert_int_equal(read_frag("a=ice-ufrag:EsAw\r\na=ice-pwd:x\r\nm=audio 9 RTP/SAVPF 0\r\n"
                               "a=ice-ufrag:Else\r\n",
                               &f),
                     ERR_MALFORMED);
    sample_close(&s);
}

static void what_the_server_says_after_a_restart_reads_back(void **state)
{
    struct sdp_frag f;
    struct wr w = wr_of(text, sizeof text - 1);
    (void)state;
    arena_init(&s.arena, 0);
    assert_int_equal(sdp_frag_write(&ice, candidates, 2, "0", "audio", &w), OK);
    text[wr_len(&w)] = '\0';
    assert_int_equal(read_frag(text, &f), OK);
    assert_string_equal(f.ufrag, "weirufrag");
    assert_string_equal(f.pwd, "weirpasswordweirpassword");
    assert_int_equal(f.n_candidates, 2);
    sample_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(obs_is_answered_recvonly_on_one_transport),
        cmocka_unit_test(simulcast_is_answered_in_the_offers_order),
        cmocka_unit_test(numbers_are_those_of_the_offer),
        cmocka_unit_test(what_is_not_wanted_is_rejected_in_its_place),
        cmocka_unit_test(what_is_sent_names_its_stream),
        cmocka_unit_test(ssrcs_are_announced_where_packets_do_not_name_their_section),
        cmocka_unit_test(an_answer_that_does_not_fit_is_an_error),
        cmocka_unit_test(a_fragment_brings_candidates_or_credentials),
        cmocka_unit_test(a_fragment_without_sense_is_malformed),
        cmocka_unit_test(what_the_server_says_after_a_restart_reads_back),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
