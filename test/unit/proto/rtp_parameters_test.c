/* RTP and transport parameters as real clients send them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/transport_parameters.h"
#include "test/unit/proto/shape_sample.h"

/* What a browser offers to send: VP8 simulcast by RID with RTX. */
static const char video[] =
    "{\"mid\":\"1\",\"codecs\":["
    "{\"mimeType\":\"video/VP8\",\"payloadType\":96,\"clockRate\":90000,\"parameters\":{},"
    "\"rtcpFeedback\":[{\"type\":\"nack\"},{\"type\":\"nack\",\"parameter\":\"pli\"},"
    "{\"type\":\"transport-cc\",\"parameter\":\"\"}]},"
    "{\"mimeType\":\"video/rtx\",\"payloadType\":97,\"clockRate\":90000,"
    "\"parameters\":{\"apt\":96},\"rtcpFeedback\":[]}],"
    "\"headerExtensions\":["
    "{\"uri\":\"urn:ietf:params:rtp-hdrext:sdes:mid\",\"id\":4,\"encrypt\":false,"
    "\"parameters\":{}}],"
    "\"encodings\":[{\"rid\":\"r0\",\"scalabilityMode\":\"L1T3\",\"maxBitrate\":100000},"
    "{\"ssrc\":4294967295,\"rtx\":{\"ssrc\":5},\"dtx\":false}],"
    "\"rtcp\":{\"cname\":\"abc\",\"reducedSize\":true},\"msid\":\"s t\"}";

struct decoded {
    json_t *json;
    struct arena arena;
    struct field_error error;
};

static enum err decode(struct decoded *d, const struct shape *shape, void *out, const char *text)
{
    arena_init(&d->arena, 1 << 16);
    d->error = (struct field_error){0};
    d->json = json_loads(text, 0, NULL);
    assert_non_null(d->json);
    return shape_decode(shape, d->json, out, &d->arena, &d->error);
}

static void release(struct decoded *d)
{
    json_decref(d->json);
    arena_fini(&d->arena);
}

static void a_browsers_parameters_decode_and_encode_back_to_the_same(void **state)
{
    (void)state;
    struct decoded d;
    struct rtp_parameters p;
    if (decode(&d, &rtp_parameters_shape, &p, video) != OK)
        fail_msg("%s", d.error.reason);
    assert_string_equal(p.mid, "1");
    assert_int_equal(p.n_codecs, 2);
    assert_string_equal(p.codecs[0].mime_type, "video/VP8");
    assert_false(p.codecs[0].has_channels);
    assert_int_equal(p.codecs[0].n_rtcp_feedback, 3);
    assert_null(p.codecs[0].rtcp_feedback[0].parameter);
    assert_string_equal(p.codecs[0].rtcp_feedback[1].parameter, "pli");
    assert_int_equal(dict_int(p.codecs[1].parameters, p.codecs[1].n_parameters, "apt", -1), 96);
    assert_int_equal(p.header_extensions[0].id, 4);
    assert_string_equal(p.encodings[0].rid, "r0");
    assert_false(p.encodings[0].has_ssrc);
    assert_null(p.encodings[0].rtx);
    assert_int_equal(p.encodings[1].ssrc, 4294967295u);
    assert_int_equal(p.encodings[1].rtx->ssrc, 5);
    assert_true(p.rtcp->reduced_size);
    json_t *again = shape_encode(&rtp_parameters_shape, &p);
    assert_true(json_equal(again, d.json));
    json_decref(again);
    release(&d);
}

static void the_least_that_mediasoup_accepts_is_accepted(void **state)
{
    (void)state;
    struct decoded d;
    struct rtp_parameters p;
    assert_int_equal(decode(&d, &rtp_parameters_shape, &p,
                            "{\"codecs\":[{\"mimeType\":\"audio/opus\",\"payloadType\":100,"
                            "\"clockRate\":48000,\"channels\":2}]}"),
                     OK);
    assert_int_equal(p.codecs[0].channels, 2);
    assert_null(p.encodings);
    assert_null(p.rtcp);
    release(&d);
    struct rtp_capabilities c;
    assert_int_equal(decode(&d, &rtp_capabilities_shape, &c, "{}"), OK);
    assert_int_equal(c.n_codecs, 0);
    release(&d);
}

