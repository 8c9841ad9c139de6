import { describe, expect, it } from 'vitest';
import { bitrates, encodings, type Picture } from './layers';

const hd: Picture = {
  codec: 'vp8',
  content: 'camera',
  width: 1280,
  height: 720,
  maxBitrate: 2_500_000,
};

describe('encodings', () => {
  it('are three for 720p, each half as wide as the next, with temporal layers', () => {
    expect(encodings(hd)).toEqual([
      { maxBitrate: 156_250, scaleResolutionDownBy: 4, scalabilityMode: 'L1T2' },
      { maxBitrate: 625_000, scaleResolutionDownBy: 2, scalabilityMode: 'L1T2' },
      { maxBitrate: 2_500_000, scaleResolutionDownBy: 1, scalabilityMode: 'L1T2' },
    ]);
  });

  it('are fewer for small pictures, upright ones too', () => {
    const of = (width: number, height: number) => encodings({ ...hd, width, height }).length;
    expect([of(640, 360), of(360, 640), of(320, 180), of(1080, 1920)]).toEqual([2, 2, 1, 3]);
  });

  it('of H.264 have no temporal layers', () => {
    for (const e of encodings({ ...hd, codec: 'h264' })) expect(e.scalabilityMode).toBe('L1T1');
  });

  it('of AV1 are one stream with layers inside', () => {
    expect(encodings({ ...hd, codec: 'av1' })).toEqual([
      { maxBitrate: 2_500_000, scalabilityMode: 'L3T3_KEY' },
    ]);
  });

  it('of a screen leave out the size in which no text can be read', () => {
    const screen = encodings({ ...hd, content: 'screen', width: 1920, height: 1080 });
    expect(screen.map((e) => e.scaleResolutionDownBy)).toEqual([2, 1]);
  });
});

describe('bitrates', () => {
  it('are never so low that there is nothing to see, nor above what was asked for', () => {
    expect(bitrates(3, 800_000)).toEqual([120_000, 200_000, 800_000]);
    expect(bitrates(2, 100_000)).toEqual([100_000, 100_000]);
  });
});
