/**
 * Plays an HLS address in a <video> for as long as it takes: waits for a playlist that is not there yet,
 * survives restarts of the stream, and says what is going on. hls.js where it runs, else the browser's own.
 */
import { fetchActive, hlsPath } from '../api/livestreams';
import type { HlsStatus } from './playback';

export interface HlsPlayer {
  close(): void;
  /** Seconds behind live; null while unknown. */
  latency(): number | null;
  toLive(): void;
  /** What can be rewound, on the element's clock, seconds; live: where playing live is. Null while unknown. */
  window(): DvrWindow | null;
  seek(to: number): void;
}

export interface DvrWindow {
  start: number;
  live: number;
  at: number;
}

const RETRY_MS = 1500;
const ENDED_POLL_MS = 3000;
/** Without a word of it in the list of live streams, a missing playlist is asked for this seldom. */
const MISSING_RETRY_MS = 12_000;

type OnStatus = (status: HlsStatus) => void;
type Hls = import('hls.js').default;
type HlsClass = typeof import('hls.js').default;

export async function playHls(
  video: HTMLVideoElement,
  roomId: string,
  url: string | null,
  onStatus: OnStatus,
): Promise<HlsPlayer> {
  const { default: HlsJs } = await import('hls.js');
  const src = url ?? hlsPath(roomId);
  if (HlsJs.isSupported()) return withHlsJs(HlsJs, video, roomId, src, onStatus);
  return natively(video, roomId, src, onStatus);
}

function withHlsJs(
  HlsJs: HlsClass,
  video: HTMLVideoElement,
  roomId: string,
  src: string,
  onStatus: OnStatus,
): HlsPlayer {
  let hls: Hls | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let closed = false;
  let mediaErrors = 0;

  const later = (ms: number, fn: () => void) => {
    clearTimeout(timer);
    timer = setTimeout(() => !closed && fn(), ms);
  };
  const load = () => {
    hls?.destroy();
    hls = new HlsJs({
      /* How far behind live: what the playlist asks for (PART-HOLD-BACK). Who falls behind catches up unheard. */
      lowLatencyMode: true,
      maxLiveSyncPlaybackRate: 1.05,
      liveDurationInfinity: true,
      backBufferLength: 30,
      maxBufferLength: 20,
      /* Restarts happen here, so that the page can say what is wrong; not behind its back. */
      manifestLoadPolicy: {
        default: {
          maxTimeToFirstByteMs: 5000,
          maxLoadTimeMs: 8000,
          timeoutRetry: null,
          errorRetry: null,
        },
      },
    });
    hls.on(HlsJs.Events.ERROR, (_event, data) => {
      if (!data.fatal) return;
      if (data.type === HlsJs.ErrorTypes.MEDIA_ERROR && mediaErrors++ < 3) {
        onStatus('stalled');
        hls?.recoverMediaError();
        return;
      }
      const code = data.response?.code ?? 0;
      hls?.destroy();
      hls = null;
      const missing = code === 404 || code === 410;
      onStatus(missing ? 'missing' : code === 0 ? 'network' : 'stalled');
      if (missing) void untilListed(roomId, () => closed).then(() => !closed && load());
      else later(RETRY_MS, load);
    });
    hls.on(HlsJs.Events.FRAG_BUFFERED, () => (mediaErrors = 0));
    hls.loadSource(src);
    hls.attachMedia(video);
    void video.play().catch(() => {});
  };

  const stop = watchElement(video, onStatus, () => {
    void waitForRestart(roomId, src, () => closed).then(() => !closed && load());
  });
  onStatus('loading');
  load();
  return {
    close: () => {
      closed = true;
      clearTimeout(timer);
      stop();
      hls?.destroy();
      video.removeAttribute('src');
      video.load();
    },
    latency: () => (hls && hls.latency > 0 ? hls.latency : null),
    toLive: () => {
      const at = hls?.liveSyncPosition;
      if (at) video.currentTime = at;
    },
    window: () => windowOf(video, hls?.liveSyncPosition ?? null),
    seek: (to) => (video.currentTime = to),
  };
}

