/* The tag that messages carry over pipes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "worker/media/subchannel_tag.h"

static uint16_t room[SUBCHANNEL_TAG_SUBCHANNELS];

static void what_was_written_reads_back(void **state)
{
    (void)state;
    static const uint16_t list[] = {1, 65535, 7};
    struct data_message m = {.ppid = 51,
                             .subchannels = list,
                             .n_subchannels = 3,
                             .required = 9,
                             .has_required = true,
                             .ignored = 300,
                             .has_ignored = true};
    uint8_t buf[SUBCHANNEL_TAG_MAX];
    assert_true(subchannel_tag_needed(&m));
    size_t n = subchannel_tag_write(&m, buf);
    assert_int_equal(n, 4 + 2 + 2 + 6);
    memcpy(buf + n, "hi", 2);
    struct data_message got = {.ppid = 51 | SUBCHANNEL_TAG_PPID, .bytes = slice_of(buf, n + 2)};
    assert_int_equal(subchannel_tag_read(&got, room), OK);
    assert_int_equal(got.ppid, 51);
    assert_int_equal(got.n_subchannels, 3);
    assert_memory_equal(got.subchannels, list, sizeof list);
    assert_true(got.has_required && got.required == 9);
    assert_true(got.has_ignored && got.ignored == 300);
    assert_int_equal(got.bytes.n, 2);
    assert_memory_equal(got.bytes.p, "hi", 2);
}

static void as_many_subchannels_as_allowed_fit_and_no_more(void **state)
{
    (void)state;
    static uint16_t list[SUBCHANNEL_TAG_SUBCHANNELS + 1];
    struct data_message m = {.subchannels = list,
                             .n_subchannels = SUBCHANNEL_TAG_SUBCHANNELS,
                             .has_required = true,
                             .has_ignored = true};
    uint8_t buf[SUBCHANNEL_TAG_MAX];
    assert_int_equal(subchannel_tag_write(&m, buf), SUBCHANNEL_TAG_MAX);
    m.n_subchannels++;
    assert_int_equal(subchannel_tag_write(&m, buf), 0);
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    static const uint16_t list[] = {1, 2};
    struct data_message m = {.subchannels = list, .n_subchannels = 2, .has_required = true};
    uint8_t buf[SUBCHANNEL_TAG_MAX];
    size_t n = subchannel_tag_write(&m, buf);
    for (size_t i = 0; i < n; i++) {
        struct data_message got = {.ppid = SUBCHANNEL_TAG_PPID, .bytes = slice_of(buf, i)};
        assert_int_equal(subchannel_tag_read(&got, room), ERR_MALFORMED);
    }
    struct data_message got = {.ppid = SUBCHANNEL_TAG_PPID, .bytes = slice_of(buf, n)};
    assert_int_equal(subchannel_tag_read(&got, room), OK);
    assert_int_equal(got.bytes.n, 0);
}

static void more_subchannels_than_there_is_room_for_are_refused(void **state)
{
    (void)state;
    uint8_t buf[4 + 2 * (SUBCHANNEL_TAG_SUBCHANNELS + 1)] = {0};
    buf[2] = (SUBCHANNEL_TAG_SUBCHANNELS + 1) >> 8;
    buf[3] = (SUBCHANNEL_TAG_SUBCHANNELS + 1) & 0xff;
    struct data_message got = {.ppid = SUBCHANNEL_TAG_PPID, .bytes = slice_of(buf, sizeof buf)};
    assert_int_equal(subchannel_tag_read(&got, room), ERR_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_reads_back),
        cmocka_unit_test(as_many_subchannels_as_allowed_fit_and_no_more),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(more_subchannels_than_there_is_room_for_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
