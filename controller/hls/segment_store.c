#include "controller/hls/segment_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#include <uv.h>

#include "common/list.h"
#include "common/log.h"
#include "controller/hls/hls_names.h"

enum {
    /* Jobs that wait for the disk; beyond, segments are not stored, and leave with the memory. */
    JOBS_MAX = 256,
    /* A disk that is full has room for a file now and then: it is well again when so long all went
     * well. */
    WELL_AGAIN_MS = 5000
};

struct kept {
    struct list node;
    struct segment_store *store;       /* parent */
    struct presentation *presentation; /* borrowed; NULL: taken away */
    struct presentation_observer observer;
    unsigned jobs; /* that speak of it */
};

struct segment_store {
    uv_loop_t *loop;
    char (*tokens)[HLS_TOKEN_LEN + 1]; /* owned; of all presentations that ever were in it */
    size_t n_tokens;
    char folder[SEGMENT_STORE_PATH_MAX];
    struct list kept;
    struct segment_store_counters counters;
    unsigned jobs;
    bool told_failure;
    uint64_t failed_ms; /* the newest, by the loop's clock */
    bool closing;
    bool delete_files;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

enum job_kind { JOB_WRITE, JOB_DELETE, JOB_CLEAR };

/* One file's way through a thread. */
struct job {
    uv_work_t work;
    struct segment_store *store;
    struct kept *kept; /* NULL: nobody waits for it */
    enum job_kind kind;
    char name[HLS_NAME_MAX];
    char track[HLS_TRACK_NAME_MAX];
    uint64_t msn;
    bool is_segment;
    int error; /* errno; 0: done */
    size_t size;
    size_t n_blobs;
    struct blob *blobs[]; /* refs; released on the loop */
};

/* ---- in threads ---- */

static int write_blobs(int fd, const struct job *j)
{
    for (size_t i = 0; i < j->n_blobs; i++) {
        const uint8_t *p = j->blobs[i]->bytes;
        size_t left = j->blobs[i]->n;
        while (left > 0) {
            ssize_t n = write(fd, p, left);
            if (n < 0 && errno == EINTR)
                continue;
            if (n < 0)
                return errno;
            p += n;
            left -= (size_t)n;
        }
    }
    return 0;
}

/* Under another name first, so that nobody reads half of it. */
static int write_file(const struct job *j, const char *path)
{
    char next[SEGMENT_STORE_PATH_MAX + HLS_NAME_MAX + 8];
    snprintf(next, sizeof next, "%s.next", path);
    int fd = open(next, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    /* The one that used the folder before may just have removed it. */
    if (fd < 0 && errno == ENOENT && mkdir(j->store->folder, 0755) == 0)
        fd = open(next, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return errno;
    int error = write_blobs(fd, j);
    if (close(fd) < 0 && error == 0)
        error = errno;
    if (error == 0 && rename(next, path) < 0)
        error = errno;
    if (error != 0)
        unlink(next);
    return error;
}

static bool is_ours(const struct segment_store *s, const char *name)
{
    for (size_t i = 0; i < s->n_tokens; i++) {
        if (strstr(name, s->tokens[i]))
            return true;
    }
    return false;
}

/* What is ours in the folder, and the folder if nothing else is left: another store may have begun
 * to use it. */
static void clear_folder(const struct segment_store *s)
{
    DIR *d = opendir(s->folder);
    if (!d)
        return;
    for (const struct dirent *e; (e = readdir(d)) != NULL;) {
        if (is_ours(s, e->d_name))
            (void)unlinkat(dirfd(d), e->d_name, 0);
    }
    closedir(d);
    (void)rmdir(s->folder);
}

static void on_work(uv_work_t *work)
{
    struct job *j = work->data;
    char path[SEGMENT_STORE_PATH_MAX + HLS_NAME_MAX + 2];
    snprintf(path, sizeof path, "%s/%s", j->store->folder, j->name);
    if (j->kind == JOB_WRITE)
        j->error = write_file(j, path);
    else if (j->kind == JOB_DELETE && unlink(path) < 0)
        j->error = errno;
    else if (j->kind == JOB_CLEAR)
        clear_folder(j->store);
}

/* ---- on the loop ---- */

static void start(struct job *j);
static struct job *new_job(struct segment_store *s, struct kept *k, enum job_kind kind,
                           size_t n_blobs);

static void finish_close(struct segment_store *s)
{
    void (*closed)(void *) = s->closed;
    void *ctx = s->closed_ctx;
    struct job *clear = s->delete_files ? new_job(s, NULL, JOB_CLEAR, 0) : NULL;
    s->delete_files = false;
    if (clear) {
        start(clear);
        return;
    }
    free(s->tokens);
    free(s);
    if (closed)
        closed(ctx);
}

static void release(struct job *j)
{
    for (size_t i = 0; i < j->n_blobs; i++)
        blob_unref(j->blobs[i]);
    if (j->kept && --j->kept->jobs == 0 && !j->kept->presentation)
        free(j->kept);
    free(j);
}

static void on_written(struct segment_store *s, struct job *j)
{
    if (j->error != 0) {
        s->counters.failed++;
        s->failed_ms = uv_now(s->loop);
        if (!s->told_failure)
            log_error("hls.not_stored", "folder=%s why=\"%s\"", s->folder, strerror(j->error));
        s->told_failure = true;
        return;
    }
    if (s->told_failure && uv_now(s->loop) - s->failed_ms >= WELL_AGAIN_MS) {
        log_info("hls.stored_again", "folder=%s", s->folder);
        s->told_failure = false;
    }
    s->counters.written++;
    s->counters.bytes += j->size;
    struct presentation *p = j->kept ? j->kept->presentation : NULL;
    struct hls_track *t = p && j->is_segment ? presentation_find_track(p, j->track) : NULL;
    if (t)
        hls_track_stored(t, j->msn);
}

static void after_work(uv_work_t *work, int status)
{
    struct job *j = work->data;
    struct segment_store *s = j->store;
    (void)status;
    if (j->kind == JOB_WRITE)
        on_written(s, j);
    else if (j->kind == JOB_DELETE && j->error == 0)
        s->counters.bytes -= j->size < s->counters.bytes ? j->size : s->counters.bytes;
    release(j);
    if (--s->jobs == 0 && s->closing)
        finish_close(s);
}

static struct job *new_job(struct segment_store *s, struct kept *k, enum job_kind kind,
                           size_t n_blobs)
{
    struct job *j = calloc(1, sizeof *j + n_blobs * sizeof j->blobs[0]);
    if (!j)
        return NULL;
    j->store = s;
    j->kept = k;
    j->kind = kind;
    j->work.data = j;
    if (k)
        k->jobs++;
    return j;
}

static void start(struct job *j)
{
    struct segment_store *s = j->store;
    s->jobs++;
    /* Fails only without a function. */
    (void)uv_queue_work(s->loop, &j->work, on_work, after_work);
}

static void add_blob(struct job *j, struct blob *b)
{
    j->blobs[j->n_blobs++] = blob_ref(b);
    j->size += b->n;
}

static void on_init(void *ctx, struct hls_track *t, const struct hls_init *init)
{
    struct kept *k = ctx;
    struct job *j = new_job(k->store, k, JOB_WRITE, 1);
    if (!j)
        return;
    hls_name_init(j->name, t, init->id);
    add_blob(j, init->bytes);
    start(j);
}

static void on_segment(void *ctx, struct hls_track *t, const struct hls_segment *seg)
{
    struct kept *k = ctx;
    if (seg->gap)
        return;
    if (k->store->jobs >= JOBS_MAX) {
        k->store->counters.failed++;
        return;
    }
    struct job *j = new_job(k->store, k, JOB_WRITE, seg->n_parts);
    if (!j)
        return;
    hls_name_segment(j->name, t, seg->msn);
    snprintf(j->track, sizeof j->track, "%s", hls_track_spec(t)->name);
    j->msn = seg->msn;
    j->is_segment = true;
    for (size_t i = 0; i < seg->n_parts; i++)
        add_blob(j, seg->parts[i].bytes);
    start(j);
}

static void delete_file(struct kept *k, const char *name, size_t size)
{
    struct job *j = new_job(k->store, NULL, JOB_DELETE, 0);
    if (!j)
        return;
    snprintf(j->name, sizeof j->name, "%s", name);
    j->size = size;
    start(j);
}

/* A player may be reading it still: its descriptor stays good. */
static void on_expired(void *ctx, struct hls_track *t, const struct hls_segment *seg)
{
    char name[HLS_NAME_MAX];
    if (!seg->stored)
        return;
    hls_name_segment(name, t, seg->msn);
    delete_file(ctx, name, seg->size);
}

/* ---- life ---- */

static enum err make_path(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        int made = mkdir(path, 0755);
        *slash = '/';
        if (made < 0 && errno != EEXIST)
            return ERR_IO;
    }
    return (mkdir(path, 0755) == 0 || errno == EEXIST) && access(path, W_OK) == 0 ? OK : ERR_IO;
}

enum err segment_store_open(struct uv_loop_s *loop, const char *folder, struct segment_store **out)
{
    struct segment_store *s = calloc(1, sizeof *s);
    if (!s)
        return ERR_NOMEM;
    s->loop = loop;
    list_init(&s->kept);
    enum err e = strlen(folder) < sizeof s->folder && folder[0] != '\0' ? OK : ERR_TOO_LARGE;
    if (e == OK) {
        snprintf(s->folder, sizeof s->folder, "%s", folder);
        e = make_path(s->folder);
    }
    if (e != OK) {
        free(s);
        return e;
    }
    *out = s;
    return OK;
}

enum err segment_store_add(struct segment_store *s, struct presentation *p)
{
    struct kept *k = calloc(1, sizeof *k);
    char(*tokens)[HLS_TOKEN_LEN + 1] =
        k ? realloc(s->tokens, (s->n_tokens + 1) * sizeof *tokens) : NULL;
    if (!tokens) {
        free(k);
        return ERR_NOMEM;
    }
    s->tokens = tokens;
    memcpy(tokens[s->n_tokens++], presentation_get_config(p)->token, HLS_TOKEN_LEN + 1);
    k->store = s;
    k->presentation = p;
    k->observer = (struct presentation_observer){
        .on_init = on_init, .on_segment = on_segment, .on_expired = on_expired, .ctx = k};
    list_add(&s->kept, &k->node);
    presentation_observe(p, &k->observer);
    return OK;
}

void segment_store_remove(struct segment_store *s, struct presentation *p)
{
    list_each (node, &s->kept) {
        struct kept *k = container_of(node, struct kept, node);
        if (k->presentation != p)
            continue;
        presentation_unobserve(&k->observer);
        list_remove(&k->node);
        k->presentation = NULL;
        if (k->jobs == 0)
            free(k);
        return;
    }
}

void segment_store_close(struct segment_store *s, bool delete_files, void (*closed)(void *ctx),
                         void *ctx)
{
    s->closing = true;
    s->delete_files = delete_files;
    s->closed = closed;
    s->closed_ctx = ctx;
    if (s->jobs == 0)
        finish_close(s);
}

/* ---- what an earlier life left ---- */

static bool ends_with(const char *s, const char *suffix)
{
    size_t n = strlen(s);
    size_t k = strlen(suffix);
    return n >= k && strcmp(s + n - k, suffix) == 0;
}

static void clear_room(int root_fd, const char *name)
{
    int fd = openat(root_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    if (!d) {
        if (fd >= 0)
            close(fd);
        return;
    }
    for (const struct dirent *e; (e = readdir(d)) != NULL;) {
        struct hls_name parsed;
        char file[sizeof e->d_name];
        snprintf(file, sizeof file, "%s", e->d_name);
        if (ends_with(file, ".next"))
            file[strlen(file) - 5] = '\0';
        if (hls_name_parse(file, &parsed) && parsed.kind != HLS_NAME_PLAYLIST)
            (void)unlinkat(dirfd(d), e->d_name, 0);
    }
    closedir(d);
    (void)unlinkat(root_fd, name, AT_REMOVEDIR);
}

void segment_stores_clear(const char *root)
{
    DIR *d = opendir(root);
    if (!d)
        return;
    for (const struct dirent *e; (e = readdir(d)) != NULL;) {
        if (e->d_name[0] != '.')
            clear_room(dirfd(d), e->d_name);
    }
    closedir(d);
}

const char *segment_store_folder(const struct segment_store *s)
{
    return s->folder;
}

const struct segment_store_counters *segment_store_get_counters(const struct segment_store *s)
{
    return &s->counters;
}
