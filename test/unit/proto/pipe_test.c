/* The tables of the pipe protocol: every shape of every message, and the three message shapes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proto/pipe.h"
#include "proto/pipe_message.h"
#include "test/unit/proto/shape_sample.h"

enum { ARENA_LIMIT = 1 << 20 };

typedef void (*shape_check)(const struct shape *shape);

/* Every shape that a message carries at its top. */
static void each_shape(shape_check check)
{
    for (int i = 0; i < PIPE_METHOD_COUNT; i++) {
        if (pipe_methods[i].request)
            check(pipe_methods[i].request);
        if (pipe_methods[i].response)
            check(pipe_methods[i].response);
    }
    for (int i = 0; i < PIPE_EVENT_COUNT; i++)
        if (pipe_events[i].payload)
            check(pipe_events[i].payload);
    for (int i = 0; i < PIPE_COMMAND_COUNT; i++)
        if (pipe_commands[i].payload)
            check(pipe_commands[i].payload);
}

static enum err decode(const struct shape *shape, json_t *in, struct field_error *error,
                       json_t **again)
{
    struct arena arena;
    arena_init(&arena, ARENA_LIMIT);
    void *out = malloc(shape->size);
    enum err err = shape_decode(shape, in, out, &arena, error);
    if (again)
        *again = err ? NULL : shape_encode(shape, out);
    free(out);
    arena_fini(&arena);
    return err;
}

static void check_round_trip(const struct shape *shape)
{
    for (int how = SAMPLE_LEAST; how <= SAMPLE_REQUIRED; how++) {
        json_t *in = shape_sample(shape, (enum sample)how);
        struct field_error error = {0};
        json_t *again;
        if (decode(shape, in, &error, &again) != OK)
            fail_msg("%s: %s", shape->name, error.reason);
        if (!json_equal(in, again))
            fail_msg("%s: %s became %s", shape->name, json_dumps(in, 0), json_dumps(again, 0));
        json_decref(again);
        json_decref(in);
    }
}

static void every_payload_decodes_and_encodes_back_to_the_same(void **state)
{
    (void)state;
    each_shape(check_round_trip);
}

/* Applies check to every object that stands under a shape: path of keys, its shape, the object. */
typedef void (*object_check)(const struct shape *top, json_t *root, const struct shape *shape,
                             json_t *object, const char *path);

static void walk(const struct shape *top, json_t *root, const struct shape *shape, json_t *object,
                 const char *path, object_check check)
{
    check(top, root, shape, object, path);
    for (size_t i = 0; i < shape->n_fields; i++) {
        const struct field *f = &shape->fields[i];
        char inner[512];
        if (f->kind == FIELD_obj) {
            snprintf(inner, sizeof inner, "%s%s.", path, f->name);
            walk(top, root, f->ref, json_object_get(object, f->name), inner, check);
        } else if (f->kind == FIELD_objs) {
            json_t *list = json_object_get(object, f->name);
            size_t last = json_array_size(list) - 1;
            snprintf(inner, sizeof inner, "%s%s[%zu].", path, f->name, last);
            walk(top, root, f->ref, json_array_get(list, last), inner, check);
        }
    }
}

static void expect_error(const struct shape *top, json_t *root, const char *path, const char *name,
                         enum err want)
{
    char full[512];
    struct field_error error = {0};
    enum err err = decode(top, root, &error, NULL);
    snprintf(full, sizeof full, "%s%s", path, name);
    if (err != want || error.err != want)
        fail_msg("%s: %s: got %s, not %s", top->name, full, err_name(err), err_name(want));
    assert_string_equal(error.path, full);
    assert_int_equal(strncmp(error.reason, full, strlen(full)), 0);
    assert_true(strstr(error.reason, " must be ") != NULL);
}

