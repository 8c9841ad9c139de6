// A line between the test card and the service: loses and delays packets, and lets the sound's clock run wrong, as a sound card
// does that counts its samples too fast while the computer's clock, which sender reports tell, is right.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const HOST = '127.0.0.1';
const SENDER_REPORT = 200;

async function bound() {
    const s = createSocket({ type: 'udp4', recvBufferSize: 1 << 20 });
    s.bind(0, HOST);
    await once(s, 'listening');
    return s;
}

/** The same numbers in every run. */
function numbers(seed) {
    let x = seed;
    return () => {
        x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
        return x / 2 ** 32;
    };
}

const isRtcp = (packet) => packet[1] >= 192 && packet[1] <= 223; // RFC 5761 4

/** Of 32 bits that wrap: the signed way from a to b. */
const way = (a, b) => (b - a) | 0;

/** One kind's RTP and sender reports towards the service, which has a port for each. */
class Way {
    constructor(front, targets, { rate, ppm, loss, jitterMs, random }) {
        Object.assign(this, { front, targets, ppm, loss, jitterMs, random, rate, begin: null, last: 0, run: 0, free: 0, lost: 0, passed: 0 });
        this.back = createSocket('udp4');
        front.on('message', (packet) => this.#take(packet));
    }

    /** What a clock that is ppm fast counts, where a right one counts ts. */
    #drift(ts) {
        if (this.begin === null) this.begin = this.last = ts;
        this.run += way(this.last, ts);
        this.last = ts;
        return (this.begin + this.run + Math.round(this.run * this.ppm / 1e6)) >>> 0;
    }

    /** By the sender's first report: ms since 1900 at which its first packet was sampled. */
    #compare(packet, report) {
        if (!isRtcp(packet)) this.firstTs ??= packet.readUInt32BE(4);
        if (!report || this.firstTs === undefined || this.sampledMs !== undefined) return;
        const ms = (packet.readUInt32BE(8) + packet.readUInt32BE(12) / 2 ** 32) * 1000;
        this.sampledMs = ms - (way(this.firstTs, packet.readUInt32BE(16)) * 1000) / this.rate;
    }

    #take(packet) {
        const report = packet[1] === SENDER_REPORT;
        const at = report ? 16 : 4;
        this.#compare(packet, report);
        if (this.ppm !== 0 && (report || !isRtcp(packet))) packet.writeUInt32BE(this.#drift(packet.readUInt32BE(at)), at);
        if (!report && this.random() < this.loss) {
            this.lost++;
            return;
        }
        this.passed++;
        // In order, as one queue does it.
        const now = performance.now();
        this.free = Math.max(this.free, now + this.random() * this.jitterMs);
        const send = () => { if (!this.closed) this.back.send(packet, this.targets()[report ? 1 : 0], HOST); };
        if (this.free - now < 1) send();
        else setTimeout(send, this.free - now);
    }

    close() {
        this.closed = true;
        this.front.close();
        this.back.close();
    }
}

export class DriftingLine {
    /**
     * Puts a program into `dir` that stands for ffmpeg: the test card is sent through the line, on a black ground; everything
     * else is ffmpeg as it is. ppm: of the sound's clock.
     */
    static async start(dir, { ppm, loss, jitterMs, seed = 1 }) {
        const line = new DriftingLine();
        const random = numbers(seed);
        const fronts = await Promise.all([bound(), bound()]);
        line.program = join(dir, 'ffmpeg-over-a-line');
        writeFileSync(line.program, `#!/bin/bash
ports=(${fronts.map((f) => f.address().port).join(' ')})
n=0
args=()
for a in "$@"; do
    if [[ $a =~ ^rtp://127\\.0\\.0\\.1:([0-9]+)\\?rtcpport=([0-9]+)(.*) ]]; then
        echo "\${BASH_REMATCH[1]} \${BASH_REMATCH[2]}" > ${dir}/target$n
        a="rtp://127.0.0.1:\${ports[n]}?rtcpport=\${ports[n]}\${BASH_REMATCH[3]}"
        n=$((n + 1))
    elif [[ $a == gradients=* || $a == testsrc2=* ]]; then
        a="color=c=black:s=640x360:r=25"
    fi
    args+=("$a")
done
exec ffmpeg "\${args[@]}"
`, { mode: 0o755 });
        line.ways = fronts.map((front, i) => {
            let ports;
            const targets = () => (ports ??= readFileSync(join(dir, `target${i}`), 'utf8').split(' ').map(Number));
            return new Way(front, targets, { rate: i === 1 ? 48000 : 90000, ppm: i === 1 ? ppm : 0, loss, jitterMs, random });
        });
        return line;
    }

    get lost() { return this.ways.map((w) => w.lost / (w.lost + w.passed)); }

    /** ms by which the sender's own reports have the sound late: the two start counting when each is ready. */
    get claimed() { return this.ways[1].sampledMs - this.ways[0].sampledMs; }

    close() { for (const w of this.ways) w.close(); }
}
