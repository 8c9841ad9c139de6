/** Before joining: which room, which name, and how one looks. */
import { useEffect, type FormEvent } from 'react';
import { explain } from '../app/errors';
import { isRoomId, newRoomId, toRoomId } from '../app/ids';
import { TrackVideo } from '../media/TrackVideo';
import type { Capture } from '../media/useCapture';
import { useLevel } from '../media/useLevel';
import { t } from '../strings';
import { Banner, Button, Meter, TextField } from '../ui/controls';

interface Props {
  roomId: string;
  name: string;
  capture: Capture;
  error: unknown;
  onRoomId: (roomId: string) => void;
  onName: (name: string) => void;
  onJoin: () => void;
}

export function JoinForm({ roomId, name, capture, error, onRoomId, onName, onJoin }: Props) {
  const level = useLevel(capture.mic);
  const submit = (e: FormEvent) => {
    e.preventDefault();
    onJoin();
  };
  useEffect(() => {
    void capture.start();
    // Once, with the form.
  }, []);
  return (
    <div className="join">
      <div className="stack">
        <div className="join-preview">
          <TrackVideo track={capture.camera} aria-label={t.room.you} className="join-mirror" />
          {!capture.camera && (
            <p>{capture.busy ? t.room.cameraStarting : t.room.cameraIsOff}</p>
          )}
        </div>
        <Meter level={level} label={t.studio.level} />
        {capture.problem && (
          <Banner
            tone="warn"
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
      </div>
      <form className="card stack" onSubmit={submit}>
        <div className="stack-tight">
          <h1>{t.room.title}</h1>
          <p className="soft">{t.room.lead}</p>
        </div>
        {error !== null && <Banner tone="bad">{explain(error)}</Banner>}
        <TextField
          label={t.room.id}
          hint={t.room.idHint}
          value={roomId}
          onChange={(e) => onRoomId(toRoomId(e.target.value))}
          maxLength={64}
          autoCapitalize="none"
          spellCheck={false}
          required
          data-testid="room-id"
          action={
            <Button icon="refresh" label={t.room.newId} onClick={() => onRoomId(newRoomId())} />
          }
        />
        <TextField
          label={t.room.name}
          placeholder={t.room.namePlaceholder}
          value={name}
          maxLength={40}
          autoComplete="nickname"
          onChange={(e) => onName(e.target.value)}
          data-testid="display-name"
        />
        <Button
          look="primary"
          icon="people"
          type="submit"
          data-testid="join"
          disabled={!isRoomId(roomId)}
        >
          {t.room.join}
        </Button>
      </form>
    </div>
  );
}