static void check_missing(const struct shape *top, json_t *root, const struct shape *shape,
                          json_t *object, const char *path)
{
    for (size_t i = 0; i < shape->n_fields; i++) {
        const struct field *f = &shape->fields[i];
        json_t *was = json_incref(json_object_get(object, f->name));
        json_object_del(object, f->name);
        if (f->presence == FIELD_REQ) {
            expect_error(top, root, path, f->name, ERR_TYPE);
            json_object_set_new(object, f->name, json_null());
            expect_error(top, root, path, f->name, ERR_TYPE);
        } else {
            struct field_error error;
            assert_int_equal(decode(top, root, &error, NULL), OK);
            json_object_set_new(object, f->name, json_null());
            assert_int_equal(decode(top, root, &error, NULL), OK);
        }
        json_object_set_new(object, f->name, was);
    }
}

static void check_wrong_type(const struct shape *top, json_t *root, const struct shape *shape,
                             json_t *object, const char *path)
{
    for (size_t i = 0; i < shape->n_fields; i++) {
        const struct field *f = &shape->fields[i];
        if (f->kind == FIELD_json)
            continue;
        json_t *was = json_incref(json_object_get(object, f->name));
        json_object_set_new(object, f->name,
                            f->kind == FIELD_str || f->kind == FIELD_choice
                                ? json_integer(5)
                                : json_string("certainly not"));
        expect_error(top, root, path, f->name, ERR_TYPE);
        json_object_set_new(object, f->name, was);
    }
}

/* A value just over the upper bound, or NULL where there is none. */
static json_t *too_much(const struct field *f)
{
    if (f->kind >= FIELD_u8 && f->kind <= FIELD_i64 && f->max < INT64_MAX)
        return json_integer(f->max + 1);
    if (f->kind == FIELD_f64)
        return json_real((double)f->max * 2 + 1);
    if (f->kind == FIELD_str && f->max < 70000) {
        char *text = malloc((size_t)f->max + 1);
        memset(text, 'a', (size_t)f->max + 1);
        json_t *json = json_stringn(text, (size_t)f->max + 1);
        free(text);
        return json;
    }
    return NULL;
}

static void check_bounds(const struct shape *top, json_t *root, const struct shape *shape,
                         json_t *object, const char *path)
{
    for (size_t i = 0; i < shape->n_fields; i++) {
        const struct field *f = &shape->fields[i];
        json_t *was = json_incref(json_object_get(object, f->name));
        json_t *bad = too_much(f);
        if (bad) {
            json_object_set_new(object, f->name, bad);
            expect_error(top, root, path, f->name, ERR_RANGE);
        }
        if ((f->kind >= FIELD_u8 && f->kind <= FIELD_i64) || (f->kind == FIELD_str && f->min > 0)) {
            json_object_set_new(object, f->name,
                                f->kind == FIELD_str ? json_string("") : json_integer(f->min - 1));
            expect_error(top, root, path, f->name, ERR_RANGE);
        }
        json_object_set_new(object, f->name, was);
    }
}

static object_check current_check;

static void walk_sample(const struct shape *shape)
{
    json_t *root = shape_sample(shape, SAMPLE_MOST);
    walk(shape, root, shape, root, "", current_check);
    json_decref(root);
}

static void a_missing_required_field_is_named_and_an_optional_one_is_not_missed(void **state)
{
    (void)state;
    current_check = check_missing;
    each_shape(walk_sample);
}

static void a_field_of_the_wrong_type_is_named_with_what_was_expected(void **state)
{
    (void)state;
    current_check = check_wrong_type;
    each_shape(walk_sample);
}

static void a_field_out_of_bounds_is_named(void **state)
{
    (void)state;
    current_check = check_bounds;
    each_shape(walk_sample);
}

static void check_docs(const struct shape *shape)
{
    for (size_t i = 0; i < shape->n_fields; i++) {
        const struct field *f = &shape->fields[i];
        size_t n = strlen(f->doc);
        if (n < 10 || f->doc[n - 1] != '.')
            fail_msg("%s.%s has no sentence: \"%s\"", shape->name, f->name, f->doc);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(shape->fields[j].name, f->name);
        if (f->kind == FIELD_obj || f->kind == FIELD_objs)
            check_docs(f->ref);
    }
}

