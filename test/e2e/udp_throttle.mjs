// A slow line for a test: a UDP relay to one server port whose way back to the client takes each packet as long as a line of
// that rate would, behind a queue of bounded length; what does not fit is dropped, as a router does. The way to the server is
// free.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';

const HOST = '127.0.0.1';
const TICK_MS = 2;

async function bound(port) {
    const s = createSocket({ type: 'udp4', recvBufferSize: 1 << 20 });
    s.bind(port, HOST);
    await once(s, 'listening');
    return s;
}

export class Throttle {
    /** Of the server's port; `queueMs` is how long a packet may wait. */
    static async start(serverPort, { queueMs = 200 } = {}) {
        const t = new Throttle();
        Object.assign(t, { serverPort, queueMs, bps: Infinity, queue: [], queued: 0, free: 0, dropped: 0, passed: 0, clients: new Map() });
        t.front = await bound(0);
        t.port = t.front.address().port;
        t.front.on('message', (packet, from) => t.#up(packet, from));
        t.timer = setInterval(() => t.#drain(), TICK_MS);
        return t;
    }

    /** Bits a second towards the client; Infinity takes the limit away. */
    limit(bps) { this.bps = bps; }

    async #up(packet, from) {
        const key = `${from.address}:${from.port}`;
        if (!this.clients.has(key)) {
            this.clients.set(key, bound(0).then((s) => s.on('message', (p) => this.#down(p, from))));
        }
        const back = await this.clients.get(key);
        if (!this.closed) back.send(packet, this.serverPort, HOST);
    }

    #down(packet, to) {
        if (this.closed) return;
        if (this.queued > (this.bps / 8000) * this.queueMs) {
            this.dropped++;
            return;
        }
        this.queue.push([packet, to, performance.now()]);
        this.queued += packet.length;
        this.#drain();
    }

    /** Sends what is through by now: the next packet began when the one before was, or when it came. */
    #drain() {
        const now = performance.now();
        while (this.queue.length) {
            const [packet, to, came] = this.queue[0];
            const through = Math.max(this.free, came) + (packet.length * 8000) / this.bps;
            if (through > now && this.bps !== Infinity) return;
            this.free = through;
            this.queue.shift();
            this.queued -= packet.length;
            this.passed++;
            this.front.send(packet, to.port, to.address);
        }
    }

    async close() {
        this.closed = true;
        clearInterval(this.timer);
        this.front.close();
        for (const s of this.clients.values()) (await s).close();
    }
}
