#include "test/unit/controller/hls/hls_media.h"

#include "common/bytes.h"
#include "controller/hls/bmff_reader.h"
#include "controller/hls/multivariant_playlist.h"

/* What a player would fetch, one after the other, into a file. */
static void save(struct hls_track *t, const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    const struct blob *init = hls_track_init(t)->bytes;
    fwrite(init->bytes, 1, init->n, out);
    for (uint64_t m = hls_track_first_msn(t); m < hls_track_next_msn(t); m++) {
        const struct hls_segment *s = hls_track_segment(t, m);
        for (size_t k = 0; k < s->n_parts; k++)
            fwrite(s->parts[k].bytes->bytes, 1, s->parts[k].bytes->n, out);
    }
    fclose(out);
}

static long frames_of(const char *name)
{
    char command[256];
    char line[64] = "";
    snprintf(command, sizeof command,
             "ffprobe -v error -count_frames -show_entries stream=nb_read_frames -of csv=p=0 %s/%s "
             "2>&1",
             folder, name);
    FILE *p = popen(command, "r");
    assert_non_null(p);
    assert_non_null(fgets(line, sizeof line, p));
    char *end;
    long n = strtol(line, &end, 10);
    assert_true(*end == '\n');
    assert_null(fgets(line, sizeof line, p)); /* no complaint */
    pclose(p);
    return n;
}

static void segments_end_at_key_frames_and_together(void **state)
{
    (void)state;
    struct presentation *p = opened(&config);
    run(p, WALL);
    struct hls_track *v = presentation_track(p, 0);
    struct hls_track *a = presentation_track(p, 1);
    assert_int_equal(hls_track_next_msn(v), 6);
    assert_int_equal(hls_track_next_msn(a), 6);
    for (uint64_t m = 0; m < 6; m++) {
        const struct hls_segment *s = hls_track_segment(v, m);
        const struct hls_segment *sound = hls_track_segment(a, m);
        assert_int_equal(s->duration, USEC_PER_SEC);
        assert_int_equal(s->wall, WALL + (usec)m * USEC_PER_SEC);
        assert_true(s->parts[0].independent);
        assert_false(s->discontinuity);
        assert_in_range(sound->start + 25000 - s->start, 0, 50000);
    }
    presentation_close(p);
}

static void parts_are_as_long_as_they_may_be_and_make_up_the_segment(void **state)
{
    (void)state;
    struct presentation *p = opened(&config);
    run(p, WALL);
    for (size_t i = 0; i < 2; i++) {
        struct hls_track *t = presentation_track(p, i);
        for (uint64_t m = 0; m < hls_track_next_msn(t); m++) {
            const struct hls_segment *s = hls_track_segment(t, m);
            usec sum = 0;
            for (size_t k = 0; k < s->n_parts; k++) {
                assert_in_range(s->parts[k].duration, 1, config.part + 1000);
                /* RFC 8216bis 4.4.3.7: all but the last at least 85 % of the target. */
                if (k + 1 < s->n_parts)
                    assert_true(s->parts[k].duration * 100 >= config.part * 85);
                sum += s->parts[k].duration;
            }
            assert_int_equal(sum, s->duration);
        }
    }
    presentation_close(p);
}

static void nothing_is_lost_on_the_way(void **state)
{
    (void)state;
    struct presentation *p = opened(&config);
    run(p, WALL);
    save(presentation_track(p, 0), "out-v.mp4");
    save(presentation_track(p, 1), "out-a.mp4");
    assert_int_equal(frames_of("out-v.mp4"), 180);
    assert_int_equal(frames_of("out-a.mp4"), frames_of("a.mp4"));
    presentation_close(p);
}

static void codecs_are_read_from_the_initialization_segment(void **state)
{
    (void)state;
    struct presentation *p = opened(&config);
    run(p, WALL);
    const struct media_format *v = &hls_track_init(presentation_track(p, 0))->format;
    const struct media_format *a = &hls_track_init(presentation_track(p, 1))->format;
    assert_memory_equal(v->codec, "avc1.42", 7);
    assert_int_equal(v->width, 160);
    assert_int_equal(v->height, 90);
    assert_string_equal(a->codec, "mp4a.40.2");
    assert_int_equal(a->sample_rate, 48000);
    presentation_close(p);
    p = opened(&config);
    assert_int_equal(presentation_run_begin(p, tracks, 2, WALL), OK);
    feed_all(p, "v.mp4", "o.mp4");
    assert_string_equal(hls_track_init(presentation_track(p, 1))->format.codec, "opus");
    presentation_close(p);
}

