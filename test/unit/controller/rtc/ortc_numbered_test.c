#include "controller/rtc/ortc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct arena arena;
static struct rng rng;
static struct field_error error;
static struct rtp_parameters consumable;
static json_t *roots[4];
static size_t n_roots;

static const char producer[] =
    "{\"mid\":\"1\",\"codecs\":[{\"mimeType\":\"video/"
    "H264\",\"payloadType\":126,\"clockRate\":90000,"
    "\"parameters\":{\"packetization-mode\":1,\"profile-level-id\":\"42e01f\","
    "\"level-asymmetry-allowed\":1}},{\"mimeType\":\"video/rtx\",\"payloadType\":127,"
    "\"clockRate\":90000,\"parameters\":{\"apt\":126}}],\"headerExtensions\":[],"
    "\"encodings\":[{\"ssrc\":1,\"rtx\":{\"ssrc\":2}}],\"rtcp\":{\"cname\":\"c\"}}";

/* Numbers that are others' in the router. */
static const char viewer[] =
    "{\"codecs\":[{\"kind\":\"video\",\"mimeType\":\"video/VP8\",\"clockRate\":90000,"
    "\"preferredPayloadType\":96},{\"kind\":\"video\",\"mimeType\":\"video/H264\","
    "\"clockRate\":90000,\"preferredPayloadType\":108,\"parameters\":{\"packetization-mode\":1,"
    "\"profile-level-id\":\"42e01f\",\"level-asymmetry-allowed\":1},\"rtcpFeedback\":["
    "{\"type\":\"nack\"},{\"type\":\"transport-cc\"}]},{\"kind\":\"video\",\"mimeType\":"
    "\"video/rtx\",\"clockRate\":90000,\"preferredPayloadType\":97,\"parameters\":{\"apt\":96}},"
    "{\"kind\":\"video\",\"mimeType\":\"video/rtx\",\"clockRate\":90000,\"preferredPayloadType\":"
    "109,\"parameters\":{\"apt\":108}}],\"headerExtensions\":[{\"kind\":\"video\",\"uri\":"
    "\"urn:ietf:params:rtp-hdrext:sdes:mid\",\"preferredId\":9},{\"kind\":\"video\",\"uri\":"
    "\"urn:example:unknown\",\"preferredId\":1},{\"kind\":\"video\",\"uri\":\"http://www.ietf.org/"
    "id/draft-holmer-rmcat-transport-wide-cc-extensions-01\",\"preferredId\":3}]}";

static void decode(const struct shape *shape, const char *text, void *out)
{
    json_t *root = json_loads(text, 0, NULL);
    assert_non_null(root);
    roots[n_roots++] = root;
    assert_int_equal(shape_decode(shape, root, out, &arena, &error), OK);
}

static int set_up(void **state)
{
    static struct rtp_parameters p;
    struct rtp_capabilities router;
    struct rtp_mapping mapping;
    (void)state;
    arena_init(&arena, 1 << 20);
    rng_init_seeded(&rng, 7);
    decode(&rtp_parameters_shape, producer, &p);
    assert_int_equal(ortc_router_capabilities(ortc_default_codecs, ortc_n_default_codecs, &arena,
                                              &router, &error),
                     OK);
    assert_int_equal(ortc_check_parameters(&p, MEDIA_KIND_VIDEO, "p", &arena, &error), OK);
    assert_int_equal(ortc_producer_mapping(&p, &router, &rng, &arena, &mapping, &error), OK);
    assert_int_equal(ortc_consumable(MEDIA_KIND_VIDEO, &p, &router, &mapping, &arena, &consumable),
                     OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    while (n_roots > 0)
        json_decref(roots[--n_roots]);
    arena_fini(&arena);
    return 0;
}

static struct rtp_parameters out;
static struct rtp_codec_mapping *mapping;
static size_t n_mapping;

static enum err consume(struct rtp_capabilities *caps)
{
    assert_int_equal(ortc_check_capabilities(caps, "rtpCapabilities", &error), OK);
    return ortc_consumer_numbered(&consumable, caps, "v", &rng, &arena, &out, &mapping, &n_mapping,
                                  &error);
}

static void numbers_are_the_viewers_and_the_mapping_says_whose_they_were(void **state)
{
    struct rtp_capabilities caps;
    (void)state;
    decode(&rtp_capabilities_shape, viewer, &caps);
    assert_int_equal(consume(&caps), OK);
    assert_string_equal(out.mid, "v");
    assert_int_equal(out.n_codecs, 2);
    assert_string_equal(out.codecs[0].mime_type, "video/H264");
    assert_int_equal(out.codecs[0].payload_type, 108);
    assert_int_equal(out.codecs[1].payload_type, 109);
    assert_int_equal(dict_int(out.codecs[1].parameters, out.codecs[1].n_parameters, "apt", -1),
                     108);
    assert_non_null(out.encodings[0].rtx);
    assert_int_equal(n_mapping, 2);
    assert_int_equal(mapping[0].payload_type, consumable.codecs[0].payload_type);
    assert_int_equal(mapping[0].mapped_payload_type, 108);
    assert_int_equal(mapping[1].payload_type, consumable.codecs[1].payload_type);
    assert_int_equal(mapping[1].mapped_payload_type, 109);
    assert_int_equal(out.n_header_extensions, 2);
    assert_int_equal(out.header_extensions[0].id, 9);
    assert_int_equal(out.header_extensions[1].id, 3);
    /* The consumable itself stays as it was: others share it. */
    assert_int_equal(
        dict_int(consumable.codecs[1].parameters, consumable.codecs[1].n_parameters, "apt", -1),
        consumable.codecs[0].payload_type);
}

static void rtx_that_the_viewer_has_for_other_codecs_only_is_left_out(void **state)
{
    struct rtp_capabilities caps;
    (void)state;
    decode(&rtp_capabilities_shape, viewer, &caps);
    caps.n_codecs = 3;
    assert_int_equal(consume(&caps), OK);
    assert_int_equal(out.n_codecs, 1);
    assert_null(out.encodings[0].rtx);
    assert_int_equal(n_mapping, 1);
}

static void a_viewer_without_the_codec_or_without_numbers_is_refused(void **state)
{
    struct rtp_capabilities caps;
    (void)state;
    decode(&rtp_capabilities_shape, viewer, &caps);
    caps.n_codecs = 1;
    assert_int_equal(consume(&caps), ERR_UNSUPPORTED);
    caps.n_codecs = 2;
    caps.codecs[1].has_preferred_payload_type = false;
    assert_int_equal(consume(&caps), ERR_UNSUPPORTED);
    assert_non_null(strstr(error.reason, "preferredPayloadType"));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(numbers_are_the_viewers_and_the_mapping_says_whose_they_were),
        T(rtx_that_the_viewer_has_for_other_codecs_only_is_left_out),
        T(a_viewer_without_the_codec_or_without_numbers_is_refused),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
