/* Clients that come in process: the words of signaling, without a connection. */
#include "controller/room/room_client.h"

#include "test/unit/controller/room/rooms_bench.h"

struct asked {
    bool done;
    enum err err;
    char reason[128];
    json_t *data; /* owned */
};

struct guest {
    struct room_client *client;
    int events[SIG_EVENT_COUNT];
    int ends;
};

static void on_answer(void *ctx, enum err e, const char *reason, json_t *data)
{
    struct asked *a = ctx;
    a->done = true;
    a->err = e;
    snprintf(a->reason, sizeof a->reason, "%s", reason);
    json_decref(a->data);
    a->data = json_incref(data);
}

static void on_event(void *ctx, enum sig_event event, const void *data)
{
    struct guest *g = ctx;
    (void)data;
    g->events[event]++;
}

static void on_end(void *ctx, const char *reason)
{
    struct guest *g = ctx;
    g->ends++;
    room_client_close(g->client, reason);
    g->client = NULL;
}

static void guest_open(struct bench *b, struct guest *g)
{
    struct room_client_config config = {.on_event = on_event, .on_end = on_end, .ctx = g};
    memset(g, 0, sizeof *g);
    assert_int_equal(room_client_open(b->rooms, &config, &g->client), OK);
}

static void ask(struct bench *b, struct guest *g, struct asked *a, enum sig_method method,
                const void *data)
{
    a->done = false;
    room_client_ask(g->client, method, data, on_answer, a);
    RUN_UNTIL(b, a->done);
}

static void join_as(struct bench *b, struct guest *g, struct asked *a, enum room_role role)
{
    struct sig_join_room in = {.room_id = "hall", .role = (int)role, .has_role = true};
    ask(b, g, a, SIG_JOIN_ROOM, &in);
}

static const char *make_transport(struct bench *b, struct guest *g, struct asked *a,
                                  enum sig_method method)
{
    struct sig_create_transport in = {0};
    ask(b, g, a, method, &in);
    assert_int_equal(a->err, OK);
    return json_string_value(json_object_get(a->data, "id"));
}

static void a_guest_joins_produces_and_another_consumes(void **state)
{
    (void)state;
    struct bench b;
    struct guest host;
    struct guest viewer;
    struct asked a = {0};
    struct asked c = {0};
    bench_open(&b, 1000);
    b.rooms->config.transports_per_peer_max = b.rooms->config.producers_per_peer_max =
        b.rooms->config.consumers_per_peer_max = 4;
    guest_open(&b, &host);
    guest_open(&b, &viewer);
    join_as(&b, &host, &a, ROLE_BROADCASTER);
    assert_int_equal(a.err, OK);
    assert_non_null(room_client_peer(host.client));
    join_as(&b, &viewer, &c, ROLE_VIEWER);
    struct room *room = peer_room(room_client_peer(host.client));
    assert_int_equal(room_clients(room), 2);
    RUN_UNTIL(&b, b.origins == 1);

    char id[64];
    snprintf(id, sizeof id, "%s", make_transport(&b, &host, &a, SIG_CREATE_PRODUCER_TRANSPORT));
    struct rtp_codec_parameters opus = {.mime_type = "audio/opus",
                                        .payload_type = 111,
                                        .has_payload_type = true,
                                        .clock_rate = 48000,
                                        .has_clock_rate = true,
                                        .channels = 2,
                                        .has_channels = true};
    struct rtp_encoding_parameters encoding = {.ssrc = 7, .has_ssrc = true};
    struct rtp_parameters p = {
        .codecs = &opus, .n_codecs = 1, .encodings = &encoding, .n_encodings = 1};
    struct sig_produce produce_in = {
        .transport_id = id, .kind = MEDIA_KIND_AUDIO, .has_kind = true, .rtp_parameters = &p};
    ask(&b, &host, &a, SIG_PRODUCE, &produce_in);
    assert_int_equal(a.err, OK);
    assert_int_equal(viewer.events[SIG_EVENT_PRODUCERS_CHANGED], 1);

    make_transport(&b, &viewer, &c, SIG_CREATE_CONSUMER_TRANSPORT);
    struct rtp_codec_capability cap = {.kind = MEDIA_KIND_AUDIO,
                                       .has_kind = true,
                                       .mime_type = "audio/opus",
                                       .preferred_payload_type = 97,
                                       .has_preferred_payload_type = true,
                                       .clock_rate = 48000,
                                       .has_clock_rate = true,
                                       .channels = 2,
                                       .has_channels = true};
    struct rtp_capabilities caps = {.codecs = &cap, .n_codecs = 1};
    struct sig_consume consume_in = {.producer_id =
                                         json_string_value(json_object_get(a.data, "id")),
                                     .rtp_capabilities = &caps,
                                     .mid = "sound",
                                     .own_numbers = true,
                                     .has_own_numbers = true};
    ask(&b, &viewer, &c, SIG_CONSUME, &consume_in);
    assert_int_equal(c.err, OK);
    json_t *got = json_object_get(c.data, "rtpParameters");
    assert_string_equal(json_string_value(json_object_get(got, "mid")), "sound");
    json_t *codec = json_array_get(json_object_get(got, "codecs"), 0);
    assert_int_equal(json_integer_value(json_object_get(codec, "payloadType")), 97);

    /* Who goes without a word leaves as a broken connection does. */
    room_client_close(host.client, "gone");
    assert_int_equal(room_clients(room), 1);
    RUN_UNTIL(&b, viewer.events[SIG_EVENT_CONSUMER_CLOSED] == 1);
    room_client_close(viewer.client, "gone");
    json_decref(a.data);
    json_decref(c.data);
    bench_close(&b);
}

