#include "controller/record/finish_job.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <uv.h>

#include "common/log.h"

static uv_loop_t loop;
static char folder[64];
static struct finish_result told;
static char told_why[300];
static unsigned calls;

#define FRAGMENTED "-f mp4 -movflags +frag_keyframe+empty_moov+default_base_moof+skip_trailer "
#define PICTURE(size, s) "-f lavfi -i testsrc=s=" size ":r=30:d=" s " "
#define SOUND(s) "-f lavfi -i sine=r=48000:d=" s " "
#define H264 "-c:v libx264 -preset ultrafast -g 30 -pix_fmt yuv420p "

static void shell(const char *fmt, const char *arg)
{
    char command[1500];
    snprintf(command, sizeof command, "cd %s && ", folder);
    size_t n = strlen(command);
    snprintf(command + n, sizeof command - n, fmt, arg);
    assert_int_equal(system(command), 0);
}

static void make(const char *args)
{
    shell("ffmpeg -v error -y %s", args);
}

static void on_done(void *ctx, const struct finish_result *r)
{
    (void)ctx;
    calls++;
    told = *r;
    snprintf(told_why, sizeof told_why, "%s", r->why);
}

static enum err start(const char *ffmpeg, struct finish_job **j)
{
    struct finish_config c = {
        .loop = &loop, .ffmpeg = ffmpeg, .folder = folder, .duration_ms = 1234, .done = on_done};
    calls = 0;
    return finish_job_start(&c, j);
}

static void finished(void)
{
    struct finish_job *j;
    assert_int_equal(start("ffmpeg", &j), OK);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(calls, 1);
}

/* The first line that a command prints. */
static const char *said(const char *command)
{
    static char line[300];
    char whole[600];
    snprintf(whole, sizeof whole, "cd %s && %s", folder, command);
    FILE *p = popen(whole, "r");
    assert_non_null(p);
    line[0] = '\0';
    if (fgets(line, sizeof line, p))
        line[strcspn(line, "\n")] = '\0';
    pclose(p);
    return line;
}

#define CODECS                                                                                     \
    "ffprobe -v error -show_entries stream=codec_name -of csv=p=0 video.mp4 2>&1 | tr '\\n' ' '"
#define SECONDS "ffprobe -v error -show_entries format=duration -of csv=p=0 video.mp4"
/* Top-level boxes' names, as far as they tell whether it can be sought. */
#define SEEKABLE "head -c 200 video.mp4 | grep -c moov"

static void one_file_becomes_seekable_with_pictures(void **state)
{
    (void)state;
    make(PICTURE("320x180", "7") SOUND("7") H264 "-c:a aac " FRAGMENTED "0001.mp4");
    finished();
    assert_int_equal(told.e, OK);
    assert_string_equal(told_why, "");
    assert_in_range(told.duration_ms, 6900, 7100);
    assert_string_equal(said(CODECS), "h264 aac ");
    assert_string_equal(said(SEEKABLE), "1");
    assert_string_equal(said("ls -A | tr '\\n' ' '"),
                        "poster.jpg sprite.jpg sprite.vtt thumbnail.jpg video.mp4 ");
    assert_string_equal(said("ffprobe -v error -show_entries stream=width,height -of csv=p=0 "
                             "sprite.jpg"),
                        "1600,90");
    assert_string_equal(said("grep -c xywh sprite.vtt"), "4");
    assert_string_equal(said("sed -n 6,7p sprite.vtt | tr '\\n' ' '"),
                        "00:00:02.000 --> 00:00:04.000 sprite.jpg#xywh=160,0,160,90 ");
}

static void other_sizes_and_codecs_are_joined_into_one(void **state)
{
    (void)state;
    make(PICTURE("320x180", "3") SOUND("3") H264 "-c:a aac " FRAGMENTED "0001.mp4");
    make(PICTURE("180x320", "2") H264 FRAGMENTED "0002.mp4");
    make(PICTURE("640x360", "2") SOUND("2") H264 "-c:a libopus " FRAGMENTED "10000.mp4");
    make(SOUND("2") "-c:a aac " FRAGMENTED "0003.mp4");
    finished();
    assert_int_equal(told.e, OK);
    assert_in_range(told.duration_ms, 8700, 9600);
    assert_string_equal(said(CODECS), "h264 aac ");
    assert_string_equal(said("ffprobe -v error -select_streams v -show_entries stream=width,height "
                             "-of csv=p=0 video.mp4"),
                        "1280,720");
    /* All of it decodes, and times only grow. */
    assert_string_equal(said("ffmpeg -v error -i video.mp4 -f null - 2>&1"), "");
    assert_string_equal(said("ls -A | wc -l"), "5");
}