static void bad_parameters_are_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum err err;
        const char *reason;
    } cases[] = {
        {"{}", ERR_TYPE, "codecs is missing, it must be an array of 1 to 64 objects"},
        {"{\"codecs\":[{\"mimeType\":\"video/VP8\",\"payloadType\":128,\"clockRate\":90000}]}",
         ERR_RANGE, "codecs[0].payloadType must be an integer from 0 to 127"},
        {"{\"codecs\":[{\"mimeType\":\"video/VP8\",\"payloadType\":96,\"clockRate\":0}]}",
         ERR_RANGE, "codecs[0].clockRate must be an integer from 1 to 1000000"},
        {"{\"codecs\":[{\"mimeType\":\"v\",\"payloadType\":96,\"clockRate\":90000}]}", ERR_RANGE,
         "codecs[0].mimeType must be a string of 3 to 64 bytes"},
        {"{\"codecs\":[{\"mimeType\":\"video/VP8\",\"payloadType\":96,\"clockRate\":90000}],"
         "\"encodings\":[{\"rtx\":{}}]}",
         ERR_TYPE, "encodings[0].rtx.ssrc is missing, it must be an integer from 0 to 4294967295"},
        {"{\"codecs\":[{\"mimeType\":\"video/VP8\",\"payloadType\":96,\"clockRate\":90000}],"
         "\"headerExtensions\":[{\"uri\":\"urn:x\",\"id\":0}]}",
         ERR_RANGE, "headerExtensions[0].id must be an integer from 1 to 255"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct decoded d;
        struct rtp_parameters p;
        assert_int_equal(decode(&d, &rtp_parameters_shape, &p, cases[i].text), cases[i].err);
        assert_string_equal(d.error.reason, cases[i].reason);
        release(&d);
    }
}

static void dtls_parameters_without_a_role_leave_it_open(void **state)
{
    (void)state;
    struct decoded d;
    struct dtls_parameters p;
    const char *text =
        "{\"fingerprints\":[{\"algorithm\":\"sha-1\",\"value\":\"00:11:22:33:44:55:66:"
        "77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33\"}]}";
    if (decode(&d, &dtls_parameters_shape, &p, text) != OK)
        fail_msg("%s", d.error.reason);
    assert_false(p.has_role);
    assert_int_equal(p.fingerprints[0].algorithm, PARAM_DTLS_HASH_SHA1);
    release(&d);
    assert_int_equal(
        decode(&d, &dtls_parameters_shape, &p, "{\"role\":\"actpass\",\"fingerprints\":[]}"),
        ERR_TYPE);
    assert_string_equal(d.error.reason, "role must be one of auto, client, server");
    release(&d);
}

static void names_are_spelled_as_in_the_public_api(void **state)
{
    (void)state;
    assert_string_equal(media_kind_names[MEDIA_KIND_VIDEO], "video");
    assert_string_equal(rtp_type_names[RTP_TYPE_SVC], "svc");
    assert_string_equal(param_srtp_suite_names[PARAM_SRTP_SUITE_AES_CM_128_HMAC_SHA1_80],
                        "AES_CM_128_HMAC_SHA1_80");
    assert_string_equal(param_ice_state_names[PARAM_ICE_STATE_DISCONNECTED], "disconnected");
    assert_string_equal(param_sctp_state_names[PARAM_SCTP_STATE_CONNECTED], "connected");
    assert_null(param_dtls_state_names[PARAM_DTLS_STATE_CLOSED + 1]);
}

/* Those of signaling that no message of the pipe carries. */
static void shapes_of_signaling_decode_and_encode_back_to_the_same(void **state)
{
    (void)state;
    const struct shape *const shapes[] = {&rtp_capabilities_shape, &sctp_capabilities_shape};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        for (int how = SAMPLE_LEAST; how <= SAMPLE_REQUIRED; how++) {
            struct arena arena;
            struct field_error error;
            json_t *in = shape_sample(shapes[i], (enum sample)how);
            void *out = malloc(shapes[i]->size);
            arena_init(&arena, 1 << 20);
            assert_int_equal(shape_decode(shapes[i], in, out, &arena, &error), OK);
            json_t *again = shape_encode(shapes[i], out);
            assert_true(json_equal(in, again));
            json_decref(again);
            json_decref(in);
            free(out);
            arena_fini(&arena);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_browsers_parameters_decode_and_encode_back_to_the_same),
        cmocka_unit_test(the_least_that_mediasoup_accepts_is_accepted),
        cmocka_unit_test(bad_parameters_are_refused_by_name),
        cmocka_unit_test(dtls_parameters_without_a_role_leave_it_open),
        cmocka_unit_test(names_are_spelled_as_in_the_public_api),
        cmocka_unit_test(shapes_of_signaling_decode_and_encode_back_to_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
