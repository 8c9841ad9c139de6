/** One recording, asked for again until nothing about it changes by itself any more. */
import { useEffect, useState } from 'react';
import { fetchRecording, type Recording } from '../api/recordings';

const REFRESH_MS = 1500;

export interface Known {
  /** null until the first answer. */
  recording: Recording | null;
  error: unknown;
  /** Shows what an answer to a change said. */
  set: (recording: Recording) => void;
}

export function useRecording(id: string | null, secret: string | null): Known {
  const [recording, set] = useState<Recording | null>(null);
  const [error, setError] = useState<unknown>(null);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let gone = false;
    const refresh = async () => {
      if (!id) return;
      try {
        const now = await fetchRecording(id, secret);
        if (gone) return;
        set(now);
        setError(null);
        if (now.status === 'ready' || now.status === 'failed') return;
      } catch (e) {
        if (!gone) setError(e);
      }
      if (!gone) timer = setTimeout(() => void refresh(), REFRESH_MS);
    };
    void refresh();
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [id, secret]);
  return { recording: recording?.id === id ? recording : null, error, set };
}
