/* The three shapes of the pipe protocol's messages, parsed and printed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/pipe_message.h"

enum { ARENA_LIMIT = 1 << 20 };

/* Takes the one frame out of the queue and parses it. */
static enum err take(struct frame_queue *q, struct pipe_message *m, struct field_error *error)
{
    struct slice all = frame_queue_peek(q);
    assert_true(all.n > FRAME_HEAD);
    enum err err = pipe_message_parse(m, slice_of(all.p + FRAME_HEAD, all.n - FRAME_HEAD), error);
    frame_queue_consume(q, all.n);
    return err;
}

static enum err parse(const char *text, struct pipe_message *m, struct field_error *error)
{
    return pipe_message_parse(m, slice_of(text, strlen(text)), error);
}

static void a_request_comes_out_as_it_went_in(void **state)
{
    (void)state;
    struct frame_queue q;
    frame_queue_init(&q, 1 << 20);
    struct webrtc_transport_options options = {.enable_tcp = false, .has_enable_tcp = true};
    struct router_create_webrtc_transport_request request = {.transport_id = "t1",
                                                             .options = &options};
    assert_int_equal(
        pipe_push_request(&q, 7, METHOD_ROUTER_CREATE_WEBRTC_TRANSPORT, "r1", &request), OK);
    struct pipe_message m;
    struct field_error error;
    assert_int_equal(take(&q, &m, &error), OK);
    assert_int_equal(m.kind, PIPE_REQUEST);
    assert_true(m.has_id);
    assert_int_equal(m.id, 7);
    assert_string_equal(m.handler_id, "r1");
    assert_int_equal(pipe_method_find(m.method), METHOD_ROUTER_CREATE_WEBRTC_TRANSPORT);
    struct router_create_webrtc_transport_request got;
    struct arena arena;
    arena_init(&arena, ARENA_LIMIT);
    assert_int_equal(
        pipe_message_data(&m, &router_create_webrtc_transport_request_shape, &got, &arena, &error),
        OK);
    assert_string_equal(got.transport_id, "t1");
    assert_true(got.options->has_enable_tcp);
    assert_false(got.options->enable_tcp);
    assert_false(got.options->has_enable_udp);
    arena_fini(&arena);
    pipe_message_fini(&m);
    frame_queue_fini(&q);
}

static void responses_and_errors_come_out_as_they_went_in(void **state)
{
    (void)state;
    struct frame_queue q;
    frame_queue_init(&q, 1 << 20);
    struct worker_ping_response pong = {.uptime_usec = 5, .has_uptime_usec = true};
    assert_int_equal(pipe_push_response(&q, 4294967295u, METHOD_WORKER_PING, &pong), OK);
    struct pipe_message m;
    struct field_error error;
    assert_int_equal(take(&q, &m, &error), OK);
    assert_int_equal(m.kind, PIPE_RESPONSE);
    assert_int_equal(m.id, 4294967295u);
    assert_true(m.accepted);
    assert_null(m.error);
    assert_int_equal(json_integer_value(json_object_get(m.data, "uptimeUsec")), 5);
    pipe_message_fini(&m);

    /* What is not UTF-8 does not lose the answer. */
    assert_int_equal(pipe_push_error(&q, 8, "NotFound", "no \xff such thing"), OK);
    assert_int_equal(take(&q, &m, &error), OK);
    assert_int_equal(m.kind, PIPE_RESPONSE);
    assert_false(m.accepted);
    assert_string_equal(m.error, "NotFound");
    assert_string_equal(m.reason, "no ? such thing");
    assert_null(m.data);
    pipe_message_fini(&m);
    frame_queue_fini(&q);
}

static void notifications_come_out_as_they_went_in(void **state)
{
    (void)state;
    struct frame_queue q;
    frame_queue_init(&q, 1 << 20);
    struct webrtc_transport_dtls_state_change_event change = {
        .dtls_state = PARAM_DTLS_STATE_CONNECTED, .has_dtls_state = true};
    assert_int_equal(pipe_push_event(&q, EVENT_WEBRTC_TRANSPORT_DTLS_STATE_CHANGE, "t1", &change),
                     OK);
    struct pipe_message m;
    struct field_error error;
    assert_int_equal(take(&q, &m, &error), OK);
    assert_int_equal(m.kind, PIPE_NOTIFICATION);
    assert_string_equal(m.event, "webRtcTransport.dtlsStateChange");
    assert_string_equal(m.handler_id, "t1");
    assert_string_equal(json_string_value(json_object_get(m.data, "dtlsState")), "connected");
    pipe_message_fini(&m);

    assert_int_equal(pipe_push_command(&q, COMMAND_WORKER_CLOSE, NULL, NULL), OK);
    assert_int_equal(take(&q, &m, &error), OK);
    assert_int_equal(pipe_command_find(m.event), COMMAND_WORKER_CLOSE);
    assert_string_equal(m.handler_id, "");
    assert_null(m.data);
    pipe_message_fini(&m);
    frame_queue_fini(&q);
}

