#include "controller/record/recorder.h"

#include <uv.h>

#include "controller/record/append_file.h"
#include "test/unit/controller/hls/hls_media.h"

static uv_loop_t loop;
static struct recorder_stats told;
static unsigned stopped;
static char why[128];
static unsigned failures;

static void on_stopped(void *ctx, const struct recorder_stats *s)
{
    (void)ctx;
    told = *s;
    stopped++;
}

static void on_failed(void *ctx, enum err e, const char *text)
{
    (void)ctx;
    assert_int_not_equal(e, OK);
    snprintf(why, sizeof why, "%s", text);
    failures++;
}

static char target[128];

static struct recorder *started(struct presentation *p, const char *name)
{
    char command[160];
    struct recorder *r;
    snprintf(target, sizeof target, "%s/%s", folder, name);
    snprintf(command, sizeof command, "mkdir -p %s", target);
    assert_int_equal(system(command), 0);
    struct recorder_config c = {
        .loop = &loop, .presentation = p, .folder = target, .on_failed = on_failed};
    assert_int_equal(recorder_start(&c, &r), OK);
    stopped = failures = 0;
    return r;
}

static void stop(struct recorder *r)
{
    recorder_stop(r, on_stopped, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(stopped, 1);
}

static void holds(const char *name, const char *expected)
{
    char command[320];
    char line[128] = "";
    snprintf(command, sizeof command,
             "ffprobe -v error -count_frames -show_entries stream=codec_name,nb_read_frames -of "
             "csv=p=0 %s/%s 2>&1 | tr '\\n' ' '",
             target, name);
    FILE *p = popen(command, "r");
    assert_non_null(p);
    assert_non_null(fgets(line, sizeof line, p));
    pclose(p);
    assert_string_equal(line, expected);
}

static void a_recording_has_every_picture_and_every_sound(void **state)
{
    (void)state;
    struct presentation *p = opened(&config);
    struct recorder *r = started(p, "whole");
    run(p, WALL);
    stop(r);
    assert_int_equal(told.files, 1);
    assert_int_equal(told.duration, 6 * USEC_PER_SEC);
    holds("0001.mp4", "h264,180 aac,283 ");
    presentation_close(p);
}

static void what_is_on_disk_plays_before_the_end(void **state)
{
    (void)state;
    struct presentation *p = opened(&config);
    struct recorder *r = started(p, "crash");
    struct file v = load("v.mp4");
    struct file a = load("a.mp4");
    assert_int_equal(presentation_run_begin(p, tracks, 2, WALL), OK);
    for (size_t step = 0; step < 75; step++) {
        size_t n[2] = {v.n / 100, a.n / 100};
        assert_int_equal(presentation_feed(p, 0, v.bytes + step * n[0], n[0]), OK);
        assert_int_equal(presentation_feed(p, 1, a.bytes + step * n[1], n[1]), OK);
    }
    uv_run(&loop, UV_RUN_DEFAULT); /* the threads have nothing left to do */
    char command[320];
    snprintf(command, sizeof command,
             "test $(ffprobe -v error -select_streams v -count_frames -show_entries "
             "stream=nb_read_frames -of csv=p=0 %s/0001.mp4) -ge 120",
             target);
    assert_int_equal(system(command), 0);
    stop(r);
    presentation_close(p);
    free(v.bytes);
    free(a.bytes);
}

static void other_parameters_begin_another_file(void **state)
{
    (void)state;
    struct presentation *p = opened(&config);
    struct recorder *r = started(p, "changed");
    run(p, WALL);
    assert_int_equal(presentation_run_begin(p, tracks, 2, WALL + 7 * USEC_PER_SEC), OK);
    feed_all(p, "v.mp4", "o.mp4");
    presentation_run_end(p);
    stop(r);
    assert_int_equal(told.files, 2);
    holds("0001.mp4", "h264,180 aac,283 ");
    holds("0002.mp4", "h264,180 opus,301 ");
    presentation_close(p);
}

static void a_recording_that_begins_late_begins_with_a_key_frame(void **state)
{
    (void)state;
    struct presentation *p = opened(&config);
    struct file v = load("v.mp4");
    struct file a = load("a.mp4");
    assert_int_equal(presentation_run_begin(p, tracks, 2, WALL), OK);
    assert_int_equal(presentation_feed(p, 0, v.bytes, v.n / 2), OK);
    assert_int_equal(presentation_feed(p, 1, a.bytes, a.n / 2), OK);
    struct recorder *r = started(p, "late");
    assert_int_equal(presentation_feed(p, 0, v.bytes + v.n / 2, v.n - v.n / 2), OK);
    assert_int_equal(presentation_feed(p, 1, a.bytes + a.n / 2, a.n - a.n / 2), OK);
    presentation_run_end(p);
    stop(r);
    assert_int_equal(told.duration % USEC_PER_SEC, 0);
    assert_in_range(told.duration, USEC_PER_SEC, 4 * USEC_PER_SEC);
    presentation_close(p);
    free(v.bytes);
    free(a.bytes);
}

static void a_disk_that_refuses_ends_the_recording_and_nothing_else(void **state)
{
    (void)state;
    struct presentation *p = opened(&config);
    struct recorder *r = started(p, "refused");
    char command[160];
    snprintf(command, sizeof command, "rmdir %s", target);
    assert_int_equal(system(command), 0);
    assert_int_equal(presentation_run_begin(p, tracks, 2, WALL), OK);
    feed_all(p, "v.mp4", "a.mp4");
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(failures, 1);
    assert_string_equal(why, "No such file or directory");
    presentation_run_end(p);
    assert_int_equal(hls_track_next_msn(presentation_track(p, 0)), 6);
    stop(r);
    presentation_close(p);
}

static void nothing_recorded_stops_at_once(void **state)
{
    (void)state;
    struct presentation *p = opened(&config);
    struct recorder *r = started(p, "nothing");
    stop(r);
    assert_int_equal(told.files, 0);
    presentation_close(p);
}

static int open_loop(void **state)
{
    uv_loop_init(&loop);
    return make_media(state);
}

static int close_loop(void **state)
{
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    return remove_media(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_recording_has_every_picture_and_every_sound),
        cmocka_unit_test(what_is_on_disk_plays_before_the_end),
        cmocka_unit_test(other_parameters_begin_another_file),
        cmocka_unit_test(a_recording_that_begins_late_begins_with_a_key_frame),
        cmocka_unit_test(a_disk_that_refuses_ends_the_recording_and_nothing_else),
        cmocka_unit_test(nothing_recorded_stops_at_once),
    };
    return cmocka_run_group_tests(tests, open_loop, close_loop);
}
