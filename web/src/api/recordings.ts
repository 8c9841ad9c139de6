/** REST: recordings and clips. */

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

const TIMEOUT_MS = 8000;

/** Throws with the server's own words when it refuses. */
async function ask(method: string, path: string, secret: string | null = null, body?: object): Promise<unknown> {
  const response = await fetch(path, {
    method,
    headers: {
      accept: 'application/json',
      ...(secret ? { authorization: `Bearer ${secret}` } : {}),
      ...(body ? { 'content-type': 'application/json' } : {}),
    },
    body: body ? JSON.stringify(body) : undefined,
    cache: 'no-store',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const answer: unknown = response.status === 204 ? null : await response.json().catch(() => null);
  if (response.ok) return answer;
  const reason = (answer as { error?: { reason?: string } } | null)?.error?.reason;
  throw new Error(reason ?? `${path}: ${response.status}`);
}

const stream = (roomId: string) => `/api/livestream/${encodeURIComponent(roomId)}`;
const one = (id: string) => `/api/recordings/${encodeURIComponent(id)}`;

export const startRecording = (roomId: string, secret: string) =>
  ask('POST', `${stream(roomId)}/recording`, secret) as Promise<Recording>;
export const stopRecording = (roomId: string, secret: string) =>
  ask('DELETE', `${stream(roomId)}/recording`, secret) as Promise<Recording>;
export const makeClip = (roomId: string) => ask('POST', `${stream(roomId)}/clip`) as Promise<Recording>;
export const fetchRecording = (id: string, secret: string | null) =>
  ask('GET', one(id), secret) as Promise<Recording>;
export const setVisibility = (id: string, secret: string, visibility: Visibility) =>
  ask('PATCH', one(id), secret, { visibility }) as Promise<Recording>;
export const deleteRecording = (id: string, secret: string) => ask('DELETE', one(id), secret);

export async function fetchRecordings(): Promise<Recording[]> {
  const answer = (await ask('GET', '/api/recordings')) as { recordings: Recording[] };
  return answer.recordings;
}

/** A private one is shown to who has its owner's secret. */
export function fileUrl(id: string, file: string, secret: string | null = null): string {
  const token = secret ? `?token=${encodeURIComponent(secret)}` : '';
  return `/recordings/${encodeURIComponent(id)}/${file}${token}`;
}
