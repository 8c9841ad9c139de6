/** Which tracks a viewer sees and hears, and how they get into the <video> without a gap. */
import type { ProducerInfo } from '../signaling/types';

export interface Chosen {
  video: MediaStreamTrack | null;
  audio: MediaStreamTrack[];
}

/** The newest picture (a screen before a camera), and all sound. */
export function pickTracks(
  producers: ProducerInfo[],
  tracks: ReadonlyMap<string, MediaStreamTrack>,
): Chosen {
  const pictures = producers.filter((p) => p.kind === 'video' && tracks.has(p.producerId));
  const playing = pictures.filter((p) => !p.paused);
  const best =
    playing.findLast((p) => p.appData?.source === 'screen') ?? playing.at(-1) ?? pictures.at(-1);
  return {
    video: best ? tracks.get(best.producerId)! : null,
    audio: producers
      .filter((p) => p.kind === 'audio' && tracks.has(p.producerId))
      .map((p) => tracks.get(p.producerId)!),
  };
}

/**
 * Swaps tracks inside the stream that the element plays. A kind that has no track now keeps its old one:
 * the last picture stays up while the session reconnects.
 */
export function showTracks(video: HTMLVideoElement, chosen: Chosen): void {
  const stream = video.srcObject instanceof MediaStream ? video.srcObject : new MediaStream();
  let changed = false;
  const swap = (old: MediaStreamTrack[], next: MediaStreamTrack[]) => {
    if (next.length === 0) return;
    for (const track of next) {
      if (old.includes(track)) continue;
      stream.addTrack(track);
      changed = true;
    }
    for (const track of old) {
      if (next.includes(track)) continue;
      stream.removeTrack(track);
      changed = true;
    }
  };
  swap(stream.getVideoTracks(), chosen.video ? [chosen.video] : []);
  swap(stream.getAudioTracks(), chosen.audio);
  if (!changed) return;
  if (video.srcObject !== stream) video.srcObject = stream;
  void video.play().catch(() => {});
}
