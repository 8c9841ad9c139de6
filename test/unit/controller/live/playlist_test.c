#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/live/playlist.h"

enum { WINDOW = 3, TEXT_MAX = 4096 };

static struct playlist_segment segment(unsigned i, double seconds, bool discontinuity)
{
    struct playlist_segment s = {.duration = (usec)(seconds * 1e6),
                                 .wall = 1700000000 * USEC_PER_SEC + i * USEC_PER_SEC,
                                 .discontinuity = discontinuity};
    snprintf(s.name, sizeof s.name, "t-1-%05u.ts", i);
    return s;
}

static void add(struct playlist *p, unsigned i, double seconds, bool discontinuity)
{
    struct playlist_segment s = segment(i, seconds, discontinuity);
    struct playlist_segment out;
    (void)playlist_add(p, &s, &out);
}

static const char *print(const struct playlist *p)
{
    static char text[TEXT_MAX];
    struct wr w = wr_of(text, sizeof text);
    assert_int_equal(playlist_print(p, &w), OK);
    text[wr_len(&w)] = '\0';
    return text;
}

/* The integer behind "#TAG:". */
static long long tag(const char *text, const char *name)
{
    const char *at = strstr(text, name);
    assert_non_null(at);
    return atoll(at + strlen(name) + 1);
}

static void the_text_is_as_rfc_8216_has_it(void **state)
{
    (void)state;
    struct playlist p;
    assert_int_equal(playlist_init(&p, WINDOW, 2), OK);
    add(&p, 0, 1.021333, false);
    add(&p, 1, 0.98, true);
    assert_string_equal(print(&p), "#EXTM3U\n"
                                   "#EXT-X-VERSION:3\n"
                                   "#EXT-X-TARGETDURATION:2\n"
                                   "#EXT-X-MEDIA-SEQUENCE:0\n"
                                   "#EXT-X-DISCONTINUITY-SEQUENCE:0\n"
                                   "#EXT-X-INDEPENDENT-SEGMENTS\n"
                                   "#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:20.000Z\n"
                                   "#EXTINF:1.021333,\n"
                                   "t-1-00000.ts\n"
                                   "#EXT-X-DISCONTINUITY\n"
                                   "#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:21.000Z\n"
                                   "#EXTINF:0.980000,\n"
                                   "t-1-00001.ts\n");
    playlist_end(&p);
    assert_non_null(strstr(print(&p), "t-1-00001.ts\n#EXT-X-ENDLIST\n"));
    playlist_fini(&p);
}

/* RFC 8216 6.2.2: the media sequence goes up by one with each segment that is removed, and no
 * segment ever gets another number. */
static void each_segment_keeps_its_sequence_number(void **state)
{
    (void)state;
    struct playlist p;
    assert_int_equal(playlist_init(&p, WINDOW, 2), OK);
    for (unsigned i = 0; i < 50; i++) {
        add(&p, i, 1, false);
        assert_int_equal(playlist_next_sequence(&p), i + 1);
        assert_int_equal(tag(print(&p), "#EXT-X-MEDIA-SEQUENCE"), i < WINDOW ? 0 : i - WINDOW + 1);
        for (size_t k = 0; k < p.n; k++) {
            char name[PLAYLIST_NAME_MAX];
            snprintf(name, sizeof name, "t-1-%05u.ts", (unsigned)(p.media_sequence + k));
            assert_string_equal(playlist_at(&p, k)->name, name);
            assert_true(playlist_has(&p, name));
        }
    }
    assert_null(playlist_at(&p, WINDOW));
    assert_false(playlist_has(&p, "t-1-00046.ts"));
    playlist_fini(&p);
}

/* RFC 8216 6.2.2 and 4.3.3.3: the sum of this number and the discontinuity tags before a segment is
 * the same in every version of the playlist. */
