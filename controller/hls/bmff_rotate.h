/* Which way up a track is to be shown: the matrix of its header (ISO/IEC 14496-12 8.3.2, 6.2.2). No
 * IO. */
#ifndef WEIR_CONTROLLER_HLS_BMFF_ROTATE_H
#define WEIR_CONTROLLER_HLS_BMFF_ROTATE_H

#include "common/blob.h"
#include "common/err.h"

/* Writes the matrix of an initialization segment of one track, in place: clockwise 0, 90, 180 or
 * 270 degrees. Nobody else may have the blob yet. ERR_MALFORMED: there is no track header. */
MUST_CHECK enum err bmff_rotate_init(struct blob *init, unsigned clockwise);

#endif
