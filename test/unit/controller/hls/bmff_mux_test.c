#include "controller/hls/bmff_mux.h"

#include "test/unit/controller/hls/hls_media.h"

static void write_blob(FILE *f, const struct blob *b)
{
    assert_int_equal(fwrite(b->bytes, 1, b->n, f), b->n);
}

/* Parts of both tracks, segment by segment, as a recording gets them. */
static void save_together(struct presentation *p, const char *name)
{
    char path[128];
    const struct blob *inits[2];
    struct blob *init;
    uint32_t sequence = 0;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    for (size_t i = 0; i < 2; i++)
        inits[i] = hls_track_init(presentation_track(p, i))->bytes;
    assert_int_equal(bmff_mux_inits(inits, 2, &init), OK);
    write_blob(f, init);
    blob_unref(init);
    for (uint64_t m = 0; m < hls_track_next_msn(presentation_track(p, 0)); m++) {
        for (size_t i = 0; i < 2; i++) {
            const struct hls_segment *s = hls_track_segment(presentation_track(p, i), m);
            for (size_t k = 0; k < s->n_parts; k++) {
                struct blob *b = bmff_mux_part(s->parts[k].bytes, (uint32_t)i + 1, ++sequence);
                write_blob(f, b);
                blob_unref(b);
            }
        }
    }
    fclose(f);
}

static void says(const char *name, const char *expected)
{
    char command[320];
    char line[128] = "";
    snprintf(command, sizeof command,
             "ffprobe -v error -count_frames -show_entries stream=codec_name,nb_read_frames -of "
             "csv=p=0 %s/%s 2>&1 | tr '\\n' ' '",
             folder, name);
    FILE *p = popen(command, "r");
    assert_non_null(p);
    assert_non_null(fgets(line, sizeof line, p));
    pclose(p);
    assert_string_equal(line, expected);
}

static void two_tracks_become_one_file_that_plays(void **state)
{
    (void)state;
    struct presentation *p = opened(&config);
    run(p, WALL);
    save_together(p, "both.mp4");
    says("both.mp4", "h264,180 aac,283 ");
    presentation_close(p);
}

static void a_torn_initialization_segment_is_refused(void **state)
{
    (void)state;
    struct presentation *p = opened(&config);
    struct blob *out;
    run(p, WALL);
    const struct blob *whole = hls_track_init(presentation_track(p, 0))->bytes;
    for (size_t n = 0; n < whole->n; n++) {
        struct blob *torn = blob_new(n);
        memcpy(torn->bytes, whole->bytes, n);
        const struct blob *inits[1] = {torn};
        assert_int_equal(bmff_mux_inits(inits, 1, &out), ERR_MALFORMED);
        blob_unref(torn);
    }
    assert_int_equal(bmff_mux_inits(NULL, 0, &out), ERR_MALFORMED);
    presentation_close(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_tracks_become_one_file_that_plays),
        cmocka_unit_test(a_torn_initialization_segment_is_refused),
    };
    return cmocka_run_group_tests(tests, make_media, remove_media);
}
