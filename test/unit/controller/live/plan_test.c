#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "controller/live/pipeline_command.h"

#define WORKER ((struct fleet_worker *)(uintptr_t)0x1000)

static struct rtp_codec_parameters codec_of(const char *mime)
{
    return (struct rtp_codec_parameters){.mime_type = mime,
                                         .payload_type = 96,
                                         .has_payload_type = true,
                                         .clock_rate = 90000,
                                         .has_clock_rate = true};
}

static struct rtp_codec_parameters codecs[8];
static struct rtp_parameters params[8];

static const struct rtp_parameters *consumable(int i, const char *mime)
{
    codecs[i] = codec_of(mime);
    params[i] = (struct rtp_parameters){.codecs = &codecs[i], .n_codecs = 1};
    return &params[i];
}

static struct live_source source(const char *video, const char *audio)
{
    struct live_source s = {.worker = WORKER, .router_id = "r"};
    if (video)
        s.tracks[MEDIA_KIND_VIDEO] =
            (struct live_track){.producer_id = "v", .consumable = consumable(0, video)};
    if (audio)
        s.tracks[MEDIA_KIND_AUDIO] =
            (struct live_track){.producer_id = "a", .consumable = consumable(1, audio)};
    return s;
}

static struct plan plan(struct live_source s, bool had_video)
{
    struct plan p;
    plan_make(&p, &s, had_video);
    return p;
}

static enum track_mode video(const struct plan *p)
{
    return p->tracks[MEDIA_KIND_VIDEO].mode;
}

static enum track_mode audio(const struct plan *p)
{
    return p->tracks[MEDIA_KIND_AUDIO].mode;
}

static void what_is_produced_comes_in_and_only_h264_is_copied(void **state)
{
    (void)state;
    struct plan p = plan(source("video/H264", "audio/opus"), false);
    assert_int_equal(video(&p), TRACK_RTP);
    assert_int_equal(audio(&p), TRACK_RTP);
    assert_true(p.tracks[MEDIA_KIND_VIDEO].copies);
    p = plan(source("video/VP8", "audio/opus"), false);
    assert_false(p.tracks[MEDIA_KIND_VIDEO].copies);
    p = plan(source("video/h264", NULL), false);
    assert_true(p.tracks[MEDIA_KIND_VIDEO].copies);
}

static void nothing_produced_or_no_router_is_no_plan(void **state)
{
    (void)state;
    struct live_source s = source("video/VP8", "audio/opus");
    struct plan p = plan(source(NULL, NULL), true);
    assert_true(plan_empty(&p));
    s.router_id = NULL;
    p = plan(s, true);
    assert_true(plan_empty(&p));
    s.router_id = "r";
    s.worker = NULL;
    p = plan(s, true);
    assert_true(plan_empty(&p));
}

/* Players keep to the tracks that they began with. */
static void tracks_of_a_playlist_stay_once_they_are_there(void **state)
{
    (void)state;
    struct plan p = plan(source("video/VP8", NULL), false);
    assert_int_equal(audio(&p), TRACK_FILLER); /* sound may come */
    p = plan(source(NULL, "audio/opus"), false);
    assert_int_equal(video(&p), TRACK_NONE); /* radio has no picture */
    p = plan(source(NULL, "audio/opus"), true);
    assert_int_equal(video(&p), TRACK_FILLER);
    struct live_source s = source("video/VP8", "audio/opus");
    s.tracks[MEDIA_KIND_VIDEO].paused = true;
    p = plan(s, false);
    assert_int_equal(video(&p), TRACK_FILLER);
    assert_int_equal(audio(&p), TRACK_RTP);
    s.tracks[MEDIA_KIND_AUDIO].paused = true;
    p = plan(s, false);
    assert_false(plan_empty(&p));
    assert_int_equal(audio(&p), TRACK_FILLER);
}

static void codecs_that_ffmpeg_cannot_read_are_replaced(void **state)
{
    (void)state;
    struct plan p = plan(source("video/AV1", "audio/opus"), false);
    assert_int_equal(video(&p), TRACK_FILLER);
    assert_int_equal(audio(&p), TRACK_RTP);
    assert_false(plan_codec_known(consumable(2, "video/AV1")));
    assert_true(plan_codec_known(consumable(2, "video/VP9")));
    assert_false(plan_codec_known(&(struct rtp_parameters){0}));
}

static void plans_differ_by_producer_pause_and_router(void **state)
{
    (void)state;
    struct live_source s = source("video/VP8", "audio/opus");
    struct plan a = plan(s, false);
    struct plan b = plan(s, true);
    assert_true(plan_equal(&a, &b));
    s.tracks[MEDIA_KIND_VIDEO].producer_id = "v2";
    b = plan(s, false);
    assert_false(plan_equal(&a, &b));
    assert_false(plan_extends(&a, &b));
    s = source("video/VP8", "audio/opus");
    s.router_id = "other";
    b = plan(s, false);
    assert_false(plan_equal(&a, &b));
    assert_false(plan_extends(&a, &b));
    b = plan(source("video/VP8", NULL), false);
    assert_false(plan_equal(&a, &b));
    assert_false(plan_extends(&a, &b)); /* sound is gone */
    assert_true(plan_extends(&b, &a));  /* sound came */
}

/* ---- the command ---- */

static const struct encoding encoding = {.preset = "faster",
                                         .segment = 1500 * USEC_PER_MSEC,
                                         .video_bps = 1234000,
                                         .audio_bps = 99000,
                                         .height = 480};

