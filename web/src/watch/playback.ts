/**
 * What the watch page shows, and when it leaves WebRTC for HLS: a pure function of facts and time.
 * connecting: on the way to the first picture. waiting: nobody sends yet. interrupted: was playing, works
 * on it. away: the broadcaster's connection is lost. unreachable: no server.
 */
export type Mode = 'webrtc' | 'hls';
export type Why = 'forced' | 'noMedia' | 'unsupported' | 'signaling';
export type Show =
  | 'connecting'
  | 'waiting'
  | 'playing'
  | 'interrupted'
  | 'away'
  | 'ended'
  | 'unreachable'
  | 'failed';

export interface Playback {
  mode: Mode;
  /** Why it is HLS; null in WebRTC. */
  why: Why | null;
  show: Show;
  /** A picture was seen in this mode. */
  played: boolean;
  /** Since when media has been due and missing, ms; null while it flows or is not due. */
  missingSince: number | null;
}

export interface RtcFacts {
  session: 'connecting' | 'joined' | 'reconnecting' | 'absent' | 'failed' | 'left';
  /** The failure is that this browser cannot do WebRTC. */
  unsupported: boolean;
  /** How many producers there are, and how many of them send. */
  producers: number;
  sending: number;
  ended: boolean;
  /** Frames (or, without video, sound) came within the last moments. */
  flowing: boolean;
  mediaFailures: number;
  unreachableSince: number | null;
  /** Whether plain HTTP works; null while unknown. */
  http: boolean | null;
}

export type HlsStatus = 'loading' | 'playing' | 'stalled' | 'missing' | 'network' | 'ended';

/** The first frame is due this long after joining a room in which somebody sends. */
export const FIRST_FRAME_MS = 5000;
/** A socket that is refused this long, while HTTP works, will not come. */
export const SIGNALING_MS = 5000;
/** Once it has played, only transports that fail again and again lead to HLS. */
export const FAILURES_TO_GIVE_UP = 3;

export function startPlayback(forceHls: boolean): Playback {
  return {
    mode: forceHls ? 'hls' : 'webrtc',
    why: forceHls ? 'forced' : null,
    show: 'connecting',
    played: false,
    missingSince: null,
  };
}

export function fallBack(why: Why): Playback {
  return { mode: 'hls', why, show: 'connecting', played: false, missingSince: null };
}

/** The next state in WebRTC mode. Returns `p` itself when nothing changes. */
export function nextRtc(p: Playback, f: RtcFacts, now: number): Playback {
  if (p.mode !== 'webrtc') return p;
  if (f.session === 'failed') return f.unsupported ? fallBack('unsupported') : set(p, 'failed', null);
  if (f.unreachableSince !== null) {
    if (now - f.unreachableSince < SIGNALING_MS) return set(p, p.played ? 'interrupted' : 'connecting', null);
    if (f.http && !p.played) return fallBack('signaling');
    return set(p, f.http === null && !p.played ? 'connecting' : 'unreachable', null);
  }
  if (f.session === 'absent') return set(p, 'waiting', null);
  if (f.flowing) return set(p, 'playing', null, true);
  if (f.session === 'connecting') {
    /* The server is there but lets nobody in, for example because it is full. */
    const missingSince = p.missingSince ?? now;
    if (now - missingSince >= SIGNALING_MS) return fallBack('signaling');
    return set(p, 'connecting', missingSince);
  }
  /* The clock for the first frame starts with joining, and runs on through a rebuild. */
  if (f.session !== 'joined' && p.missingSince === null)
    return set(p, p.played ? 'interrupted' : 'connecting', null);
  if (f.producers === 0) {
    if (f.ended) return set(p, 'ended', null);
    return set(p, p.played ? 'away' : 'waiting', null);
  }
  if (f.sending === 0) return set(p, 'playing', null, true);

  const missingSince = p.missingSince ?? now;
  const overdue = p.played
    ? f.mediaFailures >= FAILURES_TO_GIVE_UP
    : now - missingSince >= FIRST_FRAME_MS;
  if (overdue) return fallBack('noMedia');
  return set(p, p.played ? 'interrupted' : 'connecting', missingSince);
}

/** The next state in HLS mode. */
export function nextHls(p: Playback, status: HlsStatus, ended: boolean): Playback {
  if (p.mode !== 'hls') return p;
  switch (status) {
    case 'playing':
      return set(p, 'playing', null, true);
    case 'loading':
    case 'stalled':
      return set(p, p.played ? 'interrupted' : 'connecting', null);
    case 'missing':
      return set(p, ended || p.played ? 'ended' : 'waiting', null);
    case 'ended':
      return set(p, 'ended', null);
    case 'network':
      return set(p, 'unreachable', null);
  }
}

function set(p: Playback, show: Show, missingSince: number | null, played = p.played): Playback {
  if (p.show === show && p.missingSince === missingSince && p.played === played) return p;
  return { ...p, show, missingSince, played };
}

/** A live stream that can be rewound, seconds: how far at most, and how far it is now (0: plays live). */
export interface Dvr {
  length: number;
  behind: number;
}

/** Less than this is not worth a seek bar. */
export const DVR_MIN_S = 10;
/** So near to live it is called live: a player's own distance moves by this much. */
export const LIVE_SLACK_S = 3;

export function dvrOf(w: { start: number; live: number; at: number } | null): Dvr | null {
  if (!w || !(w.live - w.start >= DVR_MIN_S)) return null;
  const behind = Math.min(w.live - w.start, Math.max(0, w.live - w.at));
  return { length: w.live - w.start, behind: behind < LIVE_SLACK_S ? 0 : behind };
}
