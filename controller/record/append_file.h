/* A file that grows at its end: shared bytes go in, the loop's threads write them in order, what
 * waits is bounded. Does IO, never on the loop's own thread. */
#ifndef WEIR_CONTROLLER_RECORD_APPEND_FILE_H
#define WEIR_CONTROLLER_RECORD_APPEND_FILE_H

#include <stdint.h>

#include "common/blob.h"
#include "common/err.h"

struct uv_loop_s;
struct append_file;

enum {
    APPEND_FILE_QUEUE_MAX = 64 * 1024 * 1024 /* bytes that may wait for the disk */
};

struct append_file_config {
    struct uv_loop_s *loop;
    const char *path; /* made, or cut to nothing; copied */
    /* The disk refuses: nothing more will be written. At most once; why is an errno. Not called
     * after append_file_close. */
    void (*on_failed)(void *ctx, int why);
    void *ctx; /* borrowed */
};

MUST_CHECK enum err append_file_open(const struct append_file_config *config,
                                     struct append_file **out);
/* Takes over the reference. ERR_FULL: the disk is too slow, nothing was taken; ERR_IO: it failed
 * before; ERR_NOMEM. */
MUST_CHECK enum err append_file_add(struct append_file *f, struct blob *b);
/* Bytes that were taken so far, and are or will be in the file. */
uint64_t append_file_size(const struct append_file *f);
/* What waits is written; then closed(ctx, whether all of it was), once, never from inside. NULL:
 * not wanted. f is dead when this returns. */
void append_file_close(struct append_file *f, void (*closed)(void *ctx, enum err e), void *ctx);

#endif
