/** mediasoup-client, loaded when the first page needs it, and one Device for equal capabilities. */
import type { Device, RtpCapabilities } from 'mediasoup-client/types';

let library: Promise<typeof import('mediasoup-client')> | undefined;

/** Starts the download early, so that it runs beside the WebSocket's handshake. */
export function preloadDevice(): void {
  library ??= import('mediasoup-client');
  library.catch(() => (library = undefined));
}

export class UnsupportedBrowser extends Error {
  constructor(cause: unknown) {
    super('this browser has no usable WebRTC', { cause });
    this.name = 'UnsupportedBrowser';
  }
}

let cached: { key: string; device: Device } | undefined;

/** A Device loaded with the router's capabilities. Probing the browser costs tens of ms: once is enough. */
export async function loadDevice(routerRtpCapabilities: RtpCapabilities): Promise<Device> {
  const key = JSON.stringify(routerRtpCapabilities);
  if (cached?.key === key) return cached.device;
  preloadDevice();
  const { Device } = await library!;
  let device: Device;
  try {
    device = await Device.factory();
  } catch (e) {
    throw new UnsupportedBrowser(e);
  }
  await device.load({ routerRtpCapabilities });
  cached = { key, device };
  return device;
}
