/** Names of rooms and peers. */

/** What the server takes as a room's name. */
const ROOM_ID = /^[A-Za-z0-9_-]{1,64}$/;

export function isRoomId(text: string): boolean {
  return ROOM_ID.test(text);
}

/** Makes the nearest allowed name of what somebody types or pastes, a whole watch link included. */
export function toRoomId(text: string): string {
  const link = /\/(?:watch|room|studio|live)\/([^/?#\s]+)/.exec(text);
  let name = link?.[1] ?? text;
  try {
    name = decodeURIComponent(name);
  } catch {
    /* a stray % sign; the next line drops it */
  }
  return name
    .trim()
    .replace(/\s+/g, '-')
    .replace(/[^A-Za-z0-9_-]/g, '')
    .slice(0, 64);
}

const FIRST = ['amber', 'brisk', 'calm', 'clear', 'cool', 'deep', 'early', 'fresh', 'green', 'quiet', 'silver', 'swift'];
const SECOND = ['bay', 'brook', 'creek', 'delta', 'falls', 'harbor', 'inlet', 'lake', 'rapids', 'reef', 'river', 'spring'];

/** Easy to read aloud; the number keeps neighbours apart. */
export function newRoomId(random: () => number = Math.random): string {
  const pick = (list: string[]) => list[Math.floor(random() * list.length)]!;
  return `${pick(FIRST)}-${pick(SECOND)}-${100 + Math.floor(random() * 900)}`;
}

/** crypto.randomUUID exists on secure pages only; viewers may come over plain http. */
export function newPeerId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');
}
