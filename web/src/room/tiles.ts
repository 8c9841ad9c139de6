/** Who gets a tile in a room, and what is in it. Pure. */
import type { RoomState } from '../media/roomState';
import type { ProducerInfo } from '../signaling/types';

export interface PeerView {
  peerId: string;
  name: string | null;
  camera: ProducerInfo | null;
  screen: ProducerInfo | null;
  audio: ProducerInfo[];
  /** Has no sound, or has it paused. */
  muted: boolean;
  speaking: boolean;
}

/** One view per peer, in the order of their coming; viewers, who send nothing, have none. */
export function peerViews(room: RoomState): PeerView[] {
  const views = new Map<string, PeerView>();
  const add = (peerId: string, name: string | null) => {
    views.set(peerId, {
      peerId,
      name,
      camera: null,
      screen: null,
      audio: [],
      muted: true,
      speaking: room.activeSpeaker === peerId,
    });
  };
  for (const p of room.peers) if (p.role !== 'viewer') add(p.peerId, p.displayName?.trim() || null);
  for (const producer of room.producers) {
    if (!views.has(producer.peerId)) add(producer.peerId, null);
    const view = views.get(producer.peerId)!;
    if (producer.kind === 'audio') {
      view.audio.push(producer);
      if (!producer.paused) view.muted = false;
    } else if (producer.appData?.source === 'screen') view.screen = producer;
    else view.camera = producer;
  }
  return [...views.values()];
}

/** Between 4:3 and 16:9: cells of about this shape crop little of any camera's picture. */
const GOOD_SHAPE = 1.5;
/** What an empty cell counts for, beside the logarithm of a shape that is off. */
const EMPTY_CELL = 0.15;

/** Columns of a grid of `count` cells that fill a box, so that the cells' shape is as good as can be. */
export function columnsFor(count: number, width: number, height: number): number {
  let best = 1;
  let bestOff = Infinity;
  for (let columns = 1; columns <= Math.max(1, count); columns++) {
    const rows = Math.ceil(count / columns);
    const shape = (width * rows) / (columns * height);
    const off = Math.abs(Math.log(shape / GOOD_SHAPE)) + EMPTY_CELL * (columns * rows - count);
    if (off < bestOff) {
      best = columns;
      bestOff = off;
    }
  }
  return best;
}