static void a_new_run_goes_on_with_a_discontinuity_and_later_times(void **state)
{
    (void)state;
    struct presentation *p = opened(&config);
    run(p, WALL);
    run(p, WALL + 8 * USEC_PER_SEC);
    struct hls_track *v = presentation_track(p, 0);
    struct hls_track *a = presentation_track(p, 1);
    assert_int_equal(hls_track_next_msn(v), 12);
    assert_int_equal(hls_track_next_msn(a), 12);
    for (size_t i = 0; i < 2; i++) {
        struct hls_track *t = presentation_track(p, i);
        assert_true(hls_track_segment(t, 6)->discontinuity);
        assert_false(hls_track_segment(t, 7)->discontinuity);
    }
    /* The same encoder's parameters: the same initialization segment. */
    assert_int_equal(hls_track_segment(v, 0)->init, hls_track_segment(v, 11)->init);
    assert_int_equal(hls_track_segment(v, 6)->start - hls_track_segment(v, 0)->start,
                     8 * USEC_PER_SEC);
    assert_int_equal(hls_track_segment(v, 6)->wall, WALL + 8 * USEC_PER_SEC);
    presentation_close(p);
}

static void a_track_without_media_gets_gaps(void **state)
{
    (void)state;
    struct presentation *p = opened(&config);
    struct file v = load("v.mp4");
    assert_int_equal(presentation_run_begin(p, tracks, 2, WALL), OK);
    assert_int_equal(presentation_feed(p, 0, v.bytes, v.n), OK);
    presentation_run_end(p);
    assert_int_equal(hls_track_next_msn(presentation_track(p, 1)), 6);
    assert_true(hls_track_segment(presentation_track(p, 1), 3)->gap);
    free(v.bytes);
    presentation_close(p);
}

static void the_window_drops_what_is_old_and_the_memory_what_is_stored(void **state)
{
    (void)state;
    struct presentation_config c = config;
    c.window = 4 * USEC_PER_SEC;
    c.memory = 2 * USEC_PER_SEC;
    struct presentation *p = opened(&c);
    run(p, WALL);
    struct hls_track *v = presentation_track(p, 0);
    /* Nobody stored anything: what leaves the memory is gone. */
    assert_int_equal(hls_track_first_msn(v), 4);
    presentation_close(p);
}

static void store_all(void *ctx, struct hls_track *t, const struct hls_segment *s)
{
    (void)ctx;
    hls_track_stored(t, s->msn);
}

static void stored_segments_stay_without_their_bytes(void **state)
{
    (void)state;
    struct presentation_config c = config;
    c.window = 4 * USEC_PER_SEC;
    c.memory = 2 * USEC_PER_SEC;
    struct presentation *p = opened(&c);
    struct presentation_observer o = {.on_segment = store_all};
    presentation_observe(p, &o);
    run(p, WALL);
    struct hls_track *v = presentation_track(p, 0);
    assert_int_equal(hls_track_first_msn(v), 2);
    assert_null(hls_track_segment(v, 2)->parts);
    assert_non_null(hls_track_segment(v, 5)->parts);
    presentation_unobserve(&o);
    presentation_close(p);
}

static void broken_bytes_end_the_run_and_nothing_else(void **state)
{
    (void)state;
    unsigned seed = 1;
    for (int i = 0; i < 200; i++) {
        struct presentation *p = opened(&config);
        struct file v = load("v.mp4");
        assert_int_equal(presentation_run_begin(p, tracks, 2, WALL), OK);
        for (unsigned k = 0; k < 20; k++)
            v.bytes[(size_t)rand_r(&seed) % v.n] = (uint8_t)rand_r(&seed);
        enum err first = presentation_feed(p, 0, v.bytes, v.n / 2);
        enum err second = presentation_feed(p, 0, v.bytes + v.n / 2, v.n - v.n / 2);
        if (first != OK)
            assert_int_equal(second, first);
        presentation_run_end(p);
        presentation_end(p);
        presentation_close(p);
        free(v.bytes);
    }
}

/* Three seconds of 160x90, then as many of 320x180, as a browser sends them. */
static void make_change(void)
{
    char command[1200];
    snprintf(command, sizeof command,
             "cd %s && for s in 160x90 320x180; do ffmpeg -v error -y -f lavfi -i "
             "testsrc=s=$s:r=30:d=3 -c:v libx264 -profile:v baseline -preset ultrafast -tune "
             "zerolatency -g 30 -pix_fmt yuv420p -f h264 $s.h264; done && cat 160x90.h264 "
             "320x180.h264 > both.h264 && ffmpeg -v error -y -r 30 -i both.h264 -c copy "
             "-bsf:v setts=ts=N*512 " FRAGMENTS "c.mp4",
             folder);
    assert_int_equal(system(command), 0);
}

