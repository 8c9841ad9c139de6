/** REST: who is live. */

export interface ActiveStream {
  id: string;
  roomId: string;
  title: string;
  /** ms since the epoch */
  startedAt: number;
  viewerCount: number;
  hlsUrl: string;
  status: string;
}

const TIMEOUT_MS = 5000;

/** Throws when the server cannot be reached or answers anything but a list. */
export async function fetchActive(signal?: AbortSignal): Promise<ActiveStream[]> {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  const response = await fetch('/api/livestream/active', {
    headers: { accept: 'application/json' },
    cache: 'no-store',
    signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
  });
  if (!response.ok) throw new Error(`/api/livestream/active: ${response.status}`);
  return parseActive(await response.json());
}

/** Takes what is usable; one odd row does not hide the others. */
export function parseActive(body: unknown): ActiveStream[] {
  const rows = (body as { streams?: unknown } | null)?.streams;
  if (!Array.isArray(rows)) throw new Error('/api/livestream/active: no list of streams');
  return rows.flatMap((row: Record<string, unknown> | null) => {
    const roomId = row?.roomId;
    if (typeof roomId !== 'string' || roomId === '') return [];
    return [
      {
        id: String(row?.id ?? roomId),
        roomId,
        title: typeof row?.title === 'string' && row.title.trim() ? row.title : roomId,
        startedAt: Number(row?.startedAt) || 0,
        viewerCount: Math.max(0, Number(row?.viewerCount) || 0),
        hlsUrl: typeof row?.hlsUrl === 'string' ? row.hlsUrl : hlsPath(roomId),
        status: typeof row?.status === 'string' ? row.status : 'live',
      },
    ];
  });
}

export function hlsPath(roomId: string): string {
  return `/live/${encodeURIComponent(roomId)}/index.m3u8`;
}

/** Whether plain HTTP reaches the server at all. */
export async function serverReachable(): Promise<boolean> {
  try {
    const response = await fetch('/healthz', {
      cache: 'no-store',
      signal: AbortSignal.timeout(3000),
    });
    return response.status < 500;
  } catch {
    return false;
  }
}
