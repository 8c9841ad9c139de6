/**
 * One WebSocket to `/ws` that comes back by itself: requests with time-outs, typed events, reconnecting
 * with backoff. It knows nothing of rooms or media; media/session.ts joins again after every open.
 */
import { RECONNECT, backoffDelay, type BackoffOptions } from './backoff';
import { ConnectionLost, RequestError, RequestTimeout } from './errors';
import { parseFrame, printErrorResponse, printRequest } from './framing';
import type { AnyEvent, Method, Requests } from './types';

const SUBPROTOCOL = 'protoo';
const OPEN = 1; /* WebSocket.OPEN, which a test's fake need not define */
/* RFC 6455 7.4.1; 4000 is the server's own: the same peer joined again elsewhere. */
const NORMAL_CLOSURE = 1000;
const REPLACED = 4000;

export type ConnectionState = 'closed' | 'connecting' | 'open' | 'waiting';

export type SocketLike = Pick<
  WebSocket,
  'readyState' | 'send' | 'close' | 'onopen' | 'onmessage' | 'onclose' | 'onerror'
>;

export interface ClientOptions {
  url: string;
  /** How a socket is made; tests put a fake in. */
  connect?: (url: string, protocol: string) => SocketLike;
  backoff?: BackoffOptions;
  random?: () => number;
  /** An answer may take this long, ms. */
  requestTimeoutMs?: number;
  /** A socket that is neither open nor refused after this is given up, ms. */
  openTimeoutMs?: number;
  /** A connection must last this long before the backoff starts from the beginning again, ms. */
  stableMs?: number;
}

interface Pending {
  method: string;
  sentAt: number;
  timer: ReturnType<typeof setTimeout>;
  resolve(data: unknown): void;
  reject(error: Error): void;
}

export class SignalingClient {
  /** Called on every change of state; `attempt` counts failed tries in a row. */
  onState: (state: ConnectionState, attempt: number) => void = () => {};
  onEvent: (event: AnyEvent) => void = () => {};
  /** The server does not want this client back; the state is `closed` by then. */
  onDismissed: (reason: string) => void = () => {};

  /** Frames from the server that made no sense; for tests and diagnosis. */
  malformed = 0;

  private readonly opts: Required<ClientOptions>;
  private socket: SocketLike | null = null;
  private current: ConnectionState = 'closed';
  private attempt = 0;
  private nextId = 1;
  private lastHeard = 0;
  private readonly pending = new Map<number, Pending>();
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private openTimer: ReturnType<typeof setTimeout> | undefined;
  private stableTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: ClientOptions) {
    this.opts = {
      connect: (url, protocol) => new WebSocket(url, protocol),
      backoff: RECONNECT,
      random: Math.random,
      requestTimeoutMs: 10_000,
      openTimeoutMs: 5_000,
      stableMs: 3_000,
      ...options,
    };
  }

  get state(): ConnectionState {
    return this.current;
  }

  /** Connects, and keeps connecting until close(). */
  start(): void {
    if (this.current === 'closed') this.open();
  }

  /** Ends for good; start() begins anew. */
  close(): void {
    clearTimeout(this.retryTimer);
    this.attempt = 0;
    this.dropSocket();
    this.setState('closed');
  }

  /** Cuts a wait short, for example because the browser says that it is online again. */
  retryNow(): void {
    if (this.current !== 'waiting') return;
    clearTimeout(this.retryTimer);
    this.open();
  }

  /** Gives up the present socket and makes a new one, after the usual wait. */
  reconnect(): void {
    if (this.current === 'closed' || this.current === 'waiting') return;
    this.dropSocket();
    this.wait();
  }

  request<M extends Method>(method: M, data: Requests[M]['in']): Promise<Requests[M]['out']> {
    const socket = this.socket;
    if (this.current !== 'open' || !socket || socket.readyState !== OPEN)
      return Promise.reject(new ConnectionLost(method));

    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.expire(id), this.opts.requestTimeoutMs);
      this.pending.set(id, {
        method,
        sentAt: Date.now(),
        timer,
        resolve: resolve as (data: unknown) => void,
        reject,
      });
      socket.send(printRequest(id, method, data));
    });
  }

  private open(): void {
    this.setState('connecting');
    let socket: SocketLike;
    try {
      socket = this.opts.connect(this.opts.url, SUBPROTOCOL);
    } catch {
      this.wait();
      return;
    }
    this.socket = socket;
    this.openTimer = setTimeout(() => this.lost(socket), this.opts.openTimeoutMs);
    socket.onopen = () => {
      if (socket !== this.socket) return;
      clearTimeout(this.openTimer);
      this.lastHeard = Date.now();
      this.stableTimer = setTimeout(() => (this.attempt = 0), this.opts.stableMs);
      this.setState('open');
    };
    socket.onmessage = (event) => {
      if (socket === this.socket) this.receive(event.data);
    };
    socket.onclose = (event) => {
      if (event.code !== REPLACED || socket !== this.socket) this.lost(socket);
      else {
        this.close();
        this.onDismissed(event.reason);
      }
    };
    socket.onerror = () => this.lost(socket);
  }

  private receive(text: unknown): void {
    this.lastHeard = Date.now();
    const frame = parseFrame(text);
    if (!frame) {
      this.malformed++;
      return;
    }
    switch (frame.type) {
      case 'response': {
        const pending = this.pending.get(frame.id);
        if (!pending) return; /* answered after its time-out */
        this.pending.delete(frame.id);
        clearTimeout(pending.timer);
        if (frame.ok) pending.resolve(frame.data);
        else pending.reject(new RequestError(pending.method, frame.errorCode, frame.errorReason));
        return;
      }
      case 'notification':
        this.onEvent({ method: frame.method, data: frame.data } as AnyEvent);
        return;
      case 'request':
        this.socket?.send(printErrorResponse(frame.id, 404, `unknown method ${frame.method}`));
        return;
    }
  }

  private expire(id: number): void {
    const pending = this.pending.get(id);
    if (!pending) return;
    this.pending.delete(id);
    pending.reject(new RequestTimeout(pending.method));
    /* Nothing at all since the request: the path is dead though the socket does not know it yet. */
    if (this.lastHeard < pending.sentAt) this.reconnect();
  }

  private lost(socket: SocketLike): void {
    if (socket !== this.socket) return;
    this.dropSocket();
    this.wait();
  }

  private wait(): void {
    const delay = backoffDelay(this.attempt, this.opts.backoff, this.opts.random);
    this.attempt++;
    this.retryTimer = setTimeout(() => this.open(), delay);
    this.setState('waiting');
  }

  private dropSocket(): void {
    clearTimeout(this.openTimer);
    clearTimeout(this.stableTimer);
    const socket = this.socket;
    this.socket = null;
    if (socket) {
      socket.onopen = socket.onmessage = socket.onclose = socket.onerror = null;
      try {
        socket.close(NORMAL_CLOSURE);
      } catch {
        /* closing a socket that never opened may throw; it is gone either way */
      }
    }
    const lost = [...this.pending.values()];
    this.pending.clear();
    for (const p of lost) {
      clearTimeout(p.timer);
      p.reject(new ConnectionLost(p.method));
    }
  }

  private setState(state: ConnectionState): void {
    this.current = state;
    this.onState(state, this.attempt);
  }
}

/** The address of `/ws` on the server that served this page. */
export function signalingUrl(location: Pick<Location, 'protocol' | 'host'> = window.location): string {
  return `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws`;
}
