#include "test/unit/controller/live/pipeline_world.h"

#include "common/log.h"

static void go_live(struct world *w, const char *video)
{
    world_produce(w, MEDIA_KIND_VIDEO, video);
    world_produce(w, MEDIA_KIND_AUDIO, "audio/opus");
    pipeline_changed(w->pipeline);
}

static void read_playlist(const struct world *w, char *text, size_t n)
{
    char path[128];
    snprintf(path, sizeof path, "%s/room/index.m3u8", w->root);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    text[fread(text, 1, n - 1, f)] = '\0';
    fclose(f);
}

static unsigned count(const char *text, const char *what)
{
    unsigned n = 0;
    for (const char *at = strstr(text, what); at; at = strstr(at + 1, what))
        n++;
    return n;
}

/* ---- the order ---- */

static void a_run_takes_its_steps_in_order(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    go_live(&w, "video/VP8");
    world_until(&w, PIPELINE_ACTIVE);
    assert_string_equal(w.log, "create connect create connect consume-video consume-audio launch "
                               "resume key resume ");
    assert_int_equal(w.playable, 1);
    assert_int_equal(ports_taken(w.ports), 2);
    assert_int_equal(w.load, 4);
    pipeline_end(w.pipeline);
    world_until(&w, PIPELINE_ENDED);
    /* Media flows until ffmpeg is gone, so that it can finish its segment. */
    assert_non_null(strstr(w.log, "resume stop exit close close "));
    world_fini(&w);
}

static void nothing_begins_before_the_step_before_it_is_answered(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    go_live(&w, "video/H264");
    world_until(&w, PIPELINE_TRANSPORTS);
    for (int i = 0; i < 3; i++) {
        assert_true(world_answer(&w, OK));
        assert_null(strstr(w.log, "consume"));
    }
    assert_true(world_answer(&w, OK));
    assert_int_equal(pipeline_state(w.pipeline), PIPELINE_CONSUMERS);
    assert_true(world_answer(&w, OK));
    assert_null(strstr(w.log, "launch"));
    assert_true(world_answer(&w, OK));
    assert_int_equal(pipeline_state(w.pipeline), PIPELINE_LAUNCHING);
    assert_non_null(strstr(w.log, "launch"));
    world_sleep(&w, 3000);
    assert_null(strstr(w.log, "resume"));
    world_listening(&w);
    assert_non_null(strstr(w.log, "resume key "));
    assert_null(strstr(w.log, "key resume"));
    /* The sound starts with the picture, and just once. */
    world_key_frame(&w);
    world_key_frame(&w);
    assert_int_equal(count(w.log, "resume "), 2);
    world_fini(&w);
}

static void ffmpeg_is_told_ports_codecs_and_where_to_write(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    go_live(&w, "video/H264");
    world_until(&w, PIPELINE_LAUNCHING);
    char line[64];
    assert_int_equal(w.ffmpeg.n_ports, 4);
    snprintf(line, sizeof line, "m=video %u RTP/AVP 101\r\n", w.ffmpeg.ports[0]);
    assert_non_null(strstr(w.ffmpeg_input, line));
    snprintf(line, sizeof line, "m=audio %u RTP/AVP 100\r\n", w.ffmpeg.ports[2]);
    assert_non_null(strstr(w.ffmpeg_input, line));
    assert_non_null(strstr(w.ffmpeg_input, "a=rtpmap:101 H264/90000\r\n"));
    assert_non_null(
        strstr(w.ffmpeg_input, "a=fmtp:101 packetization-mode=1;profile-level-id=42e01f\r\n"));
    assert_non_null(strstr(w.ffmpeg_input, "a=rtpmap:100 opus/48000/2\r\n"));
    assert_true(w.ffmpeg_input[strlen(w.ffmpeg_input) - 1] == '\n');
    assert_non_null(strstr(w.ffmpeg_output, "/room/"));
    world_fini(&w);
}

/* ---- beginnings ---- */

