#include "controller/hls/media_playlist.h"

#include "controller/hls/dash_manifest.h"
#include "controller/hls/hls_names.h"
#include "controller/hls/multivariant_playlist.h"
#include "test/unit/controller/hls/hls_media.h"

static char text[1 << 20];

static const char *keep(struct blob *b)
{
    assert_non_null(b);
    assert_true(b->n < sizeof text);
    memcpy(text, b->bytes, b->n);
    text[b->n] = '\0';
    blob_unref(b);
    return text;
}

static unsigned count(const char *in, const char *what)
{
    unsigned n = 0;
    for (const char *p = strstr(in, what); p; p = strstr(p + 1, what))
        n++;
    return n;
}

/* Video up to the given share of its bytes: the last segment stays open. */
static struct presentation *half_way(double share)
{
    struct presentation *p = opened(&config);
    struct file v = load("v.mp4");
    struct file a = load("a.mp4");
    assert_int_equal(presentation_run_begin(p, tracks, 2, WALL), OK);
    assert_int_equal(presentation_feed(p, 0, v.bytes, (size_t)((double)v.n * share)), OK);
    assert_int_equal(presentation_feed(p, 1, a.bytes, (size_t)((double)a.n * share)), OK);
    free(v.bytes);
    free(a.bytes);
    return p;
}

static void a_live_list_has_parts_a_hint_and_reports(void **state)
{
    (void)state;
    struct presentation *p = half_way(0.9);
    struct hls_track *v = presentation_track(p, 0);
    uint64_t next = hls_track_next_msn(v);
    const struct hls_segment *open = hls_track_segment(v, next);
    char hint[256];
    assert_non_null(open);
    const char *list = keep(media_playlist_print(v, false));
    assert_memory_equal(list, "#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-TARGETDURATION:1\n", 49);
    assert_non_null(strstr(list, "CAN-BLOCK-RELOAD=YES"));
    assert_non_null(strstr(list, "PART-HOLD-BACK=0.75"));
    assert_int_equal(count(list, "#EXTINF:"), next);
    assert_int_equal(count(list, "#EXT-X-MAP:"), 1);
    assert_null(strstr(list, "#EXT-X-ENDLIST"));
    assert_null(strstr(list, "#EXT-X-DISCONTINUITY\n"));
    snprintf(hint, sizeof hint, "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"v0-abcdefgh-%d.%zu.m4s\"",
             (int)next, open->n_parts);
    assert_non_null(strstr(list, hint));
    assert_non_null(strstr(list, "#EXT-X-RENDITION-REPORT:URI=\"a0.m3u8\",LAST-MSN="));
    /* Independent are those that begin a segment, and no others; parts go back three seconds. */
    assert_int_equal(count(list, "INDEPENDENT=YES"), 4);
    presentation_close(p);
}

/* A broadcaster's, with a key frame each so many pictures; how long its segments last at most. */
static struct presentation *broadcast(int gop)
{
    const struct track_spec copied[] = {{.name = "v0", .video = true, .copied = true},
                                        {.name = "a0"}};
    struct presentation *p = opened(&config);
    char command[512];
    snprintf(command, sizeof command,
             "ffmpeg -v error -y -f lavfi -i testsrc=s=160x90:r=30:d=6 -c:v libx264 -preset "
             "ultrafast -tune zerolatency -g %d -pix_fmt yuv420p " FRAGMENTS "%s/gop.mp4",
             gop, folder);
    assert_int_equal(system(command), 0);
    assert_int_equal(presentation_run_begin(p, copied, 2, WALL), OK);
    feed_all(p, "gop.mp4", "a.mp4");
    return p;
}

