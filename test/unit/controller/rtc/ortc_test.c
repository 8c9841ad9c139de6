#include "controller/rtc/ortc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

#include "proto/rtp_ext.h"

struct fixture {
    struct arena arena;
    struct rng rng;
    struct rtp_capabilities router;
    struct field_error error;
    json_t *roots[16]; /* what decoded structs borrow from */
    size_t n_roots;
};

static int setup(void **state)
{
    static struct fixture f;
    memset(&f, 0, sizeof f);
    arena_init(&f.arena, 1 << 20);
    rng_init_seeded(&f.rng, 7);
    assert_int_equal(ortc_router_capabilities(ortc_default_codecs, ortc_n_default_codecs, &f.arena,
                                              &f.router, &f.error),
                     OK);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < f->n_roots; i++)
        json_decref(f->roots[i]);
    arena_fini(&f->arena);
    return 0;
}

static void decode(struct fixture *f, const struct shape *shape, const char *text, void *out)
{
    json_t *root = json_loads(text, 0, NULL);
    assert_non_null(root);
    f->roots[f->n_roots++] = root;
    enum err e = shape_decode(shape, root, out, &f->arena, &f->error);
    if (e != OK)
        fail_msg("%s", f->error.reason);
}

static const char vp8_parameters[] =
    "{'mid':'1','codecs':["
    "{'mimeType':'video/VP8','payloadType':96,'clockRate':90000,'rtcpFeedback':[{'type':'nack'}]},"
    "{'mimeType':'video/rtx','payloadType':97,'clockRate':90000,'parameters':{'apt':96}}],"
    "'headerExtensions':[{'uri':'urn:ietf:params:rtp-hdrext:sdes:mid','id':4}],"
    "'encodings':[{'ssrc':11111111,'rtx':{'ssrc':11111112}}],'rtcp':{'cname':'c'}}";

static const char chrome_like_capabilities[] =
    "{'codecs':["
    "{'kind':'audio','mimeType':'audio/"
    "opus','clockRate':48000,'channels':2,'preferredPayloadType':100},"
    "{'kind':'video','mimeType':'video/VP8','clockRate':90000,'preferredPayloadType':101,"
    " 'rtcpFeedback':[{'type':'nack'},{'type':'nack','parameter':'pli'},{'type':'goog-remb'},"
    " {'type':'transport-cc'}]},"
    "{'kind':'video','mimeType':'video/rtx','clockRate':90000,'preferredPayloadType':102,"
    " 'parameters':{'apt':101}}],"
    "'headerExtensions':["
    "{'kind':'video','uri':'urn:ietf:params:rtp-hdrext:sdes:mid','preferredId':1},"
    "{'kind':'video','uri':'http://www.webrtc.org/experiments/rtp-hdrext/"
    "abs-send-time','preferredId':4},"
    "{'kind':'video','uri':'http://www.ietf.org/id/"
    "draft-holmer-rmcat-transport-wide-cc-extensions-01',"
    " 'preferredId':5}]}";

/* The texts above are easier to read with single quotes. */
static void decode_quoted(struct fixture *f, const struct shape *shape, const char *text, void *out)
{
    char copy[4096];
    assert_true(strlen(text) < sizeof copy);
    strcpy(copy, text);
    for (char *c = copy; *c; c++) {
        if (*c == '\'')
            *c = '"';
    }
    decode(f, shape, copy, out);
}

static const struct rtp_codec_capability *router_codec(struct fixture *f, const char *mime)
{
    for (size_t i = 0; i < f->router.n_codecs; i++) {
        if (strcasecmp(f->router.codecs[i].mime_type, mime) == 0)
            return &f->router.codecs[i];
    }
    fail_msg("router has no %s", mime);
    return NULL;
}

static void consumable_of(struct fixture *f, struct rtp_parameters *p, enum media_kind kind,
                          struct rtp_parameters *out)
{
    struct rtp_mapping mapping;
    assert_int_equal(ortc_check_parameters(p, kind, "rtpParameters", &f->arena, &f->error), OK);
    assert_int_equal(ortc_producer_mapping(p, &f->router, &f->rng, &f->arena, &mapping, &f->error),
                     OK);
    assert_int_equal(ortc_consumable(kind, p, &f->router, &mapping, &f->arena, out), OK);
}

