/** Exponential backoff with jitter, as a pure function of the attempt. */

export interface BackoffOptions {
  /** Ceiling of the first delay, ms. */
  firstMs: number;
  /** Ceiling of every delay, ms. */
  maxMs: number;
}

/** A lost worker is replaced within 2 s, so the first tries come fast; later ones spare the server. */
export const RECONNECT: BackoffOptions = { firstMs: 200, maxMs: 5000 };

/** Delay in ms before try number `attempt` (0, 1, ...): between half the ceiling and the ceiling. */
export function backoffDelay(
  attempt: number,
  { firstMs, maxMs }: BackoffOptions = RECONNECT,
  random: () => number = Math.random,
): number {
  const ceiling = Math.min(maxMs, firstMs * 2 ** Math.min(attempt, 30));
  return Math.round(ceiling / 2 + (random() * ceiling) / 2);
}
