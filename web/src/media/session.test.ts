/** The whole session against a played server and a played mediasoup-client: joining, and coming back. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeSocket } from '../signaling/fakeSocket';
import type { RoomSession as Session, SessionOptions } from './session';

/** The transports that were made, in order; what a test does to them is what ICE would do. */
const transports: FakeTransport[] = [];

class FakeTransport {
  closed = false;
  handlers = new Map<string, (...args: unknown[]) => void>();
  produced: { track: unknown; paused: boolean }[] = [];
  restarts = 0;
  constructor(
    readonly direction: string,
    readonly id: string,
  ) {
    transports.push(this);
  }
  on(event: string, handler: (...args: never[]) => void) {
    this.handlers.set(event, handler as never);
  }
  state(state: string) {
    this.handlers.get('connectionstatechange')?.(state);
  }
  close() {
    this.closed = true;
  }
  async restartIce() {
    this.restarts++;
  }
  async produce({ track, appData }: { track: unknown; appData: Record<string, unknown> }) {
    const { id } = await new Promise<{ id: string }>((done, fail) =>
      this.handlers.get('produce')!({ kind: 'video', rtpParameters: {}, appData }, done, fail),
    );
    const producer = {
      id,
      track,
      paused: false,
      pause: () => (producer.paused = true),
      resume: () => (producer.paused = false),
      close: () => {},
      replaceTrack: async (r: { track: unknown }) => (producer.track = r.track),
      setRtpEncodingParameters: async () => {},
    };
    this.produced.push(producer);
    return producer;
  }
  async consume({ id, producerId, kind }: { id: string; producerId: string; kind: string }) {
    return { id, producerId, kind, track: { id: `track of ${producerId}` }, close: () => {} };
  }
}

vi.mock('./device', () => ({
  UnsupportedBrowser: class extends Error {},
  preloadDevice: () => {},
  loadDevice: async () => ({
    recvRtpCapabilities: {},
    sendRtpCapabilities: { codecs: [] },
    createSendTransport: ({ id }: { id: string }) => new FakeTransport('send', id),
    createRecvTransport: ({ id }: { id: string }) => new FakeTransport('recv', id),
  }),
}));

/** null: no answer yet. */
type Answer = object | { errorCode: number } | null;
let sockets: FakeSocket[];
/** How the played server answers; tests replace single entries. */
let answers: Record<string, (data: Record<string, unknown>) => Answer>;
let nextId: number;
let session: Session;

const video = (producerId: string) => ({ producerId, peerId: 'ann', kind: 'video', paused: false });

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('window', new EventTarget());
  sockets = [];
  transports.length = 0;
  nextId = 1;
  vi.stubGlobal(
    'WebSocket',
    class extends FakeSocket {
      constructor(url: string, protocol: string) {
        super(url, protocol);
        sockets.push(this);
      }
      override send(text: unknown) {
        super.send(text);
        const { id, method, data } = this.sent.at(-1) as {
          id: number;
          method: string;
          data: Record<string, unknown>;
        };
        const answer = (answers[method] ?? (() => ({})))(data);
        if (answer === null) return;
        queueMicrotask(() => {
          if ('errorCode' in answer)
            this.say({ response: true, id, ok: false, errorReason: 'no', ...answer });
          else this.say({ response: true, id, ok: true, data: answer });
        });
      }
    },
  );
  answers = {
    joinRoom: (d) => ({
      ...d,
      resumeToken: 'secret',
      rtpCapabilities: {},
      peers: [],
      producers: [video('v1')],
    }),
    createProducerTransport: () => ({ id: `t${nextId++}` }),
    createConsumerTransport: () => ({ id: `t${nextId++}` }),
    restartIce: () => ({ iceParameters: {} }),
    produce: () => ({ id: `p${nextId++}` }),
    consume: (d) => ({ id: `c${nextId++}`, producerId: d.producerId, kind: 'video' }),
  };
});

