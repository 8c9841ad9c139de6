/** One's own stay in a room: the session, and what of one's own is sent into it. */
import { useEffect, useRef, useState } from 'react';
import { recall } from '../app/storage';
import { QUALITIES } from '../media/capture';
import type { Source } from '../media/sendSide';
import { RoomSession, type Snapshot } from '../media/session';
import { inboundRtp } from '../media/stats';
import type { Capture } from '../media/useCapture';
import { useSession } from '../media/useSession';

const SCREEN_BITRATE = 2_500_000; /* bit/s */

export interface Room {
  snapshot: Snapshot | null;
  join: (roomId: string, displayName: string) => void;
  leave: () => void;
}

export function useRoom(capture: Capture, muted: boolean): Room {
  const [session, setSession] = useState<RoomSession | null>(null);
  const current = useRef<RoomSession | null>(null);
  const snapshot = useSession(session);
  const { camera, mic, screen } = capture;
  const cameraSource: Source | null = camera && {
    track: camera,
    paused: false,
    maxBitrate: QUALITIES['360p'].maxBitrate,
  };
  const screenSource: Source | null = screen && {
    track: screen,
    paused: false,
    maxBitrate: SCREEN_BITRATE,
    content: 'screen',
  };

  useEffect(() => {
    void session?.sender.set('mic', mic && { track: mic, paused: muted });
  }, [session, mic, muted]);
  useEffect(() => {
    void session?.sender.set('camera', cameraSource);
    // The source is made anew with every render; the track is what matters.
  }, [session, camera]);
  useEffect(() => {
    void session?.sender.set('screen', screenSource);
  }, [session, screen]);

  useEffect(() => () => current.current?.leave(), []);
  useEffect(() => {
    if (!session) return;
    window.__weir = {
      mode: () => 'WebRTC',
      getStats: async () => inboundRtp(await session.recvStats(), 'video'),
      getAudioStats: async () => inboundRtp(await session.recvStats(), 'audio'),
    };
    return () => {
      delete window.__weir;
    };
  }, [session]);

  const join = (roomId: string, displayName: string) => {
    current.current?.leave();
    const next = new RoomSession({
      roomId,
      displayName,
      role: 'participant',
      codec: 'vp8' /* every browser sends and receives it */,
      layers: recall('layers') !== '0' /* as chosen in the studio */,
      send: true,
      receive: true,
    });
    if (mic) next.sender.sources.set('mic', { track: mic, paused: muted });
    if (cameraSource) next.sender.sources.set('camera', cameraSource);
    if (screenSource) next.sender.sources.set('screen', screenSource);
    current.current = next;
    setSession(next);
    next.start();
  };

  const leave = () => {
    current.current?.leave();
    current.current = null;
    setSession(null);
  };

  return { snapshot, join, leave };
}
