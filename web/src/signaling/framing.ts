/** protoo's JSON framing: print and parse one WebSocket text message. No state, no IO. */

export type Frame =
  | { type: 'request'; id: number; method: string; data: unknown }
  | { type: 'response'; id: number; ok: true; data: unknown }
  | { type: 'response'; id: number; ok: false; errorCode: number; errorReason: string }
  | { type: 'notification'; method: string; data: unknown };

export function printRequest(id: number, method: string, data: unknown): string {
  return JSON.stringify({ request: true, id, method, data });
}

export function printErrorResponse(id: number, errorCode: number, errorReason: string): string {
  return JSON.stringify({ response: true, id, ok: false, errorCode, errorReason });
}

/** Returns null for anything that is not a well-formed frame. */
export function parseFrame(text: unknown): Frame | null {
  if (typeof text !== 'string') return null;
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof raw !== 'object' || raw === null) return null;
  const m = raw as Record<string, unknown>;

  if (m.request === true) {
    if (!isId(m.id) || typeof m.method !== 'string') return null;
    return { type: 'request', id: m.id, method: m.method, data: m.data ?? {} };
  }
  if (m.response === true) {
    if (!isId(m.id)) return null;
    if (m.ok === true) return { type: 'response', id: m.id, ok: true, data: m.data ?? {} };
    return {
      type: 'response',
      id: m.id,
      ok: false,
      errorCode: typeof m.errorCode === 'number' ? m.errorCode : 500,
      errorReason: typeof m.errorReason === 'string' ? m.errorReason : '',
    };
  }
  if (m.notification === true) {
    if (typeof m.method !== 'string') return null;
    return { type: 'notification', method: m.method, data: m.data ?? {} };
  }
  return null;
}

function isId(v: unknown): v is number {
  return typeof v === 'number' && Number.isInteger(v);
}