static void the_second_producer_is_waited_for_but_not_for_long(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    world_produce(&w, MEDIA_KIND_VIDEO, "video/VP8");
    pipeline_changed(w.pipeline);
    world_sleep(&w, 200);
    assert_int_equal(pipeline_state(w.pipeline), PIPELINE_WAITING);
    world_produce(&w, MEDIA_KIND_AUDIO, "audio/opus");
    pipeline_changed(w.pipeline);
    world_sleep(&w, 50);
    assert_int_equal(pipeline_state(w.pipeline), PIPELINE_TRANSPORTS);
    world_until(&w, PIPELINE_ACTIVE);
    assert_int_equal(w.launches, 1);
    world_fini(&w);

    world_init(&w);
    world_produce(&w, MEDIA_KIND_VIDEO, "video/VP8");
    pipeline_changed(w.pipeline);
    world_sleep(&w, 500);
    assert_int_equal(pipeline_state(w.pipeline), PIPELINE_TRANSPORTS);
    world_fini(&w);
}

static void without_producers_or_without_a_router_nothing_runs(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    pipeline_changed(w.pipeline);
    assert_int_equal(pipeline_state(w.pipeline), PIPELINE_IDLE);
    w.router = false;
    go_live(&w, "video/VP8");
    assert_int_equal(pipeline_state(w.pipeline), PIPELINE_IDLE);
    w.router = true;
    pipeline_changed(w.pipeline);
    assert_int_equal(pipeline_state(w.pipeline), PIPELINE_WAITING);
    w.producers[0].there = w.producers[1].there = false;
    pipeline_changed(w.pipeline);
    assert_int_equal(pipeline_state(w.pipeline), PIPELINE_IDLE);
    assert_int_equal(w.timer_at, PIPELINE_NO_TIMER);
    world_fini(&w);
}

/* ---- key frames ---- */

static void a_key_frame_is_asked_for_until_it_came(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    go_live(&w, "video/VP8");
    world_until(&w, PIPELINE_PRIMING);
    assert_int_equal(w.key_requests, 1);
    world_sleep(&w, 1000);
    assert_int_equal(w.key_requests, 5);
    world_key_frame(&w);
    world_sleep(&w, 1000);
    assert_int_equal(w.key_requests, 5);
    world_fini(&w);
}

/* Segments of video that is not transcoded can only be cut at the broadcaster's key frames. */
static void passed_through_video_is_asked_for_a_key_frame_a_segment(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    go_live(&w, "video/H264");
    world_until(&w, PIPELINE_ACTIVE);
    unsigned before = w.key_requests;
    for (int i = 0; i < 10; i++) {
        world_sleep(&w, 1049);
        assert_int_equal(w.key_requests, before + (unsigned)i);
        world_sleep(&w, 1);
        assert_int_equal(w.key_requests, before + (unsigned)i + 1);
        world_sleep(&w, 50);
        world_key_frame(&w);
        world_segment(&w, 1.1);
    }
    world_fini(&w);
}

/* It ends no segment, so the next is due as if it had not come. */
static void an_early_key_frame_does_not_put_the_next_one_off(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    go_live(&w, "video/H264");
    world_until(&w, PIPELINE_ACTIVE);
    world_sleep(&w, 1000);
    world_key_frame(&w);
    unsigned before = w.key_requests;
    world_sleep(&w, 600);
    world_key_frame(&w);
    world_sleep(&w, 449);
    assert_int_equal(w.key_requests, before);
    world_sleep(&w, 1);
    assert_int_equal(w.key_requests, before + 1);
    world_fini(&w);
}

static void an_encoder_with_key_frames_of_its_own_is_left_alone(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    go_live(&w, "video/H264");
    world_until(&w, PIPELINE_ACTIVE);
    unsigned before = w.key_requests;
    for (int i = 0; i < 10; i++) {
        world_sleep(&w, 1000);
        world_key_frame(&w);
        world_segment(&w, 1.0);
    }
    assert_int_equal(w.key_requests, before);
    world_fini(&w);
}

static void transcoded_video_is_not_asked_for_more_key_frames(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    go_live(&w, "video/VP8");
    world_until(&w, PIPELINE_ACTIVE);
    unsigned before = w.key_requests;
    for (int i = 0; i < 10; i++) {
        world_sleep(&w, 1000);
        world_segment(&w, 1.0);
    }
    assert_int_equal(w.key_requests, before);
    world_fini(&w);
}