static void a_router_gives_every_codec_a_payload_type_of_its_own(void **state)
{
    struct fixture *f = *state;
    bool taken[128] = {false};
    for (size_t i = 0; i < f->router.n_codecs; i++) {
        assert_true(f->router.codecs[i].has_preferred_payload_type);
        uint8_t t = f->router.codecs[i].preferred_payload_type;
        assert_in_range(t, 96, 127);
        assert_false(taken[t]);
        taken[t] = true;
    }
}

static void a_router_follows_each_video_codec_with_its_rtx(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < f->router.n_codecs; i++) {
        const struct rtp_codec_capability *c = &f->router.codecs[i];
        if (c->kind != MEDIA_KIND_VIDEO || ortc_is_rtx(c->mime_type))
            continue;
        assert_true(i + 1 < f->router.n_codecs);
        const struct rtp_codec_capability *rtx = &f->router.codecs[i + 1];
        assert_true(ortc_is_rtx(rtx->mime_type));
        assert_int_equal(dict_int(rtx->parameters, rtx->n_parameters, "apt", -1),
                         c->preferred_payload_type);
    }
}

static void a_router_refuses_a_codec_that_the_worker_does_not_know(void **state)
{
    struct fixture *f = *state;
    struct rtp_codec_capability theora = {
        .kind = MEDIA_KIND_VIDEO, .mime_type = "video/theora", .clock_rate = 90000};
    struct rtp_capabilities out;
    assert_int_equal(ortc_router_capabilities(&theora, 1, &f->arena, &out, &f->error),
                     ERR_UNSUPPORTED);
    assert_string_equal(f->error.path, "mediaCodecs[0]");
}

static void a_producer_is_mapped_to_the_routers_payload_types(void **state)
{
    struct fixture *f = *state;
    struct rtp_parameters p;
    struct rtp_mapping m;
    decode_quoted(f, &rtp_parameters_shape, vp8_parameters, &p);
    assert_int_equal(
        ortc_check_parameters(&p, MEDIA_KIND_VIDEO, "rtpParameters", &f->arena, &f->error), OK);
    assert_int_equal(ortc_producer_mapping(&p, &f->router, &f->rng, &f->arena, &m, &f->error), OK);
    assert_int_equal(m.n_codecs, 2);
    assert_int_equal(m.codecs[0].payload_type, 96);
    assert_int_equal(m.codecs[0].mapped_payload_type,
                     router_codec(f, "video/VP8")->preferred_payload_type);
    assert_int_equal(m.codecs[1].mapped_payload_type, m.codecs[0].mapped_payload_type + 1);
    assert_int_equal(m.n_encodings, 1);
    assert_int_equal(m.encodings[0].ssrc, 11111111);
    assert_int_not_equal(m.encodings[0].mapped_ssrc, 0);
}

static void h264_is_matched_by_profile_and_packetization_mode(void **state)
{
    struct fixture *f = *state;
    static const char mode1[] =
        "{'codecs':[{'mimeType':'video/H264','payloadType':99,'clockRate':90000,'parameters':"
        "{'packetization-mode':1,'profile-level-id':'42e034','level-asymmetry-allowed':1}}],"
        "'encodings':[{'ssrc':5}]}";
    static const char mode0[] =
        "{'codecs':[{'mimeType':'video/H264','payloadType':99,'clockRate':90000,'parameters':"
        "{'packetization-mode':0,'profile-level-id':'42e01f'}}],'encodings':[{'ssrc':5}]}";
    struct rtp_parameters p;
    struct rtp_mapping m;
    decode_quoted(f, &rtp_parameters_shape, mode1, &p);
    assert_int_equal(ortc_producer_mapping(&p, &f->router, &f->rng, &f->arena, &m, &f->error), OK);
    /* Asymmetry is allowed on both sides: the stream keeps its own level. */
    assert_non_null(dict_str(p.codecs[0].parameters, p.codecs[0].n_parameters, "profile-level-id"));
    decode_quoted(f, &rtp_parameters_shape, mode0, &p);
    assert_int_equal(ortc_producer_mapping(&p, &f->router, &f->rng, &f->arena, &m, &f->error),
                     ERR_UNSUPPORTED);
    assert_string_equal(f->error.path, "rtpParameters.codecs[0].mimeType");
}

