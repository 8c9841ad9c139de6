/** REST: streams of accounts. */
import { ask } from './ask';

export interface Stream {
  id: string;
  roomId: string;
  title: string;
  description: string;
  status: 'scheduled' | 'live' | 'ended';
  /** ms since the epoch, where it happened or is to */
  scheduledAt?: number;
  startedAt?: number;
  endedAt?: number;
  createdAt?: number;
  viewerCount: number;
  viewerCountPeak: number;
  recordingUrl: string | null;
  thumbnailUrl: string | null;
  /** to the owner only */
  streamKey?: string;
}

export interface NewStream {
  title: string;
  description?: string;
  scheduledAt?: number;
  recordingEnabled?: boolean;
}

const one = (id: string) => `/api/livestream/${encodeURIComponent(id)}`;

export const createStream = (stream: NewStream) =>
  ask<{ streamId: string; streamKey: string }>('POST', '/api/livestream/create', stream);
export const fetchStream = async (id: string) => (await ask<{ stream: Stream }>('GET', one(id))).stream;
export const streamsOf = async (userId: string) =>
  (await ask<{ streams: Stream[] }>('GET', `/api/livestream/user/${encodeURIComponent(userId)}?limit=50`)).streams;
export const announcedStreams = async () =>
  (await ask<{ streams: Stream[] }>('GET', '/api/livestream/scheduled?limit=12')).streams;
export const newStreamKey = async (id: string) =>
  (await ask<{ streamKey: string }>('POST', `${one(id)}/key`)).streamKey;
export const endStream = (id: string) => ask<unknown>('POST', `${one(id)}/end`);
