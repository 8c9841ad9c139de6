/**
 * In which sizes a picture is sent, so that viewers get the one that their line carries: simulcast (several
 * streams, each half as wide as the next) or SVC (one stream with layers inside). Pure.
 */
import type { RtpEncodingParameters } from 'mediasoup-client/types';

export type Content = 'camera' | 'screen';

/** The shorter side of the picture from which so many sizes are worth it: none is below 135 lines. */
const THREE_FROM = 540;
const TWO_FROM = 270;
/** Text on a screen cannot be read in a quarter of its size. */
const SCREEN_SIZES = 2;
/** A picture half as wide has a quarter of the pixels. */
const SHARE = 0.25;
/** Below this no codec gives a picture that one would look at, bit/s. */
const LEAST_BITRATE = 120_000;
/** Half the rate is the least that moves. */
const TEMPORAL = 'L1T2';
/** Said all the same: else mediasoup-client asks for three temporal layers. */
const NOT_TEMPORAL = 'L1T1';

export interface Picture {
  codec: string /* vp8, h264, vp9, av1 */;
  content: Content;
  width: number;
  height: number;
  /** Of the largest size, bit/s. */
  maxBitrate: number;
}

function sizes({ content, width, height }: Picture): number {
  const side = Math.min(width, height);
  const most = content === 'screen' ? SCREEN_SIZES : 3;
  return Math.min(most, side >= THREE_FROM ? 3 : side >= TWO_FROM ? 2 : 1);
}

/** What each of `n` streams may take, from low to high, bit/s. */
export function bitrates(n: number, maxBitrate: number): number[] {
  return Array.from({ length: n }, (_, i) => {
    const share = Math.round(maxBitrate * SHARE ** (n - 1 - i));
    return Math.min(maxBitrate, Math.max(LEAST_BITRATE, share));
  });
}

/**
 * From low to high. AV1 as SVC, whose layers cost less together; VP9 as simulcast, since ffmpeg, which makes
 * HLS of it, cannot put the layers of VP9 together. H.264 without temporal layers: RTP does not show them.
 */
export function encodings(picture: Picture): RtpEncodingParameters[] {
  const { codec, maxBitrate } = picture;
  const n = sizes(picture);
  if (codec === 'av1') return [{ maxBitrate, scalabilityMode: `L${n}T3_KEY` }];
  if (n === 1) return [{ maxBitrate }];
  const scalabilityMode = codec === 'h264' ? NOT_TEMPORAL : TEMPORAL;
  return bitrates(n, maxBitrate).map((bitrate, i) => ({
    maxBitrate: bitrate,
    scaleResolutionDownBy: 2 ** (n - 1 - i),
    scalabilityMode,
  }));
}
