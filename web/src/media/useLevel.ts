import { useEffect, useState } from 'react';
import { watchLevel } from './level';

/** How loud a track is, 0..1; 0 without a track. */
export function useLevel(track: MediaStreamTrack | null): number {
  const [level, setLevel] = useState(0);
  useEffect(() => {
    if (!track) return;
    const stop = watchLevel(track, (l) => setLevel(Math.round(l * 50) / 50));
    return () => {
      stop();
      setLevel(0);
    };
  }, [track]);
  return level;
}
