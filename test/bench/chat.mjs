// Chat fanned out to sockets: what it costs the controller, how late messages come, and what memory it takes, also when a tenth of the
// readers does not read. Readers count frames; one looks at times. BENCH_SECONDS: of a round.
import { appendFileSync, mkdirSync, readFileSync } from 'node:fs';
import { once } from 'node:events';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Service, until } from '../e2e/service.mjs';
import { cpu, pinThread, pinThreads, twoCores } from './cores.mjs';

const SECONDS = Number(process.env.BENCH_SECONDS ?? 5);
const cores = twoCores();
const TICK_MS = 5;

function figure(what, name, value) {
    mkdirSync('build', { recursive: true });
    appendFileSync('build/bench.json', `${JSON.stringify({ bench: 'chat', what, figure: name, value })}\n`);
}

/** A client's frame, masked with zeroes. */
function frame(object) {
    const text = Buffer.from(JSON.stringify(object));
    const head = text.length < 126 ? Buffer.from([0x81, 0x80 | text.length]) : Buffer.from([0x81, 0x80 | 126, text.length >> 8, text.length & 255]);
    return Buffer.concat([head, Buffer.alloc(4), text]);
}

/** A WebSocket that counts the frames that come; onText sees their text if it is given. */
class Reader {
    static async open(port, roomId, onText) {
        const r = new Reader();
        r.frames = 0;
        r.need = 0; // bytes of the frame that is coming
        r.rest = Buffer.alloc(0);
        r.onText = onText;
        r.socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
        r.ended = false;
        r.socket.on('close', () => { r.ended = true; });
        r.socket.on('error', () => { r.ended = true; });
        await once(r.socket, 'connect');
        r.socket.write('GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n' +
            'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: protoo\r\n\r\n');
        await once(r.socket, 'data');
        r.socket.on('data', (d) => r.take(d));
        r.socket.write(frame({ request: true, id: 1, method: 'joinRoom', data: { roomId, role: 'viewer', displayName: 'reader' } }));
        await until('joined', 10000, () => r.frames >= 3, 1); // the answer, who it is, the history
        return r;
    }

    take(data) {
        let at = 0;
        if (this.rest.length > 0) {
            data = Buffer.concat([this.rest, data]);
            this.rest = Buffer.alloc(0);
        }
        while (at < data.length) {
            if (this.need > 0) {
                const n = Math.min(this.need, data.length - at);
                this.need -= n;
                at += n;
                continue;
            }
            let n = data.length - at < 2 ? -1 : data[at + 1] & 127;
            let head = 2;
            if (n === 126) { head = 4; n = data.length - at < 4 ? -1 : data.readUInt16BE(at + 2); }
            else if (n === 127) { head = 10; n = data.length - at < 10 ? -1 : Number(data.readBigUInt64BE(at + 2)); }
            if (n < 0 || (this.onText && data.length - at < head + n)) {
                this.rest = data.subarray(at);
                return;
            }
            this.frames++;
            if (this.onText) this.onText(data.toString('utf8', at + head, at + head + n));
            at += head;
            this.need = n;
        }
    }

    close() { this.socket.destroy(); }
}

const rss = (pid) => Number(readFileSync(`/proc/${pid}/status`, 'utf8').match(/VmRSS:\s+(\d+)/)[1]) / 1024;
const percentile = (values, p) => values.sort((a, b) => a - b)[Math.floor((values.length - 1) * p)] ?? NaN;

