/**
 * The sending half of a session: which tracks are wanted, and the transport and producers that carry them
 * now. The wish outlives transports, so a rebuild produces the same tracks again.
 */
import type {
  Device,
  Producer,
  ProducerOptions,
  RtpCodecCapability,
  RtpEncodingParameters,
  Transport,
} from 'mediasoup-client/types';
import { RequestError } from '../signaling/errors';
import type { SignalingClient } from '../signaling/client';
import type { TransportOut } from '../signaling/types';
import { IceWatch } from './iceWatch';
import { bitrates, encodings, type Content } from './layers';

export type Slot = 'mic' | 'camera' | 'screen';
export type VideoCodec = 'auto' | 'h264' | 'vp8' | 'vp9' | 'av1';

export interface Source {
  track: MediaStreamTrack;
  /** Nothing is sent, and the others are told. */
  paused: boolean;
  /** Silence or black is sent instead, and goes on flowing: what a broadcast needs. */
  muted?: boolean;
  /** Video only: of the largest size, bit/s. */
  maxBitrate?: number;
  /** Video only; a camera's unless it says otherwise. */
  content?: Content;
}

export interface SendSideOptions {
  signaling: SignalingClient;
  /** H.264 first spares the server a transcoder for HLS. */
  codec: VideoCodec;
  /** Pictures go in several sizes, see layers.ts; else in one, which spares the encoder. */
  layers: boolean;
  onRebuild: (why: string) => void;
  onConnected: () => void;
  onError: (error: unknown) => void;
}

const AUDIO_BITRATE = 96_000; /* bit/s; good for music too */
/** Where the browser's estimate begins; it ramps from there. Several sizes need more to begin together. */
const START_KBPS = 1200;
const START_SIZES_KBPS = 2000;

export class SendSide {
  readonly sources = new Map<Slot, Source>();
  private readonly producers = new Map<Slot, Producer>();
  private readonly work = new Map<Slot, Promise<void>>();
  private transport: Transport | null = null;
  private watch: IceWatch | null = null;
  private device: Device | null = null;

  constructor(private readonly opts: SendSideOptions) {}

  /** Replaces the transport and produces everything that is wanted. */
  async open(device: Device, params: TransportOut, iceServers?: RTCIceServer[]): Promise<void> {
    this.close();
    this.device = device;
    const { signaling } = this.opts;
    const transport = device.createSendTransport({
      ...params,
      ...(iceServers ? { iceServers } : {}),
    });
    const watch = new IceWatch({
      restart: async () => {
        const { iceParameters } = await signaling.request('restartIce', {
          transportId: transport.id,
        });
        await transport.restartIce({ iceParameters });
      },
      rebuild: this.opts.onRebuild,
      onConnected: this.opts.onConnected,
    });
    transport.on('connect', ({ dtlsParameters }, done, fail) => {
      signaling
        .request('connectProducerTransport', { transportId: transport.id, dtlsParameters })
        .then(done, fail);
    });
    transport.on('produce', ({ kind, rtpParameters, appData }, done, fail) => {
      signaling
        .request('produce', {
          transportId: transport.id,
          kind,
          rtpParameters,
          paused: appData.paused === true,
          appData: { source: appData.source },
        })
        .then(done, fail);
    });
    transport.on('connectionstatechange', (state) => watch.update(state));
    this.transport = transport;
    this.watch = watch;
    await Promise.all([...this.sources.keys()].map((slot) => this.sync(slot)));
  }

  /** Closes the transport; the wishes stay. */
  close(): void {
    this.watch?.close();
    this.transport?.close();
    this.watch = null;
    this.transport = null;
    this.producers.clear();
    this.work.clear() /* what still waits for the old transport must not hold the new one up */;
  }

  set(slot: Slot, source: Source | null): Promise<void> {
    if (source) this.sources.set(slot, source);
    else this.sources.delete(slot);
    return this.sync(slot).catch(this.opts.onError);
  }

  /** Changes `paused`, `muted` or `maxBitrate` of what is sent already. */
  change(slot: Slot, change: Partial<Omit<Source, 'track'>>): Promise<void> {
    const source = this.sources.get(slot);
    return source ? this.set(slot, { ...source, ...change }) : Promise.resolve();
  }

  async getStats(): Promise<RTCStatsReport | null> {
    return this.transport && !this.transport.closed ? this.transport.getStats() : null;
  }

  /** One at a time per slot: makes what is carried equal to what is wanted. */
  private sync(slot: Slot): Promise<void> {
    const before = this.work.get(slot) ?? Promise.resolve();
    const next = before.catch(() => {}).then(() => this.settle(slot));
    this.work.set(slot, next);
    return next;
  }

