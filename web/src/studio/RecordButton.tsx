/** Starts and stops the recording of the stream on the air; afterwards leads to it. */
import { useState } from 'react';
import { startRecording, stopRecording } from '../api/recordings';
import { explain } from '../app/errors';
import { pathTo } from '../app/router';
import { keepSecret } from '../recordings/secrets';
import { useRecording } from '../recordings/useRecording';
import { t } from '../strings';
import { Button, ButtonLink } from '../ui/controls';

interface Props {
  roomId: string;
  /** What shows that this browser is the broadcaster. */
  secret: () => string | null;
  onAir: boolean;
}

export function RecordButton({ roomId, secret, onAir }: Props) {
  const [id, setId] = useState<string | null>(null);
  const [stopped, setStopped] = useState(false);
  const [problem, setProblem] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const { recording } = useRecording(id, id ? secret() : null);
  const status = recording?.status ?? (id ? 'recording' : null);
  const running = status === 'recording' && !stopped && onAir;

  const attempt = async (what: (key: string) => Promise<void>) => {
    const key = secret();
    if (!key) return;
    setBusy(true);
    setProblem(null);
    await what(key).catch(setProblem);
    setBusy(false);
  };
  const start = () =>
    attempt(async (key) => {
      const started = await startRecording(roomId, key);
      keepSecret(started.id, key);
      setStopped(false);
      setId(started.id);
    });
  const stop = () =>
    attempt(async (key) => {
      await stopRecording(roomId, key);
      setStopped(true);
    });

  return (
    <>
      {onAir && (
        <Button
          icon={running ? 'stop' : 'live'}
          look={running ? 'off' : 'plain'}
          aria-pressed={running}
          disabled={busy}
          data-testid="record"
          onClick={() => void (running ? stop() : start())}
        >
          {running ? t.recordings.stop : t.recordings.start}
        </Button>
      )}
      {id && !running && (
        <ButtonLink look="outline" small href={pathTo('recordings', id)} data-testid="recording-link">
          {status === 'ready' ? t.recordings.watch : t.recordings.status.processing}
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