static void bad_messages_are_refused_with_a_reason_and_the_id_where_there_is_one(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum err err;
        const char *reason; /* part of it */
        bool has_id;
    } cases[] = {
        {"{", ERR_MALFORMED, "not JSON", false},
        {"", ERR_MALFORMED, "not JSON", false},
        {"{}x", ERR_MALFORMED, "not JSON", false},
        {"{\"id\":1,\"id\":2}", ERR_MALFORMED, "duplicate", false},
        {"{\"id\":1,\"method\":\"\\u0000\"}", ERR_MALFORMED, "not JSON", false},
        {"\xff", ERR_MALFORMED, "not JSON", false},
        {"[]", ERR_TYPE, "must be an object", false},
        {"7", ERR_MALFORMED, "not JSON", false},
        {"{}", ERR_TYPE, "id is missing", false},
        {"{\"method\":\"worker.ping\"}", ERR_TYPE, "id is missing", false},
        {"{\"id\":-1,\"method\":\"worker.ping\"}", ERR_RANGE, "id must be an integer from 0",
         false},
        {"{\"id\":4294967296,\"method\":\"a\"}", ERR_RANGE, "id must be", false},
        {"{\"id\":\"1\",\"method\":\"a\"}", ERR_TYPE, "id must be", false},
        {"{\"id\":1.5,\"method\":\"a\"}", ERR_TYPE, "id must be", false},
        {"{\"id\":3,\"method\":5}", ERR_TYPE, "method must be a string", true},
        {"{\"id\":3,\"method\":\"\"}", ERR_RANGE, "method must be a string", true},
        {"{\"id\":3,\"method\":\"a\",\"handlerId\":4}", ERR_TYPE, "handlerId must be", true},
        {"{\"id\":3,\"method\":\"a\",\"data\":[]}", ERR_TYPE, "data must be an object", true},
        {"{\"id\":3,\"method\":\"a\",\"event\":\"b\"}", ERR_TYPE, "exclude", true},
        {"{\"id\":3}", ERR_TYPE, "accepted", true},
        {"{\"id\":3,\"accepted\":false}", ERR_TYPE, "accepted", true},
        {"{\"id\":3,\"accepted\":true,\"error\":\"a\"}", ERR_TYPE, "accepted", true},
        {"{\"event\":\"\"}", ERR_RANGE, "event must be", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct pipe_message m;
        struct field_error error = {0};
        enum err err = parse(cases[i].text, &m, &error);
        if (err != cases[i].err || !strstr(error.reason, cases[i].reason))
            fail_msg("%s: %s, %s", cases[i].text, err_name(err), error.reason);
        assert_int_equal(m.has_id, cases[i].has_id);
        if (m.has_id)
            assert_int_equal(m.id, 3);
        pipe_message_fini(&m);
    }
}

static void unknown_keys_and_integral_reals_are_accepted(void **state)
{
    (void)state;
    struct pipe_message m;
    struct field_error error;
    assert_int_equal(
        parse("{\"id\":7.0,\"method\":\"worker.ping\",\"trace\":{\"a\":[1]}}", &m, &error), OK);
    assert_int_equal(m.kind, PIPE_REQUEST);
    assert_int_equal(m.id, 7);
    assert_string_equal(m.handler_id, "");
    pipe_message_fini(&m);
}

static void json_nested_too_deep_is_refused(void **state)
{
    (void)state;
    enum { DEPTH = 200000 };
    char *text = malloc(DEPTH);
    memset(text, '[', DEPTH);
    struct pipe_message m;
    struct field_error error;
    assert_int_equal(pipe_message_parse(&m, slice_of(text, DEPTH), &error), ERR_MALFORMED);
    pipe_message_fini(&m);
    free(text);
}

static void a_request_without_data_is_told_what_is_missing(void **state)
{
    (void)state;
    struct pipe_message m;
    struct field_error error;
    struct arena arena;
    arena_init(&arena, ARENA_LIMIT);
    assert_int_equal(parse("{\"id\":1,\"method\":\"worker.createRouter\"}", &m, &error), OK);
    struct worker_create_router_request request;
    assert_int_equal(pipe_message_data(&m, pipe_methods[METHOD_WORKER_CREATE_ROUTER].request,
                                       &request, &arena, &error),
                     ERR_TYPE);
    assert_string_equal(error.reason, "routerId is missing, it must be a string of 1 to 128 bytes");
    assert_int_equal(pipe_message_data(&m, NULL, NULL, &arena, &error), OK);
    pipe_message_fini(&m);
    arena_fini(&arena);
}

