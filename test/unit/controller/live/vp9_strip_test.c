#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "controller/live/vp9_strip.h"

/* Header bytes up to the descriptor: version 2, payload type 101, numbers that show when they move.
 */
#define HEAD(marker) 0x80, (uint8_t)((marker) << 7 | 101), 1, 2, 3, 4, 5, 6, 7, 8, 9, 10

static void expect(const uint8_t *in, size_t n, const uint8_t *out, size_t expected)
{
    uint8_t copy[64];
    memcpy(copy, in, n);
    size_t gone = vp9_strip(copy, n);
    assert_int_equal(n - gone, expected);
    if (expected > 0)
        assert_memory_equal(copy + gone, out, expected);
}

#define BYTES(...)                                                                                 \
    (const uint8_t[]){__VA_ARGS__}, sizeof(uint8_t[])                                              \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

static void only_where_a_frame_begins_and_ends_is_left(void **state)
{
    (void)state;
    /* I P L, not flexible: picture id of 15 bits, layers, TL0PICIDX. */
    expect(BYTES(HEAD(1), 0xec, 0x81, 0x23, 0x20, 0x77, 0xaa, 0xbb),
           BYTES(HEAD(1), 0x0c, 0xaa, 0xbb));
    /* Flexible, with two references. */
    expect(BYTES(HEAD(0), 0xf8, 0x05, 0x00, 0x03, 0x04, 0xcc), BYTES(HEAD(0), 0x08, 0xcc));
    /* A scalability structure with a size and a picture group. */
    expect(BYTES(HEAD(0), 0x2a, 0x00, 0x55, 0x18, 0x02, 0x80, 0x01, 0x68, 1, 0x04, 1, 0xdd),
           BYTES(HEAD(0), 0x08, 0xdd));
    /* Nothing to take away: the middle of a frame. */
    expect(BYTES(HEAD(0), 0x00, 0xee), BYTES(HEAD(0), 0x00, 0xee));
}

static void csrcs_and_extensions_stay(void **state)
{
    (void)state;
    expect(BYTES(0x91, 0x65, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0xc, 0xc, 0xc, 0xc, 0xbe, 0xde, 0, 1,
                 0x10, 9, 0, 0, 0x8c, 0x05, 0xaa),
           BYTES(0x91, 0xe5, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0xc, 0xc, 0xc, 0xc, 0xbe, 0xde, 0, 1,
                 0x10, 9, 0, 0, 0x0c, 0xaa));
}

static void upper_layers_and_what_is_no_vp9_do_not_go_on(void **state)
{
    (void)state;
    expect(BYTES(HEAD(1), 0x2c, 0x02, 0x00, 0xaa), NULL, 0);
    expect(BYTES(HEAD(1), 0xec, 0x81), NULL, 0);
    expect(BYTES(HEAD(1)), NULL, 0);
    expect(BYTES(0x80, 1, 2), NULL, 0);
}

static void the_marker_stands_where_the_frame_ends(void **state)
{
    (void)state;
    /* The lowest layer's last packet, of a picture that goes on in the next layer. */
    expect(BYTES(HEAD(0), 0x2c, 0x00, 0x00, 0xaa), BYTES(HEAD(1), 0x0c, 0xaa));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_where_a_frame_begins_and_ends_is_left),
        cmocka_unit_test(csrcs_and_extensions_stay),
        cmocka_unit_test(upper_layers_and_what_is_no_vp9_do_not_go_on),
        cmocka_unit_test(the_marker_stands_where_the_frame_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
