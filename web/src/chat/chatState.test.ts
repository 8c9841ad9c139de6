import { expect, test } from 'vitest';
import type { AnyEvent, ChatIdentity, ChatMessage } from '../signaling/types';
import { SHOWN_MAX, chatReducer, hueOf, initialChat, isForMe, mayModerate, pieces } from './chatState';

const message = (n: number, more: Partial<ChatMessage> = {}): ChatMessage => ({
  messageId: `m${n}`,
  authorId: 'a',
  displayName: 'Anna',
  role: 'viewer',
  guest: true,
  message: `text ${n}`,
  createdAt: n,
  ...more,
});
const me = (more: Partial<ChatIdentity> = {}): ChatIdentity => ({
  authorId: 'me',
  displayName: 'Me',
  role: 'viewer',
  banned: false,
  ...more,
});
const said = (n: number): AnyEvent => ({ method: 'chatMessage', data: message(n) });

test('messages are added once, and history replaces them', () => {
  let s = [said(1), said(2), said(2)].reduce(chatReducer, initialChat);
  expect(s.messages.map((m) => m.messageId)).toEqual(['m1', 'm2']);
  s = chatReducer(s, {
    method: 'chatHistory',
    data: { messages: [message(0), message(1)], slowMode: 5, links: false, messageMax: 99 },
  });
  expect(s.messages.map((m) => m.messageId)).toEqual(['m0', 'm1']);
  expect(s).toMatchObject({ slowMode: 5, links: false, messageMax: 99 });
});

test('what was deleted goes', () => {
  const s = [
    said(1),
    said(2),
    said(3),
    { method: 'chatMessageDeleted', data: { messageIds: ['m1', 'm3', 'unknown'] } } as AnyEvent,
  ].reduce(chatReducer, initialChat);
  expect(s.messages.map((m) => m.messageId)).toEqual(['m2']);
});

test('a long chat does not grow without end', () => {
  let s = initialChat;
  for (let i = 0; i < SHOWN_MAX + 50; i++) s = chatReducer(s, said(i));
  expect(s.messages).toHaveLength(SHOWN_MAX);
  expect(s.messages[0]!.messageId).toBe('m50');
});

test('mentions and replies are for whom they name', () => {
  expect(isForMe(message(1, { mentions: ['x', 'me'] }), me())).toBe(true);
  expect(
    isForMe(message(1, { replyTo: { messageId: 'm', authorId: 'me', displayName: '', message: '' } }), me()),
  ).toBe(true);
  expect(isForMe(message(1, { mentions: ['x'] }), me())).toBe(false);
  expect(isForMe(message(1, { authorId: 'me', mentions: ['me'] }), me())).toBe(false);
  expect(isForMe(message(1, { mentions: ['me'] }), null)).toBe(false);
});

test('moderators act on those below them', () => {
  expect(mayModerate(message(1), me())).toBe(false);
  expect(mayModerate(message(1), me({ role: 'moderator' }))).toBe(true);
  expect(mayModerate(message(1, { role: 'moderator' }), me({ role: 'moderator' }))).toBe(false);
  expect(mayModerate(message(1, { role: 'moderator' }), me({ role: 'broadcaster' }))).toBe(true);
  expect(mayModerate(message(1, { authorId: 'me' }), me({ role: 'admin' }))).toBe(false);
});

test('names in a text are told from the rest, and colours are steady', () => {
  expect(pieces('hi @Änna, a@ b')).toEqual([
    { text: 'hi ', mention: false },
    { text: '@Änna', mention: true },
    { text: ', a@ b', mention: false },
  ]);
  expect(hueOf('g-1')).toBe(hueOf('g-1'));
  expect(hueOf('g-1') % 30).toBe(0);
});
