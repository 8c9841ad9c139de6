/* Finished recordings in the storage. With a local one they stay in their folder; with a remote one
 * they go there file by file, and are served from disk until they have arrived. The cues for
 * seeking stay: they name the sheet by a relative address, which must lead here. What a
 * restart interrupted is found by what is in the folders. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controller/record/recordings_state.h"

/* In a folder: what the storage has of it is to be deleted. */
#define DELETED_MARK ".deleted"

static const struct {
    const char *name;
    const char *type;
} files[] = {{FINISHED_VIDEO, "video/mp4"},
             {FINISHED_POSTER, "image/jpeg"},
             {FINISHED_THUMBNAIL, "image/jpeg"},
             {FINISHED_SPRITE, "image/jpeg"}};
enum { FILES = sizeof files / sizeof files[0] };

/* One file on its way, or all of a recording to be deleted. */
struct transfer {
    struct recordings *recordings; /* held */
    char id[RECORDING_ID_LEN];
    size_t file;
    unsigned left;
    bool failed;
};

static void key_of(const char *id, size_t file, char out[STORAGE_KEY_MAX])
{
    snprintf(out, STORAGE_KEY_MAX, "%s/%s", id, files[file].name);
}

static void path_of(const struct recordings *r, const char *id, const char *name,
                    char out[RECORDING_PATH_MAX + 32])
{
    char folder[RECORDING_PATH_MAX];
    recordings_folder(r, id, folder);
    snprintf(out, RECORDING_PATH_MAX + 32, "%s/%s", folder, name);
}

static struct transfer *transfer_new(struct recordings *r, const char *id)
{
    struct transfer *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->recordings = r;
    snprintf(t->id, sizeof t->id, "%s", id);
    recordings_hold(r);
    return t;
}

static void transfer_end(struct transfer *t)
{
    struct recordings *r = t->recordings;
    free(t);
    recordings_release(r);
}

/* ---- putting ---- */

static void on_put(void *ctx, enum err e)
{
    struct transfer *t = ctx;
    char path[RECORDING_PATH_MAX + 32];
    if (e == OK) {
        path_of(t->recordings, t->id, files[t->file].name, path);
        (void)unlink(path);
    }
    transfer_end(t);
}

void recordings_put(struct recordings *r, const char *id)
{
    char path[RECORDING_PATH_MAX + 32];
    char key[STORAGE_KEY_MAX];
    if (!r->storage || !storage_is_remote(r->storage))
        return;
    for (size_t i = 0; i < FILES; i++) {
        path_of(r, id, files[i].name, path);
        key_of(id, i, key);
        struct transfer *t = access(path, R_OK) == 0 ? transfer_new(r, id) : NULL;
        if (!t)
            continue;
        t->file = i;
        if (storage_put(r->storage, key, path, files[i].type, on_put, t) != OK)
            transfer_end(t); /* the next start tries again */
    }
}

/* ---- deleting ---- */

static void on_deleted(void *ctx, enum err e)
{
    struct transfer *t = ctx;
    t->failed |= e != OK;
    if (--t->left > 0)
        return;
    if (!t->failed)
        recordings_remove_files(t->recordings, t->id);
    transfer_end(t);
}

/* The mark stays until all is gone, over restarts. */
static void mark_deleted(const struct recordings *r, const char *id)
{
    char path[RECORDING_PATH_MAX + 32];
    char folder[RECORDING_PATH_MAX];
    recordings_folder(r, id, folder);
    (void)mkdir(folder, 0750);
    path_of(r, id, DELETED_MARK, path);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
    if (fd >= 0)
        close(fd);
}

void recordings_remove(struct recordings *r, const char *id)
{
    char key[STORAGE_KEY_MAX];
    recordings_remove_files(r, id);
    if (r->config.storage.endpoint[0] == '\0')
        return;
    mark_deleted(r, id);
    struct transfer *t = r->storage ? transfer_new(r, id) : NULL;
    if (!t)
        return;
    t->left = 1;
    for (size_t i = 0; i < FILES; i++) {
        key_of(id, i, key);
        if (storage_delete(r->storage, key, on_deleted, t) == OK)
            t->left++;
        else
            t->failed = true;
    }
    on_deleted(t, OK);
}

/* ---- what a restart interrupted ---- */

void recordings_resume_storage(struct recordings *r)
{
    char path[RECORDING_PATH_MAX + 32];
    DIR *d = storage_is_remote(r->storage) ? opendir(r->config.dir) : NULL;
    if (!d)
        return;
    for (const struct dirent *e; (e = readdir(d)) != NULL;) {
        if (strlen(e->d_name) != RECORDING_ID_LEN - 1 || recordings_find(r, e->d_name))
            continue;
        path_of(r, e->d_name, DELETED_MARK, path);
        if (access(path, F_OK) == 0)
            recordings_remove(r, e->d_name);
        else
            recordings_put(r, e->d_name);
    }
    closedir(d);
}

/* ---- serving ---- */

bool recordings_url(const struct recordings *r, const char *id, const char *file,
                    const char *disposition, char out[STORAGE_URL_MAX])
{
    char path[RECORDING_PATH_MAX + 32];
    char key[STORAGE_KEY_MAX];
    path_of(r, id, file, path);
    if (!r->storage || !storage_is_remote(r->storage) || access(path, R_OK) == 0)
        return false;
    snprintf(key, sizeof key, "%s/%s", id, file);
    return storage_url(r->storage, key, disposition, out) == OK;
}