static void the_discontinuity_sequence_counts_tags_that_left(void **state)
{
    (void)state;
    struct playlist p;
    assert_int_equal(playlist_init(&p, WINDOW, 2), OK);
    unsigned expected[40];
    unsigned so_far = 0;
    for (unsigned i = 0; i < 40; i++) {
        bool discontinuity = i > 0 && i % 4 == 1;
        so_far += discontinuity;
        expected[i] = so_far;
        add(&p, i, 1, discontinuity);
        uint64_t number = p.discontinuity_sequence;
        assert_int_equal(tag(print(&p), "#EXT-X-DISCONTINUITY-SEQUENCE"), number);
        for (size_t k = 0; k < p.n; k++) {
            number += playlist_at(&p, k)->discontinuity;
            assert_int_equal(number, expected[p.media_sequence + k]);
        }
    }
    assert_in_range(p.discontinuity_sequence, 8, 10);
    playlist_fini(&p);
}

static void the_target_duration_covers_every_segment_and_never_shrinks(void **state)
{
    (void)state;
    struct playlist p;
    assert_int_equal(playlist_init(&p, WINDOW, 2), OK);
    add(&p, 0, 2.499, false);
    assert_int_equal(tag(print(&p), "#EXT-X-TARGETDURATION"), 2);
    add(&p, 1, 2.5, false);
    assert_int_equal(tag(print(&p), "#EXT-X-TARGETDURATION"), 3);
    add(&p, 2, 7.2, false);
    for (unsigned i = 3; i < 20; i++)
        add(&p, i, 1, false);
    assert_int_equal(tag(print(&p), "#EXT-X-TARGETDURATION"), 7);
    playlist_fini(&p);
}

static void what_leaves_the_window_is_handed_out_once(void **state)
{
    (void)state;
    struct playlist p;
    assert_int_equal(playlist_init(&p, WINDOW, 2), OK);
    unsigned left = 0;
    for (unsigned i = 0; i < 20; i++) {
        struct playlist_segment s = segment(i, 1, false);
        struct playlist_segment out;
        bool full = playlist_add(&p, &s, &out);
        assert_int_equal(full, i >= WINDOW);
        if (full) {
            char name[PLAYLIST_NAME_MAX];
            snprintf(name, sizeof name, "t-1-%05u.ts", left++);
            assert_string_equal(out.name, name);
        }
    }
    assert_int_equal(playlist_duration(&p), WINDOW * USEC_PER_SEC);
    playlist_fini(&p);
}

static void the_promised_size_is_enough_and_less_is_refused(void **state)
{
    (void)state;
    struct playlist p;
    char text[PLAYLIST_HEAD_TEXT_MAX + WINDOW * PLAYLIST_SEGMENT_TEXT_MAX];
    assert_int_equal(playlist_init(&p, WINDOW, UINT32_MAX), OK);
    p.media_sequence = p.discontinuity_sequence = UINT64_MAX - 100;
    for (unsigned i = 0; i < WINDOW; i++) {
        struct playlist_segment s = {
            .duration = INT64_C(999999999) * USEC_PER_SEC, .wall = 1, .discontinuity = true};
        struct playlist_segment out;
        memset(s.name, 'x', sizeof s.name - 1);
        (void)playlist_add(&p, &s, &out);
    }
    playlist_end(&p);
    struct wr w = wr_of(text, sizeof text);
    assert_int_equal(playlist_print(&p, &w), OK);
    size_t n = wr_len(&w);
    for (size_t k = 0; k <= n; k++) {
        w = wr_of(text, k);
        assert_int_equal(playlist_print(&p, &w), ERR_TOO_LARGE);
    }
    playlist_fini(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_text_is_as_rfc_8216_has_it),
        cmocka_unit_test(each_segment_keeps_its_sequence_number),
        cmocka_unit_test(the_discontinuity_sequence_counts_tags_that_left),
        cmocka_unit_test(the_target_duration_covers_every_segment_and_never_shrinks),
        cmocka_unit_test(what_leaves_the_window_is_handed_out_once),
        cmocka_unit_test(the_promised_size_is_enough_and_less_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
