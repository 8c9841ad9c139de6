/** Makes a clip of the last seconds, and leads to it. */
import { useState } from 'react';
import { makeClip } from '../api/recordings';
import { explain } from '../app/errors';
import { pathTo } from '../app/router';
import { t } from '../strings';
import { Button, ButtonLink } from '../ui/controls';

export function ClipButton({ roomId }: { roomId: string }) {
  const [id, setId] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>(null);
  const clip = () => {
    setBusy(true);
    setProblem(null);
    makeClip(roomId)
      .then((made) => setId(made.id), setProblem)
      .finally(() => setBusy(false));
  };
  return (
    <>
      <Button look="outline" small disabled={busy} onClick={clip} data-testid="clip">
        {t.recordings.clip}
      </Button>
      {id && (
        <ButtonLink look="outline" small href={pathTo('recordings', id)} data-testid="clip-link">
          {t.recordings.watchClip}
        </ButtonLink>
      )}
      {problem !== null && (
        <span role="alert" className="small">
          {explain(problem)}
        </span>
      )}
    </>
  );
}
