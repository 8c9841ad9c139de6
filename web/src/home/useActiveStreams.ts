import { useEffect, useState } from 'react';
import { fetchActive, type ActiveStream } from '../api/livestreams';

const REFRESH_MS = 4000;

export interface ActiveStreams {
  /** null until the first answer. */
  streams: ActiveStream[] | null;
  /** The last try failed; `streams` is what was known before. */
  down: boolean;
}

/** Who is live, kept fresh while the page is seen. */
export function useActiveStreams(): ActiveStreams {
  const [state, setState] = useState<ActiveStreams>({ streams: null, down: false });

  useEffect(() => {
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const refresh = async () => {
      clearTimeout(timer);
      if (!document.hidden) {
        try {
          const streams = await fetchActive(abort.signal);
          setState({ streams, down: false });
        } catch {
          if (abort.signal.aborted) return;
          setState((s) => ({ ...s, down: true }));
        }
      }
      if (!abort.signal.aborted) timer = setTimeout(refresh, REFRESH_MS);
    };
    const seen = () => {
      if (!document.hidden) void refresh();
    };
    void refresh();
    document.addEventListener('visibilitychange', seen);
    return () => {
      abort.abort();
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', seen);
    };
  }, []);
  return state;
}
