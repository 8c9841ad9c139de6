/* The parts of file serving that need no connection: opening, types, compressing, queueing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "controller/net/beneath.h"
#include "controller/net/files.h"
#include "controller/net/gzip.h"
#include "controller/net/mime.h"
#include "controller/net/out.h"

static char root[64];
static char outside[64];

static void write_file(const char *dir, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static int make_folders(void **state)
{
    (void)state;
    strcpy(root, P_tmpdir "/weir-root-XXXXXX");
    strcpy(outside, P_tmpdir "/weir-out-XXXXXX");
    char path[256];
    if (!mkdtemp(root) || !mkdtemp(outside))
        return -1;
    snprintf(path, sizeof path, "%s/sub", root);
    mkdir(path, 0755);
    write_file(root, "a.txt", "inside");
    write_file(root, "sub/b.txt", "deeper");
    write_file(outside, "secret.txt", "secret");
    snprintf(path, sizeof path, "%s/fifo", root);
    if (mkfifo(path, 0644) != 0)
        return -1;
    char target[128];
    snprintf(target, sizeof target, "%s/secret.txt", outside);
    snprintf(path, sizeof path, "%s/link.txt", root);
    if (symlink(target, path) != 0)
        return -1;
    snprintf(path, sizeof path, "%s/linked", root);
    return symlink(outside, path);
}

static int remove_folders(void **state)
{
    (void)state;
    char command[256];
    snprintf(command, sizeof command, "rm -rf %s %s", root, outside);
    return system(command) == 0 ? 0 : -1;
}

typedef enum err opener(const char *root, const char *path, int *fd, struct stat *st);

static void check_opener(opener *open_file)
{
    static const char *const good[] = {"a.txt", "sub/b.txt"};
    static const char *const bad[] = {"",           "sub",  "nope",        "sub/nope",
                                      "..",         "../x", "sub/../../x", "link.txt",
                                      "linked",     "fifo", "a.txt/x",     "linked/secret.txt",
                                      "/etc/passwd"};
    int fd;
    struct stat st;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_int_equal(open_file(root, good[i], &fd, &st), OK);
        assert_int_equal(st.st_size, 6);
        close(fd);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (open_file(root, bad[i], &fd, &st) != ERR_NOT_FOUND)
            fail_msg("opened %s", bad[i]);
    }
    assert_int_equal(open_file("/nonexistent", "a.txt", &fd, &st), ERR_NOT_FOUND);
}

static void no_path_leads_out_of_the_folder(void **state)
{
    (void)state;
    check_opener(beneath_open);
}

static void nor_without_openat2(void **state)
{
    (void)state;
    check_opener(beneath_open_walking);
}

static void types_follow_the_extension(void **state)
{
    (void)state;
    assert_string_equal(files_content_type("a/index.m3u8"), "application/vnd.apple.mpegurl");
    assert_string_equal(files_content_type("x.WASM"), "application/wasm");
    assert_string_equal(files_content_type("x.woff2"), "font/woff2");
    assert_string_equal(files_content_type("x.ts"), "video/mp2t");
    assert_string_equal(files_content_type("a.b/c"), "application/octet-stream");
    assert_string_equal(files_content_type("x.weird"), "application/octet-stream");
    assert_true(mime_is_text("a.svg"));
    assert_false(mime_is_text("a.mp4"));
    assert_string_equal(mime_extension("a.b/c"), "");
    assert_string_equal(mime_extension("a/c.tar.gz"), "gz");
}

static void compressed_copies_are_right_and_bounded(void **state)
{
    (void)state;
    struct gzip_cache *cache;
    assert_int_equal(gzip_cache_open(&cache, 2000), OK);
    uint8_t plain[1500];
    for (size_t i = 0; i < sizeof plain; i++)
        plain[i] = (uint8_t)(i * i * 31 >> 3); /* hardly compressible */
    struct gzip_key key = {.inode = 1, .size = sizeof plain};
    struct blob *b = gzip_cache_add(cache, &key, plain, sizeof plain);
    assert_non_null(b);
    uint8_t back[2000];
    z_stream z = {
        .next_in = b->bytes, .avail_in = (uInt)b->n, .next_out = back, .avail_out = sizeof back};
    assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
    assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
    assert_int_equal(z.total_out, sizeof plain);
    assert_memory_equal(back, plain, sizeof plain);
    inflateEnd(&z);
    struct blob *again = gzip_cache_find(cache, &key);
    assert_ptr_equal(again, b);
    for (uint64_t i = 2; i < 50; i++) {
        struct gzip_key other = {.inode = i, .size = sizeof plain};
        blob_unref(gzip_cache_add(cache, &other, plain, sizeof plain));
        assert_true(gzip_cache_bytes(cache) <= 2000);
    }
    assert_null(gzip_cache_find(cache, &key)); /* pushed out; our references live on */
    assert_memory_equal(b->bytes, again->bytes, b->n);
    blob_unref(again);
    blob_unref(b);
    gzip_cache_close(cache);
}

static void what_was_used_last_stays_longest(void **state)
{
    (void)state;
    struct gzip_cache *cache;
    assert_int_equal(gzip_cache_open(&cache, 100), OK);
    struct gzip_key a = {.inode = 1};
    struct gzip_key b = {.inode = 2};
    struct gzip_key c = {.inode = 3};
    blob_unref(gzip_cache_add(cache, &a, "abcdefghijklmnop", 16));
    blob_unref(gzip_cache_add(cache, &b, "abcdefghijklmnop", 16));
    blob_unref(gzip_cache_find(cache, &a));
    blob_unref(gzip_cache_add(cache, &c, "abcdefghijklmnop", 16));
    struct blob *found = gzip_cache_find(cache, &a);
    assert_non_null(found);
    blob_unref(found);
    assert_null(gzip_cache_find(cache, &b));
    gzip_cache_close(cache);
}