static void parameters_with_a_wrong_kind_name_the_codec(void **state)
{
    struct fixture *f = *state;
    struct rtp_parameters p;
    decode_quoted(f, &rtp_parameters_shape, vp8_parameters, &p);
    assert_int_equal(
        ortc_check_parameters(&p, MEDIA_KIND_AUDIO, "rtpParameters", &f->arena, &f->error),
        ERR_TYPE);
    assert_string_equal(f->error.path, "rtpParameters.codecs[0].mimeType");
}

static void rtx_without_its_media_codec_is_refused(void **state)
{
    struct fixture *f = *state;
    static const char text[] =
        "{'codecs':[{'mimeType':'video/VP8','payloadType':96,'clockRate':90000},"
        "{'mimeType':'video/rtx','payloadType':97,'clockRate':90000,'parameters':{'apt':98}}],"
        "'encodings':[{'ssrc':5}]}";
    struct rtp_parameters p;
    decode_quoted(f, &rtp_parameters_shape, text, &p);
    assert_int_equal(
        ortc_check_parameters(&p, MEDIA_KIND_VIDEO, "rtpParameters", &f->arena, &f->error),
        ERR_TYPE);
    assert_string_equal(f->error.path, "rtpParameters.codecs[1].parameters.apt");
}

static void two_encodings_may_not_share_an_ssrc(void **state)
{
    struct fixture *f = *state;
    static const char text[] =
        "{'codecs':[{'mimeType':'video/VP8','payloadType':96,'clockRate':90000}],"
        "'encodings':[{'ssrc':5},{'ssrc':5}]}";
    struct rtp_parameters p;
    decode_quoted(f, &rtp_parameters_shape, text, &p);
    assert_int_equal(
        ortc_check_parameters(&p, MEDIA_KIND_VIDEO, "rtpParameters", &f->arena, &f->error),
        ERR_TYPE);
    assert_string_equal(f->error.path, "rtpParameters.encodings[1].ssrc");
}

static void a_consumer_gets_only_what_its_endpoint_understands(void **state)
{
    struct fixture *f = *state;
    struct rtp_parameters p;
    struct rtp_parameters consumable;
    struct rtp_parameters out;
    struct rtp_capabilities caps;
    decode_quoted(f, &rtp_parameters_shape, vp8_parameters, &p);
    consumable_of(f, &p, MEDIA_KIND_VIDEO, &consumable);
    decode_quoted(f, &rtp_capabilities_shape, chrome_like_capabilities, &caps);
    assert_true(ortc_can_consume(&consumable, &caps));
    assert_int_equal(
        ortc_consumer(&consumable, &caps, "3", true, &f->rng, &f->arena, &out, &f->error), OK);
    assert_int_equal(out.n_codecs, 2);
    assert_string_equal(out.mid, "3");
    assert_int_equal(out.n_encodings, 1);
    assert_non_null(out.encodings[0].rtx);
    /* With transport-wide feedback there is no REMB. */
    for (size_t i = 0; i < out.codecs[0].n_rtcp_feedback; i++)
        assert_string_not_equal(out.codecs[0].rtcp_feedback[i].type, "goog-remb");
    /* Orientation is the router's, but not this endpoint's. */
    for (size_t i = 0; i < out.n_header_extensions; i++)
        assert_string_not_equal(out.header_extensions[i].uri,
                                rtp_ext_uri(RTP_EXT_VIDEO_ORIENTATION));
    assert_int_equal(out.n_header_extensions, 3);
}

