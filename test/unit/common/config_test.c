#include "common/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/config_value.h"

struct sample {
    int64_t count;
    uint16_t port;
    bool on;
    const char *name;
    const char *path;
    int color;
    int64_t pause;
    int64_t bytes;
    int64_t rate;
    struct config_list list;
    const char *secret;
};

static const char *const colors[] = {"red", "green", "blue", NULL};

#define AT(m) offsetof(struct sample, m)
static const struct config_key keys[] = {
    {"a.count", CONFIG_INT, AT(count), "3", -10, 10, NULL, false, ""},
    {"a.port", CONFIG_PORT, AT(port), "8080", 1, 65535, NULL, false, ""},
    {"on", CONFIG_BOOL, AT(on), "true", 0, 0, NULL, false, ""},
    {"a.name", CONFIG_STRING, AT(name), "weir", 1, 20, NULL, false, ""},
    {"b.path", CONFIG_PATH, AT(path), "", 0, 100, NULL, false, ""},
    {"b.color", CONFIG_ENUM, AT(color), "green", 0, 0, colors, false, ""},
    {"b.pause", CONFIG_DURATION, AT(pause), "5s", 1000, 86400 * INT64_C(1000000), NULL, false, ""},
    {"b.bytes", CONFIG_SIZE, AT(bytes), "64k", 1, 1 << 30, NULL, false, ""},
    {"b.rate", CONFIG_BITRATE, AT(rate), "1M", 1000, 1000000000, NULL, false, ""},
    {"b.list", CONFIG_LIST, AT(list), "x", 0, 3, NULL, false, ""},
    {"b.secret", CONFIG_STRING, AT(secret), "", 0, 20, NULL, true, ""},
};
static const char *const others[] = {"WEIR_TEST_", NULL};
static const struct config_table table = {keys, sizeof keys / sizeof keys[0], sizeof(struct sample),
                                          others};

struct loaded {
    struct arena arena;
    struct config_problems problems;
    struct sample s;
    enum err e;
};

static struct loaded *load(const char *text, char *const *env)
{
    struct loaded *l = calloc(1, sizeof *l);
    arena_init(&l->arena, 1 << 20);
    config_problems_init(&l->problems, &l->arena);
    l->e = config_load(&table, "weir.conf", text, env, &l->s, &l->arena, &l->problems);
    return l;
}

static void unload(struct loaded *l)
{
    arena_fini(&l->arena);
    free(l);
}

/* The problems of a text, one a line. */
static const char *complaints(const char *text, char *const *env)
{
    static char all[8192];
    struct loaded *l = load(text, env);
    size_t o = 0;
    all[0] = '\0';
    for (size_t i = 0; i < l->problems.n; i++) {
        char line[600];
        config_problem_text(&l->problems.items[i], line, sizeof line);
        o += (size_t)snprintf(all + o, sizeof all - o, "%s%s", i > 0 ? "\n" : "", line);
    }
    assert_true((l->e == OK) == (l->problems.n_errors == 0));
    unload(l);
    return all;
}

static void without_a_file_the_defaults_hold(void **state)
{
    (void)state;
    struct loaded *l = load(NULL, NULL);
    assert_int_equal(l->e, OK);
    assert_int_equal(l->s.count, 3);
    assert_int_equal(l->s.port, 8080);
    assert_true(l->s.on);
    assert_string_equal(l->s.name, "weir");
    assert_string_equal(l->s.path, "");
    assert_int_equal(l->s.color, 1);
    assert_int_equal(l->s.pause, 5000000);
    assert_int_equal(l->s.bytes, 65536);
    assert_int_equal(l->s.rate, 1000000);
    assert_int_equal(l->s.list.n, 1);
    assert_string_equal(l->s.list.items[0], "x");
    unload(l);
}

