import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { IceWatch } from './iceWatch';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => vi.useRealTimers());

function make(restart: () => Promise<void> = () => Promise.resolve()) {
  const calls: string[] = [];
  const watch = new IceWatch({
    restart: () => {
      calls.push('restart');
      return restart();
    },
    rebuild: (why) => calls.push(`rebuild: ${why}`),
    onConnected: () => calls.push('connected'),
    connectMs: 8000,
    graceMs: 2000,
    restartMs: 4000,
  });
  return { watch, calls };
}

it('rebuilds when the first connection takes too long', async () => {
  const { watch, calls } = make();
  watch.update('connecting');
  await vi.advanceTimersByTimeAsync(7999);
  expect(calls).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(calls).toEqual(['rebuild: connect time-out']);
});

it('lets a short disconnection heal by itself', async () => {
  const { watch, calls } = make();
  watch.update('connected');
  watch.update('disconnected');
  await vi.advanceTimersByTimeAsync(1900);
  watch.update('connected');
  await vi.advanceTimersByTimeAsync(60_000);
  expect(calls).toEqual(['connected', 'connected']);
});

it('restarts ICE after a longer one, and rebuilds when that does not help', async () => {
  const { watch, calls } = make();
  watch.update('connected');
  watch.update('disconnected');
  await vi.advanceTimersByTimeAsync(2000);
  watch.update('connecting');
  watch.update('disconnected');
  await vi.advanceTimersByTimeAsync(4000);
  expect(calls).toEqual(['connected', 'restart', 'rebuild: ICE restart time-out']);
});

it('restarts at once when ICE failed, and is content when it connects', async () => {
  const { watch, calls } = make();
  watch.update('connected');
  watch.update('failed');
  watch.update('connected');
  await vi.advanceTimersByTimeAsync(60_000);
  expect(calls).toEqual(['connected', 'restart', 'connected']);
});

it('rebuilds when the first connection fails, without a restart', () => {
  const { watch, calls } = make();
  watch.update('connecting');
  watch.update('failed');
  expect(calls).toEqual(['rebuild: ICE failed']);
});

it('rebuilds once when the server refuses the restart', async () => {
  const { watch, calls } = make(() => Promise.reject(new Error('404')));
  watch.update('connected');
  watch.update('failed');
  await vi.advanceTimersByTimeAsync(60_000);
  expect(calls).toEqual(['connected', 'restart', 'rebuild: ICE restart refused']);
});

it('does nothing after close', async () => {
  const { watch, calls } = make();
  watch.update('connecting');
  watch.close();
  watch.update('failed');
  await vi.advanceTimersByTimeAsync(60_000);
  expect(calls).toEqual([]);
});
