/** What a chat shows, from the events of the server. Pure. */
import type { AnyEvent, ChatIdentity, ChatMessage } from '../signaling/types';

export interface ChatState {
  /** The oldest first; at most SHOWN_MAX. */
  messages: readonly ChatMessage[];
  /** Null until the server has said who this is. */
  me: ChatIdentity | null;
  /** Seconds between two messages of a viewer; 0: none. */
  slowMode: number;
  links: boolean;
  /** Characters of a message. */
  messageMax: number;
}

/** Beyond what the server keeps: whoever reads back does not lose it at once, and the page stays small. */
export const SHOWN_MAX = 300;

export const initialChat: ChatState = {
  messages: [],
  me: null,
  slowMode: 0,
  links: true,
  messageMax: 500,
};

export function chatReducer(state: ChatState, event: AnyEvent): ChatState {
  switch (event.method) {
    case 'chatHistory': {
      const { messages, slowMode, links, messageMax } = event.data;
      return { ...state, messages, slowMode, links, messageMax };
    }
    case 'chatMessage':
      if (state.messages.some((m) => m.messageId === event.data.messageId)) return state;
      return { ...state, messages: [...state.messages, event.data].slice(-SHOWN_MAX) };
    case 'chatMessageDeleted': {
      const gone = new Set(event.data.messageIds);
      return { ...state, messages: state.messages.filter((m) => !gone.has(m.messageId)) };
    }
    case 'chatIdentity':
      return { ...state, me: event.data };
    case 'chatRules':
      return { ...state, slowMode: event.data.slowMode, links: event.data.links };
    default:
      return state;
  }
}

/** Whether a message is meant for this person. */
export function isForMe(m: ChatMessage, me: ChatIdentity | null): boolean {
  if (!me || m.authorId === me.authorId) return false;
  return (m.mentions?.includes(me.authorId) ?? false) || m.replyTo?.authorId === me.authorId;
}

const RANK = { viewer: 0, moderator: 1, broadcaster: 2, admin: 3 };

export function isModerator(me: ChatIdentity | null): boolean {
  return me !== null && RANK[me.role] >= RANK.moderator;
}

/** Accounts have names of their own. */
export function isGuest(me: ChatIdentity | null): boolean {
  return me !== null && me.authorId.startsWith('g-');
}

/** Whether this person may act on who wrote a message. */
export function mayModerate(m: ChatMessage, me: ChatIdentity | null): boolean {
  return me !== null && isModerator(me) && m.authorId !== me.authorId && RANK[m.role] < RANK[me.role];
}

/** One of twelve, the same for an author everywhere. */
export function hueOf(authorId: string): number {
  let sum = 0;
  for (let i = 0; i < authorId.length; i++) sum = (sum * 31 + authorId.charCodeAt(i)) >>> 0;
  return (sum % 12) * 30;
}

/** Text in pieces, those that are @names apart. */
export function pieces(text: string): { text: string; mention: boolean }[] {
  return text
    .split(/(@[\p{L}\p{N}_-]+)/u)
    .filter((piece) => piece !== '')
    .map((piece) => ({ text: piece, mention: piece.startsWith('@') && piece.length > 1 }));
}
