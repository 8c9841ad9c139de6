import { describe, expect, it } from 'vitest';
import type { AnyEvent, JoinRoomOut, ProducerInfo } from '../signaling/types';
import { initialRoom, roomReducer, type RoomState } from './roomState';

const cam: ProducerInfo = { producerId: 'p1', peerId: 'ann', kind: 'video', paused: false };
const mic: ProducerInfo = { producerId: 'p2', peerId: 'ann', kind: 'audio', paused: false };

function join(change: Partial<JoinRoomOut> = {}): JoinRoomOut {
  return {
    roomId: 'r',
    peerId: 'me',
    rtpCapabilities: {},
    peers: [],
    producers: [],
    ...change,
  };
}
const joined = (s: RoomState, change: Partial<JoinRoomOut> = {}) =>
  roomReducer(s, { type: 'joined', join: join(change) });
const on = (s: RoomState, event: AnyEvent) => roomReducer(s, { type: 'event', event });

describe('joining', () => {
  it('takes over who and what is there, without oneself', () => {
    const s = joined(initialRoom('r', 'me'), {
      peers: [{ peerId: 'ann' }, { peerId: 'me' }],
      producers: [cam, { ...cam, producerId: 'mine', peerId: 'me' }],
      hlsUrl: '/live/r/index.m3u8',
    });
    expect(s.peers).toEqual([{ peerId: 'ann' }]);
    expect(s.producers).toEqual([cam]);
    expect(s.hlsUrl).toBe('/live/r/index.m3u8');
  });

  it('again forgets what was there before', () => {
    let s = joined(initialRoom('r', 'me'), { peers: [{ peerId: 'ann' }], producers: [cam] });
    s = joined(s, { producers: [mic] });
    expect(s.peers).toEqual([]);
    expect(s.producers).toEqual([mic]);
  });
});

describe('producers', () => {
  it('are added and removed', () => {
    let s = joined(initialRoom('r', 'me'));
    s = on(s, { method: 'roomProducersChanged', data: { added: [cam, mic], removed: [] } });
    s = on(s, {
      method: 'roomProducersChanged',
      data: { added: [], removed: [{ producerId: 'p1', peerId: 'ann' }] },
    });
    expect(s.producers).toEqual([mic]);
  });

  it('that are announced twice are there once, with the latest news', () => {
    let s = joined(initialRoom('r', 'me'), { producers: [cam] });
    s = on(s, {
      method: 'roomProducersChanged',
      data: { added: [{ ...cam, paused: true }], removed: [] },
    });
    expect(s.producers).toEqual([{ ...cam, paused: true }]);
  });

  it('of oneself are left out', () => {
    const s = on(joined(initialRoom('r', 'me')), {
      method: 'roomProducersChanged',
      data: { added: [{ ...cam, peerId: 'me' }], removed: [] },
    });
    expect(s.producers).toEqual([]);
  });

  it('go with their peer', () => {
    let s = joined(initialRoom('r', 'me'), { peers: [{ peerId: 'ann' }], producers: [cam, mic] });
    s = on(s, { method: 'activeSpeaker', data: { peerId: 'ann' } });
    s = on(s, { method: 'peerLeft', data: { peerId: 'ann' } });
    expect(s).toMatchObject({ peers: [], producers: [], activeSpeaker: null });
  });
});

it('a peer that joins twice is there once, with its new name', () => {
  let s = joined(initialRoom('r', 'me'));
  s = on(s, { method: 'peerJoined', data: { peerId: 'bo', displayName: 'Bo' } });
  s = on(s, { method: 'peerJoined', data: { peerId: 'bo', displayName: 'Bob' } });
  expect(s.peers).toEqual([{ peerId: 'bo', displayName: 'Bob' }]);
});

describe('the end of a stream', () => {
  it('is remembered until producers come again', () => {
    let s = joined(initialRoom('r', 'me'), { producers: [cam] });
    s = on(s, { method: 'streamEnded', data: {} });
    s = on(s, {
      method: 'roomProducersChanged',
      data: { added: [], removed: [{ producerId: 'p1', peerId: 'ann' }] },
    });
    expect(s.ended).toBe(true);
    s = joined(s); /* coming back to an empty room changes nothing about that */
    expect(s.ended).toBe(true);
    s = on(s, { method: 'roomProducersChanged', data: { added: [cam], removed: [] } });
    expect(s.ended).toBe(false);
  });
});

it('an event nobody knows changes nothing', () => {
  const s = joined(initialRoom('r', 'me'));
  expect(on(s, { method: 'weather', data: {} } as unknown as AnyEvent)).toBe(s);
});
