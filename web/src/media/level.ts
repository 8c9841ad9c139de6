/** How loud a track is, for meters. */

/** Turns samples (-1..1) into 0..1 on a decibel scale from -60 dB to 0 dB. */
export function levelOf(samples: Float32Array): number {
  let sum = 0;
  for (const s of samples) sum += s * s;
  const rms = Math.sqrt(sum / Math.max(1, samples.length));
  if (rms === 0) return 0;
  return Math.min(1, Math.max(0, (20 * Math.log10(rms) + 60) / 60));
}

let context: AudioContext | undefined;

/** Calls back about 15 times a second until the returned function is called. */
export function watchLevel(track: MediaStreamTrack, onLevel: (level: number) => void): () => void {
  context ??= new AudioContext();
  void context.resume().catch(() => {});
  const source = context.createMediaStreamSource(new MediaStream([track]));
  const analyser = context.createAnalyser();
  analyser.fftSize = 1024;
  source.connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    onLevel(track.enabled && track.readyState === 'live' ? levelOf(samples) : 0);
  }, 66);
  return () => {
    clearInterval(timer);
    source.disconnect();
  };
}
