#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/rng.h"

static void a_seed_repeats_its_numbers_and_another_does_not(void **state)
{
    (void)state;
    struct rng a;
    struct rng b;
    struct rng c;
    rng_init_seeded(&a, 7);
    rng_init_seeded(&b, 7);
    rng_init_seeded(&c, 8);
    int differ = 0;
    for (int i = 0; i < 100; i++) {
        uint64_t v = rng_u64(&a);
        assert_true(v == rng_u64(&b));
        differ += v != rng_u64(&c);
    }
    assert_int_equal(differ, 100);
}

static void bytes_fill_exactly_what_was_asked(void **state)
{
    (void)state;
    struct rng r;
    for (int system = 0; system < 2; system++) {
        if (system)
            rng_init_system(&r);
        else
            rng_init_seeded(&r, 1);
        uint8_t buf[1003];
        memset(buf, 0x5a, sizeof buf);
        rng_bytes(&r, buf + 1, 1001);
        assert_int_equal(buf[0], 0x5a);
        assert_int_equal(buf[1002], 0x5a);
        int same = 0;
        for (int i = 1; i < 1002; i++)
            same += buf[i] == 0x5a;
        assert_true(same < 60);
        rng_bytes(&r, buf, 0);
    }
}

static void bits_are_set_half_of_the_time(void **state)
{
    (void)state;
    struct rng r;
    rng_init_seeded(&r, 3);
    int ones[32] = {0};
    for (int i = 0; i < 4000; i++) {
        uint32_t v = rng_u32(&r);
        for (int bit = 0; bit < 32; bit++)
            ones[bit] += (int)(v >> bit & 1);
    }
    for (int bit = 0; bit < 32; bit++)
        assert_in_range(ones[bit], 1800, 2200);
}

static void tokens_have_their_alphabet_and_length(void **state)
{
    (void)state;
    struct rng r;
    rng_init_seeded(&r, 5);
    int seen[256] = {0};
    for (int i = 0; i < 200; i++) {
        char t[33];
        memset(t, '!', sizeof t);
        rng_token(&r, t, 17);
        assert_int_equal(strlen(t), 16);
        assert_int_equal(t[17], '!');
        for (int j = 0; j < 16; j++) {
            assert_true((t[j] >= 'a' && t[j] <= 'z') || (t[j] >= '0' && t[j] <= '9'));
            seen[(unsigned char)t[j]]++;
        }
    }
    int letters = 0;
    for (int i = 0; i < 256; i++)
        letters += seen[i] > 0;
    assert_int_equal(letters, 36);
    char one[1] = {'x'};
    rng_token(&r, one, 1);
    assert_int_equal(one[0], '\0');
}

static void uuids_have_the_form_of_version_4(void **state)
{
    (void)state;
    struct rng r;
    rng_init_system(&r);
    char a[37];
    char b[37];
    rng_uuid(&r, a);
    rng_uuid(&r, b);
    assert_int_equal(strlen(a), 36);
    assert_int_equal(strspn(a, "0123456789abcdef-"), 36);
    for (int i = 0; i < 36; i++)
        assert_int_equal(a[i] == '-', i == 8 || i == 13 || i == 18 || i == 23);
    assert_int_equal(a[14], '4');
    assert_non_null(strchr("89ab", a[19]));
    assert_string_not_equal(a, b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_seed_repeats_its_numbers_and_another_does_not),
        cmocka_unit_test(bytes_fill_exactly_what_was_asked),
        cmocka_unit_test(bits_are_set_half_of_the_time),
        cmocka_unit_test(tokens_have_their_alphabet_and_length),
        cmocka_unit_test(uuids_have_the_form_of_version_4),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
