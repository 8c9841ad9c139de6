/** /studio: choose, preview, go live, stay live, end. */
import { useEffect, useRef, useState } from 'react';
import { explain } from '../app/errors';
import { count, duration } from '../app/format';
import { isRoomId, newRoomId, toRoomId } from '../app/ids';
import { navigate, pathTo, useQuery } from '../app/router';
import { recall, remember } from '../app/storage';
import { ChatPanel } from '../chat/ChatPanel';
import { canShareScreen } from '../media/capture';
import type { VideoCodec } from '../media/sendSide';
import { TrackVideo } from '../media/TrackVideo';
import { useCapture } from '../media/useCapture';
import { t } from '../strings';
import { Banner, Button } from '../ui/controls';
import { Icon } from '../ui/Icon';
import { useNow } from '../ui/useNow';
import { useTitle } from '../ui/useTitle';
import { HealthCard, ShareCard } from './LivePanel';
import { RecordButton } from './RecordButton';
import { SetupForm, type Setup } from './SetupForm';
import './studio.css';
import { interruptedRoom, ownerSecret, useBroadcast } from './useBroadcast';

function initialSetup(roomId: string | null, query: URLSearchParams): Setup {
  const codec = query.get('codec') ?? recall('codec') ?? 'auto';
  return {
    title: query.get('title') ?? recall('title') ?? '',
    roomId:
      toRoomId(roomId ?? query.get('room') ?? interruptedRoom() ?? '') ||
      (recall('studio.room') ?? newRoomId()),
    codec: codec in t.studio.codecs ? (codec as VideoCodec) : 'auto',
    layers: (query.get('layers') ?? recall('layers') ?? '1') !== '0',
  };
}

