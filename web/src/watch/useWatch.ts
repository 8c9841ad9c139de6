/** Runs the watch page: a WebRTC session first, HLS when playback.ts says so, into one <video>. */
import { useCallback, useEffect, useRef, useState, type RefObject } from 'react';
import { serverReachable } from '../api/livestreams';
import { UnsupportedBrowser } from '../media/device';
import { newPeerId } from '../app/ids';
import { recall, remember } from '../app/storage';
import type { Chat } from '../chat/chat';
import { RoomSession, type Identity, type SessionOptions, type Snapshot } from '../media/session';
import { inboundRtp, readRecv, type RecvReading } from '../media/stats';
import { playHls, type HlsPlayer } from './hlsPlayer';
import { dvrOf, nextHls, nextRtc, startPlayback, type HlsStatus, type Dvr, type Playback } from './playback';
import { pickTracks, showTracks } from './tracks';

const TICK_MS = 500;
/** No new frame for this long: the picture stands. */
const FLOW_MS = 2500;
/** Frames are due and stand still: ask for a key frame after this, build anew after that, ever less often. */
const KEY_FRAME_MS = 2000;
const REBUILD_MS = 9000;
const REBUILD_MAX_MS = 72_000;

export interface Watch {
  playback: Playback;
  viewerCount: number | null;
  hlsUrl: string | null;
  error: unknown;
  latencyMs: number | null;
  height: number | null;
  /** Begins anew, with WebRTC. */
  retryWebrtc: () => void;
  switchToHls: () => void;
  jumpToLive: () => void;
  /** What can be rewound; null where there is next to nothing. */
  dvr: Dvr | null;
  /** Plays what was live so many seconds ago. */
  seekBehind: (seconds: number) => void;
  chat: Chat | null;
  setName: (name: string) => void;
}

/** The same guest in every tab and after a reload: each is a peer of its own under one secret. */
const guest = (): Identity => ({ peerId: newPeerId(), resumeToken: recall('guest') });

function viewer(roomId: string, identity: Identity): SessionOptions {
  return {
    roomId,
    role: 'viewer',
    displayName: recall('name') ?? '',
    identity,
    onIdentity: (now) => {
      Object.assign(identity, now);
      remember('guest', now.resumeToken);
    },
    send: false,
    receive: false,
  };
}

/** What tests and people at the console can ask. */
declare global {
  interface Window {
    __weir?: {
      mode: () => string;
      /** inbound-rtp of the video, as plain data; null in HLS mode or before the first packet. */
      getStats: () => Promise<Record<string, unknown> | null>;
      getAudioStats: () => Promise<Record<string, unknown> | null>;
    };
  }
}

export function useWatch(
  roomId: string,
  forceHls: boolean,
  video: RefObject<HTMLVideoElement | null>,
): Watch {
  const [playback, setPlayback] = useState(() => startPlayback(forceHls));
  const [round, setRound] = useState(0);
  const [snapshot, setSnapshot] = useState<Snapshot | null>(null);
  const [reading, setReading] = useState<RecvReading | null>(null);
  const [hlsLatency, setHlsLatency] = useState<number | null>(null);
  const [dvr, setDvr] = useState<Dvr | null>(null);
  const [session, setSession] = useState<RoomSession | null>(null);
  /* Of this visit: WebRTC, HLS and WebRTC again are one viewer. */
  const identity = useRef<Identity | null>(null);
  identity.current ??= guest();
  const hlsUrl = useRef<string | null>(null);
  const hls = useRef<HlsPlayer | null>(null);
  const { mode } = playback;

  useEffect(() => {
    const element = video.current;
    if (mode !== 'webrtc' || !element) return;
    const joined = new RoomSession({ ...viewer(roomId, identity.current!), receive: true });
    setSession(joined);
    return runWebrtc(joined, element, {
      onSnapshot: (s) => {
        hlsUrl.current = s.room.hlsUrl ?? hlsUrl.current;
        setSnapshot(s);
      },
      onReading: setReading,
      onPlayback: setPlayback,
    });
  }, [mode, roomId, round, video]);

  useEffect(() => {
    const element = video.current;
    if (mode !== 'hls' || !element) return;
    let closed = false;
    element.srcObject = null;
    /* Without media: for the chat, and to be counted. */
    const joined = new RoomSession(viewer(roomId, identity.current!));
    const unsubscribe = joined.subscribe(() => setSnapshot(joined.getSnapshot()));
    setSession(joined);
    joined.start();
    const onStatus = (status: HlsStatus) => {
      if (!closed) setPlayback((p) => nextHls(p, status, false));
    };
    playHls(element, roomId, hlsUrl.current, onStatus).then(
      (player) => {
        if (closed) player.close();
        else hls.current = player;
      },
      () => onStatus('network'),
    );
    const timer = setInterval(() => {
      setHlsLatency(hls.current?.latency() ?? null);
      setDvr(dvrOf(hls.current?.window() ?? null));
    }, TICK_MS);
    window.__weir = {
      mode: () => 'HLS',
      getStats: async () => null,
      getAudioStats: async () => null,
    };
    return () => {
      closed = true;
      unsubscribe();
      joined.leave();
      clearInterval(timer);
      hls.current?.close();
      hls.current = null;
      delete window.__weir;
    };
  }, [mode, roomId, round, video]);

  const restart = useCallback((toHls: boolean) => {
    setSnapshot(null);
    setReading(null);
    setHlsLatency(null);
    setDvr(null);
    setPlayback(startPlayback(toHls));
    setRound((n) => n + 1);
  }, []);

  return {
    playback,
    viewerCount: snapshot?.room.viewerCount ?? null,
    hlsUrl: snapshot?.room.hlsUrl ?? null,
    error: snapshot?.error ?? null,
    latencyMs:
      mode === 'webrtc'
        ? (reading?.latencyMs ?? null)
        : hlsLatency === null
          ? null
          : hlsLatency * 1000,
    height: mode === 'webrtc' ? (reading?.height ?? null) : null,
    retryWebrtc: useCallback(() => restart(false), [restart]),
    switchToHls: useCallback(() => restart(true), [restart]),
    jumpToLive: useCallback(() => hls.current?.toLive(), []),
    dvr: mode === 'hls' ? dvr : null,
    seekBehind: useCallback((seconds: number) => {
      const w = hls.current?.window();
      if (w) hls.current?.seek(Math.max(w.start, w.live - seconds));
    }, []),
    chat: session?.chat ?? null,
    setName: useCallback(
      (name: string) => {
        remember('name', name);
        session?.changeDisplayName(name);
      },
      [session],
    ),
  };
}