static void
another_picture_size_is_another_initialization_segment_after_a_discontinuity(void **state)
{
    (void)state;
    const struct track_spec copied[] = {{.name = "v0", .video = true, .copied = true},
                                        {.name = "a0"}};
    struct presentation *p = opened(&config);
    make_change();
    assert_int_equal(presentation_run_begin(p, copied, 2, WALL), OK);
    feed_all(p, "c.mp4", "a.mp4");
    presentation_run_end(p);
    struct hls_track *v = presentation_track(p, 0);
    struct hls_track *a = presentation_track(p, 1);
    const struct media_format *f = &hls_track_init(v)->format;
    assert_int_equal(f->width, 320);
    assert_int_equal(f->height, 180);
    assert_int_equal(hls_track_find_init(v, 0)->format.width, 160);
    unsigned changes = 0;
    for (uint64_t m = 1; m < hls_track_next_msn(v); m++) {
        const struct hls_segment *s = hls_track_segment(v, m);
        const struct hls_segment *sound = hls_track_segment(a, m);
        changes += s->discontinuity;
        assert_int_equal(s->init, changes);
        assert_int_equal(s->discontinuity, s->init != hls_track_segment(v, m - 1)->init);
        if (sound)
            assert_int_equal(sound->discontinuity, s->discontinuity);
        assert_true(s->parts[0].independent);
    }
    assert_int_equal(changes, 1);
    presentation_close(p);
}

static void what_follows_a_change_can_be_decoded_with_its_own_initialization_segment(void **state)
{
    (void)state;
    char path[128];
    const struct track_spec copied[] = {{.name = "v0", .video = true, .copied = true}};
    struct presentation *p = opened(&config);
    assert_int_equal(presentation_run_begin(p, copied, 1, WALL), OK);
    struct file c = load("c.mp4");
    assert_int_equal(presentation_feed(p, 0, c.bytes, c.n), OK);
    free(c.bytes);
    presentation_run_end(p);
    struct hls_track *v = presentation_track(p, 0);
    snprintf(path, sizeof path, "%s/after.mp4", folder);
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    fwrite(hls_track_init(v)->bytes->bytes, 1, hls_track_init(v)->bytes->n, out);
    for (uint64_t m = 0; m < hls_track_next_msn(v); m++) {
        const struct hls_segment *s = hls_track_segment(v, m);
        for (size_t k = 0; s->init == 1 && k < s->n_parts; k++)
            fwrite(s->parts[k].bytes->bytes, 1, s->parts[k].bytes->n, out);
    }
    fclose(out);
    assert_int_equal(frames_of("after.mp4"), 90);
    presentation_close(p);
}

/* ---- sizes that come and go ---- */

static bool lists(struct presentation *p, const char *name)
{
    char line[64];
    struct blob *b = multivariant_playlist_print(p);
    assert_non_null(b);
    snprintf(line, sizeof line, "\n%s.m3u8\n", name);
    bool found = memmem(b->bytes, b->n, line, strlen(line)) != NULL;
    blob_unref(b);
    return found;
}

/* v.mp4 for each track of pictures that is there. */
static void run_sizes(struct presentation *p, const struct track_spec *specs, size_t n)
{
    struct file v = load("v.mp4");
    assert_int_equal(presentation_run_begin(p, specs, n, WALL), OK);
    for (size_t i = 0; i < n; i++) {
        if (!specs[i].absent)
            assert_int_equal(presentation_feed(p, i, v.bytes, v.n), OK);
    }
    presentation_run_end(p);
    free(v.bytes);
}

static void a_size_that_is_not_made_is_gaps_until_a_run_makes_it(void **state)
{
    (void)state;
    struct track_spec sizes[] = {{.name = "v0", .video = true},
                                 {.name = "v1", .video = true, .absent = true}};
    struct presentation *p = opened(&config);
    run_sizes(p, sizes, 2);
    struct hls_track *v0 = presentation_track(p, 0);
    struct hls_track *v1 = presentation_track(p, 1);
    assert_true(presentation_playable(p));
    assert_int_equal(hls_track_next_msn(v1), hls_track_next_msn(v0));
    assert_true(lists(p, "v0") && !lists(p, "v1"));
    uint64_t first = hls_track_next_msn(v0);
    for (uint64_t m = 0; m < first; m++)
        assert_true(hls_track_segment(v1, m)->gap);
    sizes[1].absent = false;
    run_sizes(p, sizes, 2);
    assert_true(lists(p, "v0") && lists(p, "v1"));
    assert_int_equal(hls_track_next_msn(v1), hls_track_next_msn(v0));
    for (uint64_t m = 0; m < hls_track_next_msn(v0); m++) {
        const struct hls_segment *a = hls_track_segment(v0, m);
        const struct hls_segment *b = hls_track_segment(v1, m);
        assert_int_equal(b->gap, m < first);
        assert_int_equal(a->discontinuity, b->discontinuity);
        assert_int_equal(a->discontinuity, m == first);
    }
    presentation_close(p);
}

