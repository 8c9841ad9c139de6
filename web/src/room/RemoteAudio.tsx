import { useEffect, useRef } from 'react';

interface Props {
  tracks: MediaStreamTrack[];
  /** Changes when the person allowed sound by a tap. */
  unlocked: number;
  onBlocked: () => void;
}

/** Plays everybody's sound, invisibly. */
export function RemoteAudio({ tracks, unlocked, onBlocked }: Props) {
  return tracks.map((track) => (
    <OneAudio key={track.id} track={track} unlocked={unlocked} onBlocked={onBlocked} />
  ));
}

function OneAudio({ track, unlocked, onBlocked }: Omit<Props, 'tracks'> & { track: MediaStreamTrack }) {
  const ref = useRef<HTMLAudioElement>(null);
  const blocked = useRef(onBlocked);
  blocked.current = onBlocked;
  useEffect(() => {
    const audio = ref.current;
    if (!audio) return;
    if (!(audio.srcObject instanceof MediaStream) || audio.srcObject.getTracks()[0] !== track)
      audio.srcObject = new MediaStream([track]);
    audio.play().catch((e: Error) => {
      if (e.name === 'NotAllowedError') blocked.current();
    });
  }, [track, unlocked]);
  return <audio ref={ref} autoPlay data-testid="remote-audio" />;
}
