#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/addr.h"

static const char *round_trip(const char *ip, uint16_t port)
{
    static char text[ADDR_TEXT_MAX];
    struct addr a;
    assert_int_equal(addr_parse(&a, ip, port), OK);
    return addr_text(&a, text, sizeof text);
}

static void literals_are_printed_as_they_are_usually_written(void **state)
{
    (void)state;
    assert_string_equal(round_trip("192.0.2.7", 5), "192.0.2.7:5");
    assert_string_equal(round_trip("2001:DB8:0:0:0:0:0:1", 65535), "[2001:db8::1]:65535");
    assert_string_equal(round_trip("::", 0), "[::]:0");
    assert_string_equal(round_trip("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535),
                        "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
}

static void a_mapped_address_is_its_ipv4_address(void **state)
{
    (void)state;
    struct addr mapped;
    struct addr plain;
    assert_int_equal(addr_parse(&mapped, "::ffff:127.0.0.1", 9), OK);
    assert_int_equal(addr_parse(&plain, "127.0.0.1", 9), OK);
    assert_int_equal(mapped.family, 4);
    assert_true(addr_eq(&mapped, &plain));
    assert_true(addr_hash(&mapped) == addr_hash(&plain));
}

static void what_is_no_literal_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",          "localhost", "1.2.3",     "1.2.3.256",
                                      "1.2.3.4:5", "[::1]",     ":::",       "::1%lo",
                                      " 1.2.3.4",  "1.2.3.4 ",  "0x7f.0.0.1"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct addr a = {.port = 7};
        assert_int_equal(addr_parse(&a, bad[i], 1), ERR_MALFORMED);
        assert_int_equal(a.port, 7);
    }
}

static void addresses_differ_by_ip_port_and_family(void **state)
{
    (void)state;
    struct addr a;
    struct addr b;
    assert_int_equal(addr_parse(&a, "10.0.0.1", 1), OK);
    assert_int_equal(addr_parse(&b, "10.0.0.1", 2), OK);
    assert_false(addr_eq(&a, &b));
    assert_true(addr_hash(&a) != addr_hash(&b));
    assert_int_equal(addr_parse(&b, "10.0.0.2", 1), OK);
    assert_false(addr_eq(&a, &b));
    assert_int_equal(addr_parse(&a, "0.0.0.0", 1), OK);
    assert_int_equal(addr_parse(&b, "::", 1), OK);
    assert_false(addr_eq(&a, &b));
    assert_true(addr_is_any(&a) && addr_is_any(&b));
    assert_int_equal(addr_parse(&b, "::1", 1), OK);
    assert_false(addr_is_any(&b));
}

static void an_unset_address_can_be_printed(void **state)
{
    (void)state;
    struct addr a = {0};
    char text[ADDR_TEXT_MAX];
    assert_string_equal(addr_ip_text(&a, text, sizeof text), "unset");
}

static void tuples_differ_by_remote_connection_socket_and_protocol(void **state)
{
    (void)state;
    struct tuple t = {.sock = 1, .proto = TUPLE_UDP};
    assert_int_equal(addr_parse(&t.remote, "10.0.0.1", 1), OK);
    struct tuple others[4] = {t, t, t, t};
    others[0].remote.port = 2;
    others[1].conn = 1;
    others[2].sock = 2;
    others[3].proto = TUPLE_TCP;
    struct tuple same = t;
    assert_true(tuple_eq(&t, &same));
    assert_true(tuple_hash(&t) == tuple_hash(&same));
    for (int i = 0; i < 4; i++) {
        assert_false(tuple_eq(&t, &others[i]));
        assert_true(tuple_hash(&t) != tuple_hash(&others[i]));
    }
}

static void hashes_of_neighbouring_ports_spread_over_a_table(void **state)
{
    (void)state;
    enum { BUCKETS = 1024 };
    int used[BUCKETS] = {0};
    int worst = 0;
    struct addr a;
    for (int port = 1; port <= BUCKETS; port++) {
        assert_int_equal(addr_parse(&a, "192.0.2.1", (uint16_t)port), OK);
        int n = ++used[addr_hash(&a) % BUCKETS];
        worst = n > worst ? n : worst;
    }
    assert_true(worst < 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(literals_are_printed_as_they_are_usually_written),
        cmocka_unit_test(a_mapped_address_is_its_ipv4_address),
        cmocka_unit_test(what_is_no_literal_is_refused),
        cmocka_unit_test(addresses_differ_by_ip_port_and_family),
        cmocka_unit_test(an_unset_address_can_be_printed),
        cmocka_unit_test(tuples_differ_by_remote_connection_socket_and_protocol),
        cmocka_unit_test(hashes_of_neighbouring_ports_spread_over_a_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