/* ---- pictures that are turned ---- */

static uint32_t matrix_at(const struct hls_init *init, size_t i)
{
    const uint8_t *tkhd = memmem(init->bytes->bytes, init->bytes->n, "tkhd", 4);
    struct rd r = rd_slice(slice_of(tkhd + 4 + 40 + 4 * i, 4));
    return rd_u32(&r);
}

static void what_passes_through_is_turned_from_a_key_frame_on(void **state)
{
    (void)state;
    const struct track_spec copied[] = {{.name = "v0", .video = true, .copied = true}};
    struct presentation *p = opened(&config);
    struct file v = load("v.mp4");
    assert_int_equal(presentation_run_begin(p, copied, 1, WALL), OK);
    assert_int_equal(presentation_feed(p, 0, v.bytes, v.n / 2), OK);
    presentation_rotate(p, 90);
    assert_int_equal(presentation_feed(p, 0, v.bytes + v.n / 2, v.n - v.n / 2), OK);
    presentation_run_end(p);
    struct hls_track *t = presentation_track(p, 0);
    const struct hls_init *upright = hls_track_find_init(t, 0);
    const struct hls_init *turned = hls_track_find_init(t, 1);
    assert_non_null(turned);
    assert_null(hls_track_find_init(t, 2));
    assert_int_equal(upright->format.rotation, 0);
    assert_int_equal(matrix_at(upright, 0), 0x10000);
    assert_int_equal(turned->format.rotation, 90);
    assert_int_equal(turned->format.width, 160);
    assert_int_equal(matrix_at(turned, 0), 0);
    assert_int_equal(matrix_at(turned, 1), 0x10000);
    assert_int_equal(matrix_at(turned, 3), 0xffff0000);
    assert_int_equal(matrix_at(turned, 6), 90 << 16);
    unsigned changes = 0;
    for (uint64_t m = 0; m < hls_track_next_msn(t); m++) {
        const struct hls_segment *s = hls_track_segment(t, m);
        changes += s->discontinuity;
        assert_int_equal(s->init, changes);
        assert_true(s->parts[0].independent);
    }
    assert_int_equal(changes, 1);
    struct blob *b = multivariant_playlist_print(p);
    assert_non_null(memmem(b->bytes, b->n, "RESOLUTION=90x160", 17));
    blob_unref(b);
    /* The next run begins as the last one ended, and can be turned back. */
    assert_int_equal(presentation_run_begin(p, copied, 1, WALL), OK);
    assert_int_equal(presentation_feed(p, 0, v.bytes, v.n / 2), OK);
    assert_int_equal(hls_track_init(t)->format.rotation, 90);
    presentation_rotate(p, 0);
    assert_int_equal(presentation_feed(p, 0, v.bytes + v.n / 2, v.n - v.n / 2), OK);
    presentation_run_end(p);
    assert_int_equal(hls_track_init(t)->format.rotation, 0);
    assert_int_equal(matrix_at(hls_track_init(t), 0), 0x10000);
    assert_int_equal(matrix_at(hls_track_init(t), 6), 0);
    free(v.bytes);
    presentation_close(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(segments_end_at_key_frames_and_together),
        cmocka_unit_test(parts_are_as_long_as_they_may_be_and_make_up_the_segment),
        cmocka_unit_test(nothing_is_lost_on_the_way),
        cmocka_unit_test(codecs_are_read_from_the_initialization_segment),
        cmocka_unit_test(a_new_run_goes_on_with_a_discontinuity_and_later_times),
        cmocka_unit_test(a_track_without_media_gets_gaps),
        cmocka_unit_test(the_window_drops_what_is_old_and_the_memory_what_is_stored),
        cmocka_unit_test(stored_segments_stay_without_their_bytes),
        cmocka_unit_test(broken_bytes_end_the_run_and_nothing_else),
        cmocka_unit_test(
            another_picture_size_is_another_initialization_segment_after_a_discontinuity),
        cmocka_unit_test(what_follows_a_change_can_be_decoded_with_its_own_initialization_segment),
        cmocka_unit_test(a_size_that_is_not_made_is_gaps_until_a_run_makes_it),
        cmocka_unit_test(what_passes_through_is_turned_from_a_key_frame_on),
    };
    return cmocka_run_group_tests(tests, make_media, remove_media);
}
