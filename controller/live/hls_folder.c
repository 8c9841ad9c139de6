#include "controller/live/hls_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"

#define PLAYLIST_FILE "index.m3u8"
#define PLAYLIST_NEXT ".index.m3u8.next"
#define SEGMENT_SUFFIX ".ts"

static enum err make_dir(const char *path)
{
    return mkdir(path, 0755) == 0 || errno == EEXIST ? OK : ERR_IO;
}

/* With its parents: data folders are not there at the first start. */
static enum err make_path(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        enum err e = make_dir(path);
        *slash = '/';
        if (e != OK)
            return e;
    }
    return make_dir(path);
}

enum err hls_folder_open(struct hls_folder *f, const char *root, const char *room_id,
                         const char *token, size_t list_size, unsigned target_s)
{
    *f = (struct hls_folder){.retired_max = 4 * list_size + 16};
    int n = snprintf(f->path, sizeof f->path, "%s/%s", root, room_id);
    if (n < 0 || (size_t)n >= sizeof f->path)
        return ERR_TOO_LARGE;
    snprintf(f->token, sizeof f->token, "%s", token);
    enum err e = make_path(f->path);
    if (e == OK && access(f->path, W_OK) != 0)
        e = ERR_IO;
    if (e == OK)
        e = playlist_init(&f->playlist, list_size, target_s);
    if (e != OK)
        return e;
    f->retired = calloc(f->retired_max, sizeof *f->retired);
    if (!f->retired) {
        hls_folder_close(f);
        return ERR_NOMEM;
    }
    return OK;
}

void hls_folder_close(struct hls_folder *f)
{
    playlist_fini(&f->playlist);
    free(f->retired);
    f->retired = NULL;
}

/* ---- files ---- */

struct path {
    char text[HLS_PATH_MAX + 64];
};

static const char *path_of(const struct hls_folder *f, const char *name, struct path *p)
{
    snprintf(p->text, sizeof p->text, "%s/%s", f->path, name);
    return p->text;
}

static void delete_file(const struct hls_folder *f, const char *name)
{
    struct path p;
    (void)unlink(path_of(f, name, &p));
}