  private async settle(slot: Slot): Promise<void> {
    const { transport } = this;
    if (!transport || transport.closed) return;
    const source = this.sources.get(slot);
    const producer = this.producers.get(slot);
    if (!source) {
      if (!producer) return;
      this.producers.delete(slot);
      producer.close();
      await this.tell('closeProducer', producer.id);
      return;
    }
    if (!producer) {
      await this.produce(transport, slot, source);
      return;
    }
    source.track.enabled = !source.paused && !source.muted;
    if (producer.track !== source.track) await producer.replaceTrack({ track: source.track });
    if (source.maxBitrate) await limit(producer, source.maxBitrate);
    if (producer.paused !== source.paused) {
      if (source.paused) producer.pause();
      else producer.resume();
      await this.tell(source.paused ? 'pauseProducer' : 'resumeProducer', producer.id);
    }
  }

  private async produce(transport: Transport, slot: Slot, source: Source): Promise<void> {
    const codec = slot === 'mic' ? undefined : this.pickCodec();
    const layers = slot === 'mic' ? undefined : this.encodings(source, codec);
    source.track.enabled = !source.paused && !source.muted;
    const producer = await produceInLayers(transport, {
      track: source.track,
      stopTracks: false /* the page owns the track; a rebuild sends it again */,
      disableTrackOnPause: false /* `enabled` is set here alone */,
      zeroRtpOnPause: false,
      streamId: slot === 'screen' ? 'screen' : 'main',
      ...(slot === 'mic'
        ? {
            codecOptions: {
              opusStereo: true,
              opusFec: true,
              /* Silence must keep flowing: HLS segments wait for audio that stops. */
              opusDtx: false,
              opusMaxAverageBitrate: AUDIO_BITRATE,
            },
          }
        : {
            ...(layers ? { encodings: layers } : {}),
            codecOptions: {
              videoGoogleStartBitrate: (layers?.length ?? 1) > 1 ? START_SIZES_KBPS : START_KBPS,
            },
          }),
      ...(codec ? { codec } : {}),
      appData: { source: slot, paused: source.paused },
    });
    if (transport !== this.transport) {
      producer.close();
      return;
    }
    if (source.paused) producer.pause();
    this.producers.set(slot, producer);
  }

  private pickCodec(): RtpCodecCapability | undefined {
    const wish = this.opts.codec === 'auto' ? 'h264' : this.opts.codec;
    return this.device?.sendRtpCapabilities.codecs?.find(
      (c) => c.mimeType.toLowerCase() === `video/${wish}`,
    );
  }

  private encodings(source: Source, codec?: RtpCodecCapability): RtpEncodingParameters[] | undefined {
    const { maxBitrate, content = 'camera' } = source;
    if (!maxBitrate || !this.opts.layers) return maxBitrate ? [{ maxBitrate }] : undefined;
    const { width = 1280, height = 720 } = source.track.getSettings();
    const sent =
      codec ?? this.device?.sendRtpCapabilities.codecs?.find((c) => c.kind === 'video');
    const name = sent?.mimeType.replace(/^.*\//, '').toLowerCase() ?? 'vp8';
    return encodings({ codec: name, content, width, height, maxBitrate });
  }

  private async tell(
    method: 'closeProducer' | 'pauseProducer' | 'resumeProducer',
    producerId: string,
  ): Promise<void> {
    try {
      await this.opts.signaling.request(method, { producerId });
    } catch (e) {
      /* 404: the server forgot the producer first, which is what the rebuild is for. */
      if (!(e instanceof RequestError && e.code === 404)) throw e;
    }
  }
}

/** A browser that knows no layers of this codec sends one size; what the server refuses stays refused. */
async function produceInLayers(transport: Transport, options: ProducerOptions): Promise<Producer> {
  const layers = options.encodings;
  try {
    return await transport.produce(options);
  } catch (e) {
    const plain = !layers?.some((x) => x.scalabilityMode || x.scaleResolutionDownBy);
    if (e instanceof RequestError || transport.closed || plain) throw e;
    return transport.produce({ ...options, encodings: [{ maxBitrate: layers!.at(-1)!.maxBitrate! }] });
  }
}

/** Shares out a new maximum over what is sent already. */
async function limit(producer: Producer, maxBitrate: number): Promise<void> {
  const sender = producer.rtpSender;
  if (!sender) return;
  const parameters = sender.getParameters();
  const list = parameters.encodings;
  if (!list.length || list.at(-1)!.maxBitrate === maxBitrate) return;
  const shares = bitrates(list.length, maxBitrate);
  list.forEach((encoding, i) => (encoding.maxBitrate = shares[i]!));
  await sender.setParameters(parameters);
}
