#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "worker/media/burst_padding.h"

#define MAX 32

static const char camera[] = "camera";
static const char screen[] = "screen";

static void expect(const uint16_t *lens, const uint8_t *padding, size_t n)
{
    struct burst_packet p[MAX] = {0};
    for (size_t i = 0; i < n; i++)
        p[i] = (struct burst_packet){.stream = camera, .payload_len = lens[i]};
    burst_padding(p, n);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(p[i].padding, padding[i]);
}

#define EXPECT(lens, padding) expect(lens, padding, sizeof(lens) / sizeof(lens)[0])

static void packets_that_differ_by_a_byte_become_equal(void **state)
{
    (void)state;
    const uint16_t lens[] = {1132, 1132, 1133, 1132, 1133};
    const uint8_t padding[] = {1, 1, 0, 1, 0};
    EXPECT(lens, padding);
}

static void equal_packets_are_left_alone(void **state)
{
    (void)state;
    const uint16_t lens[] = {1132, 1132, 1132};
    const uint8_t padding[] = {0, 0, 0};
    EXPECT(lens, padding);
}

static void a_single_packet_is_left_alone(void **state)
{
    (void)state;
    const uint16_t lens[] = {700};
    const uint8_t padding[] = {0};
    EXPECT(lens, padding);
}

/* UDP_SEGMENT lets the last segment be shorter. */
static void the_last_of_a_burst_stays_short(void **state)
{
    (void)state;
    const uint16_t near[] = {1133, 1132, 1132};
    const uint8_t near_padding[] = {0, 1, 0};
    EXPECT(near, near_padding);
    const uint16_t far[] = {1132, 1133, 300};
    const uint8_t far_padding[] = {1, 0, 0};
    EXPECT(far, far_padding);
}

static void more_than_a_64th_is_not_padded(void **state)
{
    (void)state;
    const uint16_t just[] = {1063, 1080, 1080};
    const uint8_t just_padding[] = {0, 0, 0};
    const uint16_t enough[] = {1064, 1080, 1080};
    const uint8_t enough_padding[] = {16, 0, 0};
    EXPECT(just, just_padding);
    EXPECT(enough, enough_padding);
}

static void each_frame_of_a_burst_has_a_size_of_its_own(void **state)
{
    (void)state;
    const uint16_t lens[] = {1100, 1101, 300, 900, 901, 901, 901};
    const uint8_t padding[] = {1, 0, 0, 1, 0, 0, 0};
    EXPECT(lens, padding);
}

static void streams_between_each_other_are_padded_apart(void **state)
{
    (void)state;
    struct burst_packet p[] = {
        {.stream = camera, .payload_len = 1000}, {.stream = screen, .payload_len = 500},
        {.stream = camera, .payload_len = 1001}, {.stream = screen, .payload_len = 501},
        {.stream = camera, .payload_len = 1001}, {.stream = screen, .payload_len = 501}};
    burst_padding(p, 6);
    const uint8_t padding[] = {1, 1, 0, 0, 0, 0};
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(p[i].padding, padding[i]);
}

/* Padding would not make it as long as the others. */
static void a_packet_with_other_extensions_is_no_part_of_the_run(void **state)
{
    (void)state;
    struct burst_packet p[] = {{.stream = camera, .payload_len = 1000, .ext_len = 40},
                               {.stream = camera, .payload_len = 1001},
                               {.stream = camera, .payload_len = 1002},
                               {.stream = camera, .payload_len = 1002}};
    burst_padding(p, 4);
    const uint8_t padding[] = {0, 1, 0, 0};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(p[i].padding, padding[i]);
}

/* Whatever the sizes: no packet becomes longer than the longest, nor by more than its part. */
static void padding_never_makes_a_packet_longer_than_the_longest(void **state)
{
    (void)state;
    srand(7);
    for (int round = 0; round < 2000; round++) {
        struct burst_packet p[MAX] = {0};
        size_t n = (size_t)(rand() % MAX);
        uint16_t longest = 0;
        for (size_t i = 0; i < n; i++) {
            p[i].stream = rand() % 3 ? camera : screen;
            p[i].payload_len = (uint16_t)(rand() % 2 ? rand() % 1500 : 1000 + rand() % 20);
            if (p[i].payload_len > longest)
                longest = p[i].payload_len;
        }
        burst_padding(p, n);
        for (size_t i = 0; i < n; i++) {
            assert_true(p[i].payload_len + p[i].padding <= longest);
            assert_true(p[i].padding <= longest / BURST_PADDING_PART);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_that_differ_by_a_byte_become_equal),
        cmocka_unit_test(equal_packets_are_left_alone),
        cmocka_unit_test(a_single_packet_is_left_alone),
        cmocka_unit_test(the_last_of_a_burst_stays_short),
        cmocka_unit_test(more_than_a_64th_is_not_padded),
        cmocka_unit_test(each_frame_of_a_burst_has_a_size_of_its_own),
        cmocka_unit_test(streams_between_each_other_are_padded_apart),
        cmocka_unit_test(a_packet_with_other_extensions_is_no_part_of_the_run),
        cmocka_unit_test(padding_never_makes_a_packet_longer_than_the_longest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
