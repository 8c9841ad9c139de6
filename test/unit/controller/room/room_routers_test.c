#include "test/unit/controller/room/rooms_bench.h"

/* With this, the first peer fills the origin's worker: its router and one transport. */
enum { ONE_PEER = 2, PLENTY = 1000 };

/* Ann in the origin's worker with a producer, Ben in the other with a transport to consume. */
struct two {
    struct bench b;
    struct room *room;
    struct fleet_worker *home;
    struct fleet_worker *away;
    struct room_peer *ann;
    struct room_peer *ben;
    struct room_transport *send;
    struct room_transport *recv;
    struct room_producer *voice;
};

static void two_open(struct two *t)
{
    bench_open(&t->b, ONE_PEER);
    t->ann = join(&t->b, "ann");
    t->send = transport(t->ann, USE_PRODUCE);
    t->ben = join(&t->b, "ben");
    t->recv = transport(t->ben, USE_CONSUME);
    t->voice = produce(&t->b, t->send);
    t->room = t->ann->room;
    t->home = t->ann->router->worker;
    t->away = t->ben->router->worker;
    assert_ptr_not_equal(t->home, t->away);
    assert_ptr_equal(t->ann->router, room_origin(t->room));
}

static void kill_worker(struct two *t, struct fleet_worker *w)
{
    unsigned before = fleet_worker_restarts(w);
    kill(fleet_worker_pid(w), SIGKILL);
    RUN_UNTIL(&t->b, fleet_worker_restarts(w) == before + 1 && fleet_worker_running(w));
}

static void a_room_stays_in_one_worker_while_that_has_room(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, PLENTY);
    struct room_peer *first = join(&b, "p0");
    transport(first, USE_PRODUCE);
    for (int i = 1; i < PEERS_MAX; i++) {
        char id[16];
        snprintf(id, sizeof id, "p%d", i);
        struct room_peer *p = join(&b, id);
        transport(p, USE_CONSUME);
        assert_ptr_equal(p->router, first->router);
    }
    assert_int_equal(length(&first->room->routers), 1);
    bench_close(&b);
}

static void the_next_peer_gets_another_worker_and_its_router_goes_with_it(void **state)
{
    (void)state;
    struct two t;
    two_open(&t);
    assert_int_equal(length(&t.room->routers), 2);
    assert_held(&t.b, t.away, 1, 1, 0, 0);
    assert_int_equal(fleet_worker_routers(t.away), 1);
    /* A second transport is where the first one is. */
    transport(t.ben, USE_PRODUCE);
    assert_held(&t.b, t.away, 1, 2, 0, 0);
    peer_close(t.ben, "left");
    assert_int_equal(length(&t.room->routers), 1);
    assert_held(&t.b, t.away, 0, 0, 0, 0);
    assert_int_equal(fleet_worker_load(t.away), 0);
    assert_int_equal(fleet_worker_routers(t.away), 0);
    bench_close(&t.b);
}

static void consumers_in_another_worker_share_one_pipe_and_the_last_takes_it_along(void **state)
{
    (void)state;
    struct two t;
    two_open(&t);
    /* At once: nobody waits for the pipe of the other. */
    struct room_consumer *one = consume(&t.b, t.recv, t.voice);
    struct room_consumer *two = consume(&t.b, t.recv, t.voice);
    assert_int_equal(length(&t.room->links), 1);
    assert_int_equal(length(&t.voice->pipes), 1);
    assert_held(&t.b, t.home, 1, 2, 1, 1);
    assert_held(&t.b, t.away, 1, 2, 1, 2);
    consumer_close(one, true);
    assert_held(&t.b, t.away, 1, 2, 1, 1);
    consumer_close(two, true);
    assert_int_equal(length(&t.room->links), 0);
    assert_held(&t.b, t.home, 1, 1, 1, 0);
    assert_held(&t.b, t.away, 1, 1, 0, 0);
    assert_int_equal(fleet_worker_load(t.home), 3);
    assert_int_equal(fleet_worker_load(t.away), 2);
    bench_close(&t.b);
}

static void on_answer(void *ctx, enum err e, const char *reason, const void *data)
{
    (void)reason;
    (void)data;
    *(enum err *)ctx = e;
}

static void the_ends_of_a_pipe_are_connected(void **state)
{
    (void)state;
    struct two t;
    two_open(&t);
    consume(&t.b, t.recv, t.voice);
    struct pipe_link *l = container_of(t.room->links.next, struct pipe_link, node);
    RUN_UNTIL(&t.b, l->ends[0].port != 0 && l->ends[1].port != 0);
    /* A transport that is connected refuses to be connected again. */
    for (int i = 0; i < 2; i++) {
        enum err e = OK;
        struct pipe_transport_connect_request again = {
            .ip = (char[]){"127.0.0.1"}, .port = 9, .has_port = true};
        assert_int_equal(fleet_request(l->ends[i].router->worker, METHOD_PIPE_TRANSPORT_CONNECT,
                                       l->ends[i].transport_id, &again, on_answer, &e),
                         OK);
        RUN_UNTIL(&t.b, e != OK);
        assert_int_equal(e, ERR_STATE);
    }
    bench_close(&t.b);
}