export default function StudioPage({ roomId }: { roomId: string | null }) {
  const query = useQuery();
  const [setup, setSetup] = useState(() => initialSetup(roomId, query));
  const [onScreen, setOnScreen] = useState(false);
  const [muted, setMuted] = useState(false);
  const capture = useCapture();
  const picture = onScreen ? (capture.screen ?? capture.camera) : capture.camera;
  const broadcast = useBroadcast(capture, picture, muted);
  const { snapshot, liveSince } = broadcast;
  const phase = snapshot?.phase ?? null;
  const going = phase !== null && phase !== 'failed';
  const onAir = phase === 'joined' || phase === 'reconnecting';
  useTitle(onAir ? `● ${setup.title || t.studio.title}` : t.studio.title);

  const goLive = () => {
    const title = setup.title.trim() || t.studio.defaultTitle;
    remember('title', setup.title.trim());
    remember('studio.room', setup.roomId);
    remember('codec', setup.codec);
    remember('layers', setup.layers ? '1' : '0');
    navigate(pathTo('studio', setup.roomId) + window.location.search, 'replace');
    broadcast.go({
      ...setup,
      title,
      displayName: query.get('name') ?? recall('name') ?? title,
    });
  };

  /* Devices open with the page: whoever comes to the studio wants to see themselves. */
  const opened = useRef(false);
  const autostart = useRef(query.get('autostart') === '1' || interruptedRoom() === setup.roomId);
  const [ready, setReady] = useState(false);
  useEffect(() => {
    if (opened.current) return;
    opened.current = true;
    void capture.start().then(() => setReady(true));
  }, [capture]);
  useEffect(() => {
    if (!ready || !autostart.current || (!capture.camera && !capture.mic)) return;
    autostart.current = false;
    goLive();
  });

  useBeforeUnload(onAir);

  const toScreen = async () => {
    setOnScreen(true);
    if (!capture.screen) await capture.startScreen();
  };
  const toCamera = async () => {
    setOnScreen(false);
    capture.stopScreen();
    if (!capture.camera) await capture.startCamera();
  };
  /* The person ended the sharing in the browser's own bar: the camera takes over. */
  const sharing = onScreen && capture.screen !== null;

  const canGo = isRoomId(setup.roomId) && !capture.busy && (picture !== null || capture.mic !== null);
  return (
    <div className="studio">
      <h1 className="sr-only">{t.studio.title}</h1>
      <div className="stack">
        {capture.problem && (
          <Banner
            tone="bad"
            testId="capture-problem"
            action={
              <Button small icon="refresh" onClick={() => void capture.start()}>
                {t.errors.tryAgain}
              </Button>
            }
          >
            {explain(capture.problem)}
          </Banner>
        )}
        {phase === 'failed' && (
          <Banner tone="bad" testId="studio-error">
            {explain(snapshot?.error)}
          </Banner>
        )}
        {snapshot && snapshot.error !== null && phase !== 'failed' && (
          <Banner tone="bad">{explain(snapshot.error)}</Banner>
        )}
        {phase === 'reconnecting' && (
          <Banner tone="warn" testId="reconnecting">
            {t.studio.reconnecting}
          </Banner>
        )}
        {phase === 'connecting' && snapshot?.unreachableSince != null && (
          <Unreachable since={snapshot.unreachableSince} />
        )}
        {broadcast.ranFor !== null && (
          <Banner testId="ended-summary">
            <strong>{t.studio.ended}.</strong> {t.studio.endedHint(duration(broadcast.ranFor))}
          </Banner>
        )}
        <div className="studio-preview">
          <TrackVideo track={picture} testId="preview" aria-label={t.studio.preview} />
          {!picture && (
            <p className="studio-nothing">{capture.busy ? t.studio.opening : t.studio.noPreview}</p>
          )}
          <div className="studio-badges">
            {onAir && (
              <span
                className={`badge ${phase === 'joined' ? 'badge-live' : 'badge-warn'}`}
                data-testid="live-badge"
              >
                {t.live}
              </span>
            )}
            {onAir && liveSince !== null && <LiveFor since={liveSince} />}
            {onAir && snapshot?.room.viewerCount != null && (
              <span className="badge badge-shade nums" data-testid="viewer-count">
                <Icon name="eye" />
                {count(snapshot.room.viewerCount)}
              </span>
            )}
          </div>
        </div>
        <div className="studio-bar">
          <Button
            icon={muted ? 'micOff' : 'mic'}
            look={muted ? 'off' : 'plain'}
            label={muted ? t.studio.unmute : t.studio.mute}
            aria-pressed={muted}
            data-testid="mute"
            disabled={!capture.mic}
            onClick={() => setMuted(!muted)}
          />
          <div className="segmented" role="group" aria-label={t.studio.source}>
            <Button
              icon="camera"
              aria-pressed={!sharing}
              data-testid="source-camera"
              onClick={() => void toCamera()}
            >
              {t.studio.sourceCamera}
            </Button>
            {canShareScreen() && (
              <Button
                icon="screen"
                aria-pressed={sharing}
                data-testid="source-screen"
                onClick={() => void toScreen()}
              >
                {t.studio.sourceScreen}
              </Button>
            )}
          </div>
          <RecordButton roomId={setup.roomId} secret={() => ownerSecret(setup.roomId)} onAir={onAir} />
          {going ? (
            <Button look="live" icon="stop" data-testid="end-stream" onClick={broadcast.end}>
              {t.studio.end}
            </Button>
          ) : (
            <Button look="live" icon="live" data-testid="go-live" disabled={!canGo} onClick={goLive}>
              {broadcast.ranFor === null ? t.studio.goLive : t.studio.again}
            </Button>
          )}
        </div>
        {onAir && <HealthCard stats={broadcast.stats} />}
      </div>
      <aside className="stack">
        {onAir && <ChatPanel chat={broadcast.chat} />}
        {onAir && <ShareCard roomId={setup.roomId} hlsUrl={snapshot?.room.hlsUrl ?? null} />}
        <SetupForm
          setup={setup}
          onChange={(change) => setSetup((s) => ({ ...s, ...change }))}
          capture={capture}
          live={going}
          muted={muted}
        />
      </aside>
    </div>
  );
}

function LiveFor({ since }: { since: number }) {
  const now = useNow();
  return <span className="badge badge-shade nums">{duration(now - since)}</span>;
}

function Unreachable({ since }: { since: number }) {
  const now = useNow();
  if (now - since < 2000) return <Banner>{t.studio.starting}</Banner>;
  return <Banner tone="warn">{t.errors.server.unreachable}</Banner>;
}

function useBeforeUnload(on: boolean): void {
  useEffect(() => {
    if (!on) return;
    const ask = (e: BeforeUnloadEvent) => e.preventDefault();
    window.addEventListener('beforeunload', ask);
    return () => window.removeEventListener('beforeunload', ask);
  }, [on]);
}
