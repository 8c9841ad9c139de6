#include "controller/record/append_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

enum { WRITE_BLOBS_MAX = 64 };

struct waiting {
    struct waiting *next;
    struct blob *blob; /* ref */
};

struct append_file {
    struct append_file_config config;
    char *path; /* owned */
    int fd;     /* -1: not open yet; the threads' while work runs */
    uv_work_t work;
    struct waiting *first; /* owned; oldest first */
    struct waiting **last;
    size_t queued; /* bytes that wait, or are being written */
    uint64_t size;
    struct blob *batch[WRITE_BLOBS_MAX]; /* refs; what the thread writes now */
    size_t n_batch;
    int error; /* errno of the first failure; 0: none */
    bool working;
    bool told;
    bool closing;
    void (*closed)(void *ctx, enum err e);
    void *closed_ctx;
};

/* ---- in a thread ---- */

static int write_all(int fd, const uint8_t *p, size_t n)
{
    while (n > 0) {
        ssize_t done = write(fd, p, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return errno;
        p += done;
        n -= (size_t)done;
    }
    return 0;
}

static void on_work(uv_work_t *work)
{
    struct append_file *f = work->data;
    if (f->fd < 0 && f->error == 0) {
        f->fd = open(f->path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0640);
        f->error = f->fd < 0 ? errno : 0;
    }
    for (size_t i = 0; i < f->n_batch && f->error == 0; i++)
        f->error = write_all(f->fd, f->batch[i]->bytes, f->batch[i]->n);
    if (f->closing && !f->first && f->fd >= 0) {
        if (close(f->fd) < 0 && f->error == 0)
            f->error = errno;
        f->fd = -1;
    }
}

/* ---- on the loop ---- */

static void drop_waiting(struct append_file *f)
{
    while (f->first) {
        struct waiting *w = f->first;
        f->first = w->next;
        f->queued -= w->blob->n;
        blob_unref(w->blob);
        free(w);
    }
    f->last = &f->first;
}

static void finish(struct append_file *f)
{
    void (*closed)(void *, enum err) = f->closed;
    void *ctx = f->closed_ctx;
    enum err e = f->error == 0 ? OK : ERR_IO;
    if (f->fd >= 0)
        close(f->fd);
    free(f->path);
    free(f);
    if (closed)
        closed(ctx, e);
}

static void work_on(struct append_file *f);

static void after_work(uv_work_t *work, int status)
{
    struct append_file *f = work->data;
    (void)status;
    f->working = false;
    for (size_t i = 0; i < f->n_batch; i++) {
        f->queued -= f->batch[i]->n;
        blob_unref(f->batch[i]);
    }
    f->n_batch = 0;
    if (f->error != 0)
        drop_waiting(f);
    if (f->error != 0 && !f->told && !f->closing) {
        f->told = true;
        f->config.on_failed(f->config.ctx, f->error);
        return;
    }
    if (f->first)
        work_on(f);
    else if (f->closing)
        finish(f);
}

static void work_on(struct append_file *f)
{
    while (f->first && f->n_batch < WRITE_BLOBS_MAX) {
        struct waiting *w = f->first;
        f->first = w->next;
        f->batch[f->n_batch++] = w->blob;
        free(w);
    }
    if (!f->first)
        f->last = &f->first;
    f->working = true;
    /* Fails only without a function. */
    (void)uv_queue_work(f->config.loop, &f->work, on_work, after_work);
}

enum err append_file_open(const struct append_file_config *config, struct append_file **out)
{
    struct append_file *f = calloc(1, sizeof *f);
    char *path = strdup(config->path);
    if (!f || !path) {
        free(f);
        free(path);
        return ERR_NOMEM;
    }
    f->config = *config;
    f->path = path;
    f->fd = -1;
    f->last = &f->first;
    f->work.data = f;
    *out = f;
    return OK;
}

enum err append_file_add(struct append_file *f, struct blob *b)
{
    enum err e = f->error != 0 ? ERR_IO : OK;
    if (e == OK && f->queued + b->n > APPEND_FILE_QUEUE_MAX)
        e = ERR_FULL;
    struct waiting *w = e == OK ? malloc(sizeof *w) : NULL;
    if (e == OK && !w)
        e = ERR_NOMEM;
    if (e != OK) {
        blob_unref(b);
        return e;
    }
    *w = (struct waiting){.blob = b};
    *f->last = w;
    f->last = &w->next;
    f->queued += b->n;
    f->size += b->n;
    if (!f->working)
        work_on(f);
    return OK;
}

uint64_t append_file_size(const struct append_file *f)
{
    return f->size;
}

void append_file_close(struct append_file *f, void (*closed)(void *ctx, enum err e), void *ctx)
{
    f->closing = true;
    f->closed = closed;
    f->closed_ctx = ctx;
    if (!f->working)
        work_on(f);
}
