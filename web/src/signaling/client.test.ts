import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SignalingClient, signalingUrl, type ClientOptions } from './client';
import { ConnectionLost, RequestError, RequestTimeout } from './errors';
import { FakeSocket } from './fakeSocket';

let sockets: FakeSocket[];

function make(options: Partial<ClientOptions> = {}) {
  const client = new SignalingClient({
    url: 'ws://test/ws',
    connect: (url, protocol) => {
      const s = new FakeSocket(url, protocol);
      sockets.push(s);
      return s;
    },
    random: () => 1,
    ...options,
  });
  const states: string[] = [];
  client.onState = (s) => states.push(s);
  return { client, states, last: () => sockets.at(-1)! };
}

beforeEach(() => {
  sockets = [];
  vi.useFakeTimers();
});
afterEach(() => vi.useRealTimers());

describe('requests', () => {
  it('speak the protoo subprotocol and framing', async () => {
    const { client, last } = make();
    client.start();
    expect(last().protocol).toBe('protoo');
    last().accept();
    const answer = client.request('createRoom', { roomId: 'a' });
    expect(last().sent).toEqual([
      { request: true, id: 1, method: 'createRoom', data: { roomId: 'a' } },
    ]);
    last().say({ response: true, id: 1, ok: true, data: { roomId: 'a' } });
    await expect(answer).resolves.toEqual({ roomId: 'a' });
  });

  it('match answers that come in another order', async () => {
    const { client, last } = make();
    client.start();
    last().accept();
    const first = client.request('createRoom', { roomId: 'a' });
    const second = client.request('createRoom', { roomId: 'b' });
    last().say({ response: true, id: 2, ok: true, data: { roomId: 'b' } });
    last().say({ response: true, id: 1, ok: true, data: { roomId: 'a' } });
    expect(await first).toEqual({ roomId: 'a' });
    expect(await second).toEqual({ roomId: 'b' });
  });

  it('fail with the code and the reason of the server', async () => {
    const { client, last } = make();
    client.start();
    last().accept();
    const answer = client.request('createRoom', { roomId: '?' });
    last().say({ response: true, id: 1, ok: false, errorCode: 400, errorReason: 'roomId: bad' });
    const error = await answer.catch((e) => e);
    expect(error).toBeInstanceOf(RequestError);
    expect(error).toMatchObject({ code: 400, reason: 'roomId: bad', method: 'createRoom' });
  });

  it('fail at once while there is no connection', async () => {
    const { client } = make();
    await expect(client.request('leaveRoom', {})).rejects.toBeInstanceOf(ConnectionLost);
    client.start();
    await expect(client.request('leaveRoom', {})).rejects.toBeInstanceOf(ConnectionLost);
  });

  it('fail when the connection goes before the answer', async () => {
    const { client, last } = make();
    client.start();
    last().accept();
    const answer = client.request('leaveRoom', {});
    last().drop();
    await expect(answer).rejects.toBeInstanceOf(ConnectionLost);
  });

  it('time out, and a late answer is dropped', async () => {
    const { client, last } = make({ requestTimeoutMs: 1000 });
    client.start();
    last().accept();
    const answer = client.request('leaveRoom', {}).catch((e) => e);
    await vi.advanceTimersByTimeAsync(500);
    last().say({ notification: true, method: 'viewerCount', data: { count: 1 } });
    await vi.advanceTimersByTimeAsync(501);
    expect(await answer).toBeInstanceOf(RequestTimeout);
    expect(client.state).toBe('open');
    last().say({ response: true, id: 1, ok: true });
    expect(client.malformed).toBe(0);
  });

  it('that time out in utter silence give the socket up', async () => {
    const { client, last } = make({ requestTimeoutMs: 1000 });
    client.start();
    last().accept();
    await vi.advanceTimersByTimeAsync(10);
    client.request('leaveRoom', {}).catch(() => {});
    await vi.advanceTimersByTimeAsync(1001);
    expect(client.state).toBe('waiting');
    expect(sockets[0]!.closed).toBe(true);
  });
});

