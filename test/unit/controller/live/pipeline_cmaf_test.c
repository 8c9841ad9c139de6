/* Pipelines of fragmented MP4: the world's ffmpeg is played by bytes that a real one wrote. */
#include "test/unit/controller/live/pipeline_world.h"

#include "controller/live/pipeline_state.h"
#include "test/unit/controller/hls/hls_media.h"

static struct file video;
static struct file sound;

static int load_media(void **state)
{
    int e = make_media(state);
    video = load("v.mp4");
    sound = load("a.mp4");
    return e;
}

static int unload_media(void **state)
{
    free(video.bytes);
    free(sound.bytes);
    return remove_media(state);
}

/* ffmpeg writes a part of both files. False: nothing is left of them, or the run ended meanwhile.
 */
static bool write_part(struct world *w, size_t parts)
{
    struct file *files[] = {&video, &sound};
    unsigned launches = w->launches;
    bool more = false;
    for (size_t i = 0; i < 2; i++) {
        struct file *f = files[i];
        size_t n = f->n / parts + 1 < f->n - f->at ? f->n / parts + 1 : f->n - f->at;
        f->at += n;
        more = more || n > 0;
        if (n > 0 && w->ffmpeg_runs && w->launches == launches)
            w->ffmpeg.on_output(w->ffmpeg.ctx, i, f->bytes + f->at - n, n);
    }
    return more;
}

/* What it makes in a second. */
static bool write_second(struct world *w)
{
    return write_part(w, 6);
}

static void until_active(struct world *w)
{
    for (int i = 0; pipeline_state(w->pipeline) != PIPELINE_ACTIVE; i++) {
        assert_in_range(i, 0, 100);
        if (pipeline_state(w->pipeline) != PIPELINE_PRIMING) {
            video.at = sound.at = 0;
            w->key_came = false;
            world_step(w);
            continue;
        }
        if (w->listener && !w->key_came)
            world_key_frame(w);
        w->key_came = true;
        assert_true(write_second(w));
        w->now += 1000;
    }
}

static void go_live(struct world *w)
{
    world_init_as(w, true);
    world_produce(w, MEDIA_KIND_VIDEO, "video/H264");
    world_produce(w, MEDIA_KIND_AUDIO, "audio/opus");
    pipeline_changed(w->pipeline);
    until_active(w);
}

static uint64_t next_msn(const struct world *w)
{
    return hls_track_next_msn(presentation_leader(w->published));
}

static void the_first_segment_makes_it_active_and_sound_makes_it_playable(void **state)
{
    struct world w;
    (void)state;
    go_live(&w);
    while (w.playable == 0)
        assert_true(write_second(&w));
    assert_int_equal(w.playable, 1);
    assert_int_equal(w.publishes, 1);
    assert_int_equal(presentation_n_tracks(w.published), 2);
    assert_string_equal(hls_track_spec(presentation_track(w.published, 0))->name, "v0");
    assert_string_equal(hls_track_spec(presentation_track(w.published, 1))->name, "a0");
    assert_string_equal(w.ffmpeg_output, "pipe:4");
    world_fini(&w);
}

static void media_sequence_numbers_grow_over_a_thousand_runs(void **state)
{
    struct world w;
    (void)state;
    go_live(&w);
    uint64_t before = next_msn(&w);
    for (int i = 0; i < 1000; i++) {
        w.log[0] = '\0';
        world_exit(&w, 0, 9);
        w.n_transports = 0;
        until_active(&w);
        assert_true(next_msn(&w) > before);
        before = next_msn(&w);
        const struct hls_track *t = presentation_leader(w.published);
        assert_true(before - hls_track_first_msn(t) <= 16); /* the window is bounded */
        assert_int_equal(ports_taken(w.ports), 2);
        assert_int_equal(w.load, 4);
    }
    assert_int_equal(w.publishes, 1); /* the address stays */
    assert_int_equal(w.playable, 1);
    assert_int_equal(pipeline_runs(w.pipeline), 1001);
    world_fini(&w);
}

/* More than one an hour, at which they begin. */
static void what_begins_anew_has_higher_discontinuity_numbers_than_all_runs_before(void **state)
{
    struct world w;
    (void)state;
    go_live(&w);
    const struct hls_track *t = presentation_leader(w.published);
    uint64_t first = hls_track_discontinuity_sequence(t);
    for (int i = 0; i < 50; i++) {
        w.log[0] = '\0';
        world_exit(&w, 0, 9);
        w.n_transports = 0;
        until_active(&w);
    }
    uint64_t last = hls_track_discontinuity_sequence(t);
    for (uint64_t m = hls_track_first_msn(t); m <= hls_track_next_msn(t); m++)
        last += hls_track_segment(t, m) && hls_track_segment(t, m)->discontinuity;
    assert_int_equal(last, first + 50);
    assert_true(discontinuity_mark_first(w.mark, world_wall(&w)) > last);
    world_fini(&w);
}

