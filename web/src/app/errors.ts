/** Turns whatever was thrown into a sentence that a person can act on. */
import { CaptureError } from '../media/capture';
import { UnsupportedBrowser } from '../media/device';
import { ConnectionLost, Dismissed, RequestError, RequestTimeout } from '../signaling/errors';
import { t } from '../strings';

export function explain(error: unknown): string {
  if (error instanceof CaptureError) {
    const text = t.errors.capture[error.problem];
    return typeof text === 'string' ? text : text[error.device];
  }
  const server = t.errors.server;
  if (error instanceof UnsupportedBrowser) return server.unsupported;
  if (error instanceof Dismissed) return server.elsewhere;
  if (error instanceof ConnectionLost || error instanceof RequestTimeout) return server.unreachable;
  if (error instanceof RequestError) {
    if (error.code === 429) return server.full(error.reason);
    if (error.code === 409) return server.conflict;
    if (error.code === 401 || error.code === 403) return server.forbidden;
    if (error.code < 500) return server.badRequest(error.reason || String(error.code));
    return server.other(error.reason || String(error.code));
  }
  return server.other(error instanceof Error ? error.message : String(error));
}
