/** Where in the rewindable part of a live stream it plays: the right end is live. */
import { useState } from 'react';
import { duration } from '../app/format';
import { t } from '../strings';
import type { Dvr } from './playback';

interface SeekBarProps {
  dvr: Dvr;
  /** Seconds behind live. */
  onSeek: (behind: number) => void;
  onLive: () => void;
}

export function SeekBar({ dvr, onSeek, onLive }: SeekBarProps) {
  /* While it is dragged; the picture follows when it is let go. */
  const [dragged, setDragged] = useState<number | null>(null);
  const behind = dragged ?? dvr.behind;
  const text = behind > 0 ? `\u2212${duration(behind * 1000)}` : t.live;
  const commit = () => {
    if (dragged !== null) onSeek(dragged);
    setDragged(null);
  };
  return (
    <div className="seek">
      <input
        type="range"
        className="seek-range"
        data-testid="seek"
        min={-Math.round(dvr.length)}
        max={0}
        step={1}
        value={-Math.round(behind)}
        aria-label={t.watch.seek}
        aria-valuetext={text}
        onChange={(e) => setDragged(-Number(e.target.value))}
        onPointerUp={commit}
        onKeyUp={commit}
        onBlur={commit}
      />
      <span className="seek-time nums" data-testid="seek-behind">
        {text}
      </span>
      {dvr.behind > 0 && (
        <button type="button" className="seek-live" data-testid="back-to-live" onClick={onLive}>
          {t.watch.backToLive}
        </button>
      )}
    </div>
  );
}
