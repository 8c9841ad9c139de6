#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "controller/live/ports.h"
#include "controller/live/udp_bound.h"

enum { PAIRS = 20 };

/* Below what the kernel hands out by itself; another range for each process that runs this. */
#define MIN ((uint16_t)(12000 + getpid() % 200 * 2 * PAIRS))
#define MAX ((uint16_t)(MIN + 2 * PAIRS - 1))
#define PORT(i) ((uint16_t)(MIN + (i)))

static struct ports *open_range(uint16_t min, uint16_t max)
{
    struct ports *p;
    assert_int_equal(ports_open(min, max, &p), OK);
    return p;
}

static int bind_udp(uint16_t port)
{
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&a, sizeof a), 0);
    return fd;
}

static void pairs_are_even_distinct_and_inside_the_range(void **state)
{
    (void)state;
    struct ports *p = open_range(MIN, MAX);
    bool seen[PAIRS] = {false};
    assert_int_equal(ports_total(p), PAIRS);
    for (int i = 0; i < PAIRS; i++) {
        uint16_t port;
        assert_int_equal(ports_take(p, &port), OK);
        assert_int_equal(port % 2, 0);
        assert_in_range(port, MIN, MAX - 1);
        assert_false(seen[(port - MIN) / 2]);
        seen[(port - MIN) / 2] = true;
    }
    uint16_t none = 7;
    assert_int_equal(ports_take(p, &none), ERR_FULL);
    assert_int_equal(none, 7);
    ports_close(p);
}

static void odd_ends_and_ranges_without_a_pair_are_handled(void **state)
{
    (void)state;
    struct ports *p;
    assert_int_equal(ports_open(21401, 21402, &p), ERR_RANGE);
    assert_int_equal(ports_open(21400, 21400, &p), ERR_RANGE);
    assert_int_equal(ports_open(21410, 21400, &p), ERR_RANGE);
    assert_int_equal(ports_open(65535, 65535, &p), ERR_RANGE);
    p = open_range(21401, 21404);
    uint16_t port;
    assert_int_equal(ports_total(p), 1);
    assert_int_equal(ports_take(p, &port), OK);
    assert_int_equal(port, 21402);
    ports_close(p);
    p = open_range(65534, 65535);
    assert_int_equal(ports_take(p, &port), OK);
    assert_int_equal(port, 65534);
    ports_close(p);
}

static void a_pair_that_came_back_is_the_last_to_be_used_again(void **state)
{
    (void)state;
    struct ports *p = open_range(MIN, MAX);
    uint16_t first;
    uint16_t other;
    assert_int_equal(ports_take(p, &first), OK);
    ports_give(p, first);
    for (int i = 0; i < PAIRS - 1; i++) {
        assert_int_equal(ports_take(p, &other), OK);
        assert_int_not_equal(other, first);
        ports_give(p, other);
    }
    assert_int_equal(ports_take(p, &other), OK);
    assert_int_equal(other, first);
    ports_close(p);
}

static void ports_that_others_have_bound_are_passed_over(void **state)
{
    (void)state;
    struct ports *p = open_range(MIN, PORT(5));
    int rtp = bind_udp(MIN);
    int rtcp = bind_udp(PORT(3));
    uint16_t port;
    assert_int_equal(ports_take(p, &port), OK);
    assert_int_equal(port, PORT(4));
    uint16_t none;
    assert_int_equal(ports_take(p, &none), ERR_FULL);
    close(rtp);
    close(rtcp);
    assert_int_equal(ports_take(p, &port), OK);
    assert_int_equal(ports_take(p, &port), OK);
    ports_close(p);
}

static void nothing_leaks_over_thousands_of_cycles(void **state)
{
    (void)state;
    struct ports *p = open_range(MIN, MAX);
    uint16_t held[PAIRS];
    size_t n = 0;
    srand(7);
    for (int i = 0; i < 5000; i++) {
        bool take = n == 0 || (n < PAIRS && rand() % 2);
        if (take) {
            assert_int_equal(ports_take(p, &held[n]), OK);
            for (size_t k = 0; k < n; k++)
                assert_int_not_equal(held[k], held[n]);
            n++;
        } else {
            size_t k = (size_t)rand() % n;
            ports_give(p, held[k]);
            held[k] = held[--n];
        }
        assert_int_equal(ports_taken(p), n);
    }
    while (n > 0)
        ports_give(p, held[--n]);
    assert_int_equal(ports_taken(p), 0);
    ports_give(p, 0);
    for (int i = 0; i < PAIRS; i++)
        assert_int_equal(ports_take(p, &held[i]), OK);
    ports_close(p);
}

static void bound_ports_are_found_in_the_kernels_list(void **state)
{
    (void)state;
    const uint16_t ports[] = {PORT(0), PORT(1)};
    assert_false(udp_all_bound(ports, 2));
    int a = bind_udp(MIN);
    assert_false(udp_all_bound(ports, 2));
    assert_true(udp_all_bound(ports, 1));
    int b = bind_udp(PORT(1));
    assert_true(udp_all_bound(ports, 2));
    close(a);
    close(b);
    assert_false(udp_all_bound(ports, 2));
    assert_true(udp_all_bound(NULL, 0));
}

static void odd_texts_of_the_list_are_harmless(void **state)
{
    (void)state;
    static const char list[] = "  sl  local_address rem_address   st\n"
                               " 123: 0100007F:B3BA 00000000:0000 07 00000000\n"
                               "\n"
                               ":\n"
                               "1:2\n"
                               " 124: 00000000:B3BC 0100007F:B3BE 07";
    const uint16_t both[] = {0xB3BA, 0xB3BC};
    const uint16_t remote[] = {0xB3BE};
    assert_true(udp_all_bound_in(list, both, 2));
    assert_false(udp_all_bound_in(list, remote, 1));
    assert_false(udp_all_bound_in("", both, 2));
}

static void what_nobody_reads_is_counted(void **state)
{
    (void)state;
    uint16_t ports[] = {MIN};
    int to = bind_udp(MIN);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(MIN)};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int from = socket(AF_INET, SOCK_DGRAM, 0);
    char bytes[1000] = "x";
    assert_int_equal(udp_backlog(ports, 1), 0);
    assert_int_equal(sendto(from, bytes, sizeof bytes, 0, (struct sockaddr *)&a, sizeof a), 1000);
    assert_true(udp_backlog(ports, 1) >= 1000);
    assert_int_equal(recv(to, bytes, sizeof bytes, 0), 1000);
    assert_int_equal(udp_backlog(ports, 1), 0);
    close(from);
    close(to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_are_even_distinct_and_inside_the_range),
        cmocka_unit_test(odd_ends_and_ranges_without_a_pair_are_handled),
        cmocka_unit_test(a_pair_that_came_back_is_the_last_to_be_used_again),
        cmocka_unit_test(ports_that_others_have_bound_are_passed_over),
        cmocka_unit_test(nothing_leaks_over_thousands_of_cycles),
        cmocka_unit_test(bound_ports_are_found_in_the_kernels_list),
        cmocka_unit_test(odd_texts_of_the_list_are_harmless),
        cmocka_unit_test(what_nobody_reads_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
