import { useEffect, useRef, type VideoHTMLAttributes } from 'react';

interface Props extends VideoHTMLAttributes<HTMLVideoElement> {
  track: MediaStreamTrack | null;
  testId?: string;
}

/** Shows one video track, always without sound. A new track takes over in the same element. */
export function TrackVideo({ track, testId, ...rest }: Props) {
  const ref = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    const video = ref.current;
    if (!video) return;
    video.muted = true;
    video.srcObject = track ? new MediaStream([track]) : null;
    if (track) void video.play().catch(() => {});
  }, [track]);
  return <video ref={ref} data-testid={testId} autoPlay playsInline muted {...rest} />;
}
