#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/fields.h"

#define COLOUR_MAP(X) X(COLOUR_RED, "red", "Red.") X(COLOUR_BLUE, "blue", "Blue.")
CHOICE_ENUM(colour, COLOUR_MAP);
CHOICE_DEFINE(colour, COLOUR_MAP)

#define LEAF_FIELDS(X, S)                                                                          \
    X(S, u32, rate, "clockRate", REQ, 1, 1000000, _, "Rate.")                                      \
    X(S, str, name, "name", OPT, 1, 8, _, "Name.")
SHAPE_STRUCT(leaf, LEAF_FIELDS);
SHAPE_DEFINE(leaf, LEAF_FIELDS)

#define TREE_FIELDS(X, S)                                                                          \
    X(S, flag, on, "on", OPT, 0, 0, _, "Flag.")                                                    \
    X(S, u8, small, "small", OPT, 0, 127, _, "u8.")                                                \
    X(S, u16, port, "port", OPT, 1, 65535, _, "u16.")                                              \
    X(S, u64, big, "big", OPT, 0, INT64_MAX, _, "u64.")                                            \
    X(S, i64, level, "level", OPT, -127, 0, _, "i64.")                                             \
    X(S, f64, part, "part", OPT, 0, 1, _, "f64.")                                                  \
    X(S, choice, colour, "colour", OPT, 0, 0, colour_names, "Choice.")                             \
    X(S, choices, colours, "colours", OPT, 0, 4, colour_names, "Choices.")                         \
    X(S, obj, leaf, "leaf", OPT, 0, 0, leaf, "Object.")                                            \
    X(S, objs, codecs, "codecs", OPT, 1, 3, leaf, "Objects.")                                      \
    X(S, strs, tags, "tags", OPT, 0, 3, _, "Strings.")                                             \
    X(S, u8s, bytes, "bytes", OPT, 0, 3, _, "u8s.")                                                \
    X(S, u16s, ports, "ports", OPT, 0, 3, _, "u16s.")                                              \
    X(S, u32s, ssrcs, "ssrcs", OPT, 0, 3, _, "u32s.")                                              \
    X(S, dict, fmtp, "fmtp", OPT, 0, 4, _, "Dict.")                                                \
    X(S, json, app_data, "appData", OPT, 0, 0, _, "Anything.")
SHAPE_STRUCT(tree, TREE_FIELDS);
SHAPE_DEFINE(tree, TREE_FIELDS)

#define ROOT_FIELDS(X, S) X(S, obj, tree, "rtpParameters", REQ, 0, 0, tree, "Tree.")
SHAPE_STRUCT(root, ROOT_FIELDS);
SHAPE_DEFINE(root, ROOT_FIELDS)

struct fixture {
    struct arena arena;
    json_t *json;
    struct field_error error;
    struct tree tree;
    struct root root;
};

static enum err decode(struct fixture *f, const struct shape *shape, void *out, const char *text)
{
    arena_init(&f->arena, 1 << 16);
    json_error_t why;
    f->json = json_loads(text, JSON_DECODE_ANY, &why);
    if (!f->json)
        fail_msg("%s: %s", text, why.text);
    return shape_decode(shape, f->json, out, &f->arena, &f->error);
}

static void done(struct fixture *f)
{
    json_decref(f->json);
    arena_fini(&f->arena);
}

