#include "proto/demux.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void a_datagram_is_told_by_its_first_bytes(void **state)
{
    (void)state;
    static const struct {
        uint8_t first;
        uint8_t second;
        enum packet_class want;
    } rows[] = {
        {0, 1, PACKET_STUN},      {3, 0, PACKET_STUN},        {4, 0, PACKET_UNKNOWN},
        {16, 0, PACKET_UNKNOWN},  {19, 0, PACKET_UNKNOWN},    {20, 254, PACKET_DTLS},
        {63, 254, PACKET_DTLS},   {64, 0, PACKET_UNKNOWN},    {79, 0, PACKET_UNKNOWN},
        {127, 0, PACKET_UNKNOWN}, {128, 0, PACKET_RTP},       {128, 191, PACKET_RTP},
        {128, 192, PACKET_RTCP},  {129, 200, PACKET_RTCP},    {191, 223, PACKET_RTCP},
        {191, 224, PACKET_RTP},   {192, 200, PACKET_UNKNOWN}, {255, 0, PACKET_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t p[2] = {rows[i].first, rows[i].second};
        assert_int_equal(packet_class(p, 2), rows[i].want);
    }
}

static void a_datagram_of_less_than_two_bytes_is_unknown(void **state)
{
    (void)state;
    uint8_t p[1] = {0};
    assert_int_equal(packet_class(p, 0), PACKET_UNKNOWN);
    assert_int_equal(packet_class(p, 1), PACKET_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_datagram_is_told_by_its_first_bytes),
        cmocka_unit_test(a_datagram_of_less_than_two_bytes_is_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
