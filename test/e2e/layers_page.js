// A client that sends one video with layers or receives it, for simulcast.test.mjs and svc.test.mjs: mediasoup-client over
// Weir's signaling.
import { Device } from 'mediasoup-client';
import { Signaling } from './page_signaling.js';

/** A picture that no codec gets small: grain that jumps about over colours that move. The fake camera's plain field takes
 * a third of what a camera does, and all sizes about the same. */
function grain({ width, height, frameRate }) {
    const canvas = Object.assign(document.createElement('canvas'), { width, height });
    const g = canvas.getContext('2d');
    const tile = new OffscreenCanvas(width, height);
    const noise = new ImageData(width, height);
    let x = 1;
    for (let i = 0; i < noise.data.length; i += 4) {
        x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
        noise.data.fill(x >>> 24, i, i + 3);
        noise.data[i + 3] = 60;
    }
    tile.getContext('2d').putImageData(noise, 0, 0);
    let n = 0;
    setInterval(() => {
        n++;
        g.fillStyle = `hsl(${(n * 3) % 360} 60% 50%)`;
        g.fillRect(0, 0, width, height);
        const [dx, dy] = [(n * 131) % width, (n * 71) % height];
        for (const left of [dx - width, dx]) for (const top of [dy - height, dy]) g.drawImage(tile, left, top);
        g.fillStyle = 'white';
        g.fillRect((n * 8) % width, height / 4, width / 8, height / 4);
    }, 1000 / frameRate);
    return canvas.captureStream(frameRate).getVideoTracks()[0];
}

export class Client {
    static async join(url, roomId, peerId) {
        const c = new Client();
        c.layers = []; // [spatial, temporal] or null, as consumerLayersChanged tells
        c.scores = []; // of the own producer, by encoding
        c.signaling = new Signaling(url);
        await c.signaling.opened;
        c.signaling.listeners.push((method, data) => c.event(method, data));
        c.joined = await c.signaling.request('joinRoom', { roomId, peerId });
        c.device = new Device();
        await c.device.load({ routerRtpCapabilities: c.joined.rtpCapabilities });
        return c;
    }

    event(method, data) {
        if (method === 'consumerLayersChanged') {
            this.layers.push(data.layers ? [data.layers.spatialLayer, data.layers.temporalLayer] : null);
        } else if (method === 'producerScore') {
            this.scores = data.score.map((s) => s.score);
        }
    }

    /** `portOf` gives the port to reach the server's UDP port by; without it all candidates stay as they are. */
    async transport(kind, create, portOf) {
        const options = await this.signaling.request(`create${kind}Transport`);
        if (portOf) {
            options.iceCandidates = options.iceCandidates.filter((c) => c.protocol === 'udp');
            for (const c of options.iceCandidates) c.port = await portOf(c.port);
        }
        const t = this.device[create](options);
        t.on('connect', ({ dtlsParameters }, done, fail) => {
            this.signaling.request(`connect${kind}Transport`, { transportId: t.id, dtlsParameters }).then(done, fail);
        });
        t.on('produce', ({ kind: of, rtpParameters }, done, fail) => {
            this.signaling.request('produce', { transportId: t.id, kind: of, rtpParameters }).then(done, fail);
        });
        return t;
    }

    /** Sends moving grain of the size and rate in `video`. */
    async publish({ mimeType, encodings, video }) {
        const codec = this.device.sendRtpCapabilities.codecs.find((c) => c.mimeType.toLowerCase() === mimeType.toLowerCase());
        if (!codec) throw new Error(`this browser does not send ${mimeType}`);
        const transport = await this.transport('Producer', 'createSendTransport');
        this.producer = await transport.produce({
            track: grain(video), encodings, codec, codecOptions: { videoGoogleStartBitrate: 3000 },
        });
        // A machine with much to do sends fewer frames rather than smaller ones: sizes stay what the test expects.
        const sender = this.producer.rtpSender;
        await sender.setParameters({ ...sender.getParameters(), degradationPreference: 'maintain-resolution' });
        this.pauses();
    }

    /** Notes the longest time in which this browser, for want of processor time, encoded nothing: no viewer can do better. */
    pauses() {
        this.longest = 0;
        let [frames, since] = [0, performance.now()];
        setInterval(async () => {
            const now = (await this.sent()).reduce((sum, s) => sum + (s.frames ?? 0), 0);
            this.longest = Math.max(this.longest, performance.now() - since);
            if (now !== frames) [frames, since] = [now, performance.now()];
        }, 100);
        this.sinceShown = () => performance.now() - since;
    }

    /** What is sent, from low to high: width and frames of each stream. */
    async sent() {
        const stats = [...(await this.producer.getStats()).values()].filter((s) => s.type === 'outbound-rtp');
        return stats.map((s) => ({
            rid: s.rid, width: s.frameWidth, frames: s.framesEncoded, mode: s.scalabilityMode, reason: s.qualityLimitationReason,
        })).sort((a, b) => (a.width ?? 0) - (b.width ?? 0));
    }

    async watch(portOf) {
        const transport = await this.transport('Consumer', 'createRecvTransport', portOf);
        const { producerId } = this.joined.producers.find((p) => p.kind === 'video');
        const answer = await this.signaling.request('consume', {
            producerId, transportId: transport.id, rtpCapabilities: this.device.recvRtpCapabilities, paused: true,
        });
        this.type = answer.type;
        this.consumer = await transport.consume(answer);
        this.video = document.createElement('video');
        Object.assign(this.video, { muted: true, autoplay: true, srcObject: new MediaStream([this.consumer.track]) });
        document.body.append(this.video);
        this.gaps();
        await this.signaling.request('resumeConsumer', { consumerId: answer.id });
    }

    /** Notes the longest time between two pictures that were shown, since it was last asked for. */
    gaps() {
        this.longest = 0;
        let before = performance.now();
        const shown = (now) => {
            this.longest = Math.max(this.longest, now - before);
            before = now;
            this.video.requestVideoFrameCallback(shown);
        };
        this.video.requestVideoFrameCallback(shown);
        this.sinceShown = () => performance.now() - before;
    }

    /** Of pauses or gaps, ms; and begins anew. */
    takeLongestGap() {
        const gap = Math.max(this.longest, this.sinceShown());
        this.longest = 0;
        return gap;
    }

    prefer(spatialLayer, temporalLayer) {
        return this.signaling.request('setConsumerPreferredLayers', { consumerId: this.consumer.id, spatialLayer, temporalLayer });
    }

    async received() {
        const stats = [...(await this.consumer.getStats()).values()];
        const s = stats.find((one) => one.type === 'inbound-rtp') ?? {};
        return {
            width: s.frameWidth ?? 0, frames: s.framesDecoded ?? 0, received: s.framesReceived ?? 0, keys: s.keyFramesDecoded ?? 0, bytes: s.bytesReceived ?? 0,
            lost: s.packetsLost ?? 0, freezes: s.freezeCount ?? 0, frozen: s.totalFreezesDuration ?? 0, plis: s.pliCount ?? 0,
            nacks: s.nackCount ?? 0, dropped: s.framesDropped ?? 0, fps: s.framesPerSecond ?? 0, layer: this.layers.at(-1) ?? null,
        };
    }
}