/* Players stay three of it behind. */
static void the_first_segment_of_a_broadcaster_says_the_target_duration(void **state)
{
    static const struct {
        int gop;
        const char *target;
    } cases[] = {{30, "#EXT-X-TARGETDURATION:1\n"},
                 {36, "#EXT-X-TARGETDURATION:1\n"},
                 {40, "#EXT-X-TARGETDURATION:2\n"},
                 {60, "#EXT-X-TARGETDURATION:2\n"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct presentation *p = broadcast(cases[i].gop);
        struct hls_track *v = presentation_track(p, 0);
        assert_non_null(strstr(keep(media_playlist_print(v, false)), cases[i].target));
        /* A shorter one changes nothing. */
        presentation_run_end(p);
        run(p, WALL + 9 * USEC_PER_SEC);
        assert_non_null(strstr(keep(media_playlist_print(v, false)), cases[i].target));
        presentation_close(p);
    }
}

static void parts_far_from_the_end_are_left_out(void **state)
{
    (void)state;
    struct presentation *p = opened(&config);
    run(p, WALL);
    run(p, WALL + 7 * USEC_PER_SEC);
    const char *list = keep(media_playlist_print(presentation_track(p, 0), false));
    /* Three target durations of a second. */
    assert_int_equal(count(list, "INDEPENDENT=YES"), 3);
    assert_int_equal(count(list, "#EXTINF:"), 12);
    assert_int_equal(count(list, "#EXT-X-DISCONTINUITY\n"), 1);
    assert_int_equal(count(list, "#EXT-X-MAP:"), 2);
    presentation_close(p);
}

static void a_delta_update_skips_what_is_old(void **state)
{
    (void)state;
    struct presentation *p = opened(&config);
    for (int i = 0; i < 4; i++)
        run(p, WALL + i * 9 * USEC_PER_SEC);
    struct hls_track *v = presentation_track(p, 0);
    const char *list = keep(media_playlist_print(v, true));
    const char *skip = strstr(list, "#EXT-X-SKIP:SKIPPED-SEGMENTS=");
    assert_non_null(skip);
    long skipped = strtol(skip + 29, NULL, 10);
    assert_int_equal(count(list, "#EXTINF:") + (unsigned)skipped, 24);
    /* CAN-SKIP-UNTIL=6: six seconds stay, though between the runs there is time without media. */
    assert_in_range(skipped, 17, 18);
    assert_null(strstr(keep(media_playlist_print(v, false)), "#EXT-X-SKIP"));
    presentation_close(p);
}

static void an_ended_list_says_so_and_promises_nothing(void **state)
{
    (void)state;
    struct presentation *p = opened(&config);
    run(p, WALL);
    presentation_end(p);
    const char *list = keep(media_playlist_print(presentation_track(p, 0), false));
    assert_non_null(strstr(list, "#EXT-X-ENDLIST\n"));
    assert_null(strstr(list, "PRELOAD-HINT"));
    assert_null(strstr(list, "SERVER-CONTROL"));
    assert_int_equal(media_playlist_when(presentation_track(p, 0), 99, 3), MEDIA_PLAYLIST_NOW);
    presentation_close(p);
}

static void a_request_for_what_comes_waits_and_for_what_is_far_fails(void **state)
{
    (void)state;
    struct presentation *p = half_way(0.9);
    struct hls_track *v = presentation_track(p, 0);
    uint64_t next = hls_track_next_msn(v);
    size_t parts = hls_track_segment(v, next)->n_parts;
    size_t last = hls_track_segment(v, next - 1)->n_parts;
    assert_int_equal(media_playlist_when(v, next - 1, -1), MEDIA_PLAYLIST_NOW);
    assert_int_equal(media_playlist_when(v, next, -1), MEDIA_PLAYLIST_LATER);
    assert_int_equal(media_playlist_when(v, next, (int64_t)parts - 1), MEDIA_PLAYLIST_NOW);
    assert_int_equal(media_playlist_when(v, next, (int64_t)parts), MEDIA_PLAYLIST_LATER);
    /* Beyond the last part of a segment that is closed: the first of the next. */
    assert_int_equal(media_playlist_when(v, next - 1, (int64_t)last), MEDIA_PLAYLIST_NOW);
    assert_int_equal(media_playlist_when(v, next + 2, -1), MEDIA_PLAYLIST_LATER);
    assert_int_equal(media_playlist_when(v, next + 3, -1), MEDIA_PLAYLIST_TOO_FAR);
    presentation_close(p);
}

static void the_multivariant_list_measures(void **state)
{
    (void)state;
    struct presentation *p = opened(&config);
    run(p, WALL);
    const char *list = keep(multivariant_playlist_print(p));
    assert_non_null(strstr(list, "RESOLUTION=160x90,FRAME-RATE=30.000,AUDIO=\"sound\"\nv0.m3u8\n"));
    assert_non_null(strstr(list, ",mp4a.40.2\""));
    assert_non_null(strstr(list, "TYPE=AUDIO,GROUP-ID=\"sound\""));
    uint64_t peak;
    uint64_t average;
    uint64_t sound;
    char expected[128];
    hls_track_bandwidth(presentation_track(p, 1), &sound, &average);
    hls_track_bandwidth(presentation_track(p, 0), &peak, &average);
    assert_true(peak >= average && average > 0);
    snprintf(expected, sizeof expected, "BANDWIDTH=%llu,", (unsigned long long)(peak + sound));
    assert_non_null(strstr(list, expected));
    presentation_close(p);
}

static void a_manifest_has_a_period_a_run(void **state)
{
    (void)state;
    struct presentation *p = opened(&config);
    run(p, WALL);
    run(p, WALL + 7 * USEC_PER_SEC);
    const char *mpd = keep(dash_manifest_print(p));
    assert_int_equal(count(mpd, "<Period "), 2);
    assert_int_equal(count(mpd, "<AdaptationSet "), 4);
    assert_int_equal(count(mpd, "<S t="), 24);
    assert_non_null(strstr(mpd, "availabilityStartTime=\"2023-11-14T22:13:10.000Z\""));
    presentation_close(p);
}

static void names_are_read_back_and_others_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "v0",
                                      "v0-abcdefgh-.m4s",
                                      "v0-abcdefgh-01.m4s",
                                      "v0-abcdefgh-1.m4s.x",
                                      "v0-abcdefg-1.m4s",
                                      "-abcdefgh-1.m4s",
                                      "v0-abcdefgh-1.99999.m4s",
                                      "v0-abcdefgh-99999999999999999999.m4s",
                                      ".m3u8",
                                      "v0-abcdefgh-i.mp4"};
    struct hls_name n;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(hls_name_parse(bad[i], &n));
    assert_true(hls_name_parse("a-peer-video-abcdefgh-12.3.m4s", &n));
    assert_string_equal(n.track, "a-peer-video");
    assert_string_equal(n.token, "abcdefgh");
    assert_int_equal(n.kind, HLS_NAME_PART);
    assert_int_equal(n.number, 12);
    assert_int_equal(n.part, 3);
    assert_true(hls_name_parse("v0-abcdefgh-i0.mp4", &n));
    assert_int_equal(n.kind, HLS_NAME_INIT);
    assert_true(hls_name_parse("v0.m3u8", &n));
    assert_int_equal(n.kind, HLS_NAME_PLAYLIST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_live_list_has_parts_a_hint_and_reports),
        cmocka_unit_test(the_first_segment_of_a_broadcaster_says_the_target_duration),
        cmocka_unit_test(parts_far_from_the_end_are_left_out),
        cmocka_unit_test(a_delta_update_skips_what_is_old),
        cmocka_unit_test(an_ended_list_says_so_and_promises_nothing),
        cmocka_unit_test(a_request_for_what_comes_waits_and_for_what_is_far_fails),
        cmocka_unit_test(the_multivariant_list_measures),
        cmocka_unit_test(a_manifest_has_a_period_a_run),
        cmocka_unit_test(names_are_read_back_and_others_refused),
    };
    return cmocka_run_group_tests(tests, make_media, remove_media);
}
