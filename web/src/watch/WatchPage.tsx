/** /watch asks for a stream, /watch/:roomId plays it. */
import { useRef, useState, type FormEvent, type ReactNode } from 'react';
import { hlsPath } from '../api/livestreams';
import { explain } from '../app/errors';
import { count, duration, latency } from '../app/format';
import { toRoomId } from '../app/ids';
import { navigate, pathTo, useQuery } from '../app/router';
import { t } from '../strings';
import { Banner, Button, Spinner, TextField, useCopy } from '../ui/controls';
import { Icon } from '../ui/Icon';
import { useNow } from '../ui/useNow';
import { useTitle } from '../ui/useTitle';
import { ClipButton } from './ClipButton';
import { Player } from './Player';
import type { Playback } from './playback';
import { SeekBar } from './SeekBar';
import { useStreamInfo } from './useStreamInfo';
import { ChatPanel } from '../chat/ChatPanel';
import { useWatch } from './useWatch';
import './watch.css';

export default function WatchPage({ roomId }: { roomId: string | null }) {
  return roomId ? <Watching roomId={roomId} /> : <WatchForm />;
}

function WatchForm() {
  const [text, setText] = useState('');
  const roomId = toRoomId(text);
  useTitle(t.watch.formTitle);
  const go = (e: FormEvent) => {
    e.preventDefault();
    if (roomId) navigate(pathTo('watch', roomId));
  };
  return (
    <form className="card stack form-page" onSubmit={go}>
      <div className="stack-tight">
        <h1>{t.watch.formTitle}</h1>
        <p className="soft">{t.watch.formLead}</p>
      </div>
      <TextField
        label={t.watch.formLabel}
        value={text}
        onChange={(e) => setText(e.target.value)}
        data-testid="watch-id"
        autoCapitalize="none"
        spellCheck={false}
        autoFocus
      />
      <Button look="primary" icon="play" type="submit" disabled={!roomId} data-testid="watch-go">
        {t.watch.formGo}
      </Button>
    </form>
  );
}

function Watching({ roomId }: { roomId: string }) {
  const video = useRef<HTMLVideoElement>(null);
  const forceHls = useQuery().get('mode') === 'hls';
  const watch = useWatch(roomId, forceHls, video);
  const info = useStreamInfo(roomId);
  const now = useNow(1000, !!info?.startedAt);
  const { playback } = watch;
  const title = info?.title ?? t.watch.untitled(roomId);
  const viewers = watch.viewerCount ?? info?.viewerCount ?? null;
  const playing = playback.show === 'playing';
  const rewound = (watch.dvr?.behind ?? 0) > 0;
  const behind = playing ? latency(watch.latencyMs) : '';
  useTitle(title);

  const toWebrtc = () => {
    navigate(pathTo('watch', roomId), 'replace');
    watch.retryWebrtc();
  };
  const toHls = () => {
    navigate(`${pathTo('watch', roomId)}?mode=hls`, 'replace');
    watch.switchToHls();
  };

  return (
    <div className="watch-page">
      <div className="watch">
        {playback.why && (
          <Banner
            tone={playback.why === 'forced' ? 'info' : 'warn'}
            testId="fallback-banner"
            action={
              playback.why !== 'unsupported' && (
                <Button small icon="refresh" data-testid="retry-webrtc" onClick={toWebrtc}>
                  {playback.why === 'forced' ? t.watch.useWebrtc : t.watch.tryWebrtc}
                </Button>
              )
            }
          >
            {t.watch.fallback[playback.why]}
          </Banner>
        )}
        <Player
          video={video}
          playing={playing}
          onPlay={watch.jumpToLive}
          overlay={overlayFor(playback, watch.error, toWebrtc)}
          seekBar={
            watch.dvr && <SeekBar dvr={watch.dvr} onSeek={watch.seekBehind} onLive={watch.jumpToLive} />
          }
          badges={
            <>
              <span
                className={`badge ${playing && !rewound ? 'badge-live' : 'badge-shade'}`}
                data-testid="live-state"
              >
                {playing ? t.live : t.offline}
              </span>
              <span
                className="badge badge-shade"
                data-testid="mode-badge"
                title={t.watch.modeTitle[playback.mode]}
              >
                {playback.mode === 'webrtc' ? t.watch.webrtc : t.watch.hls}
              </span>
              {behind && (
                <span className="badge badge-shade nums" data-testid="delay">
                  {t.watch.delay(behind)}
                </span>
              )}
            </>
          }
        />
        <div className="watch-info">
          <div className="watch-head">
            <h1 className="watch-title">{title}</h1>
            <div className="row soft small nums">
              {viewers !== null && (
                <span className="row watch-fact" data-testid="viewer-count">
                  <Icon name="eye" />
                  {t.watch.viewers(count(viewers))}
                </span>
              )}
              {!!info?.startedAt && (
                <span className="row watch-fact">
                  <Icon name="clock" />
                  {duration(now - info.startedAt)}
                </span>
              )}
              {playing && watch.height && <span>{watch.height}p</span>}
              <span className="mono truncate">{roomId}</span>
            </div>
          </div>
          <div className="row">
            <CopyLink label={t.watch.share} text={window.location.origin + pathTo('watch', roomId)} />
            <CopyLink
              label={t.watch.hlsLink}
              text={new URL(watch.hlsUrl ?? info?.hlsUrl ?? hlsPath(roomId), window.location.href).href}
            />
            {playback.show === 'playing' && <ClipButton roomId={roomId} />}
            {playback.mode === 'webrtc' && (
              <Button look="outline" small onClick={toHls} data-testid="switch-hls">
                {t.watch.switchHls}
              </Button>
            )}
          </div>
        </div>
      </div>
      <ChatPanel chat={watch.chat} onName={watch.setName} />
    </div>
  );
}

function CopyLink({ label, text }: { label: string; text: string }) {
  const [copied, copy] = useCopy();
  return (
    <Button look="outline" small icon={copied ? 'check' : 'link'} onClick={() => copy(text)}>
      {copied ? t.watch.copied : label}
    </Button>
  );
}

/** What stands over the picture; null when nothing does. */
function overlayFor(playback: Playback, error: unknown, onRetry: () => void): ReactNode {
  const w = t.watch;
  switch (playback.show) {
    case 'playing':
      return null;
    case 'connecting':
      return <Spinner label={w.connecting} />;
    case 'interrupted':
      return <Notice busy title={w.interrupted} hint={w.interruptedHint} />;
    case 'away':
      return <Notice busy title={w.away} hint={w.interruptedHint} />;
    case 'waiting':
      return <Notice title={w.waiting} hint={w.waitingHint} />;
    case 'ended':
      return <Notice title={w.ended} hint={w.endedHint} />;
    case 'unreachable':
      return <Notice busy title={w.unreachable} hint={w.unreachableHint} />;
    case 'failed':
      return (
        <Notice title={w.failed} hint={explain(error)}>
          <Button look="primary" icon="refresh" onClick={onRetry}>
            {w.retry}
          </Button>
        </Notice>
      );
  }
}

interface NoticeProps {
  title: string;
  hint: string;
  busy?: boolean;
  children?: ReactNode;
}

function Notice({ title, hint, busy, children }: NoticeProps) {
  return (
    <div className="notice" role="status" data-testid="watch-notice">
      {busy && <span className="spinner" aria-hidden="true" />}
      <strong>{title}</strong>
      <span>{hint}</span>
      {children}
    </div>
  );
}
