/** /room asks which room; /room/:roomId asks for a name and joins it. */
import { useEffect, useRef, useState } from 'react';
import { isRoomId, newRoomId, toRoomId } from '../app/ids';
import { navigate, pathTo, useQuery } from '../app/router';
import { recall, remember } from '../app/storage';
import { useCapture } from '../media/useCapture';
import { t } from '../strings';
import { useTitle } from '../ui/useTitle';
import { JoinForm } from './JoinForm';
import { Stage } from './Stage';
import './room.css';
import { useRoom } from './useRoom';

export default function RoomPage({ roomId: asked }: { roomId: string | null }) {
  const query = useQuery();
  const [roomId, setRoomId] = useState(() => toRoomId(asked ?? '') || newRoomId());
  const [name, setName] = useState(() => query.get('name') ?? recall('name') ?? '');
  const [muted, setMuted] = useState(false);
  const capture = useCapture();
  const room = useRoom(capture, muted);
  const { snapshot } = room;
  const inside = snapshot !== null && snapshot.phase !== 'failed';
  useTitle(inside ? roomId : t.app.room);

  const join = () => {
    if (!isRoomId(roomId)) return;
    remember('name', name.trim());
    navigate(pathTo('room', roomId) + window.location.search, 'replace');
    room.join(roomId, name.trim() || t.room.guest);
  };

  /* A deep link joins by itself, when the devices are there or known not to come. */
  const autostart = useRef(query.get('autostart') === '1');
  const asking = useRef(false);
  useEffect(() => {
    if (capture.busy) asking.current = true;
    const settled = asking.current && !capture.busy;
    if (!autostart.current || !settled) return;
    autostart.current = false;
    join();
  });

  if (!inside)
    return (
      <JoinForm
        roomId={roomId}
        name={name}
        capture={capture}
        error={snapshot?.error ?? null}
        onRoomId={setRoomId}
        onName={setName}
        onJoin={join}
      />
    );
  return (
    <Stage
      snapshot={snapshot}
      capture={capture}
      name={name.trim()}
      muted={muted}
      onMute={setMuted}
      onLeave={() => {
        room.leave();
        capture.stopScreen();
        navigate(pathTo('room', roomId), 'replace');
      }}
    />
  );
}
