/* The same segments for DASH players: a dynamic MPD (ISO/IEC 23009-1) with a period a run of the
 * encoder. Pure. */
#ifndef WEIR_CONTROLLER_HLS_DASH_MANIFEST_H
#define WEIR_CONTROLLER_HLS_DASH_MANIFEST_H

#include "common/blob.h"
#include "controller/hls/presentation.h"

/* NULL: out of memory, or no track has a segment. */
struct blob *dash_manifest_print(struct presentation *p);

#endif