static void a_key_frame_with_another_picture_size_counts_however_early_it_came(void **state)
{
    struct world w;
    (void)state;
    go_live(&w);
    struct hls_track *leader = presentation_leader(w.published);
    world_sleep(&w, 1000);
    assert_true(write_second(&w));
    world_key_frame(&w);
    world_sleep(&w, 400);
    assert_true(write_second(&w));
    world_key_frame(&w);
    w.pipeline->observer.on_init(w.pipeline, leader, hls_track_init(leader));
    unsigned before = w.key_requests;
    world_sleep(&w, 1049);
    assert_int_equal(w.key_requests, before);
    world_sleep(&w, 1);
    assert_int_equal(w.key_requests, before + 1);
    world_fini(&w);
}

static void numbers_grow_over_lives_of_the_service(void **state)
{
    struct world w;
    (void)state;
    go_live(&w);
    uint64_t first = hls_track_first_msn(presentation_leader(w.published));
    uint64_t start = w.now;
    for (int i = 0; i < 20 && write_second(&w); i++)
        w.now += 1000;
    uint64_t before = next_msn(&w);
    uint64_t now = w.now;
    world_fini(&w);
    world_init_as(&w, true);
    w.now = now;
    world_produce(&w, MEDIA_KIND_VIDEO, "video/H264");
    world_produce(&w, MEDIA_KIND_AUDIO, "audio/opus");
    pipeline_changed(w.pipeline);
    until_active(&w);
    assert_true(now > start && before > first);
    assert_true(hls_track_first_msn(presentation_leader(w.published)) > before);
    world_fini(&w);
}

static void a_stopped_ffmpeg_is_seen_by_its_sockets_within_two_seconds(void **state)
{
    struct world w;
    (void)state;
    go_live(&w);
    uint64_t stopped = w.now;
    w.backlog = true;
    while (w.stopped_ms < 0) {
        assert_in_range(w.now - stopped, 0, 2000);
        assert_true(world_fire(&w));
    }
    assert_int_equal(w.stopped_ms, 0); /* SIGKILL: it would not see another */
    assert_int_equal(w.restarts[PIPELINE_STALLED], 1);
    w.backlog = false;
    until_active(&w);
    world_fini(&w);
}

static void a_silent_input_is_no_reason_to_kill_ffmpeg_at_once(void **state)
{
    struct world w;
    (void)state;
    go_live(&w);
    world_sleep(&w, 1800);
    assert_int_equal(w.stopped_ms, -1);
    world_sleep(&w, 1500);
    assert_int_equal(w.stopped_ms, 0);
    world_fini(&w);
}

static void one_that_was_stopped_by_a_signal_is_seen_at_once_whatever_came_before(void **state)
{
    struct world w;
    (void)state;
    go_live(&w);
    for (int i = 0; i < 5; i++) {
        uint64_t stopped = w.now;
        w.held = true;
        w.stopped_ms = -1;
        while (w.stopped_ms < 0) {
            assert_in_range(w.now - stopped, 0, 600);
            assert_true(world_fire(&w));
        }
        assert_int_equal(w.stopped_ms, 0);
        w.held = false;
        uint64_t gone = w.now;
        until_active(&w);
        assert_in_range(w.now - gone, 0, 2500); /* of media: no waiting before the run */
    }
    assert_int_equal(w.restarts[PIPELINE_STALLED], 5);
    world_fini(&w);
}

static void one_that_is_stopped_before_its_first_segment_is_seen_as_well(void **state)
{
    struct world w;
    (void)state;
    world_init_as(&w, true);
    world_produce(&w, MEDIA_KIND_VIDEO, "video/H264");
    pipeline_changed(w.pipeline);
    world_until(&w, PIPELINE_PRIMING);
    w.held = true;
    world_sleep(&w, 600);
    assert_int_equal(w.stopped_ms, 0);
    assert_int_equal(w.restarts[PIPELINE_STALLED], 1);
    world_fini(&w);
}