static void without_rtx_there_is_no_nack(void **state)
{
    struct fixture *f = *state;
    struct rtp_parameters p;
    struct rtp_parameters consumable;
    struct rtp_parameters out;
    struct rtp_capabilities caps;
    decode_quoted(f, &rtp_parameters_shape, vp8_parameters, &p);
    consumable_of(f, &p, MEDIA_KIND_VIDEO, &consumable);
    decode_quoted(f, &rtp_capabilities_shape, chrome_like_capabilities, &caps);
    assert_int_equal(
        ortc_consumer(&consumable, &caps, "0", false, &f->rng, &f->arena, &out, &f->error), OK);
    assert_int_equal(out.n_codecs, 1);
    assert_null(out.encodings[0].rtx);
    for (size_t i = 0; i < out.codecs[0].n_rtcp_feedback; i++)
        assert_false(strcmp(out.codecs[0].rtcp_feedback[i].type, "nack") == 0 &&
                     !out.codecs[0].rtcp_feedback[i].parameter);
}

static void an_endpoint_without_the_codec_cannot_consume(void **state)
{
    struct fixture *f = *state;
    struct rtp_parameters p;
    struct rtp_parameters consumable;
    struct rtp_parameters out;
    struct rtp_capabilities caps;
    decode_quoted(f, &rtp_parameters_shape, vp8_parameters, &p);
    consumable_of(f, &p, MEDIA_KIND_VIDEO, &consumable);
    decode_quoted(f, &rtp_capabilities_shape,
                  "{'codecs':[{'kind':'video','mimeType':'video/H264','clockRate':90000,"
                  "'preferredPayloadType':99}]}",
                  &caps);
    assert_false(ortc_can_consume(&consumable, &caps));
    assert_int_equal(
        ortc_consumer(&consumable, &caps, "0", true, &f->rng, &f->arena, &out, &f->error),
        ERR_UNSUPPORTED);
}

static void the_type_of_a_producer_follows_its_encodings(void **state)
{
    (void)state;
    struct rtp_encoding_parameters enc[2] = {{.scalability_mode = "L1T1"}, {0}};
    struct rtp_parameters p = {.encodings = enc, .n_encodings = 1};
    assert_int_equal(ortc_producer_type(&p), RTP_TYPE_SIMPLE);
    enc[0].scalability_mode = "L3T3_KEY";
    assert_int_equal(ortc_producer_type(&p), RTP_TYPE_SVC);
    p.n_encodings = 2;
    assert_int_equal(ortc_producer_type(&p), RTP_TYPE_SIMULCAST);
}

static void scalability_modes_are_read_and_nonsense_is_one_layer(void **state)
{
    (void)state;
    assert_int_equal(ortc_scalability("L3T2_KEY").spatial, 3);
    assert_int_equal(ortc_scalability("L3T2_KEY").temporal, 2);
    assert_int_equal(ortc_scalability("S2T3").spatial, 2);
    static const char *const nonsense[] = {"", "L", "L0T1", "LxT2", "L2", "L2T", "L99T1", "T3"};
    for (size_t i = 0; i < sizeof nonsense / sizeof nonsense[0]; i++) {
        assert_int_equal(ortc_scalability(nonsense[i]).spatial, 1);
        assert_int_equal(ortc_scalability(nonsense[i]).temporal, 1);
    }
    assert_int_equal(ortc_scalability(NULL).spatial, 1);
}

static void a_codec_that_is_listed_twice_is_offered_once(void **state)
{
    struct fixture *f = *state;
    static const char text[] =
        "{'mid':'1','codecs':[{'mimeType':'video/VP8','payloadType':96,'clockRate':90000},"
        "{'mimeType':'video/VP8','payloadType':98,'clockRate':90000}],'encodings':[{'ssrc':1}]}";
    struct rtp_parameters p;
    struct rtp_mapping mapping;
    struct rtp_parameters consumable;
    decode_quoted(f, &rtp_parameters_shape, text, &p);
    assert_int_equal(
        ortc_check_parameters(&p, MEDIA_KIND_VIDEO, "rtpParameters", &f->arena, &f->error), OK);
    assert_int_equal(ortc_producer_mapping(&p, &f->router, &f->rng, &f->arena, &mapping, &f->error),
                     OK);
    assert_int_equal(mapping.n_codecs, 2);
    assert_int_equal(
        ortc_consumable(MEDIA_KIND_VIDEO, &p, &f->router, &mapping, &f->arena, &consumable), OK);
    assert_int_equal(consumable.n_codecs, 2); /* VP8 and its RTX */
}

