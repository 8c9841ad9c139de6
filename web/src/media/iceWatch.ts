/**
 * Watches one transport's connection state and decides when to restart ICE and when to give the transport
 * up. Timers only; no WebRTC inside.
 */
export type TransportState =
  | 'new'
  | 'connecting'
  | 'connected'
  | 'disconnected'
  | 'failed'
  | 'closed';

export interface IceWatchOptions {
  restart: () => Promise<void>;
  rebuild: (why: string) => void;
  onConnected?: () => void;
  /** The first connection may take this long, ms. */
  connectMs?: number;
  /** A short loss of connectivity heals by itself; wait this long before acting, ms. */
  graceMs?: number;
  /** A restart may take this long, ms. */
  restartMs?: number;
}

export class IceWatch {
  private readonly opts: Required<IceWatchOptions>;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private everConnected = false;
  private restarting = false;
  private done = false;

  constructor(options: IceWatchOptions) {
    this.opts = {
      onConnected: () => {},
      connectMs: 8000,
      graceMs: 2000,
      restartMs: 4000,
      ...options,
    };
  }

  update(state: TransportState): void {
    if (this.done) return;
    switch (state) {
      case 'new':
        return;
      case 'connecting':
        if (!this.everConnected && this.timer === undefined)
          this.after(this.opts.connectMs, () => this.giveUp('connect time-out'));
        return;
      case 'connected':
        this.clear();
        this.everConnected = true;
        this.restarting = false;
        this.opts.onConnected();
        return;
      case 'disconnected':
        if (!this.restarting && this.everConnected)
          this.after(this.opts.graceMs, () => this.restart());
        return;
      case 'failed':
        if (this.restarting || !this.everConnected) this.giveUp('ICE failed');
        else this.restart();
        return;
      case 'closed':
        this.close();
        return;
    }
  }

  close(): void {
    this.done = true;
    this.clear();
  }

  private restart(): void {
    this.restarting = true;
    this.after(this.opts.restartMs, () => this.giveUp('ICE restart time-out'));
    this.opts.restart().catch(() => this.giveUp('ICE restart refused'));
  }

  private giveUp(why: string): void {
    if (this.done) return;
    this.close();
    this.opts.rebuild(why);
  }

  private after(ms: number, fn: () => void): void {
    this.clear();
    this.timer = setTimeout(() => {
      this.timer = undefined;
      fn();
    }, ms);
  }

  private clear(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }
}
