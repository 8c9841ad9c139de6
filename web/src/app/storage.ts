/** Small things remembered in this browser. Storage may be full, blocked or absent: then nothing is remembered. */

const PREFIX = 'weir.';

export function remember(key: string, value: string | null, area: 'local' | 'session' = 'local'): void {
  try {
    const store = area === 'local' ? localStorage : sessionStorage;
    if (value === null) store.removeItem(PREFIX + key);
    else store.setItem(PREFIX + key, value);
  } catch {
    /* see above */
  }
}

export function recall(key: string, area: 'local' | 'session' = 'local'): string | null {
  try {
    return (area === 'local' ? localStorage : sessionStorage).getItem(PREFIX + key);
  } catch {
    return null;
  }
}