describe('what the server sends', () => {
  it('reaches onEvent when it is a notification', () => {
    const { client, last } = make();
    const events: unknown[] = [];
    client.onEvent = (e) => events.push(e);
    client.start();
    last().accept();
    last().say({ notification: true, method: 'peerLeft', data: { peerId: 'x' } });
    expect(events).toEqual([{ method: 'peerLeft', data: { peerId: 'x' } }]);
  });

  it('is refused when it is a request', () => {
    const { client, last } = make();
    client.start();
    last().accept();
    last().say({ request: true, id: 9, method: 'dance', data: {} });
    expect(last().sent[0]).toMatchObject({ response: true, id: 9, ok: false, errorCode: 404 });
  });

  it('is counted and ignored when it makes no sense', () => {
    const { client, last } = make();
    client.start();
    last().accept();
    for (const bad of ['{', '7', 'null', '{"id":1}', '{"response":true,"id":"x"}'])
      last().say(bad);
    expect(client.malformed).toBe(5);
    expect(client.state).toBe('open');
  });
});

describe('reconnecting', () => {
  it('waits longer each time, up to the limit', async () => {
    const { client, last } = make({ backoff: { firstMs: 200, maxMs: 1000 } });
    client.start();
    for (const wait of [200, 400, 800, 1000, 1000]) {
      const tries = sockets.length;
      last().drop();
      expect(client.state).toBe('waiting');
      await vi.advanceTimersByTimeAsync(wait - 1);
      expect(sockets.length).toBe(tries);
      await vi.advanceTimersByTimeAsync(1);
      expect(sockets.length).toBe(tries + 1);
    }
  });

  it('starts the backoff anew only after a connection that lasted', async () => {
    const { client, last } = make({ stableMs: 3000 });
    client.start();
    last().drop();
    await vi.advanceTimersByTimeAsync(200);
    last().accept();
    last().drop(); /* accepted and thrown out at once: still in trouble */
    await vi.advanceTimersByTimeAsync(399);
    expect(sockets.length).toBe(2);
    await vi.advanceTimersByTimeAsync(1);
    expect(sockets.length).toBe(3);
    last().accept();
    await vi.advanceTimersByTimeAsync(3000);
    last().drop();
    await vi.advanceTimersByTimeAsync(200);
    expect(sockets.length).toBe(4);
  });

  it('gives up a socket that never opens', async () => {
    const { client, states } = make({ openTimeoutMs: 5000 });
    client.start();
    await vi.advanceTimersByTimeAsync(5000);
    expect(states).toEqual(['connecting', 'waiting']);
    expect(sockets[0]!.closed).toBe(true);
  });

  it('is cut short by retryNow', () => {
    const { client, last } = make();
    client.start();
    last().drop();
    client.retryNow();
    expect(sockets.length).toBe(2);
  });

  it('stops at close, and nothing happens afterwards', async () => {
    const { client, last } = make();
    client.start();
    last().drop();
    client.close();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(sockets.length).toBe(1);
    expect(client.state).toBe('closed');
  });

  it('does not happen when the server dismissed the client', async () => {
    const { client, last } = make();
    let why = '';
    client.onDismissed = (reason) => (why = reason);
    client.start();
    last().accept();
    last().drop(4000, 'joined again elsewhere');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(why).toBe('joined again elsewhere');
    expect(client.state).toBe('closed');
    expect(sockets.length).toBe(1);
  });

  it('ignores the old socket once there is a new one', async () => {
    const { client, last } = make();
    client.start();
    const old = last();
    old.accept();
    const late = old.onclose;
    client.reconnect();
    await vi.advanceTimersByTimeAsync(200);
    last().accept();
    late?.call(old as never, new Event('close') as CloseEvent);
    expect(client.state).toBe('open');
  });
});

it('the address follows the page', () => {
  expect(signalingUrl({ protocol: 'http:', host: 'a:8080' })).toBe('ws://a:8080/ws');
  expect(signalingUrl({ protocol: 'https:', host: 'b' })).toBe('wss://b/ws');
});