static void runs_after_one_that_seemed_to_hang_are_given_more_time(void **state)
{
    struct world w;
    (void)state;
    go_live(&w);
    for (unsigned i = 0; i < 2; i++) {
        w.stopped_ms = -1;
        w.backlog = true;
        write_second(&w);
        world_sleep(&w, (uint64_t)HANG_MS * (i + 1) - 100);
        assert_int_equal(w.stopped_ms, -1);
        world_sleep(&w, 300);
        assert_int_equal(w.stopped_ms, 0);
        w.backlog = false;
        until_active(&w);
    }
    world_fini(&w);
}

static void bytes_that_are_no_mp4_end_the_run_not_the_stream(void **state)
{
    struct world w;
    (void)state;
    go_live(&w);
    uint64_t before = next_msn(&w);
    static char junk[256 * 1024]; /* longer than what is left of the box before it */
    memset(junk, 5, sizeof junk); /* a box of 84 MB */
    w.ffmpeg.on_output(w.ffmpeg.ctx, 0, junk, sizeof junk);
    assert_int_equal(w.restarts[PIPELINE_EXITED], 1);
    until_active(&w);
    assert_true(next_msn(&w) > before);
    world_fini(&w);
}

static void pictures_that_come_to_a_stream_of_sound_make_another_presentation(void **state)
{
    struct world w;
    (void)state;
    world_init_as(&w, true);
    world_produce(&w, MEDIA_KIND_AUDIO, "audio/opus");
    pipeline_changed(w.pipeline);
    world_until(&w, PIPELINE_PRIMING);
    assert_int_equal(presentation_n_tracks(w.published), 1);
    w.ffmpeg.on_output(w.ffmpeg.ctx, 0, sound.bytes, sound.n);
    assert_int_equal(pipeline_state(w.pipeline), PIPELINE_ACTIVE);
    uint64_t before = next_msn(&w);
    w.now += 6000;
    world_produce(&w, MEDIA_KIND_VIDEO, "video/H264");
    pipeline_changed(w.pipeline);
    until_active(&w);
    assert_int_equal(presentation_n_tracks(w.published), 2);
    assert_int_equal(w.publishes, 2);
    assert_true(hls_track_first_msn(presentation_leader(w.published)) > before);
    world_fini(&w);
}

/* ---- sizes ---- */

static void a_ladder_waits_for_its_sources_size_but_not_for_long(void **state)
{
    struct world w;
    (void)state;
    world_init_with(&w, true, true);
    uint64_t start = w.now;
    world_produce(&w, MEDIA_KIND_VIDEO, "video/VP8");
    world_produce(&w, MEDIA_KIND_AUDIO, "audio/opus");
    pipeline_changed(w.pipeline);
    world_sleep(&w, 500);
    assert_int_equal(pipeline_state(w.pipeline), PIPELINE_WAITING);
    w.producers[MEDIA_KIND_VIDEO].width = 128;
    w.producers[MEDIA_KIND_VIDEO].height = 72;
    pipeline_changed(w.pipeline);
    world_until(&w, PIPELINE_LAUNCHING);
    assert_true(w.now - start < 600);
    assert_int_equal(w.ffmpeg.n_outputs, 2); /* one size, and sound */
    /* A larger one before media flows, as simulcast begins. */
    w.producers[MEDIA_KIND_VIDEO].width = 640;
    w.producers[MEDIA_KIND_VIDEO].height = 360;
    pipeline_changed(w.pipeline);
    world_until(&w, PIPELINE_PRIMING);
    assert_int_equal(w.launches, 2);
    assert_int_equal(w.ffmpeg.n_outputs, 3);
    world_fini(&w);

    world_init_with(&w, true, true);
    start = w.now;
    world_produce(&w, MEDIA_KIND_VIDEO, "video/VP8");
    world_produce(&w, MEDIA_KIND_AUDIO, "audio/opus");
    pipeline_changed(w.pipeline);
    world_until(&w, PIPELINE_PRIMING);
    assert_true(w.now - start <= 800);
    assert_int_equal(w.ffmpeg.n_outputs, 3);
    /* Now it is known, and nothing was made yet. */
    w.producers[MEDIA_KIND_VIDEO].width = 128;
    w.producers[MEDIA_KIND_VIDEO].height = 72;
    pipeline_changed(w.pipeline);
    assert_int_equal(pipeline_state(w.pipeline), PIPELINE_CLEANING);
    world_until(&w, PIPELINE_PRIMING);
    assert_int_equal(w.ffmpeg.n_outputs, 2);
    world_fini(&w);
}

