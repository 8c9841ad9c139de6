/* Names of playlists and files of a presentation. A file's name is never used twice, so that it may
 * be cached for ever. Pure. */
#ifndef WEIR_CONTROLLER_HLS_HLS_NAMES_H
#define WEIR_CONTROLLER_HLS_HLS_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "controller/hls/presentation.h"

enum { HLS_NAME_MAX = HLS_TRACK_NAME_MAX + HLS_TOKEN_LEN + 48 };

enum hls_name_kind {
    HLS_NAME_PLAYLIST, /* "v0.m3u8" */
    HLS_NAME_INIT,     /* "v0-abcdefgh-i3.mp4" */
    HLS_NAME_SEGMENT,  /* "v0-abcdefgh-12.m4s" */
    HLS_NAME_PART      /* "v0-abcdefgh-12.3.m4s" */
};

struct hls_name {
    enum hls_name_kind kind;
    char track[HLS_TRACK_NAME_MAX];
    char token[HLS_TOKEN_LEN + 1]; /* "" for playlists */
    uint64_t number;               /* msn, or of the initialization segment */
    uint32_t part;
};

void hls_name_init(char out[HLS_NAME_MAX], const struct hls_track *t, uint32_t init);
void hls_name_segment(char out[HLS_NAME_MAX], const struct hls_track *t, uint64_t msn);
void hls_name_part(char out[HLS_NAME_MAX], const struct hls_track *t, uint64_t msn, uint32_t part);
/* False: it is none of these. */
bool hls_name_parse(const char *name, struct hls_name *out);

#endif
