/** The page's own camera, microphone and screen as React state. Owns the tracks: stops what it replaces. */
import { useCallback, useEffect, useRef, useState } from 'react';
import { recall, remember } from '../app/storage';
import {
  CaptureError,
  QUALITIES,
  listDevices,
  openBoth,
  openCamera,
  openMic,
  openScreen,
  type DeviceLists,
  type Quality,
} from './capture';

export interface Capture {
  devices: DeviceLists;
  cameraId: string;
  micId: string;
  quality: Quality;
  camera: MediaStreamTrack | null;
  mic: MediaStreamTrack | null;
  screen: MediaStreamTrack | null;
  problem: CaptureError | null;
  /** A permission prompt or a device is being waited for. */
  busy: boolean;
  start: () => Promise<void>;
  chooseCamera: (id: string) => Promise<void>;
  chooseMic: (id: string) => Promise<void>;
  chooseQuality: (quality: Quality) => Promise<void>;
  startCamera: () => Promise<void>;
  stopCamera: () => void;
  startScreen: () => Promise<void>;
  stopScreen: () => void;
  dismiss: () => void;
}

type Tracks = Pick<Capture, 'camera' | 'mic' | 'screen'>;

function storedQuality(): Quality {
  const q = recall('quality');
  return q !== null && q in QUALITIES ? (q as Quality) : '720p';
}

export function useCapture(): Capture {
  const [devices, setDevices] = useState<DeviceLists>({ cameras: [], mics: [] });
  const [cameraId, setCameraId] = useState(() => recall('camera') ?? '');
  const [micId, setMicId] = useState(() => recall('mic') ?? '');
  const [quality, setQuality] = useState(storedQuality);
  const [tracks, setTracks] = useState<Tracks>({ camera: null, mic: null, screen: null });
  const [problem, setProblem] = useState<CaptureError | null>(null);
  const [pending, setPending] = useState(0);
  const held = useRef(tracks);
  const gone = useRef(false);

  const put = useCallback((which: keyof Tracks, track: MediaStreamTrack | null) => {
    if (gone.current) {
      track?.stop();
      return;
    }
    const old = held.current[which];
    if (old !== track) old?.stop();
    held.current = { ...held.current, [which]: track };
    setTracks(held.current);
    /* `ended` comes when a device is unplugged or the person ends the sharing, not from our own stop(). */
    track?.addEventListener('ended', () => {
      if (held.current[which] !== track) return;
      held.current = { ...held.current, [which]: null };
      setTracks(held.current);
      if (which !== 'screen') setProblem(new CaptureError('noDevice', which));
    });
  }, []);

  const refresh = useCallback(() => {
    listDevices().then(
      (list) => {
        if (!gone.current) setDevices(list);
      },
      () => {},
    );
  }, []);

  useEffect(() => {
    gone.current = false;
    refresh();
    const md = navigator.mediaDevices as MediaDevices | undefined;
    md?.addEventListener('devicechange', refresh);
    return () => {
      gone.current = true;
      md?.removeEventListener('devicechange', refresh);
      for (const track of Object.values(held.current)) (track as MediaStreamTrack | null)?.stop();
      held.current = { camera: null, mic: null, screen: null };
    };
  }, [refresh]);

  /** Runs something that opens a device; what goes wrong becomes `problem`. */
  const attempt = useCallback(
    async (open: () => Promise<void>) => {
      setPending((n) => n + 1);
      setProblem(null);
      try {
        await open();
      } catch (e) {
        if (!(e instanceof CaptureError)) throw e;
        if (e.problem !== 'cancelled') setProblem(e);
      } finally {
        setPending((n) => n - 1);
        refresh();
      }
    },
    [refresh],
  );

  const start = () =>
    attempt(async () => {
      const opened = await openBoth(cameraId || null, micId || null, quality);
      if (opened.camera) put('camera', opened.camera);
      if (opened.mic) put('mic', opened.mic);
      if (opened.problem) setProblem(opened.problem);
      /* Show what was really opened: a remembered device may be gone. */
      setCameraId(opened.camera?.getSettings().deviceId ?? cameraId);
      setMicId(opened.mic?.getSettings().deviceId ?? micId);
    });

  const reopenCamera = (id: string, q: Quality) =>
    attempt(async () => {
      /* Some cameras open once only, so the old track goes first; the producer shows its last frame. */
      const old = held.current.camera;
      held.current = { ...held.current, camera: null };
      old?.stop();
      try {
        put('camera', await openCamera(id || null, q));
      } catch (e) {
        put('camera', null);
        throw e;
      }
    });

  return {
    devices,
    cameraId,
    micId,
    quality,
    ...tracks,
    problem,
    busy: pending > 0,
    start,
    chooseCamera: (id) => {
      setCameraId(id);
      remember('camera', id);
      return reopenCamera(id, quality);
    },
    chooseMic: (id) => {
      setMicId(id);
      remember('mic', id);
      return attempt(async () => put('mic', await openMic(id || null)));
    },
    chooseQuality: async (q) => {
      setQuality(q);
      remember('quality', q);
      if (held.current.camera) await reopenCamera(cameraId, q);
    },
    startCamera: () => reopenCamera(cameraId, quality),
    stopCamera: () => put('camera', null),
    startScreen: () => attempt(async () => put('screen', await openScreen())),
    stopScreen: () => put('screen', null),
    dismiss: () => setProblem(null),
  };
}
