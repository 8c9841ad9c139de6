/** What is known of a room, and how each message of the server changes it. Pure. */
import type { AnyEvent, JoinRoomOut, PeerInfo, ProducerInfo } from '../signaling/types';

export interface RoomState {
  roomId: string;
  peerId: string;
  peers: PeerInfo[];
  producers: ProducerInfo[];
  activeSpeaker: string | null;
  viewerCount: number | null;
  hlsUrl: string | null;
  /** The broadcaster ended the stream on purpose (and has not started again). */
  ended: boolean;
}

export type RoomAction =
  | { type: 'joined'; join: JoinRoomOut }
  | { type: 'event'; event: AnyEvent };

export function initialRoom(roomId: string, peerId: string): RoomState {
  return {
    roomId,
    peerId,
    peers: [],
    producers: [],
    activeSpeaker: null,
    viewerCount: null,
    hlsUrl: null,
    ended: false,
  };
}

export function roomReducer(state: RoomState, action: RoomAction): RoomState {
  if (action.type === 'joined') return applyJoin(state, action.join);
  return applyEvent(state, action.event);
}

function applyJoin(state: RoomState, join: JoinRoomOut): RoomState {
  const producers = (join.producers ?? []).filter((p) => p.peerId !== join.peerId);
  return {
    ...state,
    roomId: join.roomId,
    peerId: join.peerId,
    peers: (join.peers ?? []).filter((p) => p.peerId !== join.peerId),
    producers,
    activeSpeaker: null,
    hlsUrl: join.hlsUrl ?? state.hlsUrl,
    ended: state.ended && producers.length === 0,
  };
}

function applyEvent(state: RoomState, event: AnyEvent): RoomState {
  switch (event.method) {
    case 'roomProducersChanged': {
      const { added = [], removed = [] } = event.data;
      const gone = new Set(removed.map((r) => r.producerId));
      const producers = state.producers.filter((p) => !gone.has(p.producerId));
      for (const p of added) {
        if (p.peerId === state.peerId) continue;
        /* An id that is known already brings news of it, such as `paused`. */
        const at = producers.findIndex((q) => q.producerId === p.producerId);
        if (at >= 0) producers[at] = { ...producers[at], ...p };
        else producers.push(p);
      }
      return { ...state, producers, ended: state.ended && producers.length === 0 };
    }
    case 'peerJoined': {
      if (event.data.peerId === state.peerId) return state;
      const others = state.peers.filter((p) => p.peerId !== event.data.peerId);
      const known = state.peers.find((p) => p.peerId === event.data.peerId);
      if (known) {
        const peers = state.peers.map((p) => (p === known ? { ...p, ...event.data } : p));
        return { ...state, peers };
      }
      return { ...state, peers: [...others, event.data] };
    }
    case 'peerLeft': {
      const { peerId } = event.data;
      return {
        ...state,
        peers: state.peers.filter((p) => p.peerId !== peerId),
        producers: state.producers.filter((p) => p.peerId !== peerId),
        activeSpeaker: state.activeSpeaker === peerId ? null : state.activeSpeaker,
      };
    }
    case 'activeSpeaker':
      return { ...state, activeSpeaker: event.data.peerId ?? null };
    case 'viewerCount':
      return { ...state, viewerCount: event.data.count };
    case 'hlsReady':
      return event.data.hlsUrl ? { ...state, hlsUrl: event.data.hlsUrl } : state;
    case 'streamEnded':
      return { ...state, ended: true };
    default:
      return state;
  }
}
