/* The playlist of a presentation's renditions (RFC 8216bis 4.4.6): a variant a video track, sound
 * in a group of its own; without video, sound is the variant. Numbers are measured. Pure. */
#ifndef WEIR_CONTROLLER_HLS_MULTIVARIANT_PLAYLIST_H
#define WEIR_CONTROLLER_HLS_MULTIVARIANT_PLAYLIST_H

#include "common/blob.h"
#include "controller/hls/presentation.h"

/* Tracks without a segment are left out. NULL: out of memory. */
struct blob *multivariant_playlist_print(struct presentation *p);

#endif
