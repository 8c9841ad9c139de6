/** Numbers and times as people read them. */

export function duration(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  const two = (n: number) => String(n).padStart(2, '0');
  const h = Math.floor(s / 3600);
  const m = Math.floor(s / 60) % 60;
  return h > 0 ? `${h}:${two(m)}:${two(s % 60)}` : `${m}:${two(s % 60)}`;
}

export function bitrate(bps: number | null): string {
  if (bps === null) return '–';
  return bps >= 1e6 ? `${(bps / 1e6).toFixed(1)} Mbit/s` : `${Math.round(bps / 1000)} kbit/s`;
}

export function count(n: number): string {
  if (n < 1000) return String(n);
  if (n < 999_950) return `${(n / 1000).toFixed(n < 9950 ? 1 : 0)}k`;
  return `${(n / 1e6).toFixed(1)}M`;
}

export function latency(ms: number | null): string {
  if (ms === null) return '';
  return ms < 1000 ? `${Math.round(ms / 10) * 10} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** As much of a text as fits into so many bytes of UTF-8, never half a character. */
export function clip(text: string, maxBytes: number): string {
  let bytes = 0;
  let out = '';
  for (const c of text) {
    bytes += new TextEncoder().encode(c).length;
    if (bytes > maxBytes) break;
    out += c;
  }
  return out;
}

/** A hue that always is the same for the same name: greens, blues, purples; ochres look like faults. */
export function hueOf(name: string): number {
  let h = 0;
  for (const c of name) h = (h * 31 + c.codePointAt(0)!) >>> 0;
  return 160 + (h % 170);
}

/** Up to two letters that stand for a name. */
export function initials(name: string): string {
  const words = name.split(/[\s_-]+/).filter((w) => /[\p{L}\p{N}]/u.test(w));
  const letters = words.slice(0, 2).map((w) => [...w][0]!);
  return letters.join('').toUpperCase() || '?';
}