interface Sink {
  onSnapshot: (s: Snapshot) => void;
  onReading: (r: RecvReading | null) => void;
  onPlayback: (change: (p: Playback) => Playback) => void;
}

function runWebrtc(session: RoomSession, video: HTMLVideoElement, sink: Sink): () => void {
  let reading: RecvReading | null = null;
  let movedAt = 0;
  let stoodSince: number | null = null;
  let keyFrameAsked = false;
  let rebuildMs = REBUILD_MS;
  let http: boolean | null = null;
  let asking = false;
  let reported: unknown;

  const judge = () => {
    const s = session.getSnapshot();
    const now = Date.now();
    const flowing = now - movedAt < FLOW_MS && s.tracks.size > 0;
    if (s.unreachableSince === null) http = null;
    else if (http === null && !asking) {
      asking = true;
      void serverReachable().then((ok) => {
        asking = false;
        http = ok;
      });
    }
    const { producers, ended } = s.room;
    const sending = producers.filter((p) => !p.paused).length;
    sink.onPlayback((p) =>
      nextRtc(
        p,
        {
          session: s.phase,
          unsupported: s.error instanceof UnsupportedBrowser,
          producers: producers.length,
          sending,
          ended,
          flowing,
          mediaFailures: s.mediaFailures,
          unreachableSince: s.unreachableSince,
          http,
        },
        now,
      ),
    );
    /* Joined, somebody sends, and still the picture stands: help it along. */
    if (flowing || s.phase !== 'joined' || sending === 0) {
      stoodSince = null;
      keyFrameAsked = false;
      if (flowing) rebuildMs = REBUILD_MS;
      return;
    }
    stoodSince ??= now;
    if (now - stoodSince > KEY_FRAME_MS && !keyFrameAsked) {
      keyFrameAsked = true;
      session.requestKeyFrames();
    }
    if (now - stoodSince > rebuildMs) {
      rebuildMs = Math.min(REBUILD_MAX_MS, rebuildMs * 2);
      stoodSince = null;
      keyFrameAsked = false;
      session.restart('the picture stood still');
    }
  };

  const tick = async () => {
    const report = await session.recvStats();
    if (report) {
      const next = readRecv(report, reading);
      const withVideo = session.getSnapshot().room.producers.some((p) => p.kind === 'video' && !p.paused);
      const moved = withVideo
        ? next.framesDecoded !== (reading?.framesDecoded ?? 0)
        : next.bytes !== (reading?.bytes ?? 0);
      if (moved) movedAt = Date.now();
      reading = next;
      sink.onReading(next);
    } else {
      reading = null;
    }
    judge();
  };

  /* Sooner than the next tick: the first frame on the screen. */
  const firstFrame = () => {
    if (video.srcObject && video.videoWidth > 0) {
      movedAt = Date.now();
      judge();
    }
  };
  const unsubscribe = session.subscribe(() => {
    const s = session.getSnapshot();
    showTracks(video, pickTracks(s.room.producers, s.tracks));
    if (reported !== s) {
      reported = s;
      sink.onSnapshot(s);
    }
    judge();
  });
  video.addEventListener('playing', firstFrame);
  video.addEventListener('resize', firstFrame);
  const timer = setInterval(() => void tick().catch(() => {}), TICK_MS);
  session.start();
  window.__weir = {
    mode: () => 'WebRTC',
    getStats: async () => inboundRtp(await session.recvStats(), 'video'),
    getAudioStats: async () => inboundRtp(await session.recvStats(), 'audio'),
  };
  return () => {
    clearInterval(timer);
    unsubscribe();
    video.removeEventListener('playing', firstFrame);
    video.removeEventListener('resize', firstFrame);
    session.leave();
    delete window.__weir;
  };
}
