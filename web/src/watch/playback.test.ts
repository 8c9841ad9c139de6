import { describe, expect, it } from 'vitest';
import { dvrOf, FIRST_FRAME_MS, nextHls, nextRtc, startPlayback, type RtcFacts } from './playback';

const live: RtcFacts = {
  session: 'joined',
  unsupported: false,
  producers: 2,
  sending: 2,
  ended: false,
  flowing: true,
  mediaFailures: 0,
  unreachableSince: null,
  http: null,
};
const start = startPlayback(false);
const playing = nextRtc(start, live, 0);
const stalled = { ...live, flowing: false };

describe('WebRTC', () => {
  it('plays as soon as frames come', () => {
    expect(playing).toMatchObject({ mode: 'webrtc', show: 'playing', played: true });
  });

  it('gives way to HLS when no frame came in time', () => {
    let p = nextRtc(start, stalled, 1000);
    p = nextRtc(p, stalled, 1000 + FIRST_FRAME_MS - 1);
    expect(p).toMatchObject({ mode: 'webrtc', show: 'connecting' });
    p = nextRtc(p, stalled, 1000 + FIRST_FRAME_MS);
    expect(p).toMatchObject({ mode: 'hls', why: 'noMedia', show: 'connecting' });
  });

  it('counts the time to the first frame through a rebuild', () => {
    let p = nextRtc(start, stalled, 0);
    p = nextRtc(p, { ...stalled, session: 'reconnecting' }, 3000);
    p = nextRtc(p, stalled, FIRST_FRAME_MS);
    expect(p.mode).toBe('hls');
  });

  it('does not blame the path while nobody sends', () => {
    let p = nextRtc(start, { ...stalled, producers: 0, sending: 0 }, 0);
    p = nextRtc(p, { ...stalled, producers: 0, sending: 0 }, 60_000);
    expect(p).toMatchObject({ mode: 'webrtc', show: 'waiting' });
    p = nextRtc(p, stalled, 60_000);
    expect(p.show).toBe('connecting');
  });

  it('once it played, stays through long interruptions', () => {
    let p = nextRtc(playing, stalled, 0);
    p = nextRtc(p, { ...stalled, session: 'reconnecting', mediaFailures: 2 }, 60_000);
    expect(p).toMatchObject({ mode: 'webrtc', show: 'interrupted' });
  });

  it('once it played, gives way when transports fail again and again', () => {
    expect(nextRtc(playing, { ...stalled, mediaFailures: 3 }, 0).mode).toBe('hls');
  });

  it('tells a stream that ended from a broadcaster that fell out', () => {
    const gone = { ...stalled, producers: 0, sending: 0 };
    expect(nextRtc(playing, gone, 0).show).toBe('away');
    expect(nextRtc(playing, { ...gone, ended: true }, 0).show).toBe('ended');
    expect(nextRtc(nextRtc(playing, { ...gone, ended: true }, 0), live, 9).show).toBe('playing');
  });

  it('shows a paused broadcaster as playing', () => {
    expect(nextRtc(playing, { ...stalled, sending: 0 }, 0)).toBe(playing);
  });

  it('waits for a room that does not exist yet', () => {
    expect(nextRtc(start, { ...stalled, session: 'absent', producers: 0 }, 0).show).toBe('waiting');
  });

  it('gives way at once where the browser cannot do it, and shows other failures', () => {
    const failed = { ...stalled, session: 'failed' as const };
    expect(nextRtc(start, { ...failed, unsupported: true }, 0).why).toBe('unsupported');
    expect(nextRtc(start, failed, 0).show).toBe('failed');
  });

  it('with a refused socket goes to HLS only where HTTP works', () => {
    const refused = { ...stalled, session: 'connecting' as const, unreachableSince: 0 };
    expect(nextRtc(start, { ...refused, http: true }, 4999).mode).toBe('webrtc');
    expect(nextRtc(start, { ...refused, http: true }, 5000).why).toBe('signaling');
    expect(nextRtc(start, { ...refused, http: false }, 5000).show).toBe('unreachable');
    expect(nextRtc(playing, { ...refused, http: true }, 5000).mode).toBe('webrtc');
  });

  it('goes to HLS where the server answers but lets nobody in', () => {
    const outside = { ...stalled, session: 'connecting' as const, producers: 0, sending: 0 };
    const p = nextRtc(start, outside, 0);
    expect(nextRtc(p, outside, 4999).mode).toBe('webrtc');
    expect(nextRtc(p, outside, 5000).why).toBe('signaling');
  });

  it('returns the same object when nothing changed', () => {
    expect(nextRtc(playing, live, 1)).toBe(playing);
  });
});

describe('HLS', () => {
  const hls = startPlayback(true);

  it('says why, and follows the player', () => {
    expect(hls).toMatchObject({ mode: 'hls', why: 'forced', show: 'connecting' });
    expect(nextHls(hls, 'missing', false).show).toBe('waiting');
    expect(nextHls(hls, 'network', false).show).toBe('unreachable');
    expect(nextHls(hls, 'playing', false)).toMatchObject({ show: 'playing', played: true });
  });

  it('calls a playlist that vanished after playing the end', () => {
    const p = nextHls(hls, 'playing', false);
    expect(nextHls(p, 'missing', false).show).toBe('ended');
    expect(nextHls(p, 'stalled', false).show).toBe('interrupted');
  });

  it('is not left because of what a late WebRTC session says', () => {
    expect(nextRtc(hls, live, 0)).toBe(hls);
  });
});

describe('rewinding', () => {
  it('is offered when there is something to rewind', () => {
    expect(dvrOf(null)).toBeNull();
    expect(dvrOf({ start: 0, live: 9, at: 9 })).toBeNull();
    expect(dvrOf({ start: 100, live: 160, at: 130 })).toEqual({ length: 60, behind: 30 });
  });

  it('calls what is close to live live, and never goes beyond the window', () => {
    expect(dvrOf({ start: 0, live: 60, at: 58 })?.behind).toBe(0);
    expect(dvrOf({ start: 0, live: 60, at: 61 })?.behind).toBe(0);
    expect(dvrOf({ start: 50, live: 110, at: 20 })?.behind).toBe(60);
  });
});