static void a_pipe_carries_all_encodings_and_makes_the_producer_there_as_consumable(void **state)
{
    struct fixture *f = *state;
    struct rtp_parameters p;
    struct rtp_parameters consumable;
    struct rtp_parameters out;
    struct rtp_mapping mapping;
    decode_quoted(f, &rtp_parameters_shape,
                  "{'codecs':[{'mimeType':'video/VP8','payloadType':96,'clockRate':90000},"
                  "{'mimeType':'video/rtx','payloadType':97,'clockRate':90000,"
                  "'parameters':{'apt':96}}],'encodings':[{'rid':'l','scalabilityMode':'L1T2'},"
                  "{'rid':'h','scalabilityMode':'L1T2'}]}",
                  &p);
    consumable_of(f, &p, MEDIA_KIND_VIDEO, &consumable);
    assert_int_equal(ortc_pipe(&consumable, 7, &f->arena, &out, &mapping), OK);
    assert_int_equal(out.n_codecs, 2);
    assert_true(out.codecs[0].n_rtcp_feedback > 0);
    for (size_t i = 0; i < out.codecs[0].n_rtcp_feedback; i++) {
        assert_string_not_equal(out.codecs[0].rtcp_feedback[i].type, "transport-cc");
        assert_string_not_equal(out.codecs[0].rtcp_feedback[i].type, "goog-remb");
    }
    assert_true(out.n_header_extensions > 0);
    for (size_t i = 0; i < out.n_header_extensions; i++) {
        assert_string_not_equal(out.header_extensions[i].uri, rtp_ext_uri(RTP_EXT_MID));
        assert_string_not_equal(out.header_extensions[i].uri, rtp_ext_uri(RTP_EXT_TWCC));
    }
    assert_int_equal(out.n_encodings, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(out.encodings[i].ssrc, 7 + 2 * i);
        assert_int_equal(out.encodings[i].rtx->ssrc, 8 + 2 * i);
        assert_string_equal(out.encodings[i].scalability_mode, "L1T2");
        assert_int_equal(mapping.encodings[i].ssrc, 7 + 2 * i);
        assert_int_equal(mapping.encodings[i].mapped_ssrc, consumable.encodings[i].ssrc);
    }
    assert_int_equal(ortc_producer_type(&out), RTP_TYPE_SIMULCAST);
    for (size_t i = 0; i < mapping.n_codecs; i++)
        assert_int_equal(mapping.codecs[i].payload_type, mapping.codecs[i].mapped_payload_type);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_codec_that_is_listed_twice_is_offered_once),
        T(a_router_gives_every_codec_a_payload_type_of_its_own),
        T(a_router_follows_each_video_codec_with_its_rtx),
        T(a_router_refuses_a_codec_that_the_worker_does_not_know),
        T(a_producer_is_mapped_to_the_routers_payload_types),
        T(h264_is_matched_by_profile_and_packetization_mode),
        T(parameters_with_a_wrong_kind_name_the_codec),
        T(rtx_without_its_media_codec_is_refused),
        T(two_encodings_may_not_share_an_ssrc),
        T(a_consumer_gets_only_what_its_endpoint_understands),
        T(without_rtx_there_is_no_nack),
        T(an_endpoint_without_the_codec_cannot_consume),
        T(a_pipe_carries_all_encodings_and_makes_the_producer_there_as_consumable),
        T(the_type_of_a_producer_follows_its_encodings),
        T(scalability_modes_are_read_and_nonsense_is_one_layer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
