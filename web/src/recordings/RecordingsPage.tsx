/** /recordings lists what is public, /recordings/:id plays one. */
import { useEffect, useState } from 'react';
import { fetchRecordings, fileUrl, type Recording } from '../api/recordings';
import { duration } from '../app/format';
import { followLink, pathTo } from '../app/router';
import { t } from '../strings';
import { Banner, Spinner } from '../ui/controls';
import { useTitle } from '../ui/useTitle';
import { RecordingView } from './RecordingView';
import './recordings.css';

export default function RecordingsPage({ id }: { id: string | null }) {
  return id ? <RecordingView id={id} /> : <List />;
}

function List() {
  const [list, setList] = useState<Recording[] | null>(null);
  const [down, setDown] = useState(false);
  useTitle(t.recordings.title);
  useEffect(() => {
    let gone = false;
    fetchRecordings().then(
      (all) => !gone && setList(all),
      () => !gone && setDown(true),
    );
    return () => {
      gone = true;
    };
  }, []);
  return (
    <div className="stack">
      <h1>{t.recordings.title}</h1>
      {down && <Banner tone="warn">{t.home.serverDown}</Banner>}
      {list === null && !down && <Spinner label={t.app.loading} />}
      {list?.length === 0 && <p className="soft">{t.recordings.none}</p>}
      <div className="recordings-grid">
        {list?.map((r) => (
          <a
            key={r.id}
            className="recordings-card"
            href={pathTo('recordings', r.id)}
            onClick={followLink}
            data-testid="recording-card"
          >
            <img src={fileUrl(r.id, 'thumbnail.jpg')} alt="" loading="lazy" />
            <strong>{r.title || r.roomId}</strong>
            <span className="soft small nums">
              {duration(r.durationMs)} · {new Date(r.startedAt).toLocaleString()}
            </span>
          </a>
        ))}
      </div>
    </div>
  );
}
