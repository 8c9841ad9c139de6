#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/frame.h"
#include "common/rng.h"

static void put_head(uint8_t *p, uint32_t n)
{
    for (int i = 0; i < FRAME_HEAD; i++)
        p[i] = (uint8_t)(n >> (8 * i));
}

static void frames_come_out_whole_however_the_bytes_are_cut(void **state)
{
    (void)state;
    struct rng rng;
    rng_init_seeded(&rng, 1);
    for (int round = 0; round < 200; round++) {
        struct frame_queue q;
        struct frame_reader r;
        frame_queue_init(&q, 1 << 20);
        frame_reader_init(&r);
        uint8_t body[300];
        size_t sent = 1 + rng_u32(&rng) % 20;
        for (size_t i = 0; i < sent; i++) {
            memset(body, (int)i + 1, sizeof body);
            assert_int_equal(frame_queue_push(&q, body, 1 + (i * 37) % sizeof body), OK);
        }
        size_t got = 0;
        while (frame_queue_peek(&q).n > 0) {
            struct slice left = frame_queue_peek(&q);
            size_t n = 1 + rng_u32(&rng) % (round % 2 ? 3 : 400);
            n = n < left.n ? n : left.n;
            assert_int_equal(frame_reader_feed(&r, left.p, n), OK);
            frame_queue_consume(&q, n);
            struct slice frame;
            while (frame_reader_next(&r, &frame)) {
                assert_int_equal(frame.n, 1 + (got * 37) % sizeof body);
                for (size_t i = 0; i < frame.n; i++)
                    assert_int_equal(frame.p[i], got + 1);
                got++;
            }
            assert_int_equal(frame_reader_error(&r), OK);
        }
        assert_int_equal(got, sent);
        assert_false(frame_reader_partial(&r));
        frame_reader_fini(&r);
        frame_queue_fini(&q);
    }
}

static void the_length_is_little_endian(void **state)
{
    (void)state;
    struct frame_queue q;
    frame_queue_init(&q, 1000);
    uint8_t body[258] = {7};
    assert_int_equal(frame_queue_push(&q, body, sizeof body), OK);
    struct slice s = frame_queue_peek(&q);
    assert_int_equal(s.n, FRAME_HEAD + sizeof body);
    assert_memory_equal(s.p, "\x02\x01\x00\x00\x07", 5);
    frame_queue_fini(&q);
}

static void an_empty_frame_breaks_the_stream_for_good(void **state)
{
    (void)state;
    struct frame_reader r;
    struct slice frame;
    frame_reader_init(&r);
    assert_int_equal(frame_reader_feed(&r, "\0\0\0\0\1\0\0\0x", 9), OK);
    assert_false(frame_reader_next(&r, &frame));
    assert_int_equal(frame_reader_error(&r), ERR_MALFORMED);
    assert_false(frame_reader_next(&r, &frame));
    assert_int_equal(frame_reader_feed(&r, "\1\0\0\0x", 5), ERR_MALFORMED);
    frame_reader_fini(&r);
}

static void a_frame_over_the_limit_breaks_the_stream_before_its_bytes_come(void **state)
{
    (void)state;
    struct frame_reader r;
    struct slice frame;
    uint8_t head[FRAME_HEAD];
    put_head(head, FRAME_MAX + 1);
    frame_reader_init(&r);
    assert_int_equal(frame_reader_feed(&r, head, sizeof head), OK);
    assert_false(frame_reader_next(&r, &frame));
    assert_int_equal(frame_reader_error(&r), ERR_TOO_LARGE);
    frame_reader_fini(&r);
}

static void the_greatest_frame_passes_and_its_memory_is_given_back(void **state)
{
    (void)state;
    struct frame_reader r;
    struct frame_queue q;
    frame_reader_init(&r);
    frame_queue_init(&q, 2 * FRAME_MAX);
    uint8_t *body = malloc(FRAME_MAX + 1);
    memset(body, 'x', FRAME_MAX + 1);
    assert_int_equal(frame_queue_push(&q, body, FRAME_MAX + 1), ERR_TOO_LARGE);
    assert_int_equal(frame_queue_push(&q, body, FRAME_MAX), OK);
    struct slice frame;
    size_t frames = 0;
    while (frame_queue_peek(&q).n > 0) {
        struct slice left = frame_queue_peek(&q);
        size_t n = left.n < 65536 ? left.n : 65536;
        assert_int_equal(frame_reader_feed(&r, left.p, n), OK);
        frame_queue_consume(&q, n);
        while (frame_reader_next(&r, &frame)) {
            assert_int_equal(frame.n, FRAME_MAX);
            assert_memory_equal(frame.p, body, FRAME_MAX);
            frames++;
        }
    }
    assert_int_equal(frames, 1);
    assert_true(r.cap <= FRAME_KEEP);
    assert_true(q.cap <= FRAME_KEEP);
    free(body);
    frame_reader_fini(&r);
    frame_queue_fini(&q);
}

