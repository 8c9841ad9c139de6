/** One recording: its player, with small pictures for seeking, and what its owner may do. */
import { useEffect, useRef, useState, type MouseEvent, type RefObject } from 'react';
import { deleteRecording, fileUrl, setVisibility, type Recording, type Visibility } from '../api/recordings';
import { explain } from '../app/errors';
import { duration } from '../app/format';
import { navigate } from '../app/router';
import { t } from '../strings';
import { Banner, Button, Spinner } from '../ui/controls';
import { useTitle } from '../ui/useTitle';
import { cueAt, parseCues, type Cue } from './cues';
import { keepSecret, secretOf } from './secrets';
import { useRecording } from './useRecording';

export function RecordingView({ id }: { id: string }) {
  const secret = secretOf(id);
  const { recording, error, set } = useRecording(id, secret);
  const title = recording?.title || t.recordings.one;
  useTitle(title);
  if (!recording)
    return error === null ? (
      <Spinner label={t.app.loading} />
    ) : (
      <Banner tone="bad" testId="recording-error">
        {explain(error)}
      </Banner>
    );
  return (
    <div className="stack recording">
      <h1>{title}</h1>
      {recording.failure && <Banner tone="warn">{recording.failure}</Banner>}
      {recording.status === 'ready' ? (
        <Playing recording={recording} />
      ) : (
        <p className="soft" role="status" data-testid="recording-status">
          {t.recordings.status[recording.status]}
        </p>
      )}
      <p className="soft small nums">
        {duration(recording.durationMs)} · {new Date(recording.startedAt).toLocaleString()}
      </p>
      {secret && <Owning recording={recording} secret={secret} set={set} />}
    </div>
  );
}

function Playing({ recording: { id, visibility } }: { recording: Recording }) {
  const video = useRef<HTMLVideoElement>(null);
  const secret = visibility === 'private' ? secretOf(id) : null;
  const download = `${fileUrl(id, 'video.mp4', secret)}${secret ? '&' : '?'}download`;
  return (
    <>
      <video
        ref={video}
        src={fileUrl(id, 'video.mp4', secret)}
        poster={fileUrl(id, 'poster.jpg', secret)}
        controls
        playsInline
        preload="metadata"
        data-testid="recording-player"
      />
      <Strip id={id} secret={secret} video={video} />
      <div className="row">
        <a className="btn btn-outline btn-small" href={download}>
          {t.recordings.download}
        </a>
      </div>
    </>
  );
}

interface StripProps {
  id: string;
  secret: string | null;
  video: RefObject<HTMLVideoElement | null>;
}

/** A bar over the whole length: shows what is there, a click goes there. For the pointer; the player itself has keys. */
function Strip({ id, secret, video }: StripProps) {
  const [cues, setCues] = useState<Cue[]>([]);
  const [at, setAt] = useState<number | null>(null); /* part of the length */
  useEffect(() => {
    const abort = new AbortController();
    fetch(fileUrl(id, 'sprite.vtt', secret), { signal: abort.signal })
      .then(async (r) => (r.ok ? setCues(parseCues(await r.text())) : undefined))
      .catch(() => undefined); /* it plays without */
    return () => abort.abort();
  }, [id, secret]);
  const length = cues.at(-1)?.to ?? 0;
  if (length <= 0) return null;
  const place = (e: MouseEvent<HTMLDivElement>) => {
    const box = e.currentTarget.getBoundingClientRect();
    return Math.min(1, Math.max(0, (e.clientX - box.left) / box.width));
  };
  const cue = at === null ? null : cueAt(cues, at * length);
  return (
    <div
      className="recording-strip"
      aria-hidden="true"
      data-testid="recording-strip"
      onMouseMove={(e) => setAt(place(e))}
      onMouseLeave={() => setAt(null)}
      onClick={(e) => {
        if (video.current) video.current.currentTime = place(e) * length;
      }}
    >
      {cue && at !== null && (
        <span
          className="recording-peek"
          style={{
            left: `${at * 100}%`,
            width: cue.width,
            height: cue.height,
            background: `url("${fileUrl(id, 'sprite.jpg', secret)}") -${cue.x}px -${cue.y}px`,
          }}
        />
      )}
    </div>
  );
}

interface OwningProps {
  recording: Recording;
  secret: string;
  set: (recording: Recording) => void;
}

function Owning({ recording, secret, set }: OwningProps) {
  const [error, setError] = useState<unknown>(null);
  const remove = () => {
    if (!window.confirm(t.recordings.deleteSure)) return;
    deleteRecording(recording.id, secret).then(() => {
      keepSecret(recording.id, null);
      navigate('/recordings');
    }, setError);
  };
  return (
    <div className="row">
      <label className="row">
        {t.recordings.visibility}
        <select
          value={recording.visibility}
          data-testid="recording-visibility"
          onChange={(e) =>
            void setVisibility(recording.id, secret, e.target.value as Visibility).then(set, setError)
          }
        >
          {Object.entries(t.recordings.visibilities).map(([value, text]) => (
            <option key={value} value={value}>
              {text}
            </option>
          ))}
        </select>
      </label>
      <Button look="outline" small onClick={remove} data-testid="recording-delete">
        {t.recordings.delete}
      </Button>
      {error !== null && <Banner tone="bad">{explain(error)}</Banner>}
    </div>
  );
}