/* ---- changes ---- */

static void many_changes_while_priming_become_one_more_run(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    world_produce(&w, MEDIA_KIND_VIDEO, "video/VP8");
    pipeline_changed(w.pipeline);
    world_until(&w, PIPELINE_PRIMING);
    for (int i = 0; i < 10; i++) {
        world_produce(&w, MEDIA_KIND_AUDIO, "audio/opus");
        pipeline_changed(w.pipeline);
    }
    assert_int_equal(pipeline_state(w.pipeline), PIPELINE_PRIMING);
    world_key_frame(&w);
    world_segment(&w, 1.0); /* the run shows what it has, then ends */
    assert_int_equal(w.playable, 1);
    assert_int_equal(pipeline_state(w.pipeline), PIPELINE_CLEANING);
    world_until(&w, PIPELINE_ACTIVE);
    assert_int_equal(w.launches, 2);
    assert_int_equal(w.ffmpeg.n_ports, 4);
    world_fini(&w);
}

static void a_change_that_is_taken_back_while_priming_changes_nothing(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    world_produce(&w, MEDIA_KIND_VIDEO, "video/VP8");
    pipeline_changed(w.pipeline);
    world_until(&w, PIPELINE_PRIMING);
    world_produce(&w, MEDIA_KIND_AUDIO, "audio/opus");
    pipeline_changed(w.pipeline);
    w.producers[MEDIA_KIND_AUDIO].there = false;
    pipeline_changed(w.pipeline);
    world_until(&w, PIPELINE_ACTIVE);
    for (int i = 0; i < 5; i++)
        world_step(&w);
    assert_int_equal(w.launches, 1);
    world_fini(&w);
}

static void what_a_run_waits_for_and_is_gone_ends_the_run_at_once(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    go_live(&w, "video/VP8");
    world_until(&w, PIPELINE_PRIMING);
    w.producers[MEDIA_KIND_VIDEO].there = false;
    pipeline_changed(w.pipeline);
    assert_int_equal(pipeline_state(w.pipeline), PIPELINE_CLEANING);
    assert_int_equal(w.stopped_ms, 0);
    world_until(&w, PIPELINE_ACTIVE);
    assert_int_equal(w.ffmpeg.n_ports, 2);
    world_fini(&w);
}

static void changes_while_cleaning_are_seen_by_the_next_run(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    go_live(&w, "video/VP8");
    world_until(&w, PIPELINE_ACTIVE);
    world_produce(&w, MEDIA_KIND_VIDEO, "video/VP8");
    pipeline_changed(w.pipeline);
    assert_int_equal(pipeline_state(w.pipeline), PIPELINE_CLEANING);
    assert_true(w.stopped_ms > 0);
    for (int i = 0; i < 5; i++) {
        world_produce(&w, MEDIA_KIND_VIDEO, "video/H264");
        pipeline_changed(w.pipeline);
    }
    world_until(&w, PIPELINE_ACTIVE);
    assert_int_equal(w.launches, 2);
    assert_non_null(strstr(w.ffmpeg_input, "H264"));
    world_fini(&w);
}

static void the_same_again_is_no_change(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    go_live(&w, "video/VP8");
    world_until(&w, PIPELINE_ACTIVE);
    for (int i = 0; i < 10; i++)
        pipeline_changed(w.pipeline);
    assert_int_equal(pipeline_state(w.pipeline), PIPELINE_ACTIVE);
    assert_int_equal(w.launches, 1);
    world_fini(&w);
}

