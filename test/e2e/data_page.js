// A client with nothing but data channels, for data.test.mjs: mediasoup-client over Weir's signaling.
import { Device } from 'mediasoup-client';
import { Signaling } from './page_signaling.js';

/** Repeatable bytes, and their sum: what was sent is what must come. */
function pattern(n, salt) {
    const bytes = new Uint8Array(n);
    let x = salt + 1;
    for (let i = 0; i < n; i++) {
        x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
        bytes[i] = x >>> 24;
    }
    return bytes;
}

function sum(bytes) {
    let s = 1;
    for (const b of bytes) s = (Math.imul(s, 31) + b) >>> 0;
    return s;
}

export class Client {
    static async join(url, roomId, peerId) {
        const c = new this();
        c.got = [];
        c.closed = [];
        c.producers = new Map();
        c.consumers = new Map();
        c.signaling = new Signaling(url);
        await c.signaling.opened;
        c.joined = await c.signaling.request('joinRoom', { roomId, peerId });
        c.device = new Device();
        await c.device.load({ routerRtpCapabilities: c.joined.rtpCapabilities });
        c.send = await c.transport('Producer', 'createSendTransport');
        c.receive = await c.transport('Consumer', 'createRecvTransport');
        c.signaling.listeners.push((method, data) => c.event(method, data));
        for (const p of c.joined.dataProducers) await c.consume(p);
        for (const p of c.joined.producers) await c.watch?.(p);
        return c;
    }

    async transport(kind, create) {
        const sctpCapabilities = this.device.sctpCapabilities ?? {}; // newer clients leave it to the server
        const t = this.device[create](await this.signaling.request(`create${kind}Transport`, { sctpCapabilities }));
        t.on('connect', ({ dtlsParameters }, done, fail) => {
            this.signaling.request(`connect${kind}Transport`, { transportId: t.id, dtlsParameters }).then(done, fail);
        });
        t.on('producedata', ({ sctpStreamParameters, label, protocol, appData }, done, fail) => {
            this.signaling.request('produceData', { transportId: t.id, sctpStreamParameters, label, protocol, appData }).then(done, fail);
        });
        return t;
    }

    event(method, data) {
        if (method === 'roomDataProducersChanged') {
            data.added.forEach((p) => this.consume(p));
            data.removed.forEach((p) => this.closed.push(p.dataProducerId));
        } else if (method === 'dataConsumerClosed') {
            this.consumers.get(data.dataConsumerId)?.close();
            this.consumers.delete(data.dataConsumerId);
        }
    }

    /** Options as DataProducerOptions of mediasoup-client. */
    async produce(options) {
        const p = await this.send.produceData({ protocol: 'test', ...options });
        if (p.readyState !== 'open') await new Promise((done) => p.on('open', done));
        this.producers.set(options.label, p);
        return p.id;
    }

    async consume({ dataProducerId, peerId, appData }) {
        const c = await this.receive.consumeData(await this.signaling.request('consumeData', { dataProducerId }));
        this.consumers.set(c.id, c);
        c.on('message', (m) => {
            const bytes = typeof m === 'string' ? null : new Uint8Array(m);
            this.got.push({
                from: peerId, label: c.label, appData, at: performance.now(), binary: bytes !== null,
                ...(bytes ? { n: bytes.length, sum: sum(bytes) } : { text: m }),
            });
        });
    }

    say(label, text) { this.producers.get(label).send(text); }

    /** Returns the sum that must arrive. */
    push(label, n, salt) {
        const bytes = pattern(n, salt);
        this.producers.get(label).send(bytes);
        return sum(bytes);
    }

    async end(label) {
        const p = this.producers.get(label);
        p.close();
        await this.signaling.request('closeDataProducer', { dataProducerId: p.id });
    }

    open() { return [...this.consumers.values()].filter((c) => c.readyState === 'open').length; }
}
