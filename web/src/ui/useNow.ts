import { useEffect, useState } from 'react';

/** The present time, ms since the epoch, renewed every `everyMs`. */
export function useNow(everyMs = 1000, on = true): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (!on) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs, on]);
  return now;
}
