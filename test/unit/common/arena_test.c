#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdalign.h>

#include "common/arena.h"

static void memory_is_zeroed_aligned_and_apart(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 1 << 20);
    unsigned char *blocks[300];
    for (size_t i = 0; i < 300; i++) {
        size_t n = i * 7 % 200;
        blocks[i] = arena_alloc(&a, n);
        assert_non_null(blocks[i]);
        assert_int_equal((uintptr_t)blocks[i] % alignof(max_align_t), 0);
        for (size_t j = 0; j < n; j++)
            assert_int_equal(blocks[i][j], 0);
        memset(blocks[i], (int)i + 1, n);
    }
    for (size_t i = 0; i < 300; i++)
        for (size_t j = 0; j < i * 7 % 200; j++)
            assert_int_equal(blocks[i][j], (unsigned char)(i + 1));
    arena_fini(&a);
}

static void the_limit_holds(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 100);
    assert_null(arena_alloc(&a, 101));
    assert_non_null(arena_alloc(&a, 64));
    assert_null(arena_alloc(&a, 64));
    assert_non_null(arena_alloc(&a, 16));
    assert_true(a.total <= 100);
    arena_fini(&a);
}

static void sizes_that_overflow_are_refused(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, SIZE_MAX);
    assert_null(arena_array(&a, SIZE_MAX / 2, 3));
    assert_null(arena_alloc(&a, SIZE_MAX));
    assert_null(arena_strndup(&a, "", SIZE_MAX));
    assert_non_null(arena_array(&a, SIZE_MAX, 0));
    arena_fini(&a);
}

static void pieces_larger_than_a_chunk_work_and_so_does_what_comes_after(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 1 << 20);
    char *small = arena_strndup(&a, "small", 5);
    char *large = arena_alloc(&a, 100000);
    memset(large, 'x', 100000);
    char *after = arena_strndup(&a, "afterwards", 5);
    assert_string_equal(small, "small");
    assert_string_equal(after, "after");
    arena_fini(&a);
}

static void an_arena_can_be_used_again_after_it_gave_everything_back(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 64);
    assert_non_null(arena_alloc(&a, 64));
    arena_fini(&a);
    assert_int_equal(a.total, 0);
    assert_non_null(arena_alloc(&a, 64));
    arena_fini(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_aligned_and_apart),
        cmocka_unit_test(the_limit_holds),
        cmocka_unit_test(sizes_that_overflow_are_refused),
        cmocka_unit_test(pieces_larger_than_a_chunk_work_and_so_does_what_comes_after),
        cmocka_unit_test(an_arena_can_be_used_again_after_it_gave_everything_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