static void a_file_sets_keys_dotted_or_in_sections(void **state)
{
    (void)state;
    struct loaded *l = load("# comment\n"
                            "; another\n"
                            "a.count=-7\r\n"
                            "\t on = off # not on\n"
                            "[a]\n"
                            "port = 1 \n"
                            "name = \"two  words # \\\"\\\\\" # comment\n"
                            "[b]   # section\n"
                            "path = '/a\\b \"c\"'\n"
                            "color = blue\n"
                            "pause = 1.5 s\n"
                            "bytes = 2M\n"
                            "rate = 300k\n"
                            "list = a b, c=d#e ,f",
                            NULL);
    assert_int_equal(l->e, OK);
    assert_int_equal(l->s.count, -7);
    assert_false(l->s.on);
    assert_int_equal(l->s.port, 1);
    assert_string_equal(l->s.name, "two  words # \"\\");
    assert_string_equal(l->s.path, "/a\\b \"c\"");
    assert_int_equal(l->s.color, 2);
    assert_int_equal(l->s.pause, 1500000);
    assert_int_equal(l->s.bytes, 2 * 1024 * 1024);
    assert_int_equal(l->s.rate, 300000);
    assert_int_equal(l->s.list.n, 3);
    assert_string_equal(l->s.list.items[0], "a b");
    assert_string_equal(l->s.list.items[1], "c=d#e");
    assert_string_equal(l->s.list.items[2], "f");
    unload(l);
}

static void the_environment_wins_over_the_file(void **state)
{
    (void)state;
    char *env[] = {"PATH=/bin",        "WEIR_A_PORT=99", "WEIR_ON=0", "WEIR_B_PATH=",
                   "WEIR_B_LIST=p, q", "WEIR_TEST_X=1",  NULL};
    struct loaded *l = load("a.port = 7\nb.path = kept\na.count = 1\n", env);
    assert_int_equal(l->e, OK);
    assert_int_equal(l->problems.n, 0);
    assert_int_equal(l->s.port, 99);
    assert_false(l->s.on);
    assert_string_equal(l->s.path, "kept");
    assert_int_equal(l->s.count, 1);
    assert_int_equal(l->s.list.n, 2);
    unload(l);
}

static void every_mistake_is_told_with_line_and_key(void **state)
{
    (void)state;
    assert_string_equal(
        complaints("a.port = 70000\n"
                   "a.count = many\n"
                   "\n"
                   "on = maybe\n"
                   "b.color = pink\n"
                   "b.pause = 10\n"
                   "a.name =\n"
                   "b.list = 1,2,3,4\n"
                   "b.list.x\n",
                   NULL),
        "weir.conf:1: a.port: expected a port, 1 to 65535, not \"70000\"\n"
        "weir.conf:2: a.count: expected a whole number, -10 to 10, not \"many\"\n"
        "weir.conf:4: on: expected true or false, not \"maybe\"\n"
        "weir.conf:5: b.color: expected red, green or blue, not \"pink\"\n"
        "weir.conf:6: b.pause: expected a duration such as 250ms, 10s, 5m or 2h, 1ms to 1d, not "
        "\"10\"\n"
        "weir.conf:7: a.name: expected text of 1 to 20 characters, not \"\"\n"
        "weir.conf:8: b.list: expected a list of 0 to 3 entries, separated by commas, not "
        "\"1,2,3,4\"\n"
        "weir.conf:9: expected \"key = value\" or \"[section]\", not \"b.list.x\"");
}

static void unknown_keys_suggest_what_was_meant(void **state)
{
    (void)state;
    assert_string_equal(complaints("a.prot = 1\nport = 2\n[b]\ncolour = red\nzebra = 1\n", NULL),
                        "weir.conf:1: a.prot: no such key; did you mean a.port?\n"
                        "weir.conf:2: port: no such key; did you mean a.port?\n"
                        "weir.conf:4: b.colour: no such key; did you mean b.color?\n"
                        "weir.conf:5: b.zebra: no such key");
    char *env[] = {"WEIR_A_PROT=1", "WEIR_SOMETHING_ELSE=1", "WEIR_A_PORT=x", NULL};
    assert_string_equal(complaints(NULL, env),
                        "warning: WEIR_A_PROT: no such setting; did you mean WEIR_A_PORT?\n"
                        "warning: WEIR_SOMETHING_ELSE: no such setting\n"
                        "WEIR_A_PORT: expected a port, 1 to 65535, not \"x\"");
}