static void every_field_has_a_sentence_and_a_name_of_its_own(void **state)
{
    (void)state;
    each_shape(check_docs);
}

static void names_are_found_and_are_unique(void **state)
{
    (void)state;
    for (int i = 0; i < PIPE_METHOD_COUNT; i++)
        assert_int_equal(pipe_method_find(pipe_methods[i].name), i);
    for (int i = 0; i < PIPE_EVENT_COUNT; i++)
        assert_int_equal(pipe_event_find(pipe_events[i].name), i);
    for (int i = 0; i < PIPE_COMMAND_COUNT; i++)
        assert_int_equal(pipe_command_find(pipe_commands[i].name), i);
    assert_int_equal(pipe_method_find("router.createRouter"), -1);
    assert_int_equal(pipe_method_find("worker.createRouter"), METHOD_WORKER_CREATE_ROUTER);
    assert_int_equal(pipe_method_find(NULL), -1);
    assert_int_equal(pipe_event_find(""), -1);
    assert_int_equal(pipe_command_find("producer.score"), -1);
}

/* ---- messages ---- */

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

static size_t allocations_left;

static void *failing_malloc(size_t n)
{
    if (allocations_left == 0)
        return NULL;
    allocations_left--;
    return malloc(n);
}

static void every_failed_allocation_is_reported_and_leaks_nothing(void **state)
{
    (void)state;
    static const char text[] =
        "{\"id\":1,\"method\":\"webRtcTransport.connect\",\"handlerId\":\"t\",\"data\":{"
        "\"dtlsParameters\":{\"fingerprints\":[{\"algorithm\":\"sha-256\",\"value\":\""
        "00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00\"}]}}"
        "}";
    struct frame_queue q;
    frame_queue_init(&q, 1 << 20);
    json_set_alloc_funcs(failing_malloc, free);
    size_t failures = 0;
    bool done = false;
    for (size_t budget = 0; !done && budget < 1000; budget++) {
        allocations_left = budget;
        struct pipe_message m;
        struct field_error error;
        struct arena arena;
        struct webrtc_transport_connect_request request;
        arena_init(&arena, budget * 16);
        enum err err = parse(text, &m, &error);
        if (!err)
            err = pipe_message_data(&m, &webrtc_transport_connect_request_shape, &request, &arena,
                                    &error);
        if (!err)
            err = pipe_push_request(&q, 1, METHOD_WEBRTC_TRANSPORT_CONNECT, "t", &request);
        done = err == OK;
        failures += !done;
        if (!done)
            assert_int_equal(frame_queue_peek(&q).n, 0);
        pipe_message_fini(&m);
        arena_fini(&arena);
    }
    json_set_alloc_funcs(malloc, free);
    assert_true(done);
    assert_true(failures > 20);
    assert_true(frame_queue_peek(&q).n > 0);
    frame_queue_fini(&q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_payload_decodes_and_encodes_back_to_the_same),
        cmocka_unit_test(a_missing_required_field_is_named_and_an_optional_one_is_not_missed),
        cmocka_unit_test(a_field_of_the_wrong_type_is_named_with_what_was_expected),
        cmocka_unit_test(a_field_out_of_bounds_is_named),
        cmocka_unit_test(every_field_has_a_sentence_and_a_name_of_its_own),
        cmocka_unit_test(names_are_found_and_are_unique),
        cmocka_unit_test(a_request_comes_out_as_it_went_in),
        cmocka_unit_test(responses_and_errors_come_out_as_they_went_in),
        cmocka_unit_test(notifications_come_out_as_they_went_in),
        cmocka_unit_test(bad_messages_are_refused_with_a_reason_and_the_id_where_there_is_one),
        cmocka_unit_test(unknown_keys_and_integral_reals_are_accepted),
        cmocka_unit_test(json_nested_too_deep_is_refused),
        cmocka_unit_test(a_request_without_data_is_told_what_is_missing),
        cmocka_unit_test(a_full_queue_refuses_a_message_and_stays_as_it_was),
        cmocka_unit_test(every_failed_allocation_is_reported_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