async function measure(service, what, { readers, perSecond, lazy = 0, length = 48, seconds: round = SECONDS }) {
    const roomId = `bench-${readers}-${perSecond}-${lazy}`;
    const delays = [];
    const sockets = [];
    const look = (text) => {
        const sent = text.match(/"message":"(\d{13}) /);
        if (sent && text.includes('"chatMessage"')) delays.push(Date.now() - Number(sent[1]));
    };
    for (let i = 0; i < readers; i++) sockets.push(await Reader.open(service.port, roomId, i === 0 ? look : null));
    const writers = [];
    for (let i = 0; i < 4; i++) writers.push(await Reader.open(service.port, roomId, null));
    for (let i = 1; i <= lazy; i++) sockets[readers - i].socket.pause();
    const active = sockets.slice(0, readers - lazy);
    if (cores) pinThreads(service.child.pid, cores.others);
    if (cores) pinThread(service.child.pid, cores.server);
    const before = { frames: active.reduce((n, r) => n + r.frames, 0), cpu: cpu(service.child.pid), at: performance.now(), rss: rss(service.child.pid) };
    let most = before.rss;
    let sent = 0;
    const filler = ` ${'a message of the usual length, with some words, '.repeat(20).slice(0, length)}`;
    while (performance.now() - before.at < round * 1000) {
        const due = Math.floor((performance.now() - before.at) / 1000 * perSecond);
        const batches = [[], [], [], []];
        const now = Date.now();
        for (; sent < due; sent++) batches[sent % 4].push(frame({ request: true, id: sent % 0xFFFFFFF, method: 'sendChat', data: { message: `${now} ${sent}${filler}` } }));
        batches.forEach((list, i) => { if (list.length > 0) writers[i].socket.write(Buffer.concat(list)); });
        await sleep(TICK_MS);
        most = Math.max(most, rss(service.child.pid));
    }
    const expected = before.frames + sent * active.length;
    await until('all have come', 60000, () => active.reduce((n, r) => n + r.frames, 0) >= expected, 5);
    const seconds = (performance.now() - before.at) / 1000;
    const cpuUs = cpu(service.child.pid) - before.cpu;
    most = Math.max(most, rss(service.child.pid));
    const deliveries = sent * active.length;
    const result = {
        deliveries: Math.round(deliveries / seconds),
        messages: Math.round(sent / seconds),
        cpu: cpuUs / 1e6 / seconds * 100,
        ns: cpuUs / deliveries * 1000,
        p50: percentile(delays, 0.5),
        p99: percentile(delays, 0.99),
        before: before.rss,
        most,
        gone: 0,
    };
    if (lazy > 0) {
        const text = await (await fetch(`${service.url}/metrics`)).text();
        result.gone = readers + writers.length - Number(text.match(/^weir_signaling_connections (\d+)/m)[1]);
    }
    for (const r of [...sockets, ...writers]) r.close();
    console.log(`${what.padEnd(46)} ${String(result.messages).padStart(6)} msg/s ${String(result.deliveries).padStart(8)} deliveries/s ` +
        `${result.cpu.toFixed(0).padStart(4)} % CPU ${result.ns.toFixed(0).padStart(6)} ns each  delay ${result.p50}/${result.p99} ms p50/p99  ` +
        `${result.before.toFixed(0)} → ${result.most.toFixed(0)} MiB${lazy > 0 ? `  ${result.gone} of ${lazy} that do not read closed` : ''}`);
    for (const [name, value] of Object.entries(result)) figure(what, name, value);
    await until('all have left', 10000, async () => /^weir_signaling_connections 0$/m.test(await (await fetch(`${service.url}/metrics`)).text()));
}

const service = await Service.start({
    WEIR_HLS_ENABLED: '0',
    WEIR_RTC_WORKERS: '1',
    WEIR_LOG_LEVEL: 'error',
    WEIR_LIMITS_REQUESTS_PER_SECOND: '100000',
    WEIR_LIMITS_REQUESTS_BURST: '100000',
    WEIR_LIMITS_CHAT_PER_MINUTE: '1000000',
    WEIR_LIMITS_CHAT_BURST: '1000000',
    WEIR_LIMITS_CONNECTIONS_PER_IP: '100000',
    WEIR_LIMITS_PEERS_PER_ROOM: '100000',
    WEIR_LIMITS_SEND_QUEUE_BYTES: '1M',
    ...(process.env.BENCH_REDIS_URL ? { WEIR_REDIS_URL: process.env.BENCH_REDIS_URL } : {}),
});
try {
    await measure(service, '100 messages/s to 100 sockets', { readers: 100, perSecond: 100 });
    await measure(service, '10 messages/s to 1,000 sockets', { readers: 1000, perSecond: 10 });
    await measure(service, '100 messages/s to 1,000 sockets', { readers: 1000, perSecond: 100 });
    await measure(service, '10,000 messages/s to 10 sockets', { readers: 10, perSecond: 10000 });
    await measure(service, '3,000 long ones/s to 40, 10 of them not reading', { readers: 40, perSecond: 3000, lazy: 10, length: 450, seconds: 3 * SECONDS });
} finally {
    await service.stop();
}