static void a_paused_producer_is_replaced_and_comes_back(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    go_live(&w, "video/VP8");
    world_until(&w, PIPELINE_ACTIVE);
    w.producers[MEDIA_KIND_AUDIO].paused = true;
    pipeline_changed(w.pipeline);
    world_until(&w, PIPELINE_CLEANING);
    world_until(&w, PIPELINE_ACTIVE);
    assert_null(strstr(w.ffmpeg_input, "m=audio"));
    assert_non_null(strstr(w.ffmpeg_input, "m=video"));
    w.producers[MEDIA_KIND_VIDEO].paused = true;
    pipeline_changed(w.pipeline);
    world_until(&w, PIPELINE_CLEANING);
    w.log[0] = '\0';
    world_until(&w, PIPELINE_ACTIVE); /* silence and black, without any RTP */
    assert_string_equal(w.log, "exit close launch ");
    assert_string_equal(w.ffmpeg_input, "");
    assert_int_equal(w.ffmpeg.n_ports, 0);
    w.producers[MEDIA_KIND_VIDEO].paused = w.producers[MEDIA_KIND_AUDIO].paused = false;
    pipeline_changed(w.pipeline);
    world_until(&w, PIPELINE_CLEANING);
    world_until(&w, PIPELINE_ACTIVE);
    assert_int_equal(w.ffmpeg.n_ports, 4);
    world_fini(&w);
}

static void an_interrupted_stream_keeps_its_playlist_open_and_goes_on(void **state)
{
    (void)state;
    struct world w;
    char text[4096];
    world_init(&w);
    go_live(&w, "video/VP8");
    world_until(&w, PIPELINE_ACTIVE);
    w.producers[0].there = w.producers[1].there = false;
    pipeline_changed(w.pipeline);
    world_until(&w, PIPELINE_IDLE);
    world_assert_empty(&w);
    read_playlist(&w, text, sizeof text);
    assert_int_equal(count(text, "#EXTINF"), 1);
    assert_null(strstr(text, "ENDLIST"));
    world_sleep(&w, 60000);
    go_live(&w, "video/VP8");
    world_until(&w, PIPELINE_ACTIVE);
    read_playlist(&w, text, sizeof text);
    assert_int_equal(count(text, "#EXTINF"), 2);
    assert_int_equal(count(text, "#EXT-X-DISCONTINUITY\n"), 1);
    assert_int_equal(w.playable, 1);
    world_fini(&w);
}

/* ---- the playlist over runs ---- */

static void the_playlist_goes_on_over_runs_with_a_discontinuity_each(void **state)
{
    (void)state;
    struct world w;
    char text[4096];
    world_init(&w);
    go_live(&w, "video/VP8");
    for (unsigned run = 0; run < 4; run++) {
        world_until(&w, PIPELINE_ACTIVE);
        world_step(&w); /* a second segment */
        world_sleep(&w, 100);
        world_exit(&w, 0, 9);
    }
    world_until(&w, PIPELINE_ACTIVE);
    read_playlist(&w, text, sizeof text);
    /* Nine segments in five runs, of which the window shows five. */
    assert_non_null(strstr(text, "#EXT-X-MEDIA-SEQUENCE:4\n"));
    assert_non_null(strstr(text, "#EXT-X-DISCONTINUITY-SEQUENCE:1\n"));
    assert_int_equal(count(text, "#EXT-X-DISCONTINUITY\n"), 3);
    assert_int_equal(count(text, "-3-0000"), 2);
    assert_int_equal(count(text, "-5-00000.ts"), 1);
    assert_int_equal(w.restarts[PIPELINE_EXITED], 4);
    pipeline_end(w.pipeline);
    world_until(&w, PIPELINE_ENDED);
    read_playlist(&w, text, sizeof text);
    assert_non_null(strstr(text, "#EXT-X-ENDLIST"));
    world_fini(&w);
}

static void the_last_segment_of_an_ending_run_is_kept(void **state)
{
    (void)state;
    struct world w;
    char text[4096];
    world_init(&w);
    go_live(&w, "video/VP8");
    world_until(&w, PIPELINE_ACTIVE);
    pipeline_end(w.pipeline);
    world_segment(&w, 0.4);
    world_exit(&w, 0, 0);
    assert_int_equal(w.ended, 1);
    read_playlist(&w, text, sizeof text);
    assert_int_equal(count(text, "#EXTINF"), 2);
    assert_non_null(strstr(text, "#EXT-X-ENDLIST"));
    world_fini(&w);
}

