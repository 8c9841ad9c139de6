/* VP9 in RTP as ffmpeg 5.1 reads it: its depacketizer knows the payload descriptor of an early
 * draft and takes TL0PICIDX and reference indices (RFC 9628 4.2) for the picture. So all of it goes
 * but the byte that says where a frame begins and ends. Pure. */
#ifndef WEIR_CONTROLLER_LIVE_VP9_STRIP_H
#define WEIR_CONTROLLER_LIVE_VP9_STRIP_H

#include <stddef.h>
#include <stdint.h>

/* Changes a packet of n bytes in place. Returns how many bytes at its front are none of it any
 * more; n: nothing of it is to go on, since it is no VP9 or of an upper spatial layer, which ffmpeg
 * cannot put together with the others. */
size_t vp9_strip(uint8_t *packet, size_t n);

#endif
