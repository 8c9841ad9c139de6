/**
 * Plays an HLS address in a <video> for as long as it takes: waits for a playlist that is not there yet,
 * survives restarts of the stream, and says what is going on. hls.js where it runs, else the browser's own.
 */
import { hlsPath, parseActive } from '../api/livestreams';
import type { HlsStatus } from './playback';

export interface HlsPlayer {
  close(): void;
  /** Seconds behind live; null while unknown. */
  latency(): number | null;
  toLive(): void;
}

const RETRY_MS = 1500;
const ENDED_POLL_MS = 3000;

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
      lowLatencyMode: true,
      liveSyncDurationCount: 2,
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
      onStatus(code === 0 ? 'network' : code === 404 || code === 410 ? 'missing' : 'stalled');
      later(RETRY_MS, load);
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
  };
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
    timer = setTimeout(load, RETRY_MS);
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

/** Resolves when the stream is listed as live again and its playlist does not end; or when not wanted any more. */
async function waitForRestart(roomId: string, src: string, given: () => boolean): Promise<void> {
  while (!given()) {
    await new Promise((resolve) => setTimeout(resolve, ENDED_POLL_MS));
    if (given()) return;
    try {
      const active = parseActive(
        await (await fetch('/api/livestream/active', { cache: 'no-store' })).json(),
      );
      if (!active.some((s) => s.roomId === roomId)) continue;
      const playlist = await fetch(src, { cache: 'no-store' });
      if (playlist.ok && !(await playlist.text()).includes('#EXT-X-ENDLIST')) return;
    } catch {
      /* the server is away; so is the stream */
    }
  }
}