static void a_promised_length_alone_takes_no_memory(void **state)
{
    (void)state;
    struct frame_reader r;
    struct slice frame;
    uint8_t head[FRAME_HEAD];
    put_head(head, FRAME_MAX);
    frame_reader_init(&r);
    assert_int_equal(frame_reader_feed(&r, head, sizeof head), OK);
    assert_false(frame_reader_next(&r, &frame));
    assert_true(frame_reader_partial(&r));
    assert_true(r.cap < FRAME_KEEP);
    frame_reader_fini(&r);
}

static void frames_that_nobody_takes_out_do_not_pile_up_without_bound(void **state)
{
    (void)state;
    struct frame_reader r;
    frame_reader_init(&r);
    size_t n = 1 << 20;
    uint8_t *piece = calloc(1, n);
    put_head(piece, (uint32_t)n - FRAME_HEAD);
    enum err err = OK;
    int fed = 0;
    while (fed < 100 && (err = frame_reader_feed(&r, piece, n)) == OK)
        fed++;
    assert_int_equal(err, ERR_FULL);
    assert_int_equal(fed, 8);
    /* It is not sticky: once they are taken out, it goes on. */
    struct slice frame;
    while (frame_reader_next(&r, &frame))
        fed--;
    assert_int_equal(fed, 0);
    assert_int_equal(frame_reader_feed(&r, piece, n), OK);
    free(piece);
    frame_reader_fini(&r);
}

static void a_queue_refuses_what_goes_over_its_bound_and_takes_it_later(void **state)
{
    (void)state;
    struct frame_queue q;
    frame_queue_init(&q, 20);
    assert_int_equal(frame_queue_push(&q, "0123456789", 10), OK);
    assert_int_equal(frame_queue_push(&q, "012", 3), ERR_FULL);
    assert_int_equal(frame_queue_push(&q, "01", 2), OK);
    assert_int_equal(frame_queue_peek(&q).n, 20);
    assert_int_equal(frame_queue_push(&q, "0", 1), ERR_FULL);
    assert_int_equal(frame_queue_push(&q, "", 0), ERR_MALFORMED);
    frame_queue_consume(&q, 14);
    assert_int_equal(frame_queue_push(&q, "012", 3), OK);
    assert_memory_equal(frame_queue_peek(&q).p,
                        "\2\0\0\0"
                        "01"
                        "\3\0\0\0"
                        "012",
                        13);
    frame_queue_fini(&q);
}

static void a_queue_that_is_never_empty_stays_within_a_few_times_its_bytes(void **state)
{
    (void)state;
    struct frame_queue q;
    frame_queue_init(&q, 1 << 20);
    uint8_t body[1000] = {0};
    for (int i = 0; i < 100; i++)
        assert_int_equal(frame_queue_push(&q, body, sizeof body), OK);
    for (int i = 0; i < 100000; i++) {
        frame_queue_consume(&q, FRAME_HEAD + sizeof body);
        assert_int_equal(frame_queue_push(&q, body, sizeof body), OK);
    }
    assert_int_equal(frame_queue_peek(&q).n, 100 * (FRAME_HEAD + sizeof body));
    assert_true(q.cap < 4 * (1 << 17));
    frame_queue_fini(&q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_come_out_whole_however_the_bytes_are_cut),
        cmocka_unit_test(the_length_is_little_endian),
        cmocka_unit_test(an_empty_frame_breaks_the_stream_for_good),
        cmocka_unit_test(a_frame_over_the_limit_breaks_the_stream_before_its_bytes_come),
        cmocka_unit_test(the_greatest_frame_passes_and_its_memory_is_given_back),
        cmocka_unit_test(a_promised_length_alone_takes_no_memory),
        cmocka_unit_test(frames_that_nobody_takes_out_do_not_pile_up_without_bound),
        cmocka_unit_test(a_queue_refuses_what_goes_over_its_bound_and_takes_it_later),
        cmocka_unit_test(a_queue_that_is_never_empty_stays_within_a_few_times_its_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