static void what_a_killed_ffmpeg_left_half_written_is_deleted(void **state)
{
    (void)state;
    struct world w;
    char path[512];
    world_init(&w);
    go_live(&w, "video/VP8");
    world_until(&w, PIPELINE_ACTIVE);
    snprintf(path, sizeof path, "%s", strchr(w.ffmpeg_output, ':') + 1);
    char *number = strstr(path, "%05d");
    memcpy(number, "0001", 4);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fclose(f);
    world_exit(&w, 0, 9);
    assert_int_equal(access(path, F_OK), -1);
    world_until(&w, PIPELINE_ACTIVE);
    world_fini(&w);
}

static void lines_that_are_no_segment_of_this_run_are_ignored(void **state)
{
    (void)state;
    struct world w;
    static const char *const lines[] = {
        "",   "nonsense",    "../../etc/passwd,0.0,1.0", "other-1-00000.ts,0.0,1.0",
        ",,", "a-1-00000.ts"};
    world_init(&w);
    go_live(&w, "video/VP8");
    world_until(&w, PIPELINE_PRIMING);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        w.ffmpeg.on_line(w.ffmpeg.ctx, lines[i]);
    assert_int_equal(pipeline_state(w.pipeline), PIPELINE_PRIMING);
    assert_int_equal(w.playable, 0);
    world_fini(&w);
}

/* ---- watching ---- */

static void a_playlist_that_stands_still_restarts_the_run(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    go_live(&w, "video/VP8");
    world_until(&w, PIPELINE_ACTIVE);
    world_sleep(&w, 2900);
    assert_int_equal(pipeline_state(w.pipeline), PIPELINE_ACTIVE);
    world_sleep(&w, 200);
    assert_int_equal(pipeline_state(w.pipeline), PIPELINE_CLEANING);
    assert_int_equal(w.stopped_ms, 0); /* SIGKILL: a stopped process takes no other */
    assert_int_equal(w.restarts[PIPELINE_STALLED], 1);
    uint64_t before = w.now;
    world_until(&w, PIPELINE_LAUNCHING);
    assert_true(w.now - before < 100);
    world_fini(&w);
}

static void long_segments_are_given_more_time(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    go_live(&w, "video/H264");
    world_until(&w, PIPELINE_PRIMING);
    world_key_frame(&w);
    world_sleep(&w, 5000);
    world_segment(&w, 5.0);
    world_sleep(&w, 10900);
    assert_int_equal(pipeline_state(w.pipeline), PIPELINE_ACTIVE);
    world_sleep(&w, 200);
    assert_int_equal(pipeline_state(w.pipeline), PIPELINE_CLEANING);
    world_fini(&w);
}

static void each_step_has_a_limit(void **state)
{
    (void)state;
    static const enum pipeline_state steps[] = {PIPELINE_TRANSPORTS, PIPELINE_CONSUMERS,
                                                PIPELINE_LAUNCHING, PIPELINE_PRIMING};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct world w;
        world_init(&w);
        go_live(&w, "video/VP8");
        world_until(&w, steps[i]);
        uint64_t begin = w.now;
        while (pipeline_state(w.pipeline) == steps[i])
            assert_true(world_fire(&w));
        assert_in_range(w.now - begin, 4000, 9000);
        world_until(&w, PIPELINE_ACTIVE);
        world_fini(&w);
    }
}

static void a_missing_ffmpeg_is_tried_ever_more_rarely(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    w.ffmpeg_missing = true;
    go_live(&w, "video/VP8");
    uint64_t end = w.now + 60000;
    while (w.now < end)
        world_step(&w);
    assert_in_range(w.launches, 10, 18);
    world_sleep(&w, 100);
    w.ffmpeg_missing = false;
    end = w.now + 8000;
    world_until(&w, PIPELINE_ACTIVE);
    assert_true(w.now < end);
    world_fini(&w);
}

static void no_free_port_is_an_error_and_passes(void **state)
{
    (void)state;
    struct world w;
    uint16_t taken[8];
    world_init(&w);
    for (int i = 0; i < 7; i++)
        assert_int_equal(ports_take(w.ports, &taken[i]), OK);
    go_live(&w, "video/VP8"); /* needs two */
    world_sleep(&w, 3000);
    assert_true(w.restarts[PIPELINE_NO_PORTS] >= 2);
    assert_int_equal(ports_taken(w.ports), 7);
    for (int i = 0; i < 7; i++)
        ports_give(w.ports, taken[i]);
    world_until(&w, PIPELINE_ACTIVE);
    world_fini(&w);
}