/** live: null where only the element knows. */
function windowOf(video: HTMLVideoElement, live: number | null): DvrWindow | null {
  const n = video.seekable.length;
  if (n === 0) return null;
  const start = video.seekable.start(0);
  const end = live ?? video.seekable.end(n - 1);
  return end > start ? { start, live: end, at: video.currentTime } : null;
}

function natively(
  video: HTMLVideoElement,
  roomId: string,
  src: string,
  onStatus: OnStatus,
): HlsPlayer {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let closed = false;
  const end = () => (video.seekable.length ? video.seekable.end(video.seekable.length - 1) : null);
  const load = () => {
    video.src = src;
    void video.play().catch(() => {});
  };
  /* The element does not tell why it failed: ask the address itself. */
  const failed = async () => {
    let status: HlsStatus = 'stalled';
    try {
      const response = await fetch(src, { cache: 'no-store', signal: AbortSignal.timeout(5000) });
      if (response.status === 404 || response.status === 410) status = 'missing';
    } catch {
      status = 'network';
    }
    if (closed) return;
    onStatus(status);
    if (status === 'missing') await untilListed(roomId, () => closed);
    if (!closed) timer = setTimeout(load, status === 'missing' ? 0 : RETRY_MS);
  };
  const onError = () => void failed();
  video.addEventListener('error', onError);
  const stop = watchElement(video, onStatus, () => {
    void waitForRestart(roomId, src, () => closed).then(() => !closed && load());
  });
  onStatus('loading');
  load();
  return {
    close: () => {
      closed = true;
      clearTimeout(timer);
      stop();
      video.removeEventListener('error', onError);
      video.removeAttribute('src');
      video.load();
    },
    latency: () => {
      const e = end();
      return e === null ? null : Math.max(0, e - video.currentTime);
    },
    toLive: () => {
      const e = end();
      if (e !== null) video.currentTime = Math.max(0, e - 2);
    },
    window: () => windowOf(video, null),
    seek: (to) => (video.currentTime = to),
  };
}

function watchElement(video: HTMLVideoElement, onStatus: OnStatus, onEnded: () => void): () => void {
  const playing = () => onStatus('playing');
  const waiting = () => onStatus('stalled');
  const moving = () => {
    if (!video.seeking && video.readyState > 2) onStatus('playing');
  };
  const ended = () => {
    onStatus('ended');
    onEnded();
  };
  video.addEventListener('playing', playing);
  video.addEventListener('waiting', waiting);
  video.addEventListener('timeupdate', moving);
  video.addEventListener('ended', ended);
  return () => {
    video.removeEventListener('playing', playing);
    video.removeEventListener('waiting', waiting);
    video.removeEventListener('timeupdate', moving);
    video.removeEventListener('ended', ended);
  };
}

async function isListed(roomId: string): Promise<boolean> {
  try {
    return (await fetchActive()).some((s) => s.roomId === roomId);
  } catch {
    return false; /* the server is away; so is the stream */
  }
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits for the stream to be live, asking the list: a missing playlist leaves an error in the console. */
async function untilListed(roomId: string, given: () => boolean): Promise<void> {
  const began = Date.now();
  do await sleep(RETRY_MS);
  while (!given() && Date.now() - began < MISSING_RETRY_MS && !(await isListed(roomId)));
}

/** Waits until a stream that ended is live again and its playlist has no end; or until not wanted any more. */
async function waitForRestart(roomId: string, src: string, given: () => boolean): Promise<void> {
  for (;;) {
    await sleep(ENDED_POLL_MS);
    if (given()) return;
    if (!(await isListed(roomId))) continue;
    try {
      const playlist = await fetch(src, { cache: 'no-store' });
      if (playlist.ok && !(await playlist.text()).includes('#EXT-X-ENDLIST')) return;
    } catch {
      /* the server went away in between */
    }
  }
}
