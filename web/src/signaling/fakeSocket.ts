/** A WebSocket that a unit test plays the server of. Not part of the app's bundle. */
import type { SocketLike } from './client';

export class FakeSocket implements SocketLike {
  readyState: 0 | 1 | 2 | 3 = 0;
  onopen: SocketLike['onopen'] = null;
  onmessage: SocketLike['onmessage'] = null;
  onclose: SocketLike['onclose'] = null;
  onerror: SocketLike['onerror'] = null;
  readonly sent: Record<string, unknown>[] = [];
  closed = false;

  constructor(
    readonly url: string,
    readonly protocol: string,
  ) {}

  send(text: unknown): void {
    this.sent.push(JSON.parse(String(text)));
  }

  close(): void {
    this.readyState = 3;
    this.closed = true;
  }

  accept(): void {
    this.readyState = 1;
    this.onopen?.call(this as never, new Event('open'));
  }

  drop(code = 1006, reason = ''): void {
    this.readyState = 3;
    const event = Object.assign(new Event('close'), { code, reason });
    this.onclose?.call(this as never, event as CloseEvent);
  }

  say(message: unknown): void {
    const data = typeof message === 'string' ? message : JSON.stringify(message);
    this.onmessage?.call(this as never, new MessageEvent('message', { data }));
  }
}