static const char *joined(const struct plan *p, const char *folder)
{
    static char text[8192];
    struct command c;
    command_init(&c);
    pipeline_command(&c, p, &encoding, folder, "tok-3");
    assert_false(c.bad);
    text[0] = '\0';
    for (size_t i = 0; i < c.n; i++) {
        strcat(text, " ");
        strcat(text, c.args[i]);
    }
    assert_null(c.args[c.n]);
    command_fini(&c);
    return text;
}

static void h264_is_copied_and_everything_else_transcoded(void **state)
{
    (void)state;
    struct plan p = plan(source("video/H264", "audio/opus"), false);
    const char *text = joined(&p, "dir");
    assert_non_null(strstr(text, " -i pipe:0 -map 0:v:0 -map 0:a:0 -c:v copy "));
    assert_null(strstr(text, "libx264"));
    assert_non_null(strstr(text, " -c:a aac "));
    assert_non_null(strstr(text, " -b:a 99000 "));
    p = plan(source("video/VP9", "audio/opus"), false);
    text = joined(&p, "dir");
    assert_non_null(strstr(text, " -c:v libx264 -preset faster "));
    assert_non_null(strstr(text, " -b:v 1234000 "));
    assert_non_null(strstr(text, "scale=852:480:"));
    assert_non_null(strstr(text, "prev_forced_t+1.500"));
    assert_non_null(strstr(text, " -segment_time 1.500 "));
}

static void fillers_are_inputs_of_their_own(void **state)
{
    (void)state;
    struct plan p = plan(source("video/H264", NULL), false);
    const char *text = joined(&p, "dir");
    assert_non_null(strstr(text, "anullsrc"));
    assert_non_null(strstr(text, " -map 0:v:0 -map 1:a:0 "));
    p = plan(source(NULL, "audio/opus"), true);
    text = joined(&p, "dir");
    assert_non_null(strstr(text, " -i color="));
    assert_non_null(strstr(text, " -map 1:v:0 -map 0:a:0 "));
    struct live_source s = source("video/H264", "audio/opus");
    s.tracks[0].paused = s.tracks[1].paused = true;
    p = plan(s, false);
    text = joined(&p, "dir");
    assert_null(strstr(text, "pipe:0"));
    assert_non_null(strstr(text, " -map 0:v:0 -map 1:a:0 "));
    p = plan(source(NULL, "audio/opus"), false);
    text = joined(&p, "dir");
    assert_null(strstr(text, ":v"));
    assert_non_null(strstr(text, " -map 0:a:0 "));
}

static void odd_folder_names_are_no_options_protocols_or_patterns(void **state)
{
    (void)state;
    struct plan p = plan(source("video/H264", NULL), false);
    assert_non_null(strstr(joined(&p, "-y"), " file:-y/tok-3-%05d.ts"));
    assert_non_null(strstr(joined(&p, "a:b/100%d"), " file:a:b/100%%d/tok-3-%05d.ts"));
}

static void a_command_that_does_not_fit_is_marked(void **state)
{
    (void)state;
    struct command c;
    command_init(&c);
    for (int i = 0; i < COMMAND_ARGS_MAX; i++)
        command_add(&c, "x", NULL);
    assert_false(c.bad);
    command_add(&c, "x", NULL);
    assert_true(c.bad);
    assert_int_equal(c.n, COMMAND_ARGS_MAX);
    command_fini(&c);
    command_init(&c);
    static char big[70000];
    memset(big, 'a', sizeof big - 1);
    command_arg(&c, "%s", big);
    assert_true(c.bad);
    command_fini(&c);
}

/* ---- the lines ---- */

static void lines_give_name_and_times(void **state)
{
    (void)state;
    char name[PLAYLIST_NAME_MAX];
    usec start;
    usec end;
    assert_int_equal(
        pipeline_parse_segment("tok-3-00012.ts,12.5,13.520001", "tok-3", name, &start, &end), OK);
    assert_string_equal(name, "tok-3-00012.ts");
    assert_int_equal(start, 12500000);
    assert_int_equal(end, 13520001);
    static const char *const bad[] = {
        "",
        "tok-3",
        "tok-3-",
        "tok-3-.ts,1,2",
        "tok-3-1.ts",
        "tok-3-1.ts,",
        "tok-3-1.ts,1",
        "tok-3-1.ts,1,",
        "tok-3-1.ts,,2",
        "tok-3-1.ts,1,2x",
        "tok-3-1.ts,1,nan",
        "tok-3-1.ts,inf,2",
        "tok-3-1.ts,1,1e300",
        "tok-33-1.ts,1,2",
        "tok-3-1.mp4,1,2",
        "tok-3-../x.ts,1,2",
        "tok-3-11111111111111111111111111111111111111111111111111.ts,1,2",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(pipeline_parse_segment(bad[i], "tok-3", name, &start, &end),
                         ERR_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_produced_comes_in_and_only_h264_is_copied),
        cmocka_unit_test(nothing_produced_or_no_router_is_no_plan),
        cmocka_unit_test(tracks_of_a_playlist_stay_once_they_are_there),
        cmocka_unit_test(codecs_that_ffmpeg_cannot_read_are_replaced),
        cmocka_unit_test(plans_differ_by_producer_pause_and_router),
        cmocka_unit_test(h264_is_copied_and_everything_else_transcoded),
        cmocka_unit_test(fillers_are_inputs_of_their_own),
        cmocka_unit_test(odd_folder_names_are_no_options_protocols_or_patterns),
        cmocka_unit_test(a_command_that_does_not_fit_is_marked),
        cmocka_unit_test(lines_give_name_and_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
