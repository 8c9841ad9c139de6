// A bare signaling client for tests: every request gets a promise, and an answer that comes twice, or to nothing, is noted.
import websocket from 'websocket';

const WebSocket = websocket.w3cwebsocket;

export class Signal {
    static async open(url, headers = {}) {
        const s = new Signal();
        s.waiting = new Map();
        s.events = [];
        s.strays = [];
        s.nextId = 1;
        s.ws = new WebSocket(`${url.replace('http', 'ws')}/ws`, 'protoo', undefined, headers);
        s.ws.onmessage = (e) => s.#take(JSON.parse(e.data));
        s.closed = new Promise((done) => { s.ws.onclose = (e) => { s.#end(); done(e.code); }; });
        await new Promise((done, fail) => {
            s.ws.onopen = done;
            s.ws.onerror = () => fail(new Error('the WebSocket was refused'));
        });
        return s;
    }

    #take(m) {
        if (m.notification) {
            this.events.push(m);
            return;
        }
        const call = this.waiting.get(m.id);
        if (!call) this.strays.push(m);
        this.waiting.delete(m.id);
        call?.done(m);
    }

    #end() {
        for (const call of this.waiting.values()) call.done({ ok: false, gone: true });
        this.waiting.clear();
    }

    /** The whole response; {gone: true} when the connection ended first. */
    ask(method, data = {}) {
        const id = this.nextId++;
        const answer = new Promise((done) => this.waiting.set(id, { done }));
        this.ws.send(JSON.stringify({ request: true, id, method, data }));
        return answer;
    }

    /** The data of the response; fails when it is an error. */
    async request(method, data) {
        const m = await this.ask(method, data);
        if (!m.ok) throw new Error(`${method}: ${m.gone ? 'the connection ended' : `${m.errorCode} ${m.errorReason}`}`);
        return m.data;
    }

    count(event) { return this.events.filter((e) => e.method === event).length; }

    close() { this.ws.close(); }

    /** Without a word, as when the machine goes away. */
    drop() { this.ws._client?.abort?.(); this.ws._connection?.drop?.(1006, '', true); }
}

export const fingerprint = { algorithm: 'sha-256', value: Array.from({ length: 32 }, () => 'AB').join(':') };
export const dtlsParameters = { role: 'client', fingerprints: [fingerprint] };

let ssrc = 1000;
export function opus() {
    return {
        mid: String(ssrc),
        codecs: [{ mimeType: 'audio/opus', payloadType: 111, clockRate: 48000, channels: 2, parameters: { useinbandfec: 1 }, rtcpFeedback: [] }],
        headerExtensions: [],
        encodings: [{ ssrc: ++ssrc }],
        rtcp: { cname: 'abc' },
    };
}

/** Values of /metrics, summed over labels, by name. */
export async function metrics(url) {
    const text = await (await fetch(`${url}/metrics`)).text();
    const sums = {};
    for (const [, name, value] of text.matchAll(/^(\w+)(?:\{[^}]*\})? ([-+.\deE]+)$/gm)) sums[name] = (sums[name] ?? 0) + Number(value);
    return sums;
}