static int file_of(const char *text)
{
    char path[128];
    write_file(root, "out.txt", text);
    snprintf(path, sizeof path, "%s/out.txt", root);
    return open(path, O_RDONLY);
}

/* Everything that is queued, as a socket would get it that takes at most max bytes at a time. */
static size_t drain(struct out *o, size_t max, char *all)
{
    size_t n = 0;
    while (!out_empty(o)) {
        struct out_front f;
        out_look(o, max, &f);
        assert_in_range(f.n, 1, max);
        if (f.n_pieces == 0)
            assert_int_equal(pread(f.fd, all + n, f.n, (off_t)f.offset), (ssize_t)f.n);
        size_t at = n;
        for (size_t i = 0; i < f.n_pieces; i++) {
            memcpy(all + at, f.pieces[i].iov_base, f.pieces[i].iov_len);
            at += f.pieces[i].iov_len;
        }
        n += f.n;
        out_sent(o, f.n);
        assert_int_equal(f.more, !out_empty(o));
    }
    all[n] = '\0';
    return n;
}

static void a_queue_joins_bytes_blobs_and_files(void **state)
{
    (void)state;
    for (size_t max = 1; max < 20; max++) {
        struct out o = {0};
        char all[32];
        struct blob *b = blob_new(3);
        memcpy(b->bytes, "BLO", 3);
        assert_true(out_bytes(&o, "ab", 2));
        assert_true(out_blob(&o, blob_ref(b)));
        assert_true(out_file(&o, file_of("0123456789"), 2, 5));
        assert_true(out_bytes(&o, "end", 3));
        assert_int_equal(o.memory, 8);
        assert_int_equal(o.files, 1);
        assert_int_equal(drain(&o, max, all), 13);
        assert_string_equal(all, "abBLO23456end");
        assert_int_equal(o.memory, 0);
        assert_int_equal(o.files, 0);
        assert_int_equal(b->refs, 1);
        blob_unref(b);
    }
}

static void a_queue_shows_bytes_where_they_are(void **state)
{
    (void)state;
    struct out o = {0};
    struct out_front f;
    struct blob *b = blob_new(1000);
    assert_true(out_bytes(&o, "head", 4));
    assert_true(out_blob_range(&o, blob_ref(b), 100, 800));
    out_look(&o, SIZE_MAX, &f);
    assert_int_equal(f.n_pieces, 2);
    assert_ptr_equal(f.pieces[1].iov_base, b->bytes + 100);
    assert_int_equal(f.n, 804);
    assert_false(f.more);
    out_fini(&o);
    assert_int_equal(b->refs, 1);
    blob_unref(b);
}

static void nothing_at_all_is_not_queued(void **state)
{
    (void)state;
    struct out o = {0};
    struct blob *b = blob_new(3);
    assert_true(out_bytes(&o, "", 0));
    assert_true(out_blob_range(&o, blob_ref(b), 3, 0));
    assert_true(out_file(&o, file_of("0123"), 0, 0));
    assert_true(out_empty(&o));
    assert_int_equal(o.files, 0);
    assert_int_equal(b->refs, 1);
    blob_unref(b);
}

static void more_pieces_than_one_call_takes_follow_in_the_next(void **state)
{
    (void)state;
    struct out o = {0};
    char all[4 * OUT_PIECES_MAX];
    for (int i = 0; i < 3 * OUT_PIECES_MAX; i++)
        assert_true(out_bytes(&o, &"0123456789"[i % 10], 1));
    assert_int_equal(drain(&o, SIZE_MAX, all), 3 * OUT_PIECES_MAX);
    for (int i = 0; i < 3 * OUT_PIECES_MAX; i++)
        assert_int_equal(all[i], '0' + i % 10);
}

static void what_has_begun_to_be_sent_is_not_dropped(void **state)
{
    (void)state;
    struct out o = {0};
    char rest[8];
    assert_true(out_bytes(&o, "abcd", 4));
    assert_true(out_bytes(&o, "efgh", 4));
    out_sent(&o, 2);
    out_drop_unsent(&o);
    assert_int_equal(o.memory, 2);
    assert_true(out_bytes(&o, "z", 1));
    assert_int_equal(drain(&o, 8, rest), 3);
    assert_string_equal(rest, "cdz");
    assert_true(out_bytes(&o, "y", 1));
    out_drop_unsent(&o);
    assert_true(out_empty(&o));
    assert_int_equal(o.memory, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_path_leads_out_of_the_folder),
        cmocka_unit_test(nor_without_openat2),
        cmocka_unit_test(types_follow_the_extension),
        cmocka_unit_test(compressed_copies_are_right_and_bounded),
        cmocka_unit_test(what_was_used_last_stays_longest),
        cmocka_unit_test(a_queue_joins_bytes_blobs_and_files),
        cmocka_unit_test(a_queue_shows_bytes_where_they_are),
        cmocka_unit_test(nothing_at_all_is_not_queued),
        cmocka_unit_test(more_pieces_than_one_call_takes_follow_in_the_next),
        cmocka_unit_test(what_has_begun_to_be_sent_is_not_dropped),
    };
    return cmocka_run_group_tests(tests, make_folders, remove_folders);
}
