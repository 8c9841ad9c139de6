#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"
#include "controller/live/hls_folder.h"

enum { WINDOW = 3 };

static char base[64];
static char root[128];

static int setup(void **state)
{
    (void)state;
    snprintf(base, sizeof base, "/tmp/hls-folder-test-XXXXXX");
    if (!mkdtemp(base))
        return -1;
    snprintf(root, sizeof root, "%s/deep/er", base);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    char path[160];
    (void)rmdir(root);
    snprintf(path, sizeof path, "%s/deep", base);
    (void)rmdir(path);
    /* Fails when a test left something behind. */
    return rmdir(base);
}

static bool there(const char *dir, const char *name)
{
    char path[HLS_PATH_MAX + 80];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return access(path, F_OK) == 0;
}

static void put_file(const char *dir, const char *name, const char *text)
{
    char path[HLS_PATH_MAX + 80];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void open_folder(struct hls_folder *f)
{
    assert_int_equal(hls_folder_open(f, root, "room", "tokentok", WINDOW, 2), OK);
}

static enum err add(struct hls_folder *f, unsigned i, uint64_t now_ms)
{
    struct playlist_segment s = {.duration = USEC_PER_SEC};
    snprintf(s.name, sizeof s.name, "tokentok-1-%05u.ts", i);
    put_file(f->path, s.name, "x");
    return hls_folder_add(f, &s, now_ms);
}

static void read_playlist(const struct hls_folder *f, char *text, size_t n)
{
    char path[HLS_PATH_MAX + 80];
    snprintf(path, sizeof path, "%s/index.m3u8", f->path);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    text[fread(text, 1, n - 1, file)] = '\0';
    fclose(file);
}

static void each_segment_shows_in_the_playlist_at_once(void **state)
{
    (void)state;
    struct hls_folder f;
    char text[4096];
    open_folder(&f);
    assert_false(there(f.path, "index.m3u8"));
    assert_int_equal(add(&f, 0, 0), OK);
    read_playlist(&f, text, sizeof text);
    assert_non_null(strstr(text, "\ntokentok-1-00000.ts\n"));
    assert_int_equal(add(&f, 1, 1000), OK);
    read_playlist(&f, text, sizeof text);
    assert_non_null(strstr(text, "\ntokentok-1-00001.ts\n"));
    assert_null(strstr(text, "ENDLIST"));
    hls_folder_end(&f);
    read_playlist(&f, text, sizeof text);
    assert_non_null(strstr(text, "#EXT-X-ENDLIST\n"));
    assert_false(there(f.path, ".index.m3u8.next"));
    hls_folder_remove(&f);
    assert_false(there(root, "room"));
    hls_folder_close(&f);
}

static void segments_stay_on_disk_for_a_while_after_they_left(void **state)
{
    (void)state;
    struct hls_folder f;
    open_folder(&f);
    for (unsigned i = 0; i < WINDOW; i++)
        assert_int_equal(add(&f, i, i * 1000), OK);
    assert_int_equal(add(&f, WINDOW, WINDOW * 1000), OK);
    assert_false(playlist_has(&f.playlist, "tokentok-1-00000.ts"));
    /* Its own second, the list's three, and a target duration of two. */
    hls_folder_expire(&f, WINDOW * 1000 + 5999);
    assert_true(there(f.path, "tokentok-1-00000.ts"));
    hls_folder_expire(&f, WINDOW * 1000 + 6000);
    assert_false(there(f.path, "tokentok-1-00000.ts"));
    assert_true(there(f.path, "tokentok-1-00001.ts"));
    hls_folder_remove(&f);
    hls_folder_close(&f);
}

static void files_do_not_pile_up(void **state)
{
    (void)state;
    struct hls_folder f;
    open_folder(&f);
    for (unsigned i = 0; i < 200; i++)
        assert_int_equal(add(&f, i, i * 1000), OK);
    unsigned n = 0;
    for (unsigned i = 0; i < 200; i++) {
        char name[PLAYLIST_NAME_MAX];
        snprintf(name, sizeof name, "tokentok-1-%05u.ts", i);
        n += there(f.path, name);
    }
    assert_in_range(n, WINDOW, WINDOW + 7);
    /* Even when the clock stands still. */
    for (unsigned i = 200; i < 400; i++)
        assert_int_equal(add(&f, i, 200 * 1000), OK);
    assert_true(f.n_retired <= f.retired_max);
    hls_folder_remove(&f);
    hls_folder_close(&f);
}

static void a_segment_without_a_file_or_empty_is_not_listed(void **state)
{
    (void)state;
    struct hls_folder f;
    struct playlist_segment s = {.name = "tokentok-1-00007.ts", .duration = USEC_PER_SEC};
    open_folder(&f);
    assert_int_equal(hls_folder_add(&f, &s, 0), ERR_NOT_FOUND);
    put_file(f.path, s.name, "");
    assert_int_equal(hls_folder_add(&f, &s, 0), ERR_NOT_FOUND);
    assert_int_equal(f.playlist.n, 0);
    hls_folder_end(&f);
    assert_false(there(f.path, "index.m3u8"));
    hls_folder_remove(&f);
    hls_folder_close(&f);
}

static void a_sweep_takes_what_no_list_knows_and_nothing_else(void **state)
{
    (void)state;
    struct hls_folder f;
    open_folder(&f);
    for (unsigned i = 0; i <= WINDOW; i++)
        assert_int_equal(add(&f, i, 0), OK);
    put_file(f.path, "tokentok-1-00099.ts", "half");
    put_file(f.path, "othertok-1-00000.ts", "not ours");
    put_file(f.path, "tokentok-notes.txt", "not a segment");
    hls_folder_sweep(&f);
    assert_false(there(f.path, "tokentok-1-00099.ts"));
    assert_true(there(f.path, "tokentok-1-00000.ts")); /* retired */
    assert_true(there(f.path, "tokentok-1-00003.ts"));
    assert_true(there(f.path, "othertok-1-00000.ts"));
    assert_true(there(f.path, "tokentok-notes.txt"));
    hls_folder_remove(&f);
    assert_true(there(f.path, "othertok-1-00000.ts"));
    char path[HLS_PATH_MAX + 80];
    snprintf(path, sizeof path, "%s/tokentok-notes.txt", f.path);
    unlink(path);
    hls_folder_close(&f);
    hls_root_clear(root);
    assert_false(there(root, "room"));
}

static void clearing_the_root_touches_hls_files_only(void **state)
{
    (void)state;
    char dir[160];
    struct hls_folder f;
    open_folder(&f);
    assert_int_equal(add(&f, 0, 0), OK);
    hls_folder_close(&f);
    snprintf(dir, sizeof dir, "%s/precious", root);
    assert_int_equal(mkdir(dir, 0755), 0);
    put_file(dir, "thesis.odt", "x");
    put_file(dir, "old-1-00000.ts", "x");
    put_file(root, "beside.ts", "x");
    hls_root_clear(root);
    assert_false(there(root, "room"));
    assert_false(there(dir, "old-1-00000.ts"));
    assert_true(there(dir, "thesis.odt"));
    assert_true(there(root, "beside.ts"));
    char path[200];
    snprintf(path, sizeof path, "%s/thesis.odt", dir);
    unlink(path);
    rmdir(dir);
    snprintf(path, sizeof path, "%s/beside.ts", root);
    unlink(path);
    hls_root_clear("/nowhere/at/all");
}

static void a_folder_that_cannot_be_made_is_an_error(void **state)
{
    (void)state;
    struct hls_folder f;
    put_file(base, "file", "x");
    char path[128];
    snprintf(path, sizeof path, "%s/file", base);
    assert_int_equal(hls_folder_open(&f, path, "room", "tokentok", WINDOW, 2), ERR_IO);
    unlink(path);
    char longer[HLS_PATH_MAX + 10];
    memset(longer, 'a', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    assert_int_equal(hls_folder_open(&f, longer, "room", "tokentok", WINDOW, 2), ERR_TOO_LARGE);
}

static void a_playlist_that_could_not_be_written_is_written_with_the_next_segment(void **state)
{
    (void)state;
    struct hls_folder f;
    char text[4096];
    char block[HLS_PATH_MAX + 80];
    log_set_level(LOG_ERROR + 1);
    open_folder(&f);
    snprintf(block, sizeof block, "%s/index.m3u8", f.path);
    assert_int_equal(mkdir(block, 0755), 0); /* a file cannot be renamed over a folder */
    assert_int_equal(add(&f, 0, 0), ERR_IO);
    rmdir(block);
    assert_int_equal(add(&f, 1, 0), OK);
    read_playlist(&f, text, sizeof text);
    assert_non_null(strstr(text, "tokentok-1-00000.ts"));
    assert_non_null(strstr(text, "tokentok-1-00001.ts"));
    hls_folder_remove(&f);
    hls_folder_close(&f);
    log_set_level(LOG_INFO);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_segment_shows_in_the_playlist_at_once),
        TEST(segments_stay_on_disk_for_a_while_after_they_left),
        TEST(files_do_not_pile_up),
        TEST(a_segment_without_a_file_or_empty_is_not_listed),
        TEST(a_sweep_takes_what_no_list_knows_and_nothing_else),
        TEST(clearing_the_root_touches_hls_files_only),
        TEST(a_folder_that_cannot_be_made_is_an_error),
        TEST(a_playlist_that_could_not_be_written_is_written_with_the_next_segment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
