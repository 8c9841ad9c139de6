/**
 * One stay in a room: joins, opens transports, sends and receives, and does all of it again when the
 * socket, the worker or ICE fails, until leave(). Pages read its snapshot and never see a transport.
 */
import { backoffDelay, type BackoffOptions } from '../signaling/backoff';
import { SignalingClient, signalingUrl } from '../signaling/client';
import { ConnectionLost, RequestError, RequestTimeout } from '../signaling/errors';
import type { AnyEvent, ProducerInfo, Role } from '../signaling/types';
import { UnsupportedBrowser, loadDevice, preloadDevice } from './device';
import { RecvSide } from './recvSide';
import { initialRoom, roomReducer, type RoomAction, type RoomState } from './roomState';
import { SendSide, type VideoCodec } from './sendSide';

/**
 * connecting: never joined yet. joined: all is well. reconnecting: was joined, works on it. absent: the
 * room does not exist yet, asks again and again. failed: gave up, `error` says why. left: ended.
 */
export type Phase = 'connecting' | 'joined' | 'reconnecting' | 'absent' | 'failed' | 'left';

export interface Snapshot {
  phase: Phase;
  room: RoomState;
  /** By producer id. */
  tracks: ReadonlyMap<string, MediaStreamTrack>;
  error: unknown;
  /** Why the last rebuild happened; for the page's notes and for diagnosis. */
  lastTrouble: string | null;
  /** Transports that never connected or died, since media last flowed. */
  mediaFailures: number;
  /** Since when the server has not been reachable, ms since the epoch; null while it is. */
  unreachableSince: number | null;
}

export interface SessionOptions {
  roomId: string;
  role: Role;
  peerId: string;
  displayName?: string;
  title?: string;
  send: boolean;
  receive: boolean;
  codec?: VideoCodec;
  url?: string;
}

/** A worker comes back within 2 s: ask often at first, then less so. */
const REJOIN: BackoffOptions = { firstMs: 200, maxMs: 3000 };
const ABSENT_RETRY_MS = 1500;
/** Codes that another try with the same request cannot change. */
const HOPELESS = new Set([400, 401, 403, 413, 422]);

class Superseded extends Error {}

