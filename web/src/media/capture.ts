/** Cameras, microphones and screens: lists, tracks, and what went wrong in words a page can show. */

export type CaptureProblem =
  | 'insecure' /* the page is not on https or localhost */
  | 'denied'
  | 'deniedBySystem'
  | 'noDevice'
  | 'inUse'
  | 'constraints' /* the chosen device is gone or cannot do it */
  | 'cancelled' /* the person closed the screen chooser */
  | 'unsupported'
  | 'unknown';

export class CaptureError extends Error {
  constructor(
    readonly problem: CaptureProblem,
    readonly device: 'camera' | 'mic' | 'screen',
    cause?: unknown,
  ) {
    super(`${device}: ${problem}`, { cause });
    this.name = 'CaptureError';
  }
}

/** Names of getUserMedia's and getDisplayMedia's failures, by W3C Media Capture 10.2 and Screen Capture 5.1. */
export function captureProblem(error: unknown, device: 'camera' | 'mic' | 'screen'): CaptureProblem {
  const { name = '', message = '' } = (error ?? {}) as { name?: string; message?: string };
  switch (name) {
    case 'NotAllowedError':
    case 'SecurityError':
      if (/system/i.test(message)) return 'deniedBySystem';
      return device === 'screen' ? 'cancelled' : 'denied';
    case 'NotFoundError':
      return 'noDevice';
    case 'NotReadableError':
    case 'AbortError':
      return 'inUse';
    case 'OverconstrainedError':
      return 'constraints';
    case 'NotSupportedError':
    case 'TypeError':
      return 'unsupported';
    default:
      return 'unknown';
  }
}

export type Quality = '360p' | '720p' | '1080p';

/** Size asked of the camera, and the video bitrate that suits it, bit/s. */
export const QUALITIES: Record<Quality, { width: number; height: number; maxBitrate: number }> = {
  '360p': { width: 640, height: 360, maxBitrate: 800_000 },
  '720p': { width: 1280, height: 720, maxBitrate: 2_500_000 },
  '1080p': { width: 1920, height: 1080, maxBitrate: 4_500_000 },
};

const FRAME_RATE = 30;

function mediaDevices(device: 'camera' | 'mic' | 'screen'): MediaDevices {
  /* Browsers hide the whole interface from pages that are not secure. */
  if (!navigator.mediaDevices) throw new CaptureError('insecure', device);
  return navigator.mediaDevices;
}

async function firstTrack(
  device: 'camera' | 'mic' | 'screen',
  get: (md: MediaDevices) => Promise<MediaStream>,
): Promise<MediaStream> {
  const md = mediaDevices(device);
  try {
    return await get(md);
  } catch (e) {
    throw new CaptureError(captureProblem(e, device), device, e);
  }
}

export async function openCamera(deviceId: string | null, quality: Quality): Promise<MediaStreamTrack> {
  const { width, height } = QUALITIES[quality];
  const stream = await firstTrack('camera', (md) =>
    md.getUserMedia({
      video: {
        width: { ideal: width },
        height: { ideal: height },
        frameRate: { ideal: FRAME_RATE },
        ...(deviceId ? { deviceId: { exact: deviceId } } : {}),
      },
    }),
  );
  const track = stream.getVideoTracks()[0]!;
  track.contentHint = 'motion';
  return track;
}

export async function openMic(deviceId: string | null): Promise<MediaStreamTrack> {
  const stream = await firstTrack('mic', (md) =>
    md.getUserMedia({
      audio: {
        echoCancellation: true,
        noiseSuppression: true,
        autoGainControl: true,
        ...(deviceId ? { deviceId: { exact: deviceId } } : {}),
      },
    }),
  );
  return stream.getAudioTracks()[0]!;
}

export interface Opened {
  camera: MediaStreamTrack | null;
  mic: MediaStreamTrack | null;
  /** What went wrong first, where something did. */
  problem: CaptureError | null;
}

/**
 * Camera and microphone in one go, so that browsers ask once. Where one of them is missing or busy, the
 * other is opened alone; a remembered device that is gone gives way to the default one.
 */
export async function openBoth(
  cameraId: string | null,
  micId: string | null,
  quality: Quality,
): Promise<Opened> {
  const opened: Opened = { camera: null, mic: null, problem: null };
  const { width, height } = QUALITIES[quality];
  try {
    const stream = await mediaDevices('camera').getUserMedia({
      video: {
        width: { ideal: width },
        height: { ideal: height },
        frameRate: { ideal: FRAME_RATE },
        ...(cameraId ? { deviceId: { ideal: cameraId } } : {}),
      },
      audio: {
        echoCancellation: true,
        noiseSuppression: true,
        autoGainControl: true,
        ...(micId ? { deviceId: { ideal: micId } } : {}),
      },
    });
    opened.camera = stream.getVideoTracks()[0] ?? null;
    opened.mic = stream.getAudioTracks()[0] ?? null;
    if (opened.camera) opened.camera.contentHint = 'motion';
    return opened;
  } catch (e) {
    const problem = e instanceof CaptureError ? e.problem : captureProblem(e, 'camera');
    if (problem === 'denied' || problem === 'insecure') {
      opened.problem = new CaptureError(problem, 'camera', e);
      return opened;
    }
  }
  const keep = (e: unknown) => {
    if (e instanceof CaptureError) opened.problem ??= e;
    return null;
  };
  opened.camera = await openCamera(null, quality).catch(keep);
  opened.mic = await openMic(null).catch(keep);
  return opened;
}

export function canShareScreen(): boolean {
  return typeof navigator.mediaDevices?.getDisplayMedia === 'function';
}

export async function openScreen(): Promise<MediaStreamTrack> {
  if (navigator.mediaDevices && !canShareScreen()) throw new CaptureError('unsupported', 'screen');
  const stream = await firstTrack('screen', (md) =>
    md.getDisplayMedia({ video: { frameRate: { ideal: FRAME_RATE } }, audio: false }),
  );
  const track = stream.getVideoTracks()[0]!;
  track.contentHint = 'detail';
  return track;
}

export interface DeviceChoice {
  deviceId: string;
  label: string;
}

export interface DeviceLists {
  cameras: DeviceChoice[];
  mics: DeviceChoice[];
}

/** Labels are empty until permission is given; such devices get a number instead. */
export async function listDevices(): Promise<DeviceLists> {
  const all = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  const pick = (kind: MediaDeviceKind, name: string) =>
    all
      .filter((d) => d.kind === kind && d.deviceId !== '')
      .map((d, i) => ({ deviceId: d.deviceId, label: d.label || `${name} ${i + 1}` }));
  return { cameras: pick('videoinput', 'Camera'), mics: pick('audioinput', 'Microphone') };
}
