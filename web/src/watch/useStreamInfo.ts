import { useEffect, useState } from 'react';
import { fetchActive, type ActiveStream } from '../api/livestreams';

const REFRESH_MS = 5000;

/** The row of one stream in the list of who is live; null while it is not there. */
export function useStreamInfo(roomId: string): ActiveStream | null {
  const [info, setInfo] = useState<ActiveStream | null>(null);
  useEffect(() => {
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const refresh = async () => {
      try {
        if (!document.hidden) {
          const all = await fetchActive(abort.signal);
          setInfo(all.find((s) => s.roomId === roomId) ?? null);
        }
      } catch {
        /* the player says it when the server is away; here the last known stands */
      }
      if (!abort.signal.aborted) timer = setTimeout(refresh, REFRESH_MS);
    };
    void refresh();
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [roomId]);
  return info;
}
