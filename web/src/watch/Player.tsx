/** The <video> with its controls. It does not know where the picture comes from. */
import { useEffect, useRef, useState, type KeyboardEvent, type ReactNode, type RefObject } from 'react';
import { t } from '../strings';
import { Button } from '../ui/controls';
import { Icon } from '../ui/Icon';
import { useVolume } from './useVolume';

/** Controls go away after this long without a pointer or key, ms. */
const IDLE_MS = 2800;

interface PlayerProps {
  video: RefObject<HTMLVideoElement | null>;
  /** Stands over the picture: what is going on when nothing plays. */
  overlay: ReactNode;
  /** Small facts in the corner. */
  badges: ReactNode;
  /** Over the controls, as wide as the picture. */
  seekBar?: ReactNode;
  playing: boolean;
  onPlay: () => void;
}

export function Player({ video, overlay, badges, seekBar, playing, onPlay }: PlayerProps) {
  const box = useRef<HTMLDivElement>(null);
  const { muted, volume, setMuted, setVolume } = useVolume(video);
  const paused = usePaused(video);
  const [full, toggleFull] = useFullscreen(box, video);
  const [active, wake] = useActivity();
  const pip = typeof document !== 'undefined' && document.pictureInPictureEnabled;

  const resume = () => {
    onPlay();
    void video.current?.play().catch(() => {});
  };
  const onKey = (e: KeyboardEvent) => {
    wake();
    if (e.target instanceof HTMLInputElement || e.ctrlKey || e.metaKey || e.altKey) return;
    if (e.key === 'm') setMuted(!muted);
    else if (e.key === 'f') toggleFull();
    else return;
    e.preventDefault();
  };

  return (
    <div
      ref={box}
      className={`player ${active || !playing || muted ? 'player-active' : ''}`}
      onPointerMove={wake}
      onPointerDown={wake}
      onFocus={wake}
      onKeyDown={onKey}
    >
      <video
        ref={video}
        className="player-video"
        data-testid="player"
        aria-label={t.watch.player}
        autoPlay
        playsInline
        muted
        onDoubleClick={toggleFull}
      />
      <div className="player-badges">{badges}</div>
      {overlay && <div className="player-overlay">{overlay}</div>}
      {!overlay && paused && (
        <button type="button" className="player-big" aria-label={t.watch.play} onClick={resume}>
          <Icon name="play" />
        </button>
      )}
      {!overlay && !paused && muted && (
        <button
          type="button"
          className="player-unmute"
          data-testid="unmute"
          onClick={() => setMuted(false)}
        >
          <Icon name="volumeOff" />
          {t.watch.unmute}
        </button>
      )}
      <div className="player-bar">
        {seekBar}
        <Button
          look="ghost"
          icon={muted ? 'volumeOff' : 'volume'}
          label={muted ? t.watch.unmuteLabel : t.watch.mute}
          onClick={() => setMuted(!muted)}
        />
        <input
          type="range"
          className="player-volume"
          min={0}
          max={1}
          step={0.05}
          value={muted ? 0 : volume}
          aria-label={t.watch.volume}
          onChange={(e) => setVolume(Number(e.target.value))}
        />
        <span className="player-gap" />
        {pip && (
          <Button
            look="ghost"
            icon="pip"
            label={t.watch.pip}
            onClick={() => void togglePip(video.current)}
          />
        )}
        <Button
          look="ghost"
          icon={full ? 'exitFull' : 'full'}
          label={full ? t.watch.exitFullscreen : t.watch.fullscreen}
          data-testid="fullscreen"
          onClick={toggleFull}
        />
      </div>
    </div>
  );
}

function usePaused(video: RefObject<HTMLVideoElement | null>): boolean {
  const [paused, setPaused] = useState(false);
  useEffect(() => {
    const v = video.current;
    if (!v) return;
    const look = () => setPaused(v.paused && !v.ended);
    v.addEventListener('pause', look);
    v.addEventListener('play', look);
    v.addEventListener('playing', look);
    v.addEventListener('loadeddata', look);
    return () => {
      v.removeEventListener('pause', look);
      v.removeEventListener('play', look);
      v.removeEventListener('playing', look);
      v.removeEventListener('loadeddata', look);
    };
  }, [video]);
  return paused;
}

/** iPhones put only a <video> on the full screen, by a call of their own. */
type IosVideo = HTMLVideoElement & { webkitEnterFullscreen?: () => void };

function useFullscreen(
  box: RefObject<HTMLDivElement | null>,
  video: RefObject<HTMLVideoElement | null>,
): [boolean, () => void] {
  const [full, setFull] = useState(false);
  useEffect(() => {
    const look = () => setFull(document.fullscreenElement === box.current && box.current !== null);
    document.addEventListener('fullscreenchange', look);
    return () => document.removeEventListener('fullscreenchange', look);
  }, [box]);
  const toggle = () => {
    if (document.fullscreenElement) void document.exitFullscreen().catch(() => {});
    else if (box.current?.requestFullscreen) void box.current.requestFullscreen().catch(() => {});
    else (video.current as IosVideo | null)?.webkitEnterFullscreen?.();
  };
  return [full, toggle];
}

async function togglePip(video: HTMLVideoElement | null): Promise<void> {
  try {
    if (document.pictureInPictureElement) await document.exitPictureInPicture();
    else await video?.requestPictureInPicture();
  } catch {
    /* no picture yet, or the browser does not allow it now */
  }
}

/** True for a while after every sign of life. */
function useActivity(): [boolean, () => void] {
  const [active, setActive] = useState(true);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const wake = () => {
    setActive(true);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setActive(false), IDLE_MS);
  };
  useEffect(() => () => clearTimeout(timer.current), []);
  return [active, wake];
}