static void a_pipe_goes_with_its_producer(void **state)
{
    (void)state;
    struct two t;
    two_open(&t);
    consume(&t.b, t.recv, t.voice);
    producer_close(t.voice, true);
    assert_int_equal(length(&t.room->links), 0);
    assert_held(&t.b, t.home, 1, 1, 0, 0);
    assert_held(&t.b, t.away, 1, 1, 0, 0);
    RUN_UNTIL(&t.b, list_empty(&t.recv->consumers)); /* the worker told */
    bench_close(&t.b);
}

static void on_dump(void *ctx, enum err e, const char *reason, const void *data)
{
    const struct producer_dump_response *r = data;
    if (e != OK)
        fail_msg("%s", reason);
    *(int *)ctx = r->paused;
}

static int copy_is_paused(struct two *t)
{
    int paused = -1;
    assert_int_equal(
        fleet_request(t->away, METHOD_PRODUCER_DUMP, t->voice->id, NULL, on_dump, &paused), OK);
    RUN_UNTIL(&t->b, paused >= 0);
    return paused;
}

static void a_copy_is_paused_when_its_producer_is(void **state)
{
    (void)state;
    struct two t;
    two_open(&t);
    struct room_consumer *c = consume(&t.b, t.recv, t.voice);
    assert_int_equal(copy_is_paused(&t), 0);
    t.voice->paused = true;
    pipes_set_paused(&t.voice->pipes, true);
    assert_int_equal(copy_is_paused(&t), 1);
    consumer_close(c, true);
    consume(&t.b, t.recv, t.voice); /* a new copy of a producer that is paused */
    assert_int_equal(copy_is_paused(&t), 1);
    pipes_set_paused(&t.voice->pipes, false);
    assert_int_equal(copy_is_paused(&t), 0);
    bench_close(&t.b);
}

static void data_goes_over_streams_that_are_given_back(void **state)
{
    (void)state;
    struct two t;
    two_open(&t);
    struct room_data_producer *p = produce_data(&t.b, t.send);
    struct room_data_producer *back = produce_data(&t.b, transport(t.ben, USE_PRODUCE));
    assert_int_equal(data_consumer_open(t.recv, (struct op_request){0}, p), OK);
    assert_int_equal(
        data_consumer_open(transport(t.ann, USE_CONSUME), (struct op_request){0}, back), OK);
    /* Both directions share one pair; closing a stream would reset the other direction's. */
    assert_int_equal(length(&t.room->links), 1);
    struct piped *there = container_of(p->pipes.next, struct piped, of_producer);
    struct piped *here = container_of(back->pipes.next, struct piped, of_producer);
    assert_int_not_equal(there->stream, here->stream);
    struct held h = held_by(&t.b, t.away);
    assert_int_equal(h.data_producers, 2);
    assert_int_equal(h.data_consumers, 2);
    data_producer_close(p, true);
    data_producer_close(back, true);
    assert_int_equal(length(&t.room->links), 0);
    h = held_by(&t.b, t.away);
    assert_int_equal(h.data_producers + h.data_consumers, 0);
    bench_close(&t.b);
}

static void features_see_what_is_in_other_workers_through_the_origin(void **state)
{
    (void)state;
    struct two t;
    two_open(&t);
    assert_int_equal(t.b.added, 1);
    assert_held(&t.b, t.home, 1, 1, 1, 0);
    struct room_producer *far = produce(&t.b, transport(t.ben, USE_PRODUCE));
    assert_int_equal(t.b.added, 2);
    assert_held(&t.b, t.home, 1, 2, 2, 0); /* under its own id: */
    struct room_consumer *tap = consume(&t.b, transport(t.ann, USE_CONSUME), far);
    assert_held(&t.b, t.home, 1, 3, 2, 1);
    consumer_close(tap, true);
    assert_held(&t.b, t.home, 1, 3, 2, 0); /* features hold it */
    producer_close(far, true);
    assert_int_equal(t.b.removed, 1);
    assert_int_equal(length(&t.room->links), 0);
    bench_close(&t.b);
}

static void when_the_origin_is_lost_the_next_router_becomes_it(void **state)
{
    (void)state;
    struct two t;
    two_open(&t);
    struct room_producer *far = produce(&t.b, transport(t.ben, USE_PRODUCE));
    consume(&t.b, t.recv, t.voice);
    assert_held(&t.b, t.away, 1, 3, 2, 2);
    struct room_router *next = t.ben->router;
    int origins = t.b.origins;
    kill_worker(&t, t.home);
    assert_ptr_equal(room_origin(t.room), next);
    assert_ptr_equal(room_worker(t.room), t.away);
    assert_null(t.ann->router);
    assert_true(list_empty(&t.ann->transports));
    assert_int_equal(length(&t.room->routers), 1);
    assert_int_equal(length(&t.room->links), 0);
    assert_int_equal(t.b.origins_lost, 1);
    assert_int_equal(t.b.origins, origins + 1);
    assert_int_equal(t.b.removed, 2); /* Ann's, and Ben's for a moment */
    assert_int_equal(t.b.added, 3);
    assert_true(far->observed);
    assert_held(&t.b, t.away, 1, 2, 1, 0);
    assert_held(&t.b, t.home, 0, 0, 0, 0);
    /* Who comes back finds the other worker, and what is there. */
    consume(&t.b, transport(t.ann, USE_CONSUME), far);
    assert_ptr_equal(t.ann->router->worker, t.home);
    assert_held(&t.b, t.home, 1, 2, 1, 1);
    bench_close(&t.b);
}

