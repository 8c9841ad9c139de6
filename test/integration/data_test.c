/* Data channels through a real worker, over plain transports: SCTP on UDP sockets, both ways. */
#include <stdio.h>

#include "proto/dcep.h"
#include "test/integration/live.h"
#include "worker/engine/sctp.h"

enum { SIZE = 256 * 1024, MESSAGES = 8 };

struct end {
    struct net_socket socket;
    struct assoc *assoc; /* owned */
    size_t n_got;
    size_t sizes[MESSAGES];
    uint32_t sums[MESSAGES];
};

struct data_call {
    struct net net;
    struct assoc_group group;
    struct net_timer timer;
    struct end from;
    struct end to;
};

static uint32_t sum_of(const uint8_t *p, size_t n)
{
    uint32_t sum = 1;
    for (size_t i = 0; i < n; i++)
        sum = sum * 31 + p[i];
    return sum;
}

static void drain(struct end *e)
{
    struct assoc_item it;
    while (assoc_poll(e->assoc, clock_now(), &it)) {
        if (it.kind == ASSOC_PACKET) {
            net_send(&e->socket, it.bytes.p, it.bytes.n);
        } else if (it.kind == ASSOC_MESSAGE && e->n_got < MESSAGES) {
            e->sizes[e->n_got] = it.bytes.n;
            e->sums[e->n_got++] = sum_of(it.bytes.p, it.bytes.n);
        }
    }
}

static void receive(struct net_socket *s, uint8_t *bytes, size_t n)
{
    struct end *e = s->ctx;
    assoc_input(e->assoc, clock_now(), slice_of(bytes, n));
    drain(e);
}

static usec deadline(void *ctx)
{
    (void)ctx;
    return assocs_deadline();
}

static void timeout(void *ctx, usec now)
{
    struct data_call *c = ctx;
    struct assoc *a;
    assocs_timeout(now);
    while ((a = assocs_ready(&c->group)) != NULL)
        drain(assoc_owner(a));
}

static void open_end(struct data_call *c, struct end *e, const char *transport)
{
    json_t *t = driver_call(&c->net.driver, "router.createPlainTransport", "room",
                            "{'transportId':'%s','options':{'listenInfo':{'ip':'127.0.0.1'},"
                            "'enableSctp':true}}",
                            transport);
    if (!t)
        fail_msg("%s", c->net.driver.error);
    assert_int_equal(json_number_at(t, "sctpParameters.port"), ASSOC_PORT);
    net_open_udp(&c->net, &e->socket, "127.0.0.1", (uint16_t)json_number_at(t, "tuple.localPort"));
    json_decref(t);
    e->socket.receive = receive;
    e->socket.ctx = e;
    struct assoc_config config = {.group = &c->group,
                                  .owner = e,
                                  .port = ASSOC_PORT,
                                  .out_streams = 64,
                                  .in_streams = 64,
                                  .max_send_message = SIZE,
                                  .max_receive_message = SIZE,
                                  .send_buffer = 4 << 20,
                                  .stream_send_buffer = 4 << 20,
                                  .receive_buffer = 1 << 20,
                                  .data_channels = true};
    assert_int_equal(assoc_open(&e->assoc, clock_now(), &config), OK);
    assert_int_equal(assoc_connect(e->assoc), OK);
    driver_do(&c->net.driver, "plainTransport.connect", transport, "{'ip':'127.0.0.1','port':%u}",
              e->socket.local.port);
    drain(e);
    UNTIL(&c->net, assoc_get_state(e->assoc) == ASSOC_CONNECTED);
}

static int up(void **state)
{
    struct data_call *c = calloc(1, sizeof *c);
    if (!c)
        return -1;
    net_init(&c->net, NULL);
    assoc_group_init(&c->group);
    c->timer = (struct net_timer){.deadline = deadline, .timeout = timeout, .ctx = c};
    net_add_timer(&c->net, &c->timer);
    driver_do(&c->net.driver, "worker.createRouter", "", "{'routerId':'room'}");
    *state = c;
    return 0;
}

