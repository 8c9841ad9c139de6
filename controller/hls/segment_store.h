/* Finished segments on disk, for as long as they may be rewound: written and deleted by the loop's
 * threads, never by the loop itself. One folder a presentation's room; a file a segment, and one an
 * initialization segment. */
#ifndef WEIR_CONTROLLER_HLS_SEGMENT_STORE_H
#define WEIR_CONTROLLER_HLS_SEGMENT_STORE_H

#include <stdint.h>

#include "common/err.h"
#include "controller/hls/presentation.h"

struct uv_loop_s;
struct segment_store;

enum { SEGMENT_STORE_PATH_MAX = 1400 };

struct segment_store_counters {
    uint64_t written; /* files */
    uint64_t failed;  /* the disk is full, or the like: what failed stays in memory, then goes */
    uint64_t bytes;   /* on disk now */
};

/* folder: made with its parents; path copied. ERR_IO, ERR_TOO_LARGE, ERR_NOMEM. */
MUST_CHECK enum err segment_store_open(struct uv_loop_s *loop, const char *folder,
                                       struct segment_store **out);
/* Begins to keep what p makes. p must be taken away before it is closed. */
MUST_CHECK enum err segment_store_add(struct segment_store *s, struct presentation *p);
/* Its files stay. */
void segment_store_remove(struct segment_store *s, struct presentation *p);
/* All presentations must be away. delete_files: all that they left, and the folder. closed
 * comes when nothing is written any more, perhaps from inside; NULL: not wanted. */
void segment_store_close(struct segment_store *s, bool delete_files, void (*closed)(void *ctx),
                         void *ctx);

/* Deletes what stores of an earlier life left in the folders right under root, and the folders that
 * are empty then. Touches no other file. */
void segment_stores_clear(const char *root);

const char *segment_store_folder(const struct segment_store *s);
const struct segment_store_counters *segment_store_get_counters(const struct segment_store *s);

#endif
