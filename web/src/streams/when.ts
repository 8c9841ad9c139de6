import type { Stream } from '../api/streams';
import { t } from '../strings';

/** When a stream was, or is to be, for people. */
export function when(stream: Stream): string {
  const at = stream.startedAt ?? stream.scheduledAt ?? stream.createdAt;
  const text = at ? new Date(at).toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' }) : '';
  return stream.status === 'scheduled' && stream.scheduledAt ? t.streams.announced(text) : text;
}
