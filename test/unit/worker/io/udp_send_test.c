#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <unistd.h>

#include "worker/io/udp.h"
#include "worker/io/udp_batch.h"

enum { PEERS = 2 };

static uv_loop_t loop;
static struct udp_io io;
static struct txq q;
static uint16_t sock;
static struct peer {
    int fd;
    struct tx_dest dest;
} peers[PEERS];

static void drain(void *ctx, struct txq *full)
{
    (void)ctx;
    for (size_t i = 0; i < PEERS; i++)
        udp_send(&io, full, &peers[i].dest);
    udp_flush(&io);
    txq_reset(full);
}

static void open_peer(struct peer *p)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t n = sizeof a;
    struct timeval patience = {.tv_sec = 5};
    struct tuple to = {.sock = sock, .proto = TUPLE_UDP};
    p->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(p->fd >= 0);
    assert_int_equal(setsockopt(p->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
    assert_int_equal(bind(p->fd, (struct sockaddr *)&a, n), 0);
    assert_int_equal(getsockname(p->fd, (struct sockaddr *)&a, &n), 0);
    assert_int_equal(addr_parse(&to.remote, "127.0.0.1", ntohs(a.sin_port)), OK);
    tx_dest_init(&p->dest, &to);
}

static int set_up(void **state)
{
    (void)state;
    struct udp_listen l = {0};
    uint16_t port;
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(udp_io_init(&io, &loop, NULL, NULL, NULL, NULL), OK);
    assert_int_equal(addr_parse(&l.ip, "127.0.0.1", 0), OK);
    assert_int_equal(udp_open(&io, &l, &sock, &port), OK);
    assert_int_equal(txq_init(&q), OK);
    q.drain = drain;
    for (size_t i = 0; i < PEERS; i++)
        open_peer(&peers[i]);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < PEERS; i++)
        close(peers[i].fd);
    txq_fini(&q);
    udp_io_fini(&io);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    return 0;
}

/* Equal ones with a shorter at the end, one longer than the one before it, and both mixed with
 * another's. */
static const struct {
    size_t peer;
    size_t len;
} PACKETS[] = {{0, 1200}, {0, 1200}, {0, 1200}, {0, 300}, {0, 700}, {0, 900},
               {1, 500},  {0, 900},  {1, 500},  {1, 500}, {0, 900}, {1, 20}};
enum { N_PACKETS = sizeof PACKETS / sizeof PACKETS[0] };

static void send_all(void)
{
    uint8_t bytes[TX_SLOT_CAP];
    for (size_t i = 0; i < N_PACKETS; i++) {
        memset(bytes, (int)(i + 1), PACKETS[i].len);
        assert_true(txq_send(&q, &peers[PACKETS[i].peer].dest, bytes, PACKETS[i].len));
    }
    drain(NULL, &q);
}

static void expect_all(void)
{
    uint8_t bytes[2 * TX_SLOT_CAP];
    size_t sum = 0;
    for (size_t i = 0; i < N_PACKETS; i++) {
        ssize_t n = recv(peers[PACKETS[i].peer].fd, bytes, sizeof bytes, 0);
        assert_int_equal(n, PACKETS[i].len);
        for (ssize_t k = 0; k < n; k++)
            assert_int_equal(bytes[k], i + 1);
        sum += (size_t)n;
    }
    assert_int_equal(io.counters.datagrams_out, N_PACKETS);
    assert_int_equal(io.counters.bytes_out, sum);
    assert_int_equal(io.counters.dropped_out, 0);
}

static void each_packet_arrives_as_it_was_made_in_one_call(void **state)
{
    (void)state;
    send_all();
    expect_all();
    assert_int_equal(io.counters.send_calls, 1);
}

/* A message that the kernel does not segment goes packet by packet. */
static void each_packet_arrives_where_the_kernel_refuses_segments(void **state)
{
    (void)state;
    int on = 1;
    assert_int_equal(setsockopt(io.sockets[sock]->fd, SOL_SOCKET, SO_NO_CHECK, &on, sizeof on), 0);
    send_all();
    expect_all();
    assert_true(io.counters.send_calls > 1);
}

static void each_packet_arrives_where_segments_were_refused_before(void **state)
{
    (void)state;
    io.sockets[sock]->no_segmentation = true;
    send_all();
    expect_all();
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(each_packet_arrives_as_it_was_made_in_one_call),
        T(each_packet_arrives_where_the_kernel_refuses_segments),
        T(each_packet_arrives_where_segments_were_refused_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