static void all_kinds_decode(void **state)
{
    (void)state;
    struct fixture f;
    const char *text =
        "{\"on\":true,\"small\":7,\"port\":9.0,\"big\":9007199254740993,\"level\":-5,\"part\":1,"
        "\"colour\":\"blue\",\"colours\":[\"blue\",\"red\"],\"leaf\":{\"clockRate\":90000.0},"
        "\"codecs\":[{\"clockRate\":1,\"name\":\"a\"},{\"clockRate\":2}],\"tags\":[\"x\",\"\"],"
        "\"bytes\":[255],\"ports\":[65535,0],\"ssrcs\":[4294967295],"
        "\"fmtp\":{\"apt\":96,\"profile\":\"42e01f\",\"fec\":true,\"x\":0.5},\"appData\":[1],"
        "\"unknown\":{}}";
    assert_int_equal(decode(&f, &tree_shape, &f.tree, text), OK);
    const struct tree *t = &f.tree;
    assert_true(t->has_on && t->on);
    assert_int_equal(t->small, 7);
    assert_int_equal(t->port, 9);
    assert_true(t->big == UINT64_C(9007199254740993));
    assert_int_equal(t->level, -5);
    assert_true(t->has_part && t->part == 1.0);
    assert_int_equal(t->colour, COLOUR_BLUE);
    assert_int_equal(t->n_colours, 2);
    assert_int_equal(t->colours[1], COLOUR_RED);
    assert_int_equal(t->leaf->rate, 90000);
    assert_null(t->leaf->name);
    assert_int_equal(t->n_codecs, 2);
    assert_string_equal(t->codecs[0].name, "a");
    assert_int_equal(t->codecs[1].rate, 2);
    assert_int_equal(t->n_tags, 2);
    assert_string_equal(t->tags[0], "x");
    assert_int_equal(t->bytes[0], 255);
    assert_int_equal(t->ports[0], 65535);
    assert_int_equal(t->ssrcs[0], 4294967295u);
    assert_int_equal(t->n_fmtp, 4);
    assert_int_equal(dict_int(t->fmtp, t->n_fmtp, "apt", 0), 96);
    assert_string_equal(dict_str(t->fmtp, t->n_fmtp, "profile"), "42e01f");
    assert_int_equal(dict_int(t->fmtp, t->n_fmtp, "fec", 9), 1);
    assert_true(dict_find(t->fmtp, t->n_fmtp, "x")->real == 0.5);
    assert_true(json_is_array(t->app_data));
    done(&f);
}

static void absent_null_and_empty_are_told_apart(void **state)
{
    (void)state;
    struct fixture f;
    assert_int_equal(decode(&f, &tree_shape, &f.tree, "{\"on\":null,\"tags\":[],\"fmtp\":{}}"), OK);
    assert_false(f.tree.has_on);
    assert_false(f.tree.has_small);
    assert_non_null(f.tree.tags);
    assert_int_equal(f.tree.n_tags, 0);
    assert_non_null(f.tree.fmtp);
    assert_null(f.tree.ports);
    assert_null(f.tree.leaf);
    assert_null(f.tree.app_data);
    json_t *again = shape_encode(&tree_shape, &f.tree);
    char *text = json_dumps(again, JSON_COMPACT | JSON_SORT_KEYS);
    assert_string_equal(text, "{\"fmtp\":{},\"tags\":[]}");
    free(text);
    json_decref(again);
    done(&f);
}

