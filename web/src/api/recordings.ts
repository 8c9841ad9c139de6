/** REST: recordings and clips. Who records has a secret. */
import { ask } from './ask';

export type Visibility = 'private' | 'unlisted' | 'public';

export interface Recording {
  id: string;
  roomId: string;
  title: string;
  kind: 'stream' | 'clip';
  status: 'recording' | 'processing' | 'ready' | 'failed';
  visibility: Visibility;
  /** ms since the epoch */
  startedAt: number;
  durationMs: number;
  sizeBytes: number;
  failure: string | null;
}

const stream = (roomId: string) => `/api/livestream/${encodeURIComponent(roomId)}`;
const one = (id: string) => `/api/recordings/${encodeURIComponent(id)}`;

export const startRecording = (roomId: string, secret: string) =>
  ask<Recording>('POST', `${stream(roomId)}/recording`, undefined, secret);
export const stopRecording = (roomId: string, secret: string) =>
  ask<Recording>('DELETE', `${stream(roomId)}/recording`, undefined, secret);
export const makeClip = (roomId: string) => ask<Recording>('POST', `${stream(roomId)}/clip`);
export const fetchRecording = (id: string, secret: string | null) =>
  ask<Recording>('GET', one(id), undefined, secret);
export const setVisibility = (id: string, secret: string, visibility: Visibility) =>
  ask<Recording>('PATCH', one(id), { visibility }, secret);
export const deleteRecording = (id: string, secret: string) => ask<unknown>('DELETE', one(id), undefined, secret);

export async function fetchRecordings(): Promise<Recording[]> {
  return (await ask<{ recordings: Recording[] }>('GET', '/api/recordings')).recordings;
}

/** A private one is shown to who has its owner's secret. */
export function fileUrl(id: string, file: string, secret: string | null = null): string {
  const token = secret ? `?token=${encodeURIComponent(secret)}` : '';
  return `/recordings/${encodeURIComponent(id)}/${file}${token}`;
}
