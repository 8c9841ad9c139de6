/** Inside a room: the grid of tiles, and the bar under it. */
import { useLayoutEffect, useRef, useState, type CSSProperties } from 'react';
import { explain } from '../app/errors';
import { pathTo } from '../app/router';
import { canShareScreen } from '../media/capture';
import type { Snapshot } from '../media/session';
import type { Capture } from '../media/useCapture';
import { t } from '../strings';
import { Banner, Button, Spinner, useCopy } from '../ui/controls';
import { RemoteAudio } from './RemoteAudio';
import { Tile } from './Tile';
import { columnsFor, peerViews } from './tiles';

interface Props {
  snapshot: Snapshot;
  capture: Capture;
  name: string;
  muted: boolean;
  onMute: (muted: boolean) => void;
  onLeave: () => void;
}

export function Stage({ snapshot, capture, name, muted, onMute, onLeave }: Props) {
  const { room, tracks, phase } = snapshot;
  const views = peerViews(room);
  const [blocked, setBlocked] = useState(false);
  const [unlocked, setUnlocked] = useState(0);
  const [copied, copy] = useCopy();
  const trackOf = (id: string | undefined) => (id ? (tracks.get(id) ?? null) : null);
  const guest = (n: string | null) => n ?? t.room.guest;
  const screens = views.filter((v) => v.screen !== null);
  const tileCount = 1 + views.length + screens.length + (capture.screen ? 1 : 0);
  const audio = views.flatMap((v) => v.audio.flatMap((p) => trackOf(p.producerId) ?? []));

  if (phase === 'connecting' || phase === 'absent') {
    return (
      <div className="centered">
        <Spinner label={t.room.joining} />
        <p>
          {snapshot.unreachableSince !== null && Date.now() - snapshot.unreachableSince > 2000
            ? t.errors.server.unreachable
            : t.room.joining}
        </p>
        <Button onClick={onLeave}>{t.room.leave}</Button>
      </div>
    );
  }

  return (
    <div className="stage">
      <header className="stage-head">
        <h1 className="truncate" data-testid="room-name">
          {room.roomId}
        </h1>
        <span className="badge nums" data-testid="people-count">
          {t.room.people(views.length + 1)}
        </span>
        <Button
          look="outline"
          small
          icon={copied ? 'check' : 'link'}
          onClick={() => copy(new URL(pathTo('room', room.roomId), window.location.href).href)}
        >
          {copied ? t.room.copied : t.room.copyLink}
        </Button>
      </header>
      {phase === 'reconnecting' && (
        <Banner tone="warn" testId="reconnecting">
          {t.room.reconnecting}
        </Banner>
      )}
      {capture.problem && (
        <Banner
          tone="warn"
          testId="capture-problem"
          action={
            <Button small look="ghost" icon="close" label={t.errors.dismiss} onClick={capture.dismiss} />
          }
        >
          {explain(capture.problem)}
        </Banner>
      )}
      {snapshot.error !== null && <Banner tone="warn">{explain(snapshot.error)}</Banner>}
      <Grid count={tileCount}>
        {screens.map((v) => (
          <Tile
            key={`${v.peerId}:screen`}
            kind="screen"
            peerId={v.peerId}
            name={t.room.screenOf(guest(v.name))}
            track={trackOf(v.screen?.producerId)}
          />
        ))}
        {capture.screen && (
          <Tile kind="screen" peerId={room.peerId} name={t.room.yourScreen} track={capture.screen} />
        )}
        {views.map((v) => (
          <Tile
            key={v.peerId}
            kind="peer"
            peerId={v.peerId}
            name={guest(v.name)}
            track={v.camera?.paused ? null : trackOf(v.camera?.producerId)}
            muted={v.muted}
            speaking={v.speaking}
          />
        ))}
        <Tile
          kind="local"
          peerId={room.peerId}
          name={name ? `${name} (${t.room.you})` : t.room.you}
          track={capture.camera}
          muted={muted || !capture.mic}
          speaking={room.activeSpeaker === room.peerId}
        />
      </Grid>
      {views.length === 0 && <p className="soft small stage-alone">{t.room.alone}</p>}
      <RemoteAudio tracks={audio} unlocked={unlocked} onBlocked={() => setBlocked(true)} />
      {blocked && (
        <Button
          look="primary"
          icon="volume"
          className="stage-unblock"
          data-testid="unblock-audio"
          onClick={() => {
            setBlocked(false);
            setUnlocked((n) => n + 1);
          }}
        >
          {t.room.unblock}
        </Button>
      )}
      <div className="stage-bar" role="toolbar" aria-label={t.room.title}>
        <Button
          icon={muted ? 'micOff' : 'mic'}
          look={muted ? 'off' : 'plain'}
          label={muted ? t.room.unmute : t.room.mute}
          aria-pressed={muted}
          disabled={!capture.mic}
          data-testid="mute"
          onClick={() => onMute(!muted)}
        />
        <Button
          icon={capture.camera ? 'camera' : 'cameraOff'}
          look={capture.camera ? 'plain' : 'off'}
          label={capture.camera ? t.room.cameraOff : t.room.cameraOn}
          aria-pressed={!capture.camera}
          disabled={capture.busy}
          data-testid="camera"
          onClick={() => (capture.camera ? capture.stopCamera() : void capture.startCamera())}
        />
        {canShareScreen() && (
          <Button
            icon="screen"
            look={capture.screen ? 'primary' : 'plain'}
            label={capture.screen ? t.room.screenOff : t.room.screenOn}
            aria-pressed={capture.screen !== null}
            data-testid="screen"
            onClick={() => (capture.screen ? capture.stopScreen() : void capture.startScreen())}
          />
        )}
        <Button look="live" icon="leave" data-testid="leave" onClick={onLeave}>
          {t.room.leave}
        </Button>
      </div>
    </div>
  );
}

/** Lays its children out so that they are as large as the room on the screen allows. */
function Grid({ count, children }: { count: number; children: React.ReactNode }) {
  const ref = useRef<HTMLDivElement>(null);
  const [size, setSize] = useState({ width: 1200, height: 640 });
  useLayoutEffect(() => {
    const box = ref.current;
    if (!box) return;
    const observer = new ResizeObserver(() => {
      setSize({ width: box.clientWidth, height: box.clientHeight });
    });
    observer.observe(box);
    return () => observer.disconnect();
  }, []);
  const columns = columnsFor(count, size.width, size.height);
  const rows = Math.ceil(count / columns);
  return (
    <div className="grid" ref={ref} style={{ '--columns': columns, '--rows': rows } as CSSProperties}>
      {children}
    </div>
  );
}
