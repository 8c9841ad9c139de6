#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "worker/engine/crc32c.h"

/* RFC 3720 B.4 */
static void vectors_of_rfc_3720_come_out(void **state)
{
    uint8_t bytes[32] = {0};
    (void)state;
    assert_int_equal(crc32c(bytes, sizeof bytes), 0x8a9136aa);
    memset(bytes, 0xff, sizeof bytes);
    assert_int_equal(crc32c(bytes, sizeof bytes), 0x62a8ab43);
    for (uint8_t i = 0; i < sizeof bytes; i++)
        bytes[i] = i;
    assert_int_equal(crc32c(bytes, sizeof bytes), 0x46dd794e);
    assert_int_equal(crc32c("123456789", 9), 0xe3069283);
}

static void a_packet_is_right_until_a_bit_changes(void **state)
{
    uint8_t packet[40] = {0x13, 0x88, 0x13, 0x88, 1, 2, 3, 4, 0xff, 0xff, 0xff, 0xff, 9};
    (void)state;
    assert_false(crc32c_sctp_ok(packet, sizeof packet));
    crc32c_sctp_renew(packet, sizeof packet);
    assert_true(crc32c_sctp_ok(packet, sizeof packet));
    packet[39] ^= 1;
    assert_false(crc32c_sctp_ok(packet, sizeof packet));
}

static void a_packet_without_a_checksum_stays_without(void **state)
{
    uint8_t packet[16] = {1};
    uint8_t before[16];
    (void)state;
    memcpy(before, packet, sizeof before);
    assert_true(crc32c_sctp_ok(packet, sizeof packet));
    crc32c_sctp_renew(packet, sizeof packet);
    assert_memory_equal(packet, before, sizeof before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_of_rfc_3720_come_out),
        cmocka_unit_test(a_packet_is_right_until_a_bit_changes),
        cmocka_unit_test(a_packet_without_a_checksum_stays_without),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
