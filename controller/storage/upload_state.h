/* How far an upload in parts has come, kept beside the file so that it goes on after a failure, a
 * restart or a crash: a text file, path.upload. Does IO. */
#ifndef WEIR_CONTROLLER_STORAGE_UPLOAD_STATE_H
#define WEIR_CONTROLLER_STORAGE_UPLOAD_STATE_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

enum { UPLOAD_ID_MAX = 400, UPLOAD_ETAG_MAX = 80, UPLOAD_PATH_MAX = 1600 };

struct upload_state {
    char path[UPLOAD_PATH_MAX]; /* of the state */
    char id[UPLOAD_ID_MAX];     /* the server's name for it; "": not begun */
    uint64_t size;              /* of the file */
    uint64_t part_size;
    char (*etags)[UPLOAD_ETAG_MAX]; /* owned; of the parts that the server has, in order */
    size_t n_etags;
};

/* What is there for a file of that size in such parts; otherwise one that has not begun.
 * ERR_NOMEM, ERR_TOO_LARGE. To be closed also then. */
MUST_CHECK enum err upload_state_open(struct upload_state *u, const char *file, uint64_t size,
                                      uint64_t part_size);
/* Begun: id is set. ERR_IO. */
MUST_CHECK enum err upload_state_save(const struct upload_state *u);
/* The server has the next part. ERR_IO. */
MUST_CHECK enum err upload_state_add(struct upload_state *u, const char *etag);
void upload_state_forget(struct upload_state *u);
void upload_state_close(struct upload_state *u);

#endif
