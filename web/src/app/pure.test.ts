import { describe, expect, it } from 'vitest';
import { parseActive } from '../api/livestreams';
import { captureProblem } from '../media/capture';
import { levelOf } from '../media/level';
import { inboundRtp, readRecv, readSend } from '../media/stats';
import { explain } from './errors';
import { bitrate, clip, count, duration, initials, latency } from './format';
import { isRoomId, newRoomId, toRoomId } from './ids';
import { parseRoute } from './router';
import { RequestError } from '../signaling/errors';

describe('addresses', () => {
  it('lead to their pages', () => {
    expect(parseRoute('/')).toEqual({ page: 'home' });
    expect(parseRoute('/recordings/abc')).toEqual({ page: 'recordings', id: 'abc' });
    expect(parseRoute('/watch')).toEqual({ page: 'watch', roomId: null });
    expect(parseRoute('/watch/demo/')).toEqual({ page: 'watch', roomId: 'demo' });
    expect(parseRoute('/room/a%20b')).toEqual({ page: 'room', roomId: 'a b' });
    expect(parseRoute('/studio/x')).toEqual({ page: 'studio', roomId: 'x' });
    expect(parseRoute('/users/ann')).toEqual({ page: 'users', name: 'ann' });
    expect(parseRoute('/streams/')).toEqual({ page: 'streams' });
  });

  it('that make no sense lead to the page that says so', () => {
    for (const path of ['/nope', '/users', '/login/x', '/watch/a/b', '/watch/%E0%A4%A'])
      expect(parseRoute(path).page).toBe('unknown');
  });
});

describe('room ids', () => {
  it('come out of what people paste', () => {
    expect(toRoomId(' my room! ')).toBe('my-room');
    expect(toRoomId('https://h:1/watch/demo?mode=hls')).toBe('demo');
    expect(toRoomId('http://h/live/demo/index.m3u8')).toBe('demo');
    expect(toRoomId('100%')).toBe('100');
    expect(toRoomId('x'.repeat(99))).toHaveLength(64);
  });

  it('that are made up are allowed ones', () => {
    expect(isRoomId(newRoomId())).toBe(true);
    expect(isRoomId(newRoomId(() => 0.999999))).toBe(true);
    expect(isRoomId('')).toBe(false);
    expect(isRoomId('a b')).toBe(false);
  });
});

it('numbers read well', () => {
  expect(duration(59_999)).toBe('0:59');
  expect(duration(3_661_000)).toBe('1:01:01');
  expect(bitrate(2_480_000)).toBe('2.5 Mbit/s');
  expect(bitrate(64_000)).toBe('64 kbit/s');
  expect(count(999)).toBe('999');
  expect(count(1234)).toBe('1.2k');
  expect(count(2_000_000)).toBe('2.0M');
  expect(latency(123)).toBe('120 ms');
  expect(latency(3200)).toBe('3.2 s');
  expect(initials('quiet-river-42')).toBe('QR');
  expect(initials('')).toBe('?');
  expect(clip('aé€😀', 6)).toBe('aé€');
  expect(clip('aé€😀', 10)).toBe('aé€😀');
});

describe('the list of live streams', () => {
  it('keeps good rows and fills in what is missing', () => {
    const [row, ...rest] = parseActive({ streams: [{ roomId: 'a' }, null, { title: 'no room' }] });
    expect(rest).toEqual([]);
    expect(row).toMatchObject({ id: 'a', title: 'a', viewerCount: 0, hlsUrl: '/live/a/index.m3u8' });
  });

  it('is refused when it is no list', () => {
    expect(() => parseActive({})).toThrow();
    expect(() => parseActive(null)).toThrow();
  });
});

describe('capture failures', () => {
  it('are told apart by the names that browsers use', () => {
    expect(captureProblem({ name: 'NotAllowedError' }, 'camera')).toBe('denied');
    expect(captureProblem({ name: 'NotAllowedError' }, 'screen')).toBe('cancelled');
    expect(
      captureProblem({ name: 'NotAllowedError', message: 'Permission denied by system' }, 'mic'),
    ).toBe('deniedBySystem');
    expect(captureProblem({ name: 'NotFoundError' }, 'camera')).toBe('noDevice');
    expect(captureProblem({ name: 'NotReadableError' }, 'camera')).toBe('inUse');
    expect(captureProblem({ name: 'OverconstrainedError' }, 'camera')).toBe('constraints');
    expect(captureProblem(undefined, 'camera')).toBe('unknown');
  });
});

it('errors of the server are told in words', () => {
  expect(explain(new RequestError('joinRoom', 409, 'busy'))).toMatch(/already/);
  expect(explain(new RequestError('joinRoom', 400, 'roomId: too long'))).toMatch(/roomId: too long/);
});

describe('stats', () => {
  const send = (bytes: number, packets: number, lost: number) =>
    new Map<string, Record<string, unknown>>([
      ['v', { type: 'outbound-rtp', kind: 'video', bytesSent: bytes, packetsSent: packets, framesPerSecond: 30, frameWidth: 1280, frameHeight: 720, codecId: 'c' }],
      ['r', { type: 'remote-inbound-rtp', kind: 'video', packetsLost: lost }],
      ['c', { type: 'codec', id: 'c', mimeType: 'video/H264' }],
      ['p', { type: 'candidate-pair', nominated: true, currentRoundTripTime: 0.02 }],
    ]);

  it('of sending give rates between two readings', () => {
    const first = readSend(send(1000, 10, 0), 1000, null);
    expect(first).toMatchObject({ bitrate: null, loss: null, fps: 30, codec: 'H264', rttMs: 20 });
    const second = readSend(send(251_000, 110, 5), 2000, first);
    expect(second.bitrate).toBe(2_000_000);
    expect(second.loss).toBe(0.05);
  });

  it('of sending start anew with a new transport', () => {
    const first = readSend(send(1000, 10, 0), 1000, null);
    expect(readSend(send(10, 1, 0), 2000, first).bitrate).toBeNull();
  });

  it('of receiving give frames and the delay of the last moments', () => {
    const report = (delay: number, emitted: number) =>
      new Map<string, Record<string, unknown>>([
        ['v', { type: 'inbound-rtp', kind: 'video', framesDecoded: emitted, bytesReceived: 9, jitterBufferDelay: delay, jitterBufferEmittedCount: emitted }],
      ]);
    const first = readRecv(report(10, 100), null);
    expect(first.latencyMs).toBeCloseTo(100);
    const second = readRecv(report(10.5, 110), first);
    expect(second).toMatchObject({ framesDecoded: 110 });
    expect(second.latencyMs).toBeCloseTo(50);
  });

  it('of the stream with most bytes stand for a kind', () => {
    const report = new Map<string, Record<string, unknown>>([
      ['probe', { type: 'inbound-rtp', kind: 'video', ssrc: 1234, bytesReceived: 10 }],
      ['real', { type: 'inbound-rtp', kind: 'video', ssrc: 5, bytesReceived: 9000 }],
    ]);
    expect(inboundRtp(report, 'video')).toMatchObject({ ssrc: 5 });
    expect(inboundRtp(report, 'audio')).toBeNull();
    expect(inboundRtp(null, 'video')).toBeNull();
  });
});

it('a level is silence at 0 and full scale at 1', () => {
  expect(levelOf(new Float32Array(8))).toBe(0);
  expect(levelOf(new Float32Array(8).fill(1))).toBe(1);
  expect(levelOf(new Float32Array(8).fill(0.001))).toBeCloseTo(0, 5);
});
