// A client with data channels, simulcast video and audio, for spread.test.mjs.
import { Client as DataClient } from './data_page.js';

/** A picture that changes all the time, in 1280x720. */
function canvasTrack() {
    const canvas = document.createElement('canvas');
    canvas.width = 1280;
    canvas.height = 720;
    const g = canvas.getContext('2d');
    let n = 0;
    setInterval(() => {
        g.fillStyle = `hsl(${n * 7 % 360} 80% 50%)`;
        g.fillRect(0, 0, 1280, 720);
        g.fillStyle = '#fff';
        g.fillRect(n * 13 % 1280, n * 7 % 720, 200, 200);
        n++;
    }, 40);
    return canvas.captureStream(25).getVideoTracks()[0];
}

export class Client extends DataClient {
    async transport(kind, create) {
        const t = await super.transport(kind, create);
        t.on('produce', ({ kind: media, rtpParameters, appData }, done, fail) => {
            this.signaling.request('produce', { transportId: t.id, kind: media, rtpParameters, appData }).then(done, fail);
        });
        return t;
    }

    event(method, data) {
        super.event(method, data);
        if (method === 'roomProducersChanged') data.added.forEach((p) => this.watch(p));
        else if (method === 'consumerLayersChanged') this.layers = data.layers;
        else if (method === 'consumerScore') this.score = data.score;
        else if (method === 'consumerClosed') this.gone = data.consumerId;
    }

    /** VP8 in three sizes. */
    async show() {
        const encodings = [4, 2, 1].map((by) => ({ scaleResolutionDownBy: by, maxBitrate: 1_200_000 / by, scalabilityMode: 'L1T2' }));
        this.video = await this.send.produce({ track: canvasTrack(), encodings });
        return this.video.id;
    }

    async watch({ producerId, kind }) {
        if (kind !== 'video' || this.watched?.producerId === producerId) return;
        const { rtpCapabilities } = this.device;
        const answer = await this.signaling.request('consume', { transportId: this.receive.id, producerId, rtpCapabilities });
        this.watched = await this.receive.consume(answer);
        const v = document.createElement('video');
        v.muted = true;
        v.srcObject = new MediaStream([this.watched.track]);
        document.body.append(v);
        v.play();
        await this.signaling.request('resumeConsumer', { consumerId: this.watched.id });
    }

    /** Frames decoded so far, and the width of the newest. */
    async seen() {
        for (const s of (await this.watched?.getStats() ?? new Map()).values()) {
            if (s.type === 'inbound-rtp') return { frames: s.framesDecoded ?? 0, width: s.frameWidth ?? 0, score: this.score, layers: this.layers };
        }
        return { frames: 0, width: 0 };
    }

    prefer(spatialLayer) { return this.signaling.request('setConsumerPreferredLayers', { consumerId: this.watched.id, spatialLayer }); }

    request(method, data) { return this.signaling.request(method, data); }
}
