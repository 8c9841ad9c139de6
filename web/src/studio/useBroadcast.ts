/** The stream that the studio sends: begins, follows the chosen tracks, comes back, ends. */
import { useEffect, useRef, useState } from 'react';
import { recall, remember } from '../app/storage';
import type { Chat } from '../chat/chat';
import { QUALITIES } from '../media/capture';
import type { VideoCodec } from '../media/sendSide';
import { RoomSession, type Identity, type Snapshot } from '../media/session';
import { readSend, type SendReading } from '../media/stats';
import type { Capture } from '../media/useCapture';
import { useSession } from '../media/useSession';

/** A screen holds small text, which 720p's bitrate would smear. */
const SCREEN_BITRATE = 3_500_000; /* bit/s */
const STATS_MS = 1000;
const LIVE_KEY = 'studio.live';

export interface Going {
  roomId: string;
  title: string;
  displayName: string;
  codec: VideoCodec;
  layers: boolean;
}

export interface Broadcast {
  snapshot: Snapshot | null;
  chat: Chat | null;
  stats: SendReading | null;
  /** ms since the epoch; null before the first time on the air. */
  liveSince: number | null;
  /** How long the stream that just ended ran, ms. */
  ranFor: number | null;
  go: (going: Going) => void;
  end: () => void;
}

const identityKey = (roomId: string) => `studio.identity.${roomId}`;

/** The same for a reloaded tab, so that the server sees the old broadcaster come back. */
function storedIdentity(roomId: string): Identity | null {
  try {
    const value = JSON.parse(recall(identityKey(roomId), 'session') ?? 'null') as Identity | null;
    return typeof value?.peerId === 'string' ? value : null;
  } catch {
    return null;
  }
}

/** What shows the server that this tab is the room's broadcaster. */
export const ownerSecret = (roomId: string): string | null => storedIdentity(roomId)?.resumeToken ?? null;

/** The room in which this tab was live when it was reloaded, if any. */
export function interruptedRoom(): string | null {
  return recall(LIVE_KEY, 'session');
}

export function useBroadcast(capture: Capture, picture: MediaStreamTrack | null, muted: boolean): Broadcast {
  const [session, setSession] = useState<RoomSession | null>(null);
  const [liveSince, setLiveSince] = useState<number | null>(null);
  const [ranFor, setRanFor] = useState<number | null>(null);
  const snapshot = useSession(session);
  const stats = useSendStats(session);
  const current = useRef<RoomSession | null>(null);

  const { mic, screen, quality } = capture;
  const content = picture && picture === screen ? 'screen' : 'camera';
  const maxBitrate = content === 'screen' ? SCREEN_BITRATE : QUALITIES[quality].maxBitrate;

  /* Muting sends silence: the stream's sound, and HLS with it, must go on. */
  useEffect(() => {
    if (mic) mic.enabled = !muted;
    if (!session) return;
    void session.sender.set('mic', mic ? { track: mic, paused: false, muted } : null);
  }, [session, mic, muted]);

  /* Without a picture for a moment (a device changes) the producer stays and shows its last frame. */
  useEffect(() => {
    if (session && picture)
      void session.sender.set('camera', { track: picture, paused: false, maxBitrate, content });
  }, [session, picture, maxBitrate, content]);

  useEffect(() => {
    if (snapshot?.phase === 'joined') setLiveSince((at) => at ?? Date.now());
  }, [snapshot?.phase]);

  useEffect(() => () => current.current?.leave(), []);

  const go = ({ roomId, title, displayName, codec, layers }: Going) => {
    current.current?.leave();
    const next = new RoomSession({
      roomId,
      title,
      displayName,
      codec,
      layers,
      role: 'broadcaster',
      identity: storedIdentity(roomId),
      onIdentity: (identity) => remember(identityKey(roomId), JSON.stringify(identity), 'session'),
      send: true,
      receive: false,
    });
    if (mic) next.sender.sources.set('mic', { track: mic, paused: false, muted });
    if (picture)
      next.sender.sources.set('camera', { track: picture, paused: false, maxBitrate, content });
    remember(LIVE_KEY, roomId, 'session');
    current.current = next;
    setLiveSince(null);
    setRanFor(null);
    setSession(next);
    next.start();
  };

  const end = () => {
    current.current?.leave();
    current.current = null;
    remember(LIVE_KEY, null, 'session');
    setRanFor(liveSince === null ? null : Date.now() - liveSince);
    setLiveSince(null);
    setSession(null);
  };

  return { snapshot, chat: session?.chat ?? null, stats, liveSince, ranFor, go, end };
}

function useSendStats(session: RoomSession | null): SendReading | null {
  const [reading, setReading] = useState<SendReading | null>(null);
  useEffect(() => {
    if (!session) return;
    let last: SendReading | null = null;
    const timer = setInterval(() => {
      session.sendStats().then(
        (report) => {
          last = report ? readSend(report, Date.now(), last) : null;
          setReading(last);
        },
        () => {},
      );
    }, STATS_MS);
    return () => {
      clearInterval(timer);
      setReading(null);
    };
  }, [session]);
  return reading;
}