static void every_error_names_the_path_and_what_was_expected(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum err err;
        const char *path;
        const char *reason;
    } cases[] = {
        {"{\"rtpParameters\":{\"codecs\":[{\"clockRate\":1},{\"clockRate\":0}]}}", ERR_RANGE,
         "rtpParameters.codecs[1].clockRate",
         "rtpParameters.codecs[1].clockRate must be an integer from 1 to 1000000"},
        {"{\"rtpParameters\":{\"codecs\":[{}]}}", ERR_TYPE, "rtpParameters.codecs[0].clockRate",
         "rtpParameters.codecs[0].clockRate is missing, it must be an integer from 1 to 1000000"},
        {"{\"rtpParameters\":{\"codecs\":[]}}", ERR_RANGE, "rtpParameters.codecs",
         "rtpParameters.codecs must be an array of 1 to 3 objects"},
        {"{\"rtpParameters\":{\"codecs\":[1]}}", ERR_TYPE, "rtpParameters.codecs[0]",
         "rtpParameters.codecs[0] must be an object"},
        {"{\"rtpParameters\":{\"leaf\":{\"clockRate\":1.5}}}", ERR_TYPE,
         "rtpParameters.leaf.clockRate",
         "rtpParameters.leaf.clockRate must be an integer from 1 to 1000000"},
        {"{\"rtpParameters\":{\"leaf\":{\"clockRate\":1e300}}}", ERR_TYPE,
         "rtpParameters.leaf.clockRate",
         "rtpParameters.leaf.clockRate must be an integer from 1 to 1000000"},
        {"{\"rtpParameters\":{\"leaf\":{\"clockRate\":1,\"name\":\"123456789\"}}}", ERR_RANGE,
         "rtpParameters.leaf.name", "rtpParameters.leaf.name must be a string of 1 to 8 bytes"},
        {"{\"rtpParameters\":{\"colour\":\"green\"}}", ERR_TYPE, "rtpParameters.colour",
         "rtpParameters.colour must be one of red, blue"},
        {"{\"rtpParameters\":{\"colours\":[\"red\",3]}}", ERR_TYPE, "rtpParameters.colours[1]",
         "rtpParameters.colours[1] must be one of red, blue"},
        {"{\"rtpParameters\":{\"ports\":[0,65536]}}", ERR_RANGE, "rtpParameters.ports[1]",
         "rtpParameters.ports[1] must be an integer from 0 to 65535"},
        {"{\"rtpParameters\":{\"bytes\":[\"1\"]}}", ERR_TYPE, "rtpParameters.bytes[0]",
         "rtpParameters.bytes[0] must be an integer from 0 to 255"},
        {"{\"rtpParameters\":{\"tags\":[null]}}", ERR_TYPE, "rtpParameters.tags[0]",
         "rtpParameters.tags[0] must be a string"},
        {"{\"rtpParameters\":{\"part\":1.5}}", ERR_RANGE, "rtpParameters.part",
         "rtpParameters.part must be a number from 0 to 1"},
        {"{\"rtpParameters\":{\"on\":1}}", ERR_TYPE, "rtpParameters.on",
         "rtpParameters.on must be true or false"},
        {"{\"rtpParameters\":{\"fmtp\":{\"a\":[1]}}}", ERR_TYPE, "rtpParameters.fmtp.a",
         "rtpParameters.fmtp.a must be a string, a number or a boolean"},
        {"{\"rtpParameters\":{\"fmtp\":{\"\\u00e9 \\\"\":{}}}}", ERR_TYPE,
         "rtpParameters.fmtp.????",
         "rtpParameters.fmtp.???? must be a string, a number or a boolean"},
        {"{\"rtpParameters\":{\"fmtp\":{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1}}}", ERR_RANGE,
         "rtpParameters.fmtp",
         "rtpParameters.fmtp must be an object of 0 to 4 strings, numbers and booleans"},
        {"{\"rtpParameters\":7}", ERR_TYPE, "rtpParameters", "rtpParameters must be an object"},
        {"[]", ERR_TYPE, "", "the value must be an object"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture f;
        enum err err = decode(&f, &root_shape, &f.root, cases[i].text);
        assert_int_equal(err, cases[i].err);
        assert_int_equal(f.error.err, cases[i].err);
        assert_string_equal(f.error.path, cases[i].path);
        assert_string_equal(f.error.reason, cases[i].reason);
        done(&f);
    }
}

static void a_path_that_is_too_long_is_cut(void **state)
{
    (void)state;
    struct fixture f;
    char text[400];
    memset(text, 0, sizeof text);
    strcpy(text, "{\"rtpParameters\":{\"fmtp\":{\"");
    memset(text + strlen(text), 'k', 300);
    strcat(text, "\":[]}}}");
    assert_int_equal(decode(&f, &root_shape, &f.root, text), ERR_TYPE);
    assert_true(strlen(f.error.path) < sizeof f.error.path);
    assert_non_null(strstr(f.error.reason, "must be a string, a number or a boolean"));
    done(&f);
}