static void wrong_values_leave_the_lower_source(void **state)
{
    (void)state;
    char *env[] = {"WEIR_A_PORT=x", NULL};
    struct loaded *l = load("a.port = 7\na.count = x\n", env);
    assert_int_equal(l->e, ERR_MALFORMED);
    assert_int_equal(l->s.port, 7);
    assert_int_equal(l->s.count, 3);
    unload(l);
}

static void secrets_are_never_shown(void **state)
{
    (void)state;
    const char *text = complaints("b.secret = hunter2hunter2hunter2hunter2\n", NULL);
    assert_null(strstr(text, "hunter"));
    assert_non_null(strstr(text, "b.secret: expected text of at most 20 characters"));
    struct loaded *l = load("b.secret = hunter2", NULL);
    char buf[64];
    assert_string_equal(l->s.secret, "hunter2");
    assert_string_equal(config_value_text(&keys[10], &l->s.secret, buf, sizeof buf), "***");
    unload(l);
}

static void broken_lines_are_told(void **state)
{
    (void)state;
    assert_string_equal(complaints("[a\n[]\n[x y]\n= 1\nA B = 2\na.name = \"open\n"
                                   "a.name = 'x' y\na.name = \"\\q\"\n",
                                   NULL),
                        "weir.conf:1: expected a section such as [http]\n"
                        "weir.conf:2: expected a section such as [http]\n"
                        "weir.conf:3: expected a section such as [http]\n"
                        "weir.conf:4: expected a key before the \"=\", such as http.port\n"
                        "weir.conf:5: expected a key before the \"=\", such as http.port\n"
                        "weir.conf:6: a.name: expected a closing quote and nothing behind it\n"
                        "weir.conf:7: a.name: set twice in this file\n"
                        "weir.conf:8: a.name: set twice in this file");
    static char line[CONFIG_LINE_MAX + 100];
    memset(line, 'x', sizeof line - 1);
    assert_non_null(strstr(complaints(line, NULL), "weir.conf:1: expected at most"));
}

static void problems_are_bounded_but_all_counted(void **state)
{
    (void)state;
    static char text[20000];
    for (int i = 0; i < 1000; i++)
        strcat(text, "nonsense = 1\n");
    struct loaded *l = load(text, NULL);
    assert_int_equal(l->problems.n, CONFIG_PROBLEMS_MAX);
    assert_int_equal(l->problems.n_errors, 1000);
    unload(l);
}

struct quantity {
    const char *text;
    int64_t value; /* -1: refused */
};

static void check_quantities(const struct config_key *key, const struct quantity *q, size_t n)
{
    struct arena arena;
    arena_init(&arena, 1000);
    for (size_t i = 0; i < n; i++) {
        int64_t v = -1;
        enum err e = config_value_parse(key, q[i].text, &v, &arena);
        assert_int_equal(v, q[i].value);
        assert_true((e == OK) == (q[i].value != -1));
    }
    arena_fini(&arena);
}

