/**
 * The receiving half of a session: consumes every producer that is wanted over one transport, and tells
 * which track belongs to which producer.
 */
import type { Consumer, Device, Transport } from 'mediasoup-client/types';
import { RequestError } from '../signaling/errors';
import type { SignalingClient } from '../signaling/client';
import type { ProducerInfo, TransportOut } from '../signaling/types';
import { IceWatch } from './iceWatch';

/** Somebody who enters a large room may be told to slow down. */
const BUSY_RETRY_MS = 700;

export interface RecvSideOptions {
  signaling: SignalingClient;
  onTrack: (producer: ProducerInfo, track: MediaStreamTrack) => void;
  onTrackGone: (producerId: string) => void;
  onRebuild: (why: string) => void;
  onConnected: () => void;
  onError: (error: unknown) => void;
}

export class RecvSide {
  private transport: Transport | null = null;
  private watch: IceWatch | null = null;
  private device: Device | null = null;
  private wanted = new Map<string, ProducerInfo>();
  /** By producer id; null while it is being made. */
  private readonly consumers = new Map<string, Consumer | null>();

  constructor(private readonly opts: RecvSideOptions) {}

  open(device: Device, params: TransportOut, iceServers?: RTCIceServer[]): void {
    this.close();
    this.device = device;
    const { signaling } = this.opts;
    const transport = device.createRecvTransport({
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
        .request('connectConsumerTransport', { transportId: transport.id, dtlsParameters })
        .then(done, fail);
    });
    transport.on('connectionstatechange', (state) => watch.update(state));
    this.transport = transport;
    this.watch = watch;
    this.settle();
  }

  close(): void {
    this.watch?.close();
    this.transport?.close();
    this.watch = null;
    this.transport = null;
    this.consumers.clear();
  }

  /** All producers that there are. Consumers of others are closed here; the server has closed its own. */
  want(producers: ProducerInfo[]): void {
    this.wanted = new Map(producers.map((p) => [p.producerId, p]));
    this.settle();
  }

  /** The server closed a consumer by itself. */
  consumerClosed(consumerId: string): void {
    for (const [producerId, consumer] of this.consumers) {
      if (consumer?.id !== consumerId) continue;
      consumer.close();
      this.consumers.delete(producerId);
      this.opts.onTrackGone(producerId);
    }
  }

  /** Asks for a fresh picture, for example when none has come for a while. */
  requestKeyFrames(): void {
    for (const consumer of this.consumers.values()) {
      if (consumer?.kind !== 'video') continue;
      this.opts.signaling
        .request('requestConsumerKeyFrame', { consumerId: consumer.id })
        .catch(() => {});
    }
  }

  async getStats(): Promise<RTCStatsReport | null> {
    return this.transport && !this.transport.closed ? this.transport.getStats() : null;
  }

  private settle(): void {
    const { transport } = this;
    if (!transport || transport.closed) return;
    for (const [producerId, consumer] of this.consumers) {
      if (this.wanted.has(producerId) || !consumer) continue;
      consumer.close();
      this.consumers.delete(producerId);
      this.opts.onTrackGone(producerId);
    }
    for (const producer of this.wanted.values()) {
      if (!this.consumers.has(producer.producerId)) void this.consume(transport, producer);
    }
  }

  private async consume(transport: Transport, producer: ProducerInfo): Promise<void> {
    const { producerId } = producer;
    const { signaling } = this.opts;
    this.consumers.set(producerId, null);
    let consumer: Consumer | undefined;
    try {
      const offer = await signaling.request('consume', {
        producerId,
        transportId: transport.id,
        rtpCapabilities: this.device!.recvRtpCapabilities,
        paused: true,
      });
      if (transport !== this.transport) return;
      consumer = await transport.consume({
        id: offer.id,
        producerId,
        kind: offer.kind,
        rtpParameters: offer.rtpParameters,
        /* Same stream for a peer's camera and microphone: the browser keeps the lips in step. */
        streamId: `${producer.peerId}:${producer.appData?.source === 'screen' ? 'screen' : 'main'}`,
      });
      if (transport !== this.transport) return;
      this.consumers.set(producerId, consumer);
      this.opts.onTrack(producer, consumer.track);
      await signaling.request('resumeConsumer', { consumerId: consumer.id });
      if (!this.wanted.has(producerId)) this.settle();
    } catch (e) {
      if (transport !== this.transport) return;
      consumer?.close();
      this.consumers.delete(producerId);
      this.opts.onTrackGone(producerId);
      const code = e instanceof RequestError ? e.code : null;
      if (code === 404) return; /* the producer went away in the meantime */
      if (code === 429 || code === 503) setTimeout(() => this.settle(), BUSY_RETRY_MS);
      else this.opts.onError(e);
    }
  }
}
