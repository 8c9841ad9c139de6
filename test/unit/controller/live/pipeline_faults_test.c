/* Whatever happens at whatever step: nothing is left behind, and the stream heals. Each test runs a
 * good day up to step n, lets one thing happen, and goes on; for every n. */
#include "test/unit/controller/live/pipeline_world.h"

#include "common/log.h"

/* More than a good day has until its second segment. */
enum { STEPS = 24 };

static void go_live(struct world *w, const char *video)
{
    world_produce(w, MEDIA_KIND_VIDEO, video);
    world_produce(w, MEDIA_KIND_AUDIO, "audio/opus");
    pipeline_changed(w->pipeline);
}

static void begin(struct world *w, int steps)
{
    world_init(w);
    go_live(w, "video/H264");
    for (int i = 0; i < steps; i++)
        world_step(w);
}

static void ending_is_clean_at_every_step(void **state)
{
    (void)state;
    for (int n = 0; n < STEPS; n++) {
        struct world w;
        begin(&w, n);
        world_fini(&w); /* ends it, and checks */
    }
}

static void ending_is_clean_while_cleaning_after_every_step(void **state)
{
    (void)state;
    for (int n = 0; n < STEPS; n++) {
        struct world w;
        begin(&w, n);
        world_produce(&w, MEDIA_KIND_VIDEO, "video/VP8");
        pipeline_changed(w.pipeline);
        world_fini(&w);
    }
}

static void an_answer_with_an_error_heals_at_every_step(void **state)
{
    (void)state;
    unsigned refused = 0;
    for (int n = 0; n < STEPS; n++) {
        struct world w;
        begin(&w, n);
        if (world_answer(&w, ERR_NOT_FOUND))
            refused += w.restarts[PIPELINE_REFUSED];
        world_until(&w, PIPELINE_ACTIVE);
        assert_int_equal(ports_taken(w.ports), 2);
        world_fini(&w);
    }
    /* Four for transports, two for consumers, two for resuming. */
    assert_int_equal(refused, 8);
}

static void an_ffmpeg_that_dies_heals_at_every_step(void **state)
{
    (void)state;
    unsigned died = 0;
    for (int n = 0; n < STEPS; n++) {
        struct world w;
        begin(&w, n);
        if (w.ffmpeg_runs) {
            world_exit(&w, 1, 0);
            assert_int_equal(w.restarts[PIPELINE_EXITED], 1);
            died++;
        }
        world_until(&w, PIPELINE_ACTIVE);
        world_fini(&w);
    }
    assert_true(died > 5);
}

static void an_ffmpeg_that_hangs_heals_at_every_step(void **state)
{
    (void)state;
    for (int n = 0; n < STEPS; n++) {
        struct world w;
        begin(&w, n);
        uint64_t begin_ms = w.now;
        if (w.ffmpeg_runs) {
            while (w.stopped_ms < 0)
                assert_true(world_fire(&w));
            assert_true(w.now - begin_ms <= 8000);
        }
        world_until(&w, PIPELINE_ACTIVE);
        world_fini(&w);
    }
}

static void a_lost_worker_heals_at_every_step(void **state)
{
    (void)state;
    for (int n = 0; n < STEPS; n++) {
        struct world w;
        begin(&w, n);
        world_lose_worker(&w);
        for (int i = 0; i < 5; i++)
            world_step(&w);
        assert_int_equal(pipeline_state(w.pipeline), PIPELINE_IDLE);
        world_assert_empty(&w);
        w.worker_runs = w.router = true;
        pipeline_changed(w.pipeline);
        assert_int_equal(pipeline_state(w.pipeline), PIPELINE_IDLE);
        go_live(&w, "video/VP8");
        uint64_t back = w.now;
        world_until(&w, PIPELINE_ACTIVE);
        assert_true(w.now - back < 2000);
        world_fini(&w);
    }
}

static void ending_is_clean_after_a_lost_worker_at_every_step(void **state)
{
    (void)state;
    for (int n = 0; n < STEPS; n++) {
        struct world w;
        begin(&w, n);
        world_lose_worker(&w);
        world_fini(&w);
    }
}

static void a_change_at_every_step_ends_with_what_is_there_last(void **state)
{
    (void)state;
    for (int n = 0; n < STEPS; n++) {
        struct world w;
        begin(&w, n);
        world_produce(&w, MEDIA_KIND_VIDEO, "video/VP8");
        pipeline_changed(w.pipeline);
        if (pipeline_state(w.pipeline) == PIPELINE_ACTIVE)
            fail_msg("the change at step %d went unnoticed", n);
        world_until(&w, PIPELINE_ACTIVE);
        assert_non_null(strstr(w.ffmpeg_input, "VP8"));
        assert_true(w.launches <= 2);
        world_fini(&w);
    }
}

/* Answers to a run that is over come late, in the middle of the next one: the fake worker keeps
 * them, and fails the test if one that was forgotten is still wanted. */
static void changes_at_two_steps_are_clean_in_every_combination(void **state)
{
    (void)state;
    for (int n = 0; n < STEPS; n++) {
        for (int m = 0; m < STEPS; m++) {
            struct world w;
            begin(&w, n);
            world_produce(&w, MEDIA_KIND_VIDEO, "video/VP8");
            pipeline_changed(w.pipeline);
            for (int i = 0; i < m; i++)
                world_step(&w);
            w.producers[MEDIA_KIND_AUDIO].there = false;
            pipeline_changed(w.pipeline);
            for (int i = 0; i < STEPS; i++)
                world_step(&w);
            world_until(&w, PIPELINE_ACTIVE);
            assert_int_equal(w.ffmpeg.n_ports, 2);
            assert_non_null(strstr(w.ffmpeg_input, "VP8"));
            world_fini(&w);
        }
    }
}

static void one_change_after_the_other_does_not_run_away(void **state)
{
    (void)state;
    struct world w;
    begin(&w, STEPS);
    uint64_t end = w.now + 60000;
    unsigned before = w.launches;
    while (w.now < end) {
        w.producers[MEDIA_KIND_AUDIO].paused = !w.producers[MEDIA_KIND_AUDIO].paused;
        pipeline_changed(w.pipeline);
        world_step(&w);
    }
    /* A toggling mute button costs no more than a process each few seconds. */
    assert_true(w.launches - before < 40);
    world_until(&w, PIPELINE_ACTIVE);
    world_fini(&w);
}

int main(void)
{
    log_set_level(LOG_ERROR + 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ending_is_clean_at_every_step),
        cmocka_unit_test(ending_is_clean_while_cleaning_after_every_step),
        cmocka_unit_test(an_answer_with_an_error_heals_at_every_step),
        cmocka_unit_test(an_ffmpeg_that_dies_heals_at_every_step),
        cmocka_unit_test(an_ffmpeg_that_hangs_heals_at_every_step),
        cmocka_unit_test(a_lost_worker_heals_at_every_step),
        cmocka_unit_test(ending_is_clean_after_a_lost_worker_at_every_step),
        cmocka_unit_test(a_change_at_every_step_ends_with_what_is_there_last),
        cmocka_unit_test(changes_at_two_steps_are_clean_in_every_combination),
        cmocka_unit_test(one_change_after_the_other_does_not_run_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