static void when_another_worker_is_lost_the_origin_goes_on(void **state)
{
    (void)state;
    struct two t;
    two_open(&t);
    produce(&t.b, transport(t.ben, USE_PRODUCE));
    consume(&t.b, t.recv, t.voice);
    kill_worker(&t, t.away);
    assert_null(t.ben->router);
    assert_int_equal(length(&t.room->routers), 1);
    assert_int_equal(length(&t.room->links), 0);
    assert_int_equal(t.b.origins_lost, 0);
    assert_int_equal(t.b.removed, 1);
    assert_held(&t.b, t.home, 1, 1, 1, 0);
    assert_int_equal(fleet_worker_load(t.home), 3);
    bench_close(&t.b);
}

static void a_worker_that_is_killed_in_the_middle_of_piping_leaves_nothing(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct two t;
        two_open(&t);
        struct fleet_worker *victim = i == 0 ? t.home : t.away;
        struct fleet_worker *other = i == 0 ? t.away : t.home;
        kill(fleet_worker_pid(victim), SIGSTOP); /* it answers nothing from now on */
        consume(&t.b, t.recv, t.voice);
        (void)held_by(&t.b, other);
        assert_int_equal(length(&t.room->links), 1);
        kill_worker(&t, victim);
        assert_int_equal(length(&t.room->links), 0);
        assert_int_equal(length(&t.room->routers), 1);
        assert_held(&t.b, victim, 0, 0, 0, 0);
        assert_held(&t.b, other, 1, 1, i == 0 ? 0 : 1, 0);
        bench_close(&t.b);
    }
}

static void closing_a_room_in_the_middle_of_piping_leaves_nothing(void **state)
{
    (void)state;
    struct two t;
    two_open(&t);
    produce(&t.b, transport(t.ben, USE_PRODUCE));
    consume(&t.b, t.recv, t.voice);
    room_close(t.room);
    assert_held(&t.b, t.home, 0, 0, 0, 0);
    assert_held(&t.b, t.away, 0, 0, 0, 0);
    assert_int_equal(fleet_worker_load(t.home) + fleet_worker_load(t.away), 0);
    bench_close(&t.b);
}

static void
a_pipe_that_a_worker_refuses_gives_the_router_up_and_the_room_stays_where_it_is(void **state)
{
    (void)state;
    struct two t;
    two_open(&t);
    /* The producer is gone from the worker without the controller knowing: consume is refused. */
    struct transport_close_producer_request request = {.producer_id = t.voice->id};
    assert_int_equal(
        fleet_request(t.home, METHOD_TRANSPORT_CLOSE_PRODUCER, t.send->id, &request, NULL, NULL),
        OK);
    consume(&t.b, t.recv, t.voice);
    RUN_UNTIL(&t.b, t.ben->router == NULL);
    assert_int_equal(length(&t.room->routers), 1);
    assert_int_equal(length(&t.room->links), 0);
    assert_held(&t.b, t.away, 0, 0, 0, 0);
    assert_int_equal(fleet_worker_load(t.away), 0);
    transport(t.ben, USE_CONSUME);
    assert_ptr_equal(t.ben->router, t.ann->router);
    bench_close(&t.b);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN); /* as the program does */
    log_set_level(getenv("WEIR_TEST_LOG") ? LOG_DEBUG : LOG_ERROR + 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_room_stays_in_one_worker_while_that_has_room),
        cmocka_unit_test(the_next_peer_gets_another_worker_and_its_router_goes_with_it),
        cmocka_unit_test(consumers_in_another_worker_share_one_pipe_and_the_last_takes_it_along),
        cmocka_unit_test(the_ends_of_a_pipe_are_connected),
        cmocka_unit_test(a_pipe_goes_with_its_producer),
        cmocka_unit_test(a_copy_is_paused_when_its_producer_is),
        cmocka_unit_test(data_goes_over_streams_that_are_given_back),
        cmocka_unit_test(features_see_what_is_in_other_workers_through_the_origin),
        cmocka_unit_test(when_the_origin_is_lost_the_next_router_becomes_it),
        cmocka_unit_test(when_another_worker_is_lost_the_origin_goes_on),
        cmocka_unit_test(a_worker_that_is_killed_in_the_middle_of_piping_leaves_nothing),
        cmocka_unit_test(closing_a_room_in_the_middle_of_piping_leaves_nothing),
        cmocka_unit_test(
            a_pipe_that_a_worker_refuses_gives_the_router_up_and_the_room_stays_where_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