static void close_end(struct data_call *c, struct end *e)
{
    if (!e->assoc)
        return;
    assoc_close(e->assoc);
    net_close(&c->net, &e->socket);
}

static int down(void **state)
{
    struct data_call *c = *state;
    const char *wrong = driver_stop(&c->net.driver);
    if (wrong)
        print_error("%s\n", wrong);
    close_end(c, &c->from);
    close_end(c, &c->to);
    free(c);
    assocs_fini();
    return wrong ? -1 : 0;
}

static void produce_and_consume(struct data_call *c)
{
    driver_do(&c->net.driver, "transport.produceData", "in",
              "{'dataProducerId':'dp','type':'sctp','sctpStreamParameters':{'streamId':3}}");
    driver_do(&c->net.driver, "transport.consumeData", "out",
              "{'dataConsumerId':'dc','dataProducerId':'dp','type':'sctp',"
              "'sctpStreamParameters':{'streamId':5}}");
}

static void send_pattern(struct data_call *c, size_t n, uint8_t salt, uint32_t *sum)
{
    uint8_t *bytes = malloc(n);
    assert_non_null(bytes);
    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)(i * 13 + i / 255 + salt);
    *sum = sum_of(bytes, n);
    const struct assoc_sending how = {.stream = 3, .ppid = PPID_BINARY};
    assert_int_equal(assoc_send(c->from.assoc, clock_now(), &how, slice_of(bytes, n)), OK);
    drain(&c->from);
    free(bytes);
}

static void messages_of_all_sizes_pass_a_real_worker(void **state)
{
    static const size_t SIZES[] = {1, 1000, 65536, SIZE, SIZE};
    struct data_call *c = *state;
    uint32_t sums[5];
    open_end(c, &c->from, "in");
    open_end(c, &c->to, "out");
    produce_and_consume(c);
    for (uint8_t i = 0; i < 5; i++)
        send_pattern(c, SIZES[i], i, &sums[i]);
    UNTIL(&c->net, c->to.n_got == 5);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(c->to.sizes[i], SIZES[i]);
        assert_int_equal(c->to.sums[i], sums[i]);
    }
    json_t *s = driver_call(&c->net.driver, "dataConsumer.getStats", "dc", NULL);
    assert_int_equal(json_number_at(s, "messagesSent"), 5);
    json_decref(s);
    assert_int_equal(driver_events(&c->net.driver, "in", "transport.sctpStateChange"), 2);
}

static void a_transport_that_closes_aborts_its_association(void **state)
{
    struct data_call *c = *state;
    open_end(c, &c->from, "in");
    open_end(c, &c->to, "out");
    produce_and_consume(c);
    driver_do(&c->net.driver, "router.closeTransport", "room", "{'transportId':'in'}");
    UNTIL(&c->net, assoc_get_state(c->from.assoc) == ASSOC_CLOSED);
    UNTIL(&c->net, driver_events(&c->net.driver, "dc", "dataConsumer.dataProducerClose") == 1);
    assert_int_equal(assoc_get_state(c->to.assoc), ASSOC_CONNECTED);
}

static void the_worker_ends_cleanly_in_the_middle_of_a_message(void **state)
{
    struct data_call *c = *state;
    uint32_t sum;
    open_end(c, &c->from, "in");
    open_end(c, &c->to, "out");
    produce_and_consume(c);
    for (uint8_t i = 0; i < 6; i++)
        send_pattern(c, SIZE, i, &sum);
    net_step(&c->net, 10 * USEC_PER_MSEC);
}

#define T(f) cmocka_unit_test_setup_teardown(f, up, down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(messages_of_all_sizes_pass_a_real_worker),
        T(a_transport_that_closes_aborts_its_association),
        T(the_worker_ends_cleanly_in_the_middle_of_a_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