static void a_source_that_grows_gets_one_run_once_it_stays_so(void **state)
{
    struct world w;
    (void)state;
    world_init_with(&w, true, true);
    world_produce(&w, MEDIA_KIND_VIDEO, "video/H264");
    world_produce(&w, MEDIA_KIND_AUDIO, "audio/opus");
    struct world_producer *v = &w.producers[MEDIA_KIND_VIDEO];
    v->width = 128;
    v->height = 72;
    pipeline_changed(w.pipeline);
    until_active(&w);
    assert_int_equal(presentation_n_tracks(w.published), 3);
    assert_true(hls_track_spec(presentation_track(w.published, 1))->absent);
    uint64_t last = 0;
    for (unsigned i = 2; i <= 3; i++) {
        v->width = 128 * i;
        v->height = 72 * i;
        pipeline_changed(w.pipeline);
        last = w.now;
        world_sleep(&w, 900);
        assert_true(write_part(&w, 12));
        assert_int_equal(w.stopped_ms, -1);
    }
    while (w.stopped_ms < 0) {
        assert_in_range(w.now - last, 0, 6000);
        pipeline_changed(w.pipeline); /* for another reason: nothing begins anew */
        world_sleep(&w, 900);
        if (w.stopped_ms < 0)
            assert_true(write_part(&w, 12));
    }
    assert_true(w.now - last >= 5000);
    assert_int_equal(w.restarts[PIPELINE_CHANGED], 1);
    until_active(&w);
    assert_int_equal(w.ffmpeg.n_outputs, 3);
    assert_false(hls_track_spec(presentation_track(w.published, 1))->absent);
    assert_int_equal(w.publishes, 1);
    v->width = 128;
    v->height = 72;
    pipeline_changed(w.pipeline);
    assert_int_equal(w.restarts[PIPELINE_CHANGED], 1);
    world_fini(&w);
}

static void a_camera_that_is_turned_is_told_to_players_without_another_run(void **state)
{
    struct world w;
    (void)state;
    go_live(&w);
    unsigned asked = w.key_requests;
    w.producers[MEDIA_KIND_VIDEO].rotation = 90;
    pipeline_changed(w.pipeline);
    assert_int_equal(w.key_requests, asked + 1);
    for (int i = 0; i < 3 && write_second(&w); i++)
        w.now += 1000;
    assert_int_equal(hls_track_init(presentation_leader(w.published))->format.rotation, 90);
    assert_int_equal(w.launches, 1);
    /* What is encoded needs another one. */
    world_fini(&w);
    world_init_as(&w, true);
    world_produce(&w, MEDIA_KIND_VIDEO, "video/VP8");
    world_produce(&w, MEDIA_KIND_AUDIO, "audio/opus");
    pipeline_changed(w.pipeline);
    until_active(&w);
    w.producers[MEDIA_KIND_VIDEO].rotation = 90;
    pipeline_changed(w.pipeline);
    assert_int_equal(w.restarts[PIPELINE_CHANGED], 1);
    until_active(&w);
    assert_int_equal(hls_track_init(presentation_leader(w.published))->format.rotation, 0);
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_segment_makes_it_active_and_sound_makes_it_playable),
        cmocka_unit_test(media_sequence_numbers_grow_over_a_thousand_runs),
        cmocka_unit_test(what_begins_anew_has_higher_discontinuity_numbers_than_all_runs_before),
        cmocka_unit_test(a_key_frame_with_another_picture_size_counts_however_early_it_came),
        cmocka_unit_test(numbers_grow_over_lives_of_the_service),
        cmocka_unit_test(a_stopped_ffmpeg_is_seen_by_its_sockets_within_two_seconds),
        cmocka_unit_test(a_silent_input_is_no_reason_to_kill_ffmpeg_at_once),
        cmocka_unit_test(one_that_was_stopped_by_a_signal_is_seen_at_once_whatever_came_before),
        cmocka_unit_test(one_that_is_stopped_before_its_first_segment_is_seen_as_well),
        cmocka_unit_test(runs_after_one_that_seemed_to_hang_are_given_more_time),
        cmocka_unit_test(bytes_that_are_no_mp4_end_the_run_not_the_stream),
        cmocka_unit_test(pictures_that_come_to_a_stream_of_sound_make_another_presentation),
        cmocka_unit_test(a_ladder_waits_for_its_sources_size_but_not_for_long),
        cmocka_unit_test(a_source_that_grows_gets_one_run_once_it_stays_so),
        cmocka_unit_test(a_camera_that_is_turned_is_told_to_players_without_another_run),
    };
    return cmocka_run_group_tests(tests, load_media, unload_media);
}
