import { useEffect, useState, type RefObject } from 'react';
import { recall, remember } from '../app/storage';

/**
 * Volume and mute of a <video>. It starts muted, because browsers let nothing else start by itself; the
 * volume is remembered.
 */
export function useVolume(video: RefObject<HTMLVideoElement | null>) {
  const [muted, showMuted] = useState(true);
  const [volume, showVolume] = useState(() => {
    const stored = Number(recall('volume') ?? 1);
    return stored > 0 && stored <= 1 ? stored : 1;
  });

  useEffect(() => {
    const v = video.current;
    if (!v) return;
    v.muted = true;
    v.volume = volume;
    const look = () => {
      showMuted(v.muted || v.volume === 0);
      if (v.volume > 0) showVolume(v.volume);
    };
    v.addEventListener('volumechange', look);
    return () => v.removeEventListener('volumechange', look);
    // The volume set here is the remembered one; later changes come from the element itself.
  }, [video]);

  const setMuted = (on: boolean) => {
    const v = video.current;
    if (!v) return;
    v.muted = on;
    if (!on && v.volume === 0) v.volume = volume;
    if (!on && v.paused) void v.play().catch(() => {});
  };
  const setVolume = (value: number) => {
    const v = video.current;
    if (!v) return;
    v.volume = value;
    v.muted = value === 0;
    if (value > 0) remember('volume', String(value));
  };
  return { muted, volume, setMuted, setVolume };
}
