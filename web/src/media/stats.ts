/** Readings of RTCStatsReport, made into the few numbers that pages show. Pure. */

type Report = Pick<ReadonlyMap<string, Record<string, unknown>>, 'values'>;

export interface SendReading {
  at: number;
  bytes: number;
  packets: number;
  lost: number;
  /** bit/s since the reading before; null on the first. */
  bitrate: number | null;
  fps: number | null;
  width: number | null;
  height: number | null;
  rttMs: number | null;
  /** 0..1 since the reading before. */
  loss: number | null;
  codec: string | null;
  /** What holds the encoder back: none, cpu, bandwidth, other. */
  limitation: string | null;
  /** Since when it is that one, as `at`. */
  limitedSince: number;
}

function num(v: unknown): number | null {
  return typeof v === 'number' && Number.isFinite(v) ? v : null;
}

/** Of a stream that is held back for now it is 0, whatever it was before. */
function sentWidth(s: Record<string, unknown>): number {
  return num(s.framesPerSecond) ? (num(s.frameWidth) ?? 0) : 0;
}

export function readSend(
  report: Report,
  now: number,
  before: SendReading | null,
): SendReading {
  let bytes = 0;
  let packets = 0;
  let lost = 0;
  let fps: number | null = null;
  let width: number | null = null;
  let height: number | null = null;
  let largest: Record<string, unknown> | null = null; /* of several sizes that are sent */
  let rtt: number | null = null;
  let limitation: string | null = null;
  let codecId: unknown;
  const codecs = new Map<unknown, string>();
  for (const s of report.values()) {
    switch (s.type) {
      case 'outbound-rtp':
        bytes += num(s.bytesSent) ?? 0;
        packets += num(s.packetsSent) ?? 0;
        if (s.kind !== 'video') break;
        codecId = s.codecId ?? codecId;
        if (!largest || sentWidth(s) >= sentWidth(largest)) largest = s;
        break;
      case 'remote-inbound-rtp':
        lost += num(s.packetsLost) ?? 0;
        break;
      case 'candidate-pair':
        if (s.nominated === true) rtt = num(s.currentRoundTripTime) ?? rtt;
        break;
      case 'codec':
        if (typeof s.mimeType === 'string') codecs.set(s.id, s.mimeType.replace(/^.*\//, ''));
        break;
    }
  }
  if (largest) {
    fps = num(largest.framesPerSecond);
    width = num(largest.frameWidth);
    height = num(largest.frameHeight);
    const reason = largest.qualityLimitationReason;
    if (typeof reason === 'string') limitation = reason;
  }
  /* Counters start again with a new transport. */
  const prev = before && before.bytes <= bytes && before.packets <= packets ? before : null;
  const seconds = prev ? (now - prev.at) / 1000 : 0;
  const sent = prev ? packets - prev.packets : 0;
  return {
    at: now,
    bytes,
    packets,
    lost,
    bitrate: prev && seconds > 0 ? ((bytes - prev.bytes) * 8) / seconds : null,
    fps,
    width,
    height,
    rttMs: rtt === null ? null : rtt * 1000,
    loss: prev && sent > 0 ? Math.min(1, Math.max(0, lost - prev.lost) / sent) : null,
    codec: codecs.get(codecId) ?? null,
    limitation,
    limitedSince: before?.limitation === limitation ? before.limitedSince : now,
  };
}

export interface RecvReading {
  framesDecoded: number;
  bytes: number;
  width: number | null;
  height: number | null;
  /** Time between the server's sending and the screen, about: buffer and half a round trip. */
  latencyMs: number | null;
  /** Running sums of the jitter buffer, to take differences of. */
  delay: number;
  emitted: number;
}

export function readRecv(report: Report, before: RecvReading | null): RecvReading {
  const r: RecvReading = {
    framesDecoded: 0,
    bytes: 0,
    width: null,
    height: null,
    latencyMs: null,
    delay: 0,
    emitted: 0,
  };
  let rtt = 0;
  for (const s of report.values()) {
    if (s.type === 'inbound-rtp') {
      r.bytes += num(s.bytesReceived) ?? 0;
      if (s.kind !== 'video') continue;
      r.framesDecoded += num(s.framesDecoded) ?? 0;
      r.width = num(s.frameWidth) ?? r.width;
      r.height = num(s.frameHeight) ?? r.height;
      r.delay += num(s.jitterBufferDelay) ?? 0;
      r.emitted += num(s.jitterBufferEmittedCount) ?? 0;
    } else if (s.type === 'candidate-pair' && s.nominated === true) {
      rtt = num(s.currentRoundTripTime) ?? rtt;
    }
  }
  const from = before && before.emitted < r.emitted ? before : { delay: 0, emitted: 0 };
  const frames = r.emitted - from.emitted;
  if (frames > 0) r.latencyMs = ((r.delay - from.delay) / frames + rtt / 2) * 1000;
  else if (before) r.latencyMs = before.latencyMs;
  return r;
}

/** The inbound-rtp entry of one kind, as plain data; null when there is none. */
export function inboundRtp(
  report: Report | null,
  kind: 'video' | 'audio',
): Record<string, unknown> | null {
  if (!report) return null;
  let best: Record<string, unknown> | null = null;
  for (const s of report.values()) {
    if (s.type !== 'inbound-rtp' || s.kind !== kind) continue;
    /* A probe stream that carries no picture may stand beside the real one. */
    if (!best || (num(s.bytesReceived) ?? 0) > (num(best.bytesReceived) ?? 0)) best = { ...s };
  }
  return best;
}
