/* The small tables: SSRCs, ids, scalability modes, SRTP keys as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/rng.h"
#include "worker/media/object.h"
#include "worker/media/scalability.h"
#include "worker/media/srtp_text.h"
#include "worker/media/ssrc_map.h"

static void an_ssrc_is_found_until_it_is_removed(void **state)
{
    (void)state;
    enum { N = 200 };
    static int values[N];
    static bool held[N];
    struct ssrc_map m = {0};
    struct rng rng;
    rng_init_seeded(&rng, 9);
    for (int step = 0; step < 20000; step++) {
        uint32_t i = rng_u32(&rng) % N;
        uint32_t ssrc = i << 24 | i; /* many share low bits */
        if (rng_u32(&rng) % 2) {
            assert_int_equal(ssrc_map_add(&m, ssrc, &values[i]), held[i] ? ERR_EXISTS : OK);
            held[i] = true;
        } else {
            ssrc_map_remove(&m, ssrc);
            held[i] = false;
        }
        i = rng_u32(&rng) % N;
        assert_ptr_equal(ssrc_map_get(&m, i << 24 | i), held[i] ? &values[i] : NULL);
    }
    ssrc_map_fini(&m);
    assert_null(ssrc_map_get(&m, 0));
}

static void an_id_is_unique_and_found_by_its_kind_only(void **state)
{
    (void)state;
    struct objects all = {0};
    struct object a = {0};
    struct object b = {0};
    assert_int_equal(object_init(&a, &all, OBJECT_ROUTER, "x"), OK);
    assert_int_equal(object_init(&b, &all, OBJECT_PRODUCER, "x"), ERR_EXISTS);
    assert_int_equal(object_init(&b, &all, OBJECT_PRODUCER, "y"), OK);
    assert_ptr_equal(object_find(&all, OBJECT_ROUTER, "x"), &a);
    assert_null(object_find(&all, OBJECT_PRODUCER, "x"));
    object_fini(&a);
    object_fini(&a);
    assert_null(object_find(&all, OBJECT_ROUTER, "x"));
    assert_int_equal(all.count, 1);
    object_fini(&b);
    assert_null(all.by_id);
}

static void scalability_modes_are_read_as_written(void **state)
{
    (void)state;
    static const struct {
        const char *mode;
        struct scalability want;
    } cases[] = {{"L1T3", {1, 3, false}},     {"L3T3_KEY", {3, 3, true}}, {"S2T1", {2, 1, false}},
                 {"L12T10", {12, 10, false}}, {"", {1, 1, false}},        {"L0T1", {1, 1, false}},
                 {"L3", {1, 1, false}},       {"x", {1, 1, false}},       {NULL, {1, 1, false}}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct scalability s = scalability_parse(cases[i].mode);
        assert_int_equal(s.spatial, cases[i].want.spatial);
        assert_int_equal(s.temporal, cases[i].want.temporal);
        assert_int_equal(s.key, cases[i].want.key);
    }
}

static void srtp_keys_survive_text_and_bad_text_is_refused(void **state)
{
    (void)state;
    struct rng rng;
    rng_init_seeded(&rng, 4);
    for (int suite = 0; suite < SRTP_SUITE_COUNT; suite++) {
        struct srtp_key key;
        struct srtp_key back;
        struct srtp_parameters p;
        struct field_error f;
        char text[SRTP_BASE64_MAX];
        srtp_key_make(&key, (enum srtp_suite)suite, &rng);
        srtp_key_write(&key, text, &p);
        assert_int_equal(srtp_key_read(&back, &p, &f), OK);
        assert_memory_equal(&key, &back, sizeof key);
        text[5] = '*';
        assert_int_equal(srtp_key_read(&back, &p, &f), ERR_TYPE);
        assert_string_equal(f.path, "srtpParameters.keyBase64");
        srtp_key_write(&key, text, &p);
        text[strlen(text) - 5] = '\0';
        assert_int_equal(srtp_key_read(&back, &p, &f), ERR_TYPE);
    }
    /* RFC 4648 10: "foobar" */
    struct srtp_parameters p = {.key_base64 = "Zm9vYmFy"};
    struct field_error f;
    struct srtp_key key;
    assert_int_equal(srtp_key_read(&key, &p, &f), ERR_TYPE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_ssrc_is_found_until_it_is_removed),
        cmocka_unit_test(an_id_is_unique_and_found_by_its_kind_only),
        cmocka_unit_test(scalability_modes_are_read_as_written),
        cmocka_unit_test(srtp_keys_survive_text_and_bad_text_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