static bool write_all(int fd, const uint8_t *p, size_t n)
{
    while (n > 0) {
        ssize_t done = write(fd, p, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        p += done;
        n -= (size_t)done;
    }
    return true;
}

/* A reader sees the old file or the new one, never half of one. */
static bool replace_file(const struct hls_folder *f, const uint8_t *p, size_t n)
{
    struct path next;
    struct path path;
    path_of(f, PLAYLIST_NEXT, &next);
    int fd = open(next.text, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0)
        return false;
    bool ok = write_all(fd, p, n);
    ok = close(fd) == 0 && ok;
    return ok && rename(next.text, path_of(f, PLAYLIST_FILE, &path)) == 0;
}

static enum err write_playlist(struct hls_folder *f)
{
    size_t max = PLAYLIST_HEAD_TEXT_MAX + f->playlist.n * PLAYLIST_SEGMENT_TEXT_MAX;
    uint8_t *text = malloc(max);
    if (!text)
        return ERR_NOMEM;
    struct wr w = wr_of(text, max);
    enum err e = playlist_print(&f->playlist, &w);
    if (e == OK && !replace_file(f, text, wr_len(&w)))
        e = ERR_IO;
    if (e != OK && !f->write_failed)
        log_error("hls.playlist_not_written", "folder=%s why=\"%s\"", f->path,
                  e == ERR_IO ? strerror(errno) : err_text(e));
    f->write_failed = e != OK;
    free(text);
    return e;
}

/* ---- segments ---- */

static void delete_oldest_retired(struct hls_folder *f)
{
    delete_file(f, f->retired[f->retired_first].name);
    f->retired_first = (f->retired_first + 1) % f->retired_max;
    f->n_retired--;
}

/* RFC 8216 6.2.2: a removed segment stays available "for a period of time equal to the duration of
 * the segment plus the duration of the longest Playlist file distributed by the server containing
 * that segment". */
static void retire(struct hls_folder *f, const struct playlist_segment *s, uint64_t now_ms)
{
    if (f->n_retired == f->retired_max)
        delete_oldest_retired(f);
    struct hls_retired *r = &f->retired[(f->retired_first + f->n_retired) % f->retired_max];
    f->n_retired++;
    usec keep =
        s->duration + playlist_duration(&f->playlist) + (usec)f->playlist.target_s * USEC_PER_SEC;
    snprintf(r->name, sizeof r->name, "%s", s->name);
    r->delete_ms = now_ms + (uint64_t)(keep / USEC_PER_MSEC);
}

void hls_folder_expire(struct hls_folder *f, uint64_t now_ms)
{
    while (f->n_retired > 0 && f->retired[f->retired_first].delete_ms <= now_ms)
        delete_oldest_retired(f);
}

enum err hls_folder_add(struct hls_folder *f, const struct playlist_segment *s, uint64_t now_ms)
{
    struct path p;
    struct stat st;
    if (stat(path_of(f, s->name, &p), &st) != 0 || !S_ISREG(st.st_mode) || st.st_size == 0)
        return ERR_NOT_FOUND;
    struct playlist_segment old;
    if (playlist_add(&f->playlist, s, &old))
        retire(f, &old, now_ms);
    hls_folder_expire(f, now_ms);
    return write_playlist(f);
}

static bool is_retired(const struct hls_folder *f, const char *name)
{
    for (size_t i = 0; i < f->n_retired; i++) {
        if (strcmp(f->retired[(f->retired_first + i) % f->retired_max].name, name) == 0)
            return true;
    }
    return false;
}

static bool ends_with(const char *s, const char *suffix)
{
    size_t n = strlen(s);
    size_t k = strlen(suffix);
    return n >= k && strcmp(s + n - k, suffix) == 0;
}

/* Every file of this stream's but those that keep says. */
static void delete_ours(struct hls_folder *f, bool keep_listed)
{
    DIR *d = opendir(f->path);
    if (!d)
        return;
    for (struct dirent *e = readdir(d); e; e = readdir(d)) {
        bool ours = strncmp(e->d_name, f->token, strlen(f->token)) == 0 &&
                    ends_with(e->d_name, SEGMENT_SUFFIX);
        bool listed = playlist_has(&f->playlist, e->d_name) || is_retired(f, e->d_name);
        if (ours && !(keep_listed && listed))
            (void)unlinkat(dirfd(d), e->d_name, 0);
    }
    closedir(d);
}

void hls_folder_sweep(struct hls_folder *f)
{
    delete_ours(f, true);
}

void hls_folder_end(struct hls_folder *f)
{
    playlist_end(&f->playlist);
    if (f->playlist.n > 0)
        (void)write_playlist(f);
}

void hls_folder_remove(struct hls_folder *f)
{
    delete_ours(f, false);
    delete_file(f, PLAYLIST_FILE);
    delete_file(f, PLAYLIST_NEXT);
    (void)rmdir(f->path);
}

/* ---- what an earlier life left ---- */

static void clear_room(int root_fd, const char *name)
{
    int fd = openat(root_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    if (!d) {
        if (fd >= 0)
            close(fd);
        return;
    }
    for (struct dirent *e = readdir(d); e; e = readdir(d)) {
        if (ends_with(e->d_name, SEGMENT_SUFFIX) || strcmp(e->d_name, PLAYLIST_FILE) == 0 ||
            strcmp(e->d_name, PLAYLIST_NEXT) == 0)
            (void)unlinkat(dirfd(d), e->d_name, 0);
    }
    closedir(d);
    (void)unlinkat(root_fd, name, AT_REMOVEDIR);
}

void hls_root_clear(const char *root)
{
    DIR *d = opendir(root);
    if (!d)
        return;
    for (struct dirent *e = readdir(d); e; e = readdir(d)) {
        if (e->d_name[0] != '.')
            clear_room(dirfd(d), e->d_name);
    }
    closedir(d);
}