static void a_torn_last_fragment_costs_only_itself(void **state)
{
    (void)state;
    make(PICTURE("320x180", "6") SOUND("6") H264 "-c:a aac " FRAGMENTED "0001.mp4");
    shell("truncate -s -%s 0001.mp4", "5000");
    finished();
    assert_int_equal(told.e, OK);
    assert_in_range(told.duration_ms, 4900, 6100);
    assert_string_equal(said("ffmpeg -v error -i video.mp4 -map 0:v -f null - 2>&1"), "");
}

static void sound_alone_is_a_recording_without_pictures(void **state)
{
    (void)state;
    make(SOUND("3") "-c:a libopus " FRAGMENTED "0001.mp4");
    finished();
    assert_int_equal(told.e, OK);
    assert_in_range(told.duration_ms, 2900, 3100);
    assert_string_equal(said(CODECS), "opus ");
    assert_string_equal(said("ls -A | tr '\\n' ' '"), "video.mp4 ");
}

static void a_file_without_media_is_passed_over(void **state)
{
    (void)state;
    make(PICTURE("320x180", "2") H264 FRAGMENTED "0001.mp4");
    shell("head -c 300 0001.mp4 > %s", "0002.mp4");
    finished();
    assert_int_equal(told.e, OK);
    assert_in_range(told.duration_ms, 1900, 2100);
}

static void nothing_recorded_is_told_and_nothing_started(void **state)
{
    (void)state;
    struct finish_job *j;
    assert_int_equal(start("ffmpeg", &j), ERR_NOT_FOUND);
    shell(": > %s", "0001.mp4");
    assert_int_equal(start("ffmpeg", &j), ERR_NOT_FOUND);
    assert_int_equal(calls, 0);
}

static void what_was_joined_before_a_crash_gets_its_pictures(void **state)
{
    (void)state;
    make(PICTURE("320x180", "4") H264 "video.mp4");
    shell("cp video.mp4 %s", "0001.mp4");
    finished();
    assert_int_equal(told.e, OK);
    assert_in_range(told.duration_ms, 3900, 4100);
    assert_string_equal(said("ls -A | tr '\\n' ' '"),
                        "poster.jpg sprite.jpg sprite.vtt thumbnail.jpg video.mp4 ");
}

static void without_room_for_a_copy_the_recording_is_served_as_it_is(void **state)
{
    (void)state;
    make(PICTURE("320x180", "2") H264 FRAGMENTED "0001.mp4");
    shell("printf '#!/bin/sh\\necho No space left on device >&2; exit 1\\n' > %s", "fails");
    shell("chmod +x %s", "fails");
    char program[100];
    struct finish_job *j;
    snprintf(program, sizeof program, "%s/fails", folder);
    assert_int_equal(start(program, &j), OK);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(told.e, OK);
    assert_string_equal(told_why, "as it was recorded: No space left on device");
    assert_int_equal(told.duration_ms, 1234);
    assert_string_equal(said(CODECS), "h264 ");
}

static void without_ffmpeg_everything_stays(void **state)
{
    (void)state;
    struct finish_job *j;
    make(PICTURE("320x180", "1") H264 FRAGMENTED "0001.mp4");
    assert_int_equal(start("/nonexistent/ffmpeg", &j), ERR_IO);
    assert_string_equal(said("ls 0001.mp4"), "0001.mp4");
}

static void a_canceled_job_can_be_taken_up_again(void **state)
{
    (void)state;
    struct finish_job *j;
    make(PICTURE("320x180", "2") H264 FRAGMENTED "0001.mp4");
    assert_int_equal(start("ffmpeg", &j), OK);
    finish_job_cancel(j);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(told.e, ERR_CLOSED);
    finished();
    assert_int_equal(told.e, OK);
}

static int fresh(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/weir-finish-XXXXXX");
    return mkdtemp(folder) ? uv_loop_init(&loop) : 1;
}

static int gone(void **state)
{
    char command[100];
    (void)state;
    uv_run(&loop, UV_RUN_DEFAULT);
    snprintf(command, sizeof command, "rm -r %s", folder);
    return uv_loop_close(&loop) | system(command);
}

#define T(f) cmocka_unit_test_setup_teardown(f, fresh, gone)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(one_file_becomes_seekable_with_pictures),
        T(other_sizes_and_codecs_are_joined_into_one),
        T(a_torn_last_fragment_costs_only_itself),
        T(sound_alone_is_a_recording_without_pictures),
        T(a_file_without_media_is_passed_over),
        T(nothing_recorded_is_told_and_nothing_started),
        T(what_was_joined_before_a_crash_gets_its_pictures),
        T(without_room_for_a_copy_the_recording_is_served_as_it_is),
        T(without_ffmpeg_everything_stays),
        T(a_canceled_job_can_be_taken_up_again),
    };
    log_init(getenv("WEIR_TEST_LOG") ? LOG_DEBUG : LOG_ERROR, "test");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
