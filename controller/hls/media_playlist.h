/* Media playlists of a track: RFC 8216bis (draft-pantos-hls-rfc8216bis-17), with everything that
 * low-latency players want, which others pass over. Pure. */
#ifndef WEIR_CONTROLLER_HLS_MEDIA_PLAYLIST_H
#define WEIR_CONTROLLER_HLS_MEDIA_PLAYLIST_H

#include <stdbool.h>
#include <stdint.h>

#include "common/blob.h"
#include "controller/hls/presentation.h"

/* The whole playlist, or a delta update (6.2.5.1) when skip is set and there is something to skip.
 * NULL: out of memory. */
struct blob *media_playlist_print(const struct hls_track *t, bool skip);

enum media_playlist_when {
    MEDIA_PLAYLIST_NOW,
    MEDIA_PLAYLIST_LATER,  /* it will have that: wait */
    MEDIA_PLAYLIST_TOO_FAR /* 6.2.5.2: more than two segments ahead of the newest: 400 */
};

/* Whether the playlist has segment msn, or (part >= 0) its part. A part beyond the segment's last
 * is part 0 of the next one. */
enum media_playlist_when media_playlist_when(const struct hls_track *t, uint64_t msn, int64_t part);
/* How long a request may wait before it is answered with an error: three target durations. */
usec media_playlist_patience(const struct hls_track *t);

#endif