static void a_full_queue_refuses_a_message_and_stays_as_it_was(void **state)
{
    (void)state;
    struct frame_queue q;
    frame_queue_init(&q, 40);
    assert_int_equal(pipe_push_command(&q, COMMAND_WORKER_CLOSE, NULL, NULL), OK);
    size_t before = frame_queue_peek(&q).n;
    assert_int_equal(pipe_push_command(&q, COMMAND_WORKER_CLOSE, NULL, NULL), ERR_FULL);
    assert_int_equal(frame_queue_peek(&q).n, before);
    frame_queue_fini(&q);
}

/* ---- allocation failures ---- */

static size_t allocations;
static size_t fails_at;

/* One allocation fails, those after it work: what went missing must not go unnoticed. */
static void *failing_malloc(size_t n)
{
    return allocations++ == fails_at ? NULL : malloc(n);
}

/* The frame that waits in the queue says the same as text; takes it out. */
static bool says(struct frame_queue *q, const char *text)
{
    struct slice sent = frame_queue_peek(q);
    json_t *want = json_loads(text, 0, NULL);
    json_t *got = json_loadb((const char *)sent.p + FRAME_HEAD, sent.n - FRAME_HEAD, 0, NULL);
    bool same = json_equal(got, want);
    json_decref(got);
    json_decref(want);
    frame_queue_consume(q, sent.n);
    return same;
}

static const char connect_text[] =
    "{\"id\":1,\"method\":\"webRtcTransport.connect\",\"handlerId\":\"t\",\"data\":{"
    "\"dtlsParameters\":{\"fingerprints\":[{\"algorithm\":\"sha-256\",\"value\":\""
    "00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00\"}]}}}";

static void a_message_is_sent_whole_or_not_at_all_when_an_allocation_fails(void **state)
{
    (void)state;
    struct frame_queue q;
    frame_queue_init(&q, 1 << 20);
    struct pipe_message m;
    struct field_error error;
    struct arena arena;
    struct webrtc_transport_connect_request request;
    arena_init(&arena, 1024);
    assert_int_equal(parse(connect_text, &m, &error), OK);
    assert_int_equal(
        pipe_message_data(&m, &webrtc_transport_connect_request_shape, &request, &arena, &error),
        OK);
    int failures = 0;
    bool done = false;
    for (fails_at = 0; !done && fails_at < 1000; fails_at++) {
        allocations = 0;
        json_set_alloc_funcs(failing_malloc, free);
        enum err err = pipe_push_request(&q, 1, METHOD_WEBRTC_TRANSPORT_CONNECT, "t", &request);
        json_set_alloc_funcs(malloc, free);
        done = allocations <= fails_at;
        failures += err != OK;
        assert_true(err == OK || err == ERR_NOMEM);
        assert_true(err ? frame_queue_peek(&q).n == 0 : says(&q, connect_text));
    }
    assert_true(done);
    assert_true(failures > 20);
    pipe_message_fini(&m);
    arena_fini(&arena);
    frame_queue_fini(&q);
}

/* jansson's lexer loses a character when its buffer cannot grow, so the text is not compared. */
static void parsing_survives_every_failed_allocation_and_leaks_nothing(void **state)
{
    (void)state;
    int failures = 0;
    bool done = false;
    for (fails_at = 0; !done && fails_at < 1000; fails_at++) {
        struct pipe_message m;
        struct field_error error = {0};
        allocations = 0;
        json_set_alloc_funcs(failing_malloc, free);
        enum err err = parse(connect_text, &m, &error);
        json_set_alloc_funcs(malloc, free);
        done = allocations <= fails_at;
        failures += err != OK;
        assert_true(err == OK || error.reason[0]);
        pipe_message_fini(&m);
    }
    assert_true(done);
    assert_true(failures > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_comes_out_as_it_went_in),
        cmocka_unit_test(responses_and_errors_come_out_as_they_went_in),
        cmocka_unit_test(notifications_come_out_as_they_went_in),
        cmocka_unit_test(bad_messages_are_refused_with_a_reason_and_the_id_where_there_is_one),
        cmocka_unit_test(unknown_keys_and_integral_reals_are_accepted),
        cmocka_unit_test(json_nested_too_deep_is_refused),
        cmocka_unit_test(a_request_without_data_is_told_what_is_missing),
        cmocka_unit_test(a_full_queue_refuses_a_message_and_stays_as_it_was),
        cmocka_unit_test(a_message_is_sent_whole_or_not_at_all_when_an_allocation_fails),
        cmocka_unit_test(parsing_survives_every_failed_allocation_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
