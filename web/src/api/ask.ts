/** REST in general: JSON in, JSON out, errors with the server's own words and the field they are about. */

const TIMEOUT_MS = 10_000;

export class ApiError extends Error {
  constructor(
    readonly status: number,
    reason: string,
    readonly field: string | null,
  ) {
    super(reason);
    this.name = 'ApiError';
  }
}

/** secret: of a route that takes another one than the session. */
export async function ask<T>(method: string, path: string, body?: object, secret: string | null = null): Promise<T> {
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
  const answer: unknown = await response.json().catch(() => null);
  if (response.ok) return answer as T;
  const error = (answer as { error?: { reason?: string; field?: string } } | null)?.error;
  throw new ApiError(response.status, error?.reason ?? `${path}: ${response.status}`, error?.field ?? null);
}
