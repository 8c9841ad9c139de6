/* The tables of the pipe protocol: every shape of every message. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proto/pipe.h"
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_payload_decodes_and_encodes_back_to_the_same),
        cmocka_unit_test(a_missing_required_field_is_named_and_an_optional_one_is_not_missed),
        cmocka_unit_test(a_field_of_the_wrong_type_is_named_with_what_was_expected),
        cmocka_unit_test(a_field_out_of_bounds_is_named),
        cmocka_unit_test(every_field_has_a_sentence_and_a_name_of_its_own),
        cmocka_unit_test(names_are_found_and_are_unique),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