static void an_exhausted_arena_is_out_of_memory(void **state)
{
    (void)state;
    json_t *json = json_pack("{s:[{s:i},{s:i}],s:[s],s:{s:i},s:{s:i}}", "codecs", "clockRate", 1,
                             "clockRate", 2, "tags", "a", "fmtp", "a", 1, "leaf", "clockRate", 1);
    size_t limit = 0;
    enum err err = ERR_NOMEM;
    for (; err && limit < 4096; limit += 16) {
        struct arena arena;
        struct tree tree;
        struct field_error error = {0};
        arena_init(&arena, limit);
        err = shape_decode(&tree_shape, json, &tree, &arena, &error);
        if (err) {
            assert_int_equal(err, ERR_NOMEM);
            assert_int_equal(error.err, ERR_NOMEM);
        }
        arena_fini(&arena);
    }
    assert_int_equal(err, OK);
    assert_true(limit > 64);
    json_decref(json);
}

static void what_is_required_is_always_written(void **state)
{
    (void)state;
    struct leaf leaf = {0};
    json_t *json = shape_encode(&leaf_shape, &leaf);
    char *text = json_dumps(json, JSON_COMPACT);
    assert_string_equal(text, "{\"clockRate\":0}");
    free(text);
    json_decref(json);
    struct root root = {0};
    json = shape_encode(&root_shape, &root);
    text = json_dumps(json, JSON_COMPACT);
    assert_string_equal(text, "{\"rtpParameters\":null}");
    free(text);
    json_decref(json);
}

static void what_json_cannot_say_is_written_as_something_near(void **state)
{
    (void)state;
    struct tree tree = {.has_part = true, .part = 1e308 * 10, .has_big = true, .big = UINT64_MAX};
    struct leaf leaf = {.rate = 1, .name = "a\xff\xc3z"};
    tree.leaf = &leaf;
    json_t *json = shape_encode(&tree_shape, &tree);
    assert_non_null(json);
    assert_true(json_real_value(json_object_get(json, "part")) == 0);
    assert_true(json_integer_value(json_object_get(json, "big")) == INT64_MAX);
    json_t *name = json_object_get(json_object_get(json, "leaf"), "name");
    assert_string_equal(json_string_value(name), "a??z");
    json_decref(json);
}

static void dict_numbers_are_read_from_digits_too(void **state)
{
    (void)state;
    const struct dict_entry d[] = {
        {.key = "s", .type = DICT_STR, .str = "12"},
        {.key = "bad", .type = DICT_STR, .str = "1x"},
        {.key = "none", .type = DICT_STR, .str = ""},
        {.key = "huge", .type = DICT_STR, .str = "99999999999999999999999"},
        {.key = "r", .type = DICT_REAL, .real = 0.5},
        {.key = "i", .type = DICT_INT, .num = -3},
    };
    assert_int_equal(dict_int(d, 6, "s", 5), 12);
    assert_int_equal(dict_int(d, 6, "bad", 5), 5);
    assert_int_equal(dict_int(d, 6, "none", 5), 5);
    assert_int_equal(dict_int(d, 6, "huge", 5), 5);
    assert_int_equal(dict_int(d, 6, "r", 5), 5);
    assert_int_equal(dict_int(d, 6, "i", 5), -3);
    assert_int_equal(dict_int(d, 6, "absent", 5), 5);
    assert_null(dict_str(d, 6, "i"));
    assert_null(dict_find(NULL, 0, "i"));
}

static void choices_are_found_by_name(void **state)
{
    (void)state;
    assert_int_equal(choice_find(colour_names, "blue"), COLOUR_BLUE);
    assert_int_equal(choice_find(colour_names, "Blue"), -1);
    assert_int_equal(choice_find(colour_names, NULL), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_kinds_decode),
        cmocka_unit_test(absent_null_and_empty_are_told_apart),
        cmocka_unit_test(every_error_names_the_path_and_what_was_expected),
        cmocka_unit_test(a_path_that_is_too_long_is_cut),
        cmocka_unit_test(an_exhausted_arena_is_out_of_memory),
        cmocka_unit_test(what_is_required_is_always_written),
        cmocka_unit_test(what_json_cannot_say_is_written_as_something_near),
        cmocka_unit_test(dict_numbers_are_read_from_digits_too),
        cmocka_unit_test(choices_are_found_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
