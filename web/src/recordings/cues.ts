/** Cues of the sheet of small pictures: which part of it shows what is at a time. */

export interface Cue {
  /** seconds */
  from: number;
  to: number;
  x: number;
  y: number;
  width: number;
  height: number;
}

const CUE = /([\d:.]+) --> ([\d:.]+)\s+\S+#xywh=(\d+),(\d+),(\d+),(\d+)/g;

function seconds(text: string): number {
  return text.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
}

export function parseCues(vtt: string): Cue[] {
  return [...vtt.matchAll(CUE)].map(([, from = '', to = '', x, y, width, height]) => ({
    from: seconds(from),
    to: seconds(to),
    x: Number(x),
    y: Number(y),
    width: Number(width),
    height: Number(height),
  }));
}

/** The last that has begun; the first before all. */
export function cueAt(cues: Cue[], time: number): Cue | null {
  return cues.findLast((cue) => cue.from <= time) ?? cues[0] ?? null;
}