static void who_worked_is_replaced_at_once_however_often_it_ends(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    go_live(&w, "video/VP8");
    for (int i = 0; i < 20; i++) {
        world_until(&w, PIPELINE_ACTIVE);
        world_exit(&w, 1, 0);
        uint64_t before = w.now;
        world_until(&w, PIPELINE_LAUNCHING);
        assert_in_range(w.now - before, 0, 100);
    }
    world_fini(&w);
}

static void who_never_works_is_tried_ever_later_until_it_does(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    go_live(&w, "video/VP8");
    for (int i = 0; i < 8; i++) {
        world_until(&w, PIPELINE_PRIMING);
        world_exit(&w, 1, 0);
    }
    uint64_t before = w.now;
    world_until(&w, PIPELINE_LAUNCHING);
    assert_true(w.now - before >= 4000);
    world_until(&w, PIPELINE_ACTIVE);
    world_exit(&w, 1, 0);
    before = w.now;
    world_until(&w, PIPELINE_LAUNCHING);
    assert_true(w.now - before < 100);
    world_fini(&w);
}

static void who_changes_again_and_again_waits(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    go_live(&w, "video/VP8");
    for (int i = 0; i < 8; i++) {
        world_until(&w, PIPELINE_ACTIVE);
        w.producers[MEDIA_KIND_VIDEO].paused = !w.producers[MEDIA_KIND_VIDEO].paused;
        pipeline_changed(w.pipeline);
    }
    uint64_t before = w.now;
    world_until(&w, PIPELINE_LAUNCHING);
    assert_true(w.now - before >= 4000);
    world_fini(&w);
}

int main(void)
{
    log_set_level(LOG_ERROR + 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_takes_its_steps_in_order),
        cmocka_unit_test(nothing_begins_before_the_step_before_it_is_answered),
        cmocka_unit_test(ffmpeg_is_told_ports_codecs_and_where_to_write),
        cmocka_unit_test(the_second_producer_is_waited_for_but_not_for_long),
        cmocka_unit_test(without_producers_or_without_a_router_nothing_runs),
        cmocka_unit_test(a_key_frame_is_asked_for_until_it_came),
        cmocka_unit_test(passed_through_video_is_asked_for_a_key_frame_a_segment),
        cmocka_unit_test(an_early_key_frame_does_not_put_the_next_one_off),
        cmocka_unit_test(an_encoder_with_key_frames_of_its_own_is_left_alone),
        cmocka_unit_test(transcoded_video_is_not_asked_for_more_key_frames),
        cmocka_unit_test(many_changes_while_priming_become_one_more_run),
        cmocka_unit_test(a_change_that_is_taken_back_while_priming_changes_nothing),
        cmocka_unit_test(what_a_run_waits_for_and_is_gone_ends_the_run_at_once),
        cmocka_unit_test(changes_while_cleaning_are_seen_by_the_next_run),
        cmocka_unit_test(the_same_again_is_no_change),
        cmocka_unit_test(a_paused_producer_is_replaced_and_comes_back),
        cmocka_unit_test(an_interrupted_stream_keeps_its_playlist_open_and_goes_on),
        cmocka_unit_test(the_playlist_goes_on_over_runs_with_a_discontinuity_each),
        cmocka_unit_test(the_last_segment_of_an_ending_run_is_kept),
        cmocka_unit_test(what_a_killed_ffmpeg_left_half_written_is_deleted),
        cmocka_unit_test(lines_that_are_no_segment_of_this_run_are_ignored),
        cmocka_unit_test(a_playlist_that_stands_still_restarts_the_run),
        cmocka_unit_test(long_segments_are_given_more_time),
        cmocka_unit_test(each_step_has_a_limit),
        cmocka_unit_test(a_missing_ffmpeg_is_tried_ever_more_rarely),
        cmocka_unit_test(no_free_port_is_an_error_and_passes),
        cmocka_unit_test(who_worked_is_replaced_at_once_however_often_it_ends),
        cmocka_unit_test(who_never_works_is_tried_ever_later_until_it_does),
        cmocka_unit_test(who_changes_again_and_again_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
