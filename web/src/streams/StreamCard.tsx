import { useState } from 'react';
import { ApiError } from '../api/ask';
import { endStream, newStreamKey, type Stream } from '../api/streams';
import { count } from '../app/format';
import { pathTo } from '../app/router';
import { t } from '../strings';
import { Banner, Button, ButtonLink, CopyField } from '../ui/controls';
import { when } from './when';

export function StreamCard({ stream, onChanged }: { stream: Stream; onChanged: () => void }) {
  const [problem, setProblem] = useState<string | null>(null);
  const over = stream.status === 'ended';
  const act = async (action: () => Promise<unknown>) => {
    setProblem(null);
    try {
      await action();
      onChanged();
    } catch (e) {
      setProblem(e instanceof ApiError ? e.message : t.errors.server.unreachable);
    }
  };
  return (
    <article className="card stack" data-testid="stream-card">
      <div className="row spread">
        <div className="stack-tight">
          <h2>{stream.title}</h2>
          <span className="soft small nums">
            {when(stream)}
            {stream.viewerCountPeak > 0 && ` · ${t.streams.peak(count(stream.viewerCountPeak))}`}
          </span>
        </div>
        <span className={`badge ${stream.status === 'live' ? 'badge-live' : ''}`}>
          {t.streams.status[stream.status]}
        </span>
      </div>
      {problem && <Banner tone="bad">{problem}</Banner>}
      {!over && (
        <>
          <div className="row">
            <ButtonLink look="live" small icon="camera" href={pathTo('studio', stream.roomId)}>
              {t.streams.fromBrowser}
            </ButtonLink>
            <ButtonLink look="outline" small icon="play" href={pathTo('watch', stream.roomId)}>
              {t.streams.watch}
            </ButtonLink>
            <Button
              look="ghost"
              small
              icon="stop"
              onClick={() => confirm(t.streams.endSure) && void act(() => endStream(stream.id))}
            >
              {t.streams.end}
            </Button>
          </div>
          {stream.streamKey && (
            <Encoder
              streamKey={stream.streamKey}
              onNewKey={() => confirm(t.streams.newKeySure) && void act(() => newStreamKey(stream.id))}
            />
          )}
        </>
      )}
    </article>
  );
}

function Encoder({ streamKey, onNewKey }: { streamKey: string; onNewKey: () => void }) {
  const [shown, setShown] = useState(false);
  return (
    <details className="encoder">
      <summary>{t.streams.encoder}</summary>
      <div className="stack">
        <p className="soft small">{t.streams.encoderHint}</p>
        <CopyField label={t.streams.server} value={`${window.location.origin}/whip`} />
        <CopyField label={t.streams.key} value={streamKey} hidden={!shown} hint={t.streams.keyHint} />
        <div className="row">
          <Button small icon="eye" onClick={() => setShown(!shown)} aria-pressed={shown}>
            {shown ? t.streams.hide : t.streams.show}
          </Button>
          <Button small icon="key" onClick={onNewKey}>
            {t.streams.newKey}
          </Button>
        </div>
      </div>
    </details>
  );
}
