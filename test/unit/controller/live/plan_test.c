#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "controller/live/filter_text.h"
#include "controller/live/layout.h"
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
    struct live_source s = {.worker = WORKER, .router_id = "r", .n_cells = 1};
    if (video)
        s.cells[0].tracks[MEDIA_KIND_VIDEO] =
            (struct live_track){.producer_id = "v", .consumable = consumable(0, video)};
    if (audio)
        s.cells[0].tracks[MEDIA_KIND_AUDIO] =
            (struct live_track){.producer_id = "a", .consumable = consumable(1, audio)};
    return s;
}

static struct plan plan(struct live_source s, bool had_video)
{
    struct plan p;
    struct plan_rules rules = {.had_video = had_video};
    plan_make(&p, &s, &rules);
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
    s.cells[0].tracks[MEDIA_KIND_VIDEO].paused = true;
    p = plan(s, false);
    assert_int_equal(video(&p), TRACK_FILLER);
    assert_int_equal(audio(&p), TRACK_RTP);
    s.cells[0].tracks[MEDIA_KIND_AUDIO].paused = true;
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
    s.cells[0].tracks[MEDIA_KIND_VIDEO].producer_id = "v2";
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

static const struct encoding encoding = {.encoder = "libx264",
                                         .preset = "faster",
                                         .segment = 1500 * USEC_PER_MSEC,
                                         .ladder = {{480, 1234000}},
                                         .n_ladder = 1,
                                         .audio_bps = 99000};

static const char *joined_as(const struct plan *p, const struct encoding *e, const char *folder)
{
    static char text[32 * 1024];
    struct command c;
    command_init(&c);
    pipeline_command(&c, p, e, folder, "tok-3");
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

static const char *joined(const struct plan *p, const char *folder)
{
    return joined_as(p, &encoding, folder);
}

static void h264_is_copied_and_everything_else_transcoded(void **state)
{
    (void)state;
    struct plan p = plan(source("video/H264", "audio/opus"), false);
    const char *text = joined(&p, "dir");
    assert_non_null(strstr(text, " -i pipe:0 -map 0:v:0 -c:v copy -map 0:a:0 "));
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

static void only_where_something_holds_the_input_up_a_thread_reads_it(void **state)
{
    (void)state;
    struct encoding e = encoding;
    struct plan p = plan(source("video/H264", "audio/opus"), false);
    e.cmaf = true;
    assert_null(strstr(joined_as(&p, &e, "dir"), "-thread_queue_size"));
    e.ladder[1] = (struct rendition){.height = 144, .bps = 150000};
    e.n_ladder = 2;
    assert_non_null(strstr(joined_as(&p, &e, "dir"), " -thread_queue_size 2048 "));
    p = plan(source("video/VP8", "audio/opus"), false);
    assert_non_null(strstr(joined_as(&p, &encoding, "dir"), " -thread_queue_size 2048 "));
    p = plan(source("video/H264", NULL), false);
    assert_non_null(strstr(joined_as(&p, &encoding, "dir"), " -thread_queue_size 2048 "));
    p = plan(source(NULL, "audio/opus"), false);
    assert_null(strstr(joined_as(&p, &encoding, "dir"), "-thread_queue_size"));
}

static void fillers_are_inputs_of_their_own(void **state)
{
    (void)state;
    struct plan p = plan(source("video/H264", NULL), false);
    const char *text = joined(&p, "dir");
    assert_non_null(strstr(text, "anullsrc"));
    assert_non_null(strstr(text, " -map 0:v:0 -c:v copy -map 1:a:0 "));
    p = plan(source(NULL, "audio/opus"), true);
    text = joined(&p, "dir");
    assert_non_null(strstr(text, " -i color="));
    assert_non_null(strstr(text, "[1:v:0]split=1"));
    assert_non_null(strstr(text, " -map 0:a:0 "));
    struct live_source s = source("video/H264", "audio/opus");
    s.cells[0].tracks[0].paused = s.cells[0].tracks[1].paused = true;
    p = plan(s, false);
    text = joined(&p, "dir");
    assert_null(strstr(text, "pipe:0"));
    assert_non_null(strstr(text, "[0:v:0]split=1"));
    assert_non_null(strstr(text, " -map 1:a:0 "));
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

/* ---- ladders ---- */

static const struct encoding ladder = {.cmaf = true,
                                       .encoder = "libx264",
                                       .preset = "faster",
                                       .segment = USEC_PER_SEC,
                                       .ladder = {{1080, 5000000}, {720, 2500000}, {144, 150000}},
                                       .n_ladder = 3,
                                       .audio_bps = 99000};

static void what_passes_through_is_the_ladders_top_and_gives_the_key_frames(void **state)
{
    (void)state;
    struct plan p = plan(source("video/H264", "audio/opus"), false);
    const char *text = joined_as(&p, &ladder, "dir");
    assert_non_null(strstr(text, " -map 0:v:0 -c:v copy "));
    assert_non_null(strstr(text, "[0:v:0]split=2[s1][s2]"));
    assert_null(strstr(text, "1920:1080"));
    assert_non_null(strstr(text, "scale=1280:720:"));
    assert_non_null(strstr(text, "scale=256:144:"));
    assert_non_null(strstr(text, " -force_key_frames source "));
    assert_null(strstr(text, "prev_forced_t"));
    assert_non_null(strstr(text, " pipe:6"));
}

static void what_is_encoded_has_key_frames_at_the_same_times_in_all_sizes(void **state)
{
    (void)state;
    struct pipeline_output out[PIPELINE_OUTPUTS_MAX];
    struct plan p = plan(source("video/VP8", "audio/opus"), false);
    const char *text = joined_as(&p, &ladder, "dir");
    assert_non_null(strstr(text, "[0:v:0]split=3[s0][s1][s2]"));
    assert_non_null(strstr(text, "scale=1920:1080:"));
    assert_null(strstr(text, " source "));
    assert_int_equal(pipeline_outputs(&p, &ladder, out), 4);
    assert_int_equal(out[1].bps, 2500000);
    assert_int_equal(out[3].kind, MEDIA_KIND_AUDIO);
}

static struct encoding fitted(unsigned width, unsigned height)
{
    struct encoding e = ladder;
    e.ladder_fits = true;
    e.source_width = width;
    e.source_height = height;
    return e;
}

/* "640x360 256x144": the pictures that are made of a source; 0: passes through. */
static const char *sizes(const char *mime, unsigned width, unsigned height)
{
    static char text[128];
    struct pipeline_output out[PIPELINE_OUTPUTS_MAX];
    struct encoding e = fitted(width, height);
    struct plan p = plan(source(mime, "audio/opus"), false);
    size_t n = pipeline_outputs(&p, &e, out);
    text[0] = '\0';
    for (size_t i = 0, used = 0; i + 1 < n; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%ux%u", i ? " " : "",
                                 out[i].width, out[i].height);
    return text;
}

static void nothing_is_made_larger_than_the_source_and_no_size_twice(void **state)
{
    (void)state;
    assert_string_equal(sizes("video/H264", 1920, 1080), "1920x1080 1280x720 256x144");
    assert_string_equal(sizes("video/H264", 1280, 720), "1280x720 256x144");
    assert_string_equal(sizes("video/H264", 640, 360), "640x360 256x144");
    assert_string_equal(sizes("video/H264", 160, 120), "160x120");
    assert_string_equal(sizes("video/VP8", 3840, 2160), "1920x1080 1280x720 256x144");
    assert_string_equal(sizes("video/VP8", 640, 360), "640x360 256x144");
    assert_string_equal(sizes("video/VP8", 320, 180), "320x180 256x144");
    assert_string_equal(sizes("video/VP8", 256, 144), "256x144");
    /* Other shapes keep theirs, inside the same canvas. */
    assert_string_equal(sizes("video/VP8", 640, 480), "640x480 192x144");
    assert_string_equal(sizes("video/VP8", 720, 1280), "608x1080 406x720 82x144");
    assert_string_equal(sizes("video/VP8", 2560, 1080), "1920x810 1280x540 256x108");
    assert_string_equal(sizes("video/VP8", 321, 181), "320x180 256x144");
    assert_string_equal(sizes("video/VP8", 1, 1), "2x2");
    assert_string_equal(sizes("video/VP8", 65535, 1), "1920x2");
}

static void what_is_made_of_a_small_source_gets_the_bits_of_its_size(void **state)
{
    (void)state;
    struct pipeline_output out[PIPELINE_OUTPUTS_MAX];
    struct encoding e = fitted(854, 480);
    struct plan p = plan(source("video/VP8", "audio/opus"), false);
    assert_int_equal(pipeline_outputs(&p, &e, out), 3);
    assert_int_equal(out[0].rendition, 0);
    assert_int_equal(out[0].bps, 2500000);
    assert_int_equal(out[1].rendition, 2);
    assert_int_equal(out[1].bps, 150000);
    const char *text = joined_as(&p, &e, "dir");
    assert_non_null(strstr(text, "[0:v:0]split=2[s0][s2];[s0]scale=854:480:"));
    assert_non_null(strstr(text, " -map [v2] "));
    assert_null(strstr(text, "[v1]"));
}

static void what_is_encoded_is_turned_upright_and_what_passes_through_is_not(void **state)
{
    (void)state;
    struct live_source s = source("video/VP8", "audio/opus");
    s.cells[0].tracks[MEDIA_KIND_VIDEO].rotation = 90;
    struct plan turned = plan(s, false);
    assert_non_null(strstr(joined_as(&turned, &ladder, "dir"), "[0:v:0]transpose=clock,split=3"));
    s.cells[0].tracks[MEDIA_KIND_VIDEO].rotation = 270;
    struct plan other = plan(s, false);
    assert_non_null(strstr(joined_as(&other, &ladder, "dir"), "[0:v:0]transpose=cclock,split=3"));
    assert_false(plan_equal(&turned, &other));
    s = source("video/H264", "audio/opus");
    struct plan upright = plan(s, false);
    s.cells[0].tracks[MEDIA_KIND_VIDEO].rotation = 180;
    struct plan copied = plan(s, false);
    assert_true(plan_equal(&upright, &copied));
}

static void low_bandwidth_is_one_small_picture_by_one_thread(void **state)
{
    (void)state;
    struct encoding e = ladder;
    struct live_source s = source("video/H264", "audio/opus");
    struct plan p;
    e.low = true;
    struct plan_rules rules = encoding_rules(&e, false);
    plan_make(&p, &s, &rules);
    const char *text = joined_as(&p, &e, "dir");
    assert_null(strstr(text, "-c:v copy"));
    assert_non_null(strstr(text, "scale=256:144:"));
    assert_null(strstr(text, "720"));
    assert_non_null(strstr(text, " -threads 1 -protocol_whitelist "));
    assert_non_null(strstr(text, " pipe:4"));
    assert_null(strstr(text, " pipe:5"));
}

static void other_encoders_get_no_options_of_x264(void **state)
{
    (void)state;
    struct encoding e = ladder;
    struct plan p = plan(source("video/VP8", "audio/opus"), false);
    e.encoder = "h264_vaapi";
    const char *text = joined_as(&p, &e, "dir");
    assert_non_null(strstr(text, " -c:v h264_vaapi "));
    assert_null(strstr(text, "zerolatency"));
    assert_non_null(strstr(text, "hwupload"));
    assert_non_null(strstr(text, "-vaapi_device"));
}

/* ---- composites ---- */

static struct live_source meeting(size_t n)
{
    static const char *const names[] = {
        "Ann", "Bob: 50%, [it's]; a\\b", "Cem", "Dua", "Eve", "Fay", "Gil", "Hal", "Ida"};
    static char ids[2 * LIVE_CELLS_MAX][24];
    struct live_source s = {.worker = WORKER, .router_id = "r", .n_cells = n};
    for (size_t i = 0; i < n; i++) {
        snprintf(ids[2 * i], sizeof ids[0], "v%zu", i);
        snprintf(ids[2 * i + 1], sizeof ids[0], "a%zu", i);
        s.cells[i].name = names[i];
        s.cells[i].tracks[MEDIA_KIND_VIDEO] = (struct live_track){
            .producer_id = ids[2 * i], .consumable = consumable(0, "video/VP8")};
        s.cells[i].tracks[MEDIA_KIND_AUDIO] = (struct live_track){
            .producer_id = ids[2 * i + 1], .consumable = consumable(1, "audio/opus")};
    }
    return s;
}

static struct plan composite(const struct live_source *s)
{
    struct plan p;
    struct plan_rules rules = {.composite = true};
    plan_make(&p, s, &rules);
    return p;
}

static struct encoding composite_encoding(void)
{
    struct encoding e = ladder;
    e.ladder[0] = (struct rendition){720, 2500000};
    e.n_ladder = 1;
    e.composite = e.names = true;
    return e;
}

static void a_muted_microphone_changes_nothing_where_sounds_are_mixed(void **state)
{
    (void)state;
    struct live_source s = meeting(2);
    struct plan loud = composite(&s);
    s.cells[1].tracks[MEDIA_KIND_AUDIO].paused = true;
    struct plan muted = composite(&s);
    assert_true(plan_equal(&loud, &muted));
    assert_int_equal(muted.n_inputs, 4);
    s.cells[0].tracks[MEDIA_KIND_AUDIO].paused = true;
    muted = composite(&s);
    assert_true(plan_equal(&loud, &muted));
    assert_int_equal(muted.tracks[MEDIA_KIND_AUDIO].mode, TRACK_RTP);
    s.cells[1].tracks[MEDIA_KIND_VIDEO].paused = true;
    struct plan dark = composite(&s);
    assert_false(plan_equal(&loud, &dark));
    /* What nobody knows the silence of is left out. */
    s.cells[0].tracks[MEDIA_KIND_AUDIO].consumable = consumable(1, "audio/G722");
    struct plan other = composite(&s);
    assert_int_equal(other.n_inputs, 1);
}

static void places_of_a_grid_are_even_inside_and_apart(void **state)
{
    (void)state;
    struct plan_cell cells[LIVE_CELLS_MAX] = {{.name = ""}};
    for (int screen = 0; screen < 2; screen++) {
        cells[1].screen = screen == 1;
        for (size_t n = 1; n <= LIVE_CELLS_MAX; n++) {
            struct layout_rect r[LIVE_CELLS_MAX];
            layout_make(cells, n, 1280, 720, r);
            for (size_t i = 0; i < n; i++) {
                assert_true(r[i].w > 0 && r[i].h > 0);
                assert_int_equal((r[i].x | r[i].y | r[i].w | r[i].h) & 1, 0);
                assert_true(r[i].x + r[i].w <= 1280 && r[i].y + r[i].h <= 720);
                for (size_t k = 0; k < i; k++)
                    assert_true(r[i].x >= r[k].x + r[k].w || r[k].x >= r[i].x + r[i].w ||
                                r[i].y >= r[k].y + r[k].h || r[k].y >= r[i].y + r[i].h);
            }
        }
    }
}

static void a_shared_screen_is_large(void **state)
{
    (void)state;
    struct plan_cell cells[3] = {{.name = ""}, {.screen = true}, {.name = ""}};
    struct layout_rect r[3];
    layout_make(cells, 3, 1280, 720, r);
    assert_int_equal(r[1].w, 960);
    assert_int_equal(r[1].h, 720);
    assert_int_equal(r[0].x, 960);
    assert_int_equal(r[2].y, r[0].y + r[0].h);
}

static void a_composite_takes_in_everybody_and_mixes_the_sound(void **state)
{
    (void)state;
    struct live_source s = meeting(3);
    struct plan p = composite(&s);
    struct encoding e = composite_encoding();
    assert_int_equal(p.n_inputs, 6);
    const char *text = joined_as(&p, &e, "dir");
    assert_non_null(strstr(text, "[0:v:2]"));
    assert_non_null(strstr(text, "amix=inputs=3:"));
    assert_non_null(strstr(text, " -use_wallclock_as_timestamps 1 "));
    assert_null(strstr(text, "-re")); /* the canvas follows the pictures */
    assert_non_null(strstr(text, " -map [sound] "));
}

static void names_are_quoted_for_option_and_graph(void **state)
{
    (void)state;
    struct filter_text f = {.n = 0};
    filter_quote(&f, "a:b'c\\[d],;%\n");
    assert_string_equal(f.text, "a\\\\:b\\\\\\'c\\\\\\\\\\[d\\]\\,\\;%");
    assert_false(f.bad);
}

static void a_camera_that_stops_keeps_its_place(void **state)
{
    (void)state;
    struct live_source s = meeting(2);
    struct plan before = composite(&s);
    s.cells[0].tracks[MEDIA_KIND_VIDEO].paused = true;
    struct plan p = composite(&s);
    struct encoding e = composite_encoding();
    assert_int_equal(p.n_cells, 2);
    assert_int_equal(p.n_inputs, 3);
    assert_false(plan_equal(&before, &p));
    assert_false(plan_extends(&before, &p));
    assert_true(plan_extends(&p, &before));
    assert_non_null(strstr(joined_as(&p, &e, "dir"), "drawbox=x=0:"));
    s.cells[1].tracks[MEDIA_KIND_VIDEO].paused = true;
    p = composite(&s);
    /* Nobody paces it now but itself. */
    assert_non_null(strstr(joined_as(&p, &e, "dir"), " -re -f lavfi -i color="));
}

static void eight_peers_and_a_screen_fit_into_a_command(void **state)
{
    (void)state;
    struct live_source s = meeting(LIVE_CELLS_MAX);
    struct encoding e = composite_encoding();
    s.cells[8].screen = true;
    static char name[LIVE_NAME_MAX];
    memset(name, '\'', sizeof name - 1);
    for (size_t i = 0; i < LIVE_CELLS_MAX; i++)
        s.cells[i].name = name;
    struct plan p = composite(&s);
    assert_int_equal(p.n_inputs, LIVE_INPUTS_MAX);
    (void)joined_as(&p, &e, "dir");
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
        cmocka_unit_test(only_where_something_holds_the_input_up_a_thread_reads_it),
        cmocka_unit_test(fillers_are_inputs_of_their_own),
        cmocka_unit_test(odd_folder_names_are_no_options_protocols_or_patterns),
        cmocka_unit_test(a_command_that_does_not_fit_is_marked),
        cmocka_unit_test(lines_give_name_and_times),
        cmocka_unit_test(what_passes_through_is_the_ladders_top_and_gives_the_key_frames),
        cmocka_unit_test(what_is_encoded_has_key_frames_at_the_same_times_in_all_sizes),
        cmocka_unit_test(nothing_is_made_larger_than_the_source_and_no_size_twice),
        cmocka_unit_test(what_is_made_of_a_small_source_gets_the_bits_of_its_size),
        cmocka_unit_test(what_is_encoded_is_turned_upright_and_what_passes_through_is_not),
        cmocka_unit_test(low_bandwidth_is_one_small_picture_by_one_thread),
        cmocka_unit_test(other_encoders_get_no_options_of_x264),
        cmocka_unit_test(a_muted_microphone_changes_nothing_where_sounds_are_mixed),
        cmocka_unit_test(places_of_a_grid_are_even_inside_and_apart),
        cmocka_unit_test(a_shared_screen_is_large),
        cmocka_unit_test(a_composite_takes_in_everybody_and_mixes_the_sound),
        cmocka_unit_test(names_are_quoted_for_option_and_graph),
        cmocka_unit_test(a_camera_that_stops_keeps_its_place),
        cmocka_unit_test(eight_peers_and_a_screen_fit_into_a_command),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
