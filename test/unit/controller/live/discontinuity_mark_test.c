#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/log.h"
#include "controller/live/discontinuity_mark.h"

/* 17,520 hours after 2025 began. */
#define WALL ((usec)(1735689600 + (int64_t)17520 * 3600) * USEC_PER_SEC)
enum { HOURS = 17520 };

static char folder[64];
static char file[96];

static struct discontinuity_mark *open_mark(const char *in)
{
    struct discontinuity_mark *m;
    assert_int_equal(discontinuity_mark_open(in, &m), OK);
    return m;
}

static void write_file(const char *text)
{
    FILE *f = fopen(file, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/weir-mark-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(file, sizeof file, "%s/.discontinuity", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(file);
    return rmdir(folder);
}

static void the_first_life_begins_at_the_hours(void **state)
{
    (void)state;
    struct discontinuity_mark *m = open_mark(folder);
    assert_int_equal(discontinuity_mark_first(m, WALL), HOURS);
    assert_int_equal(discontinuity_mark_first(m, 0), 1);
    discontinuity_mark_close(m);
}

/* As after kill -9: nothing is written at the end. */
static void numbers_never_go_back_over_restarts_and_lives(void **state)
{
    (void)state;
    uint64_t last = 0;
    for (int life = 0; life < 20; life++) {
        struct discontinuity_mark *m = open_mark(folder);
        uint64_t first = discontinuity_mark_first(m, WALL);
        assert_true(first > last);
        discontinuity_mark_reach(m, first);
        for (int i = 1; i <= life * 7; i++)
            discontinuity_mark_reach(m, first + (uint64_t)i);
        /* What is shown runs ahead of what was told. */
        last = first + (uint64_t)life * 7 + 3;
        discontinuity_mark_close(m);
    }
    assert_true(last < HOURS + 20 * (20 * 7 + 20));
}

static void what_begins_after_another_is_above_it(void **state)
{
    (void)state;
    struct discontinuity_mark *m = open_mark(NULL);
    discontinuity_mark_reach(m, HOURS);
    assert_int_equal(discontinuity_mark_first(m, WALL), HOURS + 1);
    discontinuity_mark_reach(m, HOURS + 400);
    discontinuity_mark_reach(m, HOURS + 2); /* of another address */
    assert_int_equal(discontinuity_mark_first(m, WALL), HOURS + 401);
    assert_int_equal(discontinuity_mark_first(m, WALL + 500 * 3600 * USEC_PER_SEC), HOURS + 500);
    discontinuity_mark_close(m);
}

static void a_file_that_is_not_ours_counts_for_nothing(void **state)
{
    static const char *const bad[] = {
        "", "\n", "x\n", "12", "12 apples\n", "99999999999999999999\n", "-1\n"};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        write_file(bad[i]);
        struct discontinuity_mark *m = open_mark(folder);
        assert_int_equal(discontinuity_mark_first(m, WALL), HOURS);
        discontinuity_mark_close(m);
    }
    write_file("30000\n");
    struct discontinuity_mark *m = open_mark(folder);
    assert_int_equal(discontinuity_mark_first(m, WALL), 30001);
    discontinuity_mark_close(m);
}

static void a_folder_that_cannot_be_written_to_is_borne(void **state)
{
    (void)state;
    struct discontinuity_mark *m = open_mark("/proc/nowhere");
    discontinuity_mark_reach(m, HOURS + 5);
    assert_int_equal(discontinuity_mark_first(m, WALL), HOURS + 6);
    discontinuity_mark_close(m);
}

int main(void)
{
    log_set_level((enum log_level)(LOG_ERROR + 1));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_first_life_begins_at_the_hours, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(numbers_never_go_back_over_restarts_and_lives, make_folder,
                                        remove_folder),
        cmocka_unit_test(what_begins_after_another_is_above_it),
        cmocka_unit_test_setup_teardown(a_file_that_is_not_ours_counts_for_nothing, make_folder,
                                        remove_folder),
        cmocka_unit_test(a_folder_that_cannot_be_written_to_is_borne),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
