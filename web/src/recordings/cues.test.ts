import { describe, expect, it } from 'vitest';
import { cueAt, parseCues } from './cues';

const VTT = `WEBVTT

00:00:00.000 --> 00:00:02.000
sprite.jpg#xywh=0,0,160,90

01:00:02.500 --> 01:00:04.000
sprite.jpg#xywh=160,90,160,90
`;

describe('cues of the sheet', () => {
  it('are read with times and places', () => {
    expect(parseCues(VTT)).toEqual([
      { from: 0, to: 2, x: 0, y: 0, width: 160, height: 90 },
      { from: 3602.5, to: 3604, x: 160, y: 90, width: 160, height: 90 },
    ]);
    expect(parseCues('not found')).toEqual([]);
  });

  it('are found by time', () => {
    const cues = parseCues(VTT);
    expect(cueAt(cues, 1)).toBe(cues[0]);
    expect(cueAt(cues, 9000)).toBe(cues[1]);
    expect(cueAt(cues, -1)).toBe(cues[0]);
    expect(cueAt([], 1)).toBeNull();
  });
});
