/* The folder of one stream's HLS files: the playlist that players read, written anew by rename
 * after each segment, and the segments, deleted some time after they left the playlist. Does file
 * IO, synchronously: small files on a local disk. */
#ifndef WEIR_CONTROLLER_LIVE_HLS_FOLDER_H
#define WEIR_CONTROLLER_LIVE_HLS_FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/time.h"
#include "controller/hls/presentation.h"
#include "controller/live/playlist.h"

enum { HLS_PATH_MAX = 1400 };

struct hls_retired {
    char name[PLAYLIST_NAME_MAX];
    uint64_t delete_ms;
};

struct hls_folder {
    char path[HLS_PATH_MAX];
    /* Begins the names of segments, so that they are unique over the lives of a room and may be
     * cached for ever. */
    char token[HLS_TOKEN_LEN + 1];
    struct playlist playlist;
    /* Left the playlist, still on disk, oldest first. */
    struct hls_retired *retired; /* owned; a ring */
    size_t retired_max;
    size_t retired_first;
    size_t n_retired;
    bool write_failed; /* told already */
};

/* Makes root and root/room_id. token: HLS_TOKEN_LEN characters of [a-z0-9]. ERR_IO: the folder
 * cannot be made or written; ERR_TOO_LARGE: the path is too long; ERR_NOMEM. */
MUST_CHECK enum err hls_folder_open(struct hls_folder *f, const char *root, const char *room_id,
                                    const char *token, size_t list_size, unsigned target_s);
/* Leaves the files. */
void hls_folder_close(struct hls_folder *f);

/* A segment file that is complete: lists it and writes the playlist. ERR_NOT_FOUND: there is no
 * such file, or it is empty; nothing is listed. ERR_IO: the playlist could not be written (it will
 * be with the next segment). */
MUST_CHECK enum err hls_folder_add(struct hls_folder *f, const struct playlist_segment *s,
                                   uint64_t now_ms);
/* Segments whose time has come go. */
void hls_folder_expire(struct hls_folder *f, uint64_t now_ms);
/* Deletes segment files of ours that no list knows: what an interrupted ffmpeg left. */
void hls_folder_sweep(struct hls_folder *f);
/* Writes the playlist with EXT-X-ENDLIST; nothing if there never was a segment. */
void hls_folder_end(struct hls_folder *f);
/* Deletes the files and the folder. */
void hls_folder_remove(struct hls_folder *f);

/* Deletes what an earlier life left: HLS files in the folders right under root, and the folders
 * that are empty then. Touches no other file. */
void hls_root_clear(const char *root);

#endif
