/**
 * One stay in a room: joins, opens transports, sends and receives, and does all of it again when the
 * socket, the worker or ICE fails, until leave(). Pages read its snapshot and never see a transport.
 */
import { clip } from '../app/format';
import { newPeerId } from '../app/ids';
import { Chat } from '../chat/chat';
import { backoffDelay, type BackoffOptions } from '../signaling/backoff';
import { SignalingClient, signalingUrl } from '../signaling/client';
import { ConnectionLost, Dismissed, RequestError, RequestTimeout } from '../signaling/errors';
import type { AnyEvent, JoinRoomOut, ProducerInfo, Role } from '../signaling/types';
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

export interface Identity {
  peerId: string;
  resumeToken: string | null;
}

export interface SessionOptions {
  roomId: string;
  role: Role;
  /** Who this was before a reload, to take that place again. */
  identity?: Identity | null;
  /** Told after every joining; the secret belongs in storage that only this tab reads. */
  onIdentity?: (identity: Identity) => void;
  displayName?: string;
  title?: string;
  send: boolean;
  receive: boolean;
  codec?: VideoCodec;
  /** Pictures go in several sizes; so it is unless this says false. */
  layers?: boolean;
  url?: string;
}

/** A worker comes back within 2 s: ask often at first, then less so. */
const REJOIN: BackoffOptions = { firstMs: 200, maxMs: 1500 };
const ABSENT_RETRY_MS = 1500;
/** So many tries to re-create transports in the same stay; then the stay itself is begun anew. */
const TRIES_IN_PLACE = 8;
/** The server's limits, in bytes of UTF-8. */
const DISPLAY_NAME_MAX = 64;
const TITLE_MAX = 140;
/** Codes that another try with the same request cannot change. */
const HOPELESS = new Set([400, 401, 403, 413, 422]);

class Superseded extends Error {}

export class RoomSession {
  readonly sender: SendSide;
  readonly chat: Chat;
  private readonly receiver: RecvSide;
  private readonly signaling: SignalingClient;
  private readonly listeners = new Set<() => void>();
  private snapshot: Snapshot;
  /** Grows with every rebuild; work begun under an older one stops at its next step. */
  private generation = 0;
  private everJoined = false;
  /** What joining brought; null while this socket is in no room. */
  private stay: JoinRoomOut | null = null;
  private identity: Identity;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly opts: SessionOptions) {
    this.identity = opts.identity ?? { peerId: newPeerId(), resumeToken: null };
    this.snapshot = {
      phase: 'connecting',
      room: initialRoom(opts.roomId, this.identity.peerId),
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
    this.chat = new Chat((method, data) => signaling.request(method, data));
    this.sender = new SendSide({
      ...common,
      codec: opts.codec ?? 'auto',
      layers: opts.layers ?? true,
    });
    this.receiver = new RecvSide({
      ...common,
      onTrack: (producer, track) => this.setTrack(producer, track),
      onTrackGone: (producerId) => this.setTrack({ producerId }, null),
    });
    signaling.onEvent = (event) => this.onEvent(event);
    signaling.onDismissed = (reason) => this.fail(new Dismissed(reason));
    signaling.onState = (state) => {
      this.stay = null;
      if (state === 'open') {
        this.update({ unreachableSince: null });
        this.rebuild('connected');
      } else if (state !== 'closed') {
        this.disconnected();
      }
    };
  }

  start(): void {
    if (this.opts.send || this.opts.receive) preloadDevice();
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

  /** Begins the stay anew on a new socket, which frees what the server still holds of the old one. */
  restart(why: string): void {
    this.update({ lastTrouble: why });
    this.signaling.reconnect();
  }

  /** Builds the media up again, joining first where that is needed. */
  private rebuild(why: string): void {
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
        /* 409 in a room: the server put us out of it. 409 before: the name is taken, or our secret is old. */
        if (error instanceof RequestError && error.code === 409 && attempt < 3) {
          if (!this.stay) this.identity = { peerId: newPeerId(), resumeToken: null };
          this.stay = null;
        } else if (this.stay && attempt >= TRIES_IN_PLACE) {
          this.signaling.reconnect();
          return;
        } else if (this.isHopeless(error)) {
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
    if (!this.stay) {
      const join = current(await this.join());
      this.stay = join;
      this.everJoined = true;
      this.identity = { peerId: join.peerId, resumeToken: join.resumeToken ?? null };
      opts.onIdentity?.(this.identity);
      this.sender.close();
      this.receiver.close();
      this.dispatch({ type: 'joined', join });
    } else {
      this.sender.close();
      this.receiver.close();
    }
    const { rtpCapabilities, iceServers } = this.stay;
    if (!opts.send && !opts.receive) {
      this.update({ phase: 'joined', error: null });
      return;
    }
    const device = current(await loadDevice(rtpCapabilities));

    const openSender = async () => {
      const params = current(await signaling.request('createProducerTransport', {}));
      await this.sender.open(device, params, iceServers);
    };
    const openReceiver = async () => {
      const params = current(await signaling.request('createConsumerTransport', {}));
      this.receiver.open(device, params, iceServers);
    };
    await Promise.all([opts.send && openSender(), opts.receive && openReceiver()]);
    current(null);
    this.update({ phase: 'joined', error: null });
  }

  private join(): Promise<JoinRoomOut> {
    const { roomId, role, displayName, title } = this.opts;
    const { peerId, resumeToken } = this.identity;
    return this.signaling.request('joinRoom', {
      roomId,
      role,
      peerId,
      ...(resumeToken ? { resumeToken } : {}),
      ...(displayName ? { displayName: clip(displayName, DISPLAY_NAME_MAX) } : {}),
      ...(title ? { title: clip(title, TITLE_MAX) } : {}),
    });
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
        this.chat.onEvent(event);
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
    this.restart(why);
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
      if (generation === this.generation) this.restart(String(error));
    }, REJOIN.maxMs);
  }

  private isHopeless(error: unknown): boolean {
    if (error instanceof UnsupportedBrowser) return true;
    if (error instanceof RequestTimeout) return false;
    if (!(error instanceof RequestError)) return false;
    return HOPELESS.has(error.code) || error.code === 409;
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
