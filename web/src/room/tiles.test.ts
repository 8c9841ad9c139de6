import { describe, expect, it } from 'vitest';
import { initialRoom } from '../media/roomState';
import type { ProducerInfo } from '../signaling/types';
import { columnsFor, peerViews } from './tiles';

function producer(change: Partial<ProducerInfo>): ProducerInfo {
  return { producerId: 'p', peerId: 'ann', kind: 'video', paused: false, ...change };
}

describe('peerViews', () => {
  it('gives every peer one view, with or without producers', () => {
    const room = {
      ...initialRoom('r', 'me'),
      peers: [{ peerId: 'ann', displayName: 'Ann' }, { peerId: 'bo' }],
      producers: [
        producer({ producerId: 'cam' }),
        producer({ producerId: 'scr', appData: { source: 'screen' } }),
        producer({ producerId: 'mic', kind: 'audio' }),
        producer({ producerId: 'x', peerId: 'cy' }),
      ],
      activeSpeaker: 'ann',
    };
    const views = peerViews(room);
    expect(views.map((v) => v.peerId)).toEqual(['ann', 'bo', 'cy']);
    expect(views[0]).toMatchObject({
      name: 'Ann',
      camera: { producerId: 'cam' },
      screen: { producerId: 'scr' },
      muted: false,
      speaking: true,
    });
    expect(views[1]).toMatchObject({ name: null, camera: null, muted: true, speaking: false });
  });

  it('shows a paused microphone as muted', () => {
    const room = {
      ...initialRoom('r', 'me'),
      producers: [producer({ kind: 'audio', paused: true })],
    };
    expect(peerViews(room)[0]!.muted).toBe(true);
  });

  it('leaves viewers out', () => {
    const room = { ...initialRoom('r', 'me'), peers: [{ peerId: 'v', role: 'viewer' as const }] };
    expect(peerViews(room)).toEqual([]);
  });
});

describe('columnsFor', () => {
  it('fills a wide box by columns and a tall one by rows', () => {
    expect(columnsFor(1, 1200, 700)).toBe(1);
    expect(columnsFor(2, 1200, 700)).toBe(2);
    expect(columnsFor(4, 1200, 700)).toBe(2);
    expect(columnsFor(4, 1190, 580)).toBe(2);
    expect(columnsFor(3, 1190, 498)).toBe(2);
    expect(columnsFor(9, 1200, 700)).toBe(3);
    expect(columnsFor(3, 360, 640)).toBe(1);
    expect(columnsFor(0, 360, 640)).toBe(1);
  });
});
