/** The chat of a room: its state, and what one can do in it, over the room's own signaling. */
import type { AnyEvent, Method, Requests } from '../signaling/types';
import { chatReducer, initialChat, type ChatState } from './chatState';

type Request = <M extends Method>(method: M, data: Requests[M]['in']) => Promise<Requests[M]['out']>;

export class Chat {
  private state = initialChat;
  private readonly listeners = new Set<() => void>();

  constructor(readonly request: Request) {}

  onEvent(event: AnyEvent): void {
    const next = chatReducer(this.state, event);
    if (next === this.state) return;
    this.state = next;
    for (const listener of [...this.listeners]) listener();
  }

  readonly getSnapshot = (): ChatState => this.state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };
}