static void units_are_read_and_ranges_kept(void **state)
{
    (void)state;
    struct config_key pause = keys[6];
    pause.min = 0;
    static const struct quantity durations[] = {{"0", 0},
                                                {"1ms", 1000},
                                                {"0.5s", 500000},
                                                {"2m", 120000000},
                                                {"1h", 3600000000},
                                                {"1d", 86400000000},
                                                {"2d", -1},
                                                {"5", -1},
                                                {"1.s", -1},
                                                {".5s", -1},
                                                {"-1s", -1},
                                                {"1e3s", -1},
                                                {"1 s", 1000000},
                                                {"s", -1},
                                                {"", -1},
                                                {"1ss", -1},
                                                {"99999999999999999s", -1},
                                                {"0.0", 0},
                                                {"1S", 1000000}};
    check_quantities(&pause, durations, sizeof durations / sizeof durations[0]);
    static const struct quantity sizes[] = {{"1", 1},       {"1k", 1024},    {"1K", 1024},
                                            {"1.5k", 1536}, {"1G", 1 << 30}, {"2G", -1},
                                            {"0", -1},      {"1kb", -1},     {"0x10", -1}};
    check_quantities(&keys[7], sizes, sizeof sizes / sizeof sizes[0]);
    static const struct quantity ints[] = {
        {"-10", -10}, {"10", 10}, {"11", -1}, {"1.0", -1}, {"+1", -1},
        {" 1", -1},   {"", -1},   {"-", -1},  {"007", 7},  {"999999999999999999999", -1}};
    check_quantities(&keys[0], ints, sizeof ints / sizeof ints[0]);
}

static void values_are_written_as_they_are_read(void **state)
{
    (void)state;
    struct loaded *l = load("b.pause = 90s\nb.rate = 2.5M\nb.list = a,b\nb.bytes = 1000", NULL);
    static const char *const expected[] = {"3",   "8080", "true",  "weir", "", "green",
                                           "90s", "1000", "2500k", "a, b", ""};
    for (size_t i = 0; i < table.n; i++) {
        char buf[64];
        config_value_text(&keys[i], (char *)&l->s + keys[i].offset, buf, sizeof buf);
        assert_string_equal(buf, expected[i]);
    }
    unload(l);
}

static void files_are_read_within_limits(void **state)
{
    (void)state;
    char path[] = "/tmp/weir-config-XXXXXX";
    int fd = mkstemp(path);
    struct arena arena;
    const char *text = NULL;
    arena_init(&arena, 4 * CONFIG_FILE_MAX);
    assert_int_equal(write(fd, "a.port = 1\n", 11), 11);
    assert_int_equal(config_read_file(path, &arena, &text), OK);
    assert_string_equal(text, "a.port = 1\n");
    assert_int_equal(write(fd, "\0", 1), 1);
    assert_int_equal(config_read_file(path, &arena, &text), ERR_MALFORMED);
    assert_int_equal(ftruncate(fd, CONFIG_FILE_MAX + 1), 0);
    assert_int_equal(config_read_file(path, &arena, &text), ERR_TOO_LARGE);
    close(fd);
    unlink(path);
    assert_int_equal(config_read_file(path, &arena, &text), ERR_NOT_FOUND);
    assert_int_equal(config_read_file("/", &arena, &text), ERR_IO);
    arena_fini(&arena);
}

static void memory_that_runs_out_is_an_error(void **state)
{
    (void)state;
    for (size_t limit = 0; limit < 1000; limit += 16) {
        struct arena arena;
        struct config_problems problems;
        struct sample s;
        arena_init(&arena, limit);
        config_problems_init(&problems, &arena);
        enum err e = config_load(&table, "f", "a.name = x\nb.list = a,b,c\nnope = 1\n", NULL, &s,
                                 &arena, &problems);
        assert_int_not_equal(e, OK);
        arena_fini(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_file_the_defaults_hold),
        cmocka_unit_test(a_file_sets_keys_dotted_or_in_sections),
        cmocka_unit_test(the_environment_wins_over_the_file),
        cmocka_unit_test(every_mistake_is_told_with_line_and_key),
        cmocka_unit_test(unknown_keys_suggest_what_was_meant),
        cmocka_unit_test(wrong_values_leave_the_lower_source),
        cmocka_unit_test(secrets_are_never_shown),
        cmocka_unit_test(broken_lines_are_told),
        cmocka_unit_test(problems_are_bounded_but_all_counted),
        cmocka_unit_test(units_are_read_and_ranges_kept),
        cmocka_unit_test(values_are_written_as_they_are_read),
        cmocka_unit_test(files_are_read_within_limits),
        cmocka_unit_test(memory_that_runs_out_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