static void what_is_not_possible_is_answered_with_the_reason(void **state)
{
    (void)state;
    struct bench b;
    struct guest g;
    struct asked a = {0};
    bench_open(&b, 1000);
    guest_open(&b, &g);
    struct sig_create_transport in = {0};
    ask(&b, &g, &a, SIG_CREATE_PRODUCER_TRANSPORT, &in);
    assert_int_equal(a.err, ERR_STATE);
    assert_non_null(strstr(a.reason, "joinRoom"));
    join_as(&b, &g, &a, ROLE_BROADCASTER);
    struct guest second;
    guest_open(&b, &second);
    join_as(&b, &second, &a, ROLE_BROADCASTER);
    assert_int_equal(a.err, ERR_BUSY);
    room_client_close(g.client, "gone");
    room_client_close(second.client, "gone");
    json_decref(a.data);
    bench_close(&b);
}

static void what_waits_is_forgotten_with_the_client(void **state)
{
    (void)state;
    struct bench b;
    struct guest g;
    struct asked a = {0};
    bench_open(&b, 1000);
    b.rooms->config.transports_per_peer_max = 4;
    guest_open(&b, &g);
    join_as(&b, &g, &a, ROLE_PARTICIPANT);
    struct sig_create_transport in = {0};
    a.done = false;
    room_client_ask(g.client, SIG_CREATE_PRODUCER_TRANSPORT, &in, on_answer, &a);
    room_client_close(g.client, "gone");
    (void)held_by(&b, fleet_least_loaded(b.fleet)); /* the worker has answered all by then */
    assert_false(a.done);
    json_decref(a.data);
    bench_close(&b);
}

static void rooms_that_close_end_their_guests(void **state)
{
    (void)state;
    struct bench b;
    struct guest g;
    struct asked a = {0};
    bench_open(&b, 1000);
    guest_open(&b, &g);
    join_as(&b, &g, &a, ROLE_PARTICIPANT);
    json_decref(a.data);
    bench_close(&b);
    assert_int_equal(g.ends, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_guest_joins_produces_and_another_consumes),
        cmocka_unit_test(what_is_not_possible_is_answered_with_the_reason),
        cmocka_unit_test(what_waits_is_forgotten_with_the_client),
        cmocka_unit_test(rooms_that_close_end_their_guests),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