afterEach(() => {
  session.leave();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function begin(options: Partial<SessionOptions> = {}): Promise<Session> {
  const { RoomSession } = await import('./session');
  session = new RoomSession({
    roomId: 'r',
    role: 'viewer',
    identity: { peerId: 'me', resumeToken: null },
    send: false,
    receive: true,
    url: 'ws://test/ws',
    ...options,
  });
  session.start();
  sockets.at(-1)!.accept();
  await settle();
  return session;
}

const settle = (ms = 0) => vi.advanceTimersByTimeAsync(ms);
const phase = () => session.getSnapshot().phase;
const methods = (s = sockets.at(-1)!) => s.sent.map((m) => m.method);
const tell = (method: string, data: object) =>
  sockets.at(-1)!.say({ notification: true, method, data });

describe('joining as a viewer', () => {
  it('consumes what is there, and resumes it once it is set up', async () => {
    await begin();
    expect(phase()).toBe('joined');
    expect(methods()).toEqual(['joinRoom', 'createConsumerTransport', 'consume', 'resumeConsumer']);
    expect(sockets[0]!.sent[2]).toMatchObject({ data: { producerId: 'v1', paused: true } });
    expect([...session.getSnapshot().tracks.keys()]).toEqual(['v1']);
  });

  it('follows producers that come and go', async () => {
    await begin();
    tell('roomProducersChanged', { added: [video('v2')], removed: [] });
    await settle();
    expect([...session.getSnapshot().tracks.keys()]).toEqual(['v1', 'v2']);
    tell('roomProducersChanged', { added: [], removed: [{ producerId: 'v1', peerId: 'ann' }] });
    await settle();
    expect([...session.getSnapshot().tracks.keys()]).toEqual(['v2']);
  });

  it('lives with a producer that is gone before it is consumed', async () => {
    answers.consume = () => ({ errorCode: 404 });
    await begin();
    expect(session.getSnapshot()).toMatchObject({ phase: 'joined', error: null });
  });

  it('waits for a room that does not exist yet', async () => {
    const join = answers.joinRoom!;
    answers.joinRoom = () => ({ errorCode: 404 });
    await begin();
    expect(phase()).toBe('absent');
    answers.joinRoom = join;
    await settle(1500);
    expect(phase()).toBe('joined');
  });

  it('gives up when the server says that it never will', async () => {
    answers.joinRoom = () => ({ errorCode: 403 });
    await begin();
    expect(phase()).toBe('failed');
    await settle(60_000);
    expect(sockets.length).toBe(1);
  });
});

describe('coming back', () => {
  it('after a lost socket: within half a second, as the same peer, on new transports', async () => {
    await begin();
    sockets[0]!.drop();
    expect(phase()).toBe('reconnecting');
    await settle(200);
    sockets[1]!.accept();
    await settle();
    expect(phase()).toBe('joined');
    expect(sockets[1]!.sent[0]).toMatchObject({
      method: 'joinRoom',
      data: { peerId: 'me', resumeToken: 'secret' },
    });
    expect(transports.map((t) => t.closed)).toEqual([true, false]);
  });

  it('after reconnectRequired: in the same stay, trying again while the worker is not back', async () => {
    await begin();
    const create = answers.createConsumerTransport!;
    answers.createConsumerTransport = () => ({ errorCode: 503 });
    tell('reconnectRequired', { reason: 'worker lost' });
    await settle(1000);
    expect(session.getSnapshot()).toMatchObject({
      phase: 'reconnecting',
      lastTrouble: 'worker lost',
    });
    expect(session.getSnapshot().tracks.size).toBe(1); /* the last picture stays up */
    answers.createConsumerTransport = create;
    await settle(1700);
    expect(phase()).toBe('joined');
    expect(sockets.length).toBe(1);
    expect(methods().filter((m) => m === 'joinRoom').length).toBe(1);
    expect(transports.map((t) => t.closed)).toEqual([true, false]);
  });

  it('joins again when the server says that it is in no room', async () => {
    await begin();
    const create = answers.createConsumerTransport!;
    answers.createConsumerTransport = () => ({ errorCode: 409 });
    tell('reconnectRequired', {});
    await settle();
    answers.createConsumerTransport = create;
    await settle(200);
    expect(phase()).toBe('joined');
    expect(methods().filter((m) => m === 'joinRoom').length).toBe(2);
  });

  it('begins the stay anew on a new socket when the worker does not come back', async () => {
    await begin();
    answers.createConsumerTransport = () => ({ errorCode: 503 });
    tell('reconnectRequired', {});
    await settle(11_000);
    expect(sockets.length).toBe(2);
  });

  it('as somebody new where the old name is taken', async () => {
    const join = answers.joinRoom!;
    answers.joinRoom = (d) => (d.peerId === 'me' ? { errorCode: 409 } : join(d));
    await begin();
    await settle(200);
    expect(phase()).toBe('joined');
    expect(session.getSnapshot().room.peerId).not.toBe('me');
  });

  it('not at all when the same peer joined elsewhere', async () => {
    await begin();
    sockets[0]!.drop(4000, 'elsewhere');
    await settle(60_000);
    expect(phase()).toBe('failed');
    expect(sockets.length).toBe(1);
  });

  it('after ICE trouble: first an ICE restart, then a new stay', async () => {
    await begin();
    transports[0]!.state('connected');
    transports[0]!.state('failed');
    await settle();
    expect(transports[0]!.restarts).toBe(1);
    expect(phase()).toBe('joined');
    await settle(4200);
    expect(session.getSnapshot().mediaFailures).toBe(1);
    sockets[1]!.accept();
    await settle();
    expect(transports.length).toBe(2);
    transports[1]!.state('connected');
    expect(session.getSnapshot().mediaFailures).toBe(0);
  });

  it('lets a newer trouble overtake an older one', async () => {
    await begin();
    tell('reconnectRequired', {});
    tell('reconnectRequired', {});
    await settle();
    expect(phase()).toBe('joined');
    expect(transports.filter((t) => !t.closed).length).toBe(1);
  });

  it('does nothing more with the answer to an older try', async () => {
    await begin();
    const create = answers.createConsumerTransport!;
    answers.createConsumerTransport = () => null;
    tell('reconnectRequired', {});
    await settle();
    const late = sockets[0]!.sent.at(-1)!;
    answers.createConsumerTransport = create;
    tell('reconnectRequired', {});
    await settle();
    expect(transports.length).toBe(2);
    sockets[0]!.say({ response: true, id: late.id, ok: true, data: { id: 'late' } });
    await settle();
    expect(transports.length).toBe(2);
    expect(phase()).toBe('joined');
  });

  it('ends with leaving', async () => {
    await begin();
    session.leave();
    await settle();
    expect(methods().at(-1)).toBe('leaveRoom');
    expect(sockets[0]!.closed).toBe(true);
    await settle(60_000);
    expect(sockets.length).toBe(1);
    expect(phase()).toBe('left');
  });
});

describe('broadcasting', () => {
  const camera = { enabled: true } as MediaStreamTrack;
  const screen = { enabled: true } as MediaStreamTrack;

  async function broadcast() {
    await begin({ role: 'broadcaster', send: true, receive: false, title: 'T' });
    await session.sender.set('camera', { track: camera, paused: false });
  }

  it('says who it is and what it is about', async () => {
    await broadcast();
    expect(sockets[0]!.sent[0]).toMatchObject({ data: { role: 'broadcaster', title: 'T' } });
    expect(methods()).toEqual(['joinRoom', 'createProducerTransport', 'produce']);
  });

  it('swaps the track without a new producer', async () => {
    await broadcast();
    await session.sender.set('camera', { track: screen, paused: false });
    expect(methods().filter((m) => m === 'produce').length).toBe(1);
    expect(transports[0]!.produced[0]!.track).toBe(screen);
  });

  it('sends the same tracks again after a worker is lost', async () => {
    await broadcast();
    tell('reconnectRequired', { reason: 'worker lost' });
    await settle();
    expect(phase()).toBe('joined');
    expect(transports[1]!.produced.map((p) => p.track)).toEqual([camera]);
  });

  it('pauses here and there, and silences the track', async () => {
    await broadcast();
    await session.sender.change('camera', { paused: true });
    expect(camera.enabled).toBe(false);
    expect(methods().at(-1)).toBe('pauseProducer');
    await session.sender.change('camera', { paused: false });
    expect(camera.enabled).toBe(true);
    expect(methods().at(-1)).toBe('resumeProducer');
  });

  it('mutes without pausing', async () => {
    await broadcast();
    await session.sender.change('camera', { muted: true });
    expect(camera.enabled).toBe(false);
    expect(methods()).not.toContain('pauseProducer');
  });

  it('closes what is no longer wanted', async () => {
    await broadcast();
    await session.sender.set('camera', null);
    expect(methods().at(-1)).toBe('closeProducer');
  });
});