export class RoomSession {
  readonly sender: SendSide;
  private readonly receiver: RecvSide;
  private readonly signaling: SignalingClient;
  private readonly listeners = new Set<() => void>();
  private snapshot: Snapshot;
  /** Grows with every rebuild; work begun under an older one stops at its next step. */
  private generation = 0;
  private everJoined = false;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly opts: SessionOptions) {
    this.snapshot = {
      phase: 'connecting',
      room: initialRoom(opts.roomId, opts.peerId),
      tracks: new Map(),
      error: null,
      lastTrouble: null,
      mediaFailures: 0,
      unreachableSince: null,
    };
    const signaling = new SignalingClient({ url: opts.url ?? signalingUrl() });
    const common = {
      signaling,
      onRebuild: (why: string) => this.mediaFailed(why),
      onConnected: () => this.update({ mediaFailures: 0 }),
      onError: (error: unknown) => this.sideFailed(error),
    };
    this.signaling = signaling;
    this.sender = new SendSide({ ...common, codec: opts.codec ?? 'auto' });
    this.receiver = new RecvSide({
      ...common,
      onTrack: (producer, track) => this.setTrack(producer, track),
      onTrackGone: (producerId) => this.setTrack({ producerId }, null),
    });
    signaling.onEvent = (event) => this.onEvent(event);
    signaling.onState = (state) => {
      if (state === 'open') {
        this.update({ unreachableSince: null });
        this.rebuild('connected');
      } else if (state !== 'closed') {
        this.disconnected();
      }
    };
  }

  start(): void {
    preloadDevice();
    window.addEventListener('online', this.online);
    this.signaling.start();
  }

  /** Leaves for good. The server hears of it where it can. */
  leave(): void {
    if (this.snapshot.phase === 'left') return;
    this.stop();
    if (this.signaling.state === 'open') {
      const done = () => this.signaling.close();
      this.signaling.request('leaveRoom', {}).then(done, done);
    } else {
      this.signaling.close();
    }
    this.update({ phase: 'left', tracks: new Map() });
  }

  /** Tears the media down and builds it up again; `why` is for people. */
  rebuild(why: string): void {
    const { phase } = this.snapshot;
    if (phase === 'left' || phase === 'failed') return;
    this.generation++;
    clearTimeout(this.retryTimer);
    if (phase === 'joined') this.update({ phase: 'reconnecting', lastTrouble: why });
    void this.run(this.generation);
  }

  requestKeyFrames(): void {
    this.receiver.requestKeyFrames();
  }

  changeDisplayName(displayName: string): void {
    this.opts.displayName = displayName;
    this.signaling.request('changeDisplayName', { displayName }).catch(() => {});
  }

  sendStats(): Promise<RTCStatsReport | null> {
    return this.sender.getStats();
  }

  recvStats(): Promise<RTCStatsReport | null> {
    return this.receiver.getStats();
  }

  readonly getSnapshot = (): Snapshot => this.snapshot;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  private async run(generation: number): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      try {
        await this.establish(generation);
        return;
      } catch (error) {
        if (generation !== this.generation || error instanceof Superseded) return;
        /* The socket is gone: its next open starts over. */
        if (error instanceof ConnectionLost) return;
        if (this.isHopeless(error)) {
          this.fail(error);
          return;
        }
        const absent = error instanceof RequestError && error.code === 404 && !this.everJoined;
        if (absent) this.update({ phase: 'absent' });
        await this.sleep(absent ? ABSENT_RETRY_MS : backoffDelay(attempt, REJOIN));
        if (generation !== this.generation) return;
      }
    }
  }

  private async establish(generation: number): Promise<void> {
    const { opts, signaling } = this;
    const current = <T>(value: T): T => {
      if (generation !== this.generation) throw new Superseded();
      return value;
    };
    const join = current(
      await signaling.request('joinRoom', {
        roomId: opts.roomId,
        peerId: opts.peerId,
        role: opts.role,
        ...(opts.displayName ? { displayName: opts.displayName } : {}),
        ...(opts.title ? { title: opts.title } : {}),
      }),
    );
    this.everJoined = true;
    /* The server gave everything of the old stay up; so do we, but the pictures stay up until new ones come. */
    this.sender.close();
    this.receiver.close();
    this.dispatch({ type: 'joined', join });
    const device = current(await loadDevice(join.rtpCapabilities));

    const openSender = async () => {
      const params = current(await signaling.request('createProducerTransport', {}));
      await this.sender.open(device, params, join.iceServers);
    };
    const openReceiver = async () => {
      const params = current(await signaling.request('createConsumerTransport', {}));
      this.receiver.open(device, params, join.iceServers);
    };
    await Promise.all([opts.send && openSender(), opts.receive && openReceiver()]);
    current(null);
    this.update({ phase: 'joined', error: null });
  }

  private onEvent(event: AnyEvent): void {
    if (this.snapshot.phase === 'left') return;
    switch (event.method) {
      case 'reconnectRequired':
        this.rebuild(event.data?.reason ?? 'the server asked for it');
        return;
      case 'consumerClosed':
        this.receiver.consumerClosed(event.data.consumerId);
        return;
      default:
        this.dispatch({ type: 'event', event });
    }
  }

  private dispatch(action: RoomAction): void {
    const room = roomReducer(this.snapshot.room, action);
    if (room === this.snapshot.room) return;
    const changed = room.producers !== this.snapshot.room.producers;
    this.update({ room });
    if (changed && this.opts.receive) this.receiver.want(room.producers);
  }

  private setTrack(producer: Pick<ProducerInfo, 'producerId'>, track: MediaStreamTrack | null): void {
    const tracks = new Map(this.snapshot.tracks);
    if (track) tracks.set(producer.producerId, track);
    else if (!tracks.delete(producer.producerId)) return;
    for (const id of tracks.keys())
      if (!this.snapshot.room.producers.some((p) => p.producerId === id)) tracks.delete(id);
    this.update({ tracks });
  }

  private disconnected(): void {
    const { phase, unreachableSince } = this.snapshot;
    if (phase === 'left' || phase === 'failed') return;
    this.generation++;
    this.update({
      phase: this.everJoined ? 'reconnecting' : 'connecting',
      unreachableSince: unreachableSince ?? Date.now(),
    });
  }

  private mediaFailed(why: string): void {
    this.update({ mediaFailures: this.snapshot.mediaFailures + 1 });
    this.rebuild(why);
  }

  private sideFailed(error: unknown): void {
    if (error instanceof ConnectionLost || this.snapshot.phase === 'left') return;
    if (error instanceof RequestError && error.code < 500) {
      this.update({ error });
      return;
    }
    const generation = this.generation;
    clearTimeout(this.retryTimer);
    this.retryTimer = setTimeout(() => {
      if (generation === this.generation) this.rebuild(String(error));
    }, REJOIN.maxMs / 2);
  }

  private isHopeless(error: unknown): boolean {
    if (error instanceof UnsupportedBrowser) return true;
    if (error instanceof RequestTimeout) return false;
    if (!(error instanceof RequestError)) return false;
    /* 409 while coming back may be our own old session, not yet noticed as gone. */
    return HOPELESS.has(error.code) || (error.code === 409 && !this.everJoined);
  }

  private fail(error: unknown): void {
    this.stop();
    this.signaling.close();
    this.update({ phase: 'failed', error });
  }

  private stop(): void {
    this.generation++;
    clearTimeout(this.retryTimer);
    window.removeEventListener('online', this.online);
    this.sender.close();
    this.receiver.close();
  }

  private readonly online = () => this.signaling.retryNow();

  private sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.retryTimer = setTimeout(resolve, ms);
    });
  }

  private update(change: Partial<Snapshot>): void {
    this.snapshot = { ...this.snapshot, ...change };
    for (const listener of [...this.listeners]) listener();
  }
}
