// What HLS costs: CPU of ffmpeg, of the controller and of the workers for each mode, as percent of a core. The real service, with
// broadcasters that send recorded RTP by WebRTC (hls_sender.c), several at once; what the service takes without them is subtracted,
// what they take themselves is not counted. Nobody watches. An argument chooses modes by what their names have; BENCH_SECONDS: of a
// measurement.
import { execFile, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Service, freePorts, until } from '../e2e/service.mjs';
import { Signal } from '../e2e/signal.mjs';

const run = promisify(execFile);
const SECONDS = Number(process.env.BENCH_SECONDS ?? 20);
const IDLE_S = Math.min(SECONDS, 10);
const WARM_S = 8; // the service after its start, and streams after theirs
const sender = resolve(import.meta.dirname, '../../build/release/test/bench/hls_sender');
const folder = mkdtempSync(join(tmpdir(), 'weir-hls-cost-'));

// ---- recordings ----

// As browsers send: no B-pictures, Opus; a key frame a second, which is what the service would ask for.
const H264 = ['-c:v', 'libx264', '-profile:v', 'baseline', '-preset', 'veryfast', '-tune', 'zerolatency', '-sc_threshold', '0'];
const VP8 = ['-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used', '16'];
const RECORDINGS = {
    h264: { codec: H264, size: '1280x720', fps: 30, kbps: 2500 },
    vp8: { codec: VP8, size: '1280x720', fps: 30, kbps: 2500 },
    small: { codec: VP8, size: '640x360', fps: 25, kbps: 500 },
};

/** Packets that arrive at a port, each behind its length. */
function record(port) {
    const packets = [];
    const socket = createSocket('udp4');
    socket.on('message', (m) => {
        // ffmpeg sends RTCP to the same port.
        if (m[1] >= 200 && m[1] <= 207) return;
        const length = Buffer.alloc(2);
        length.writeUInt16BE(m.length);
        packets.push(length, m);
    });
    return new Promise((done) => {
        socket.bind(port, '127.0.0.1', () => {
            socket.setRecvBufferSize(4 << 20);
            done(() => { socket.close(); return Buffer.concat(packets); });
        });
    });
}

async function makeRecording(name, { codec, size, fps, kbps }) {
    const file = join(folder, `${name}.mkv`);
    await run('ffmpeg', ['-v', 'error', '-y', '-f', 'lavfi', '-i', `testsrc2=s=${size}:r=${fps}:d=10,noise=alls=12:allf=t`, '-f', 'lavfi',
        '-i', 'anoisesrc=r=48000:color=pink:amplitude=0.3:d=10', '-pix_fmt', 'yuv420p', ...codec, '-g', fps, '-b:v', `${kbps}k`,
        '-maxrate', `${kbps}k`, '-bufsize', `${kbps / 2}k`, '-c:a', 'libopus', '-b:a', '64k', '-ac', '2', file], { timeout: 600000 });
    const port = await freePorts(4);
    const [video, audio] = await Promise.all([record(port), record(port + 2)]);
    const to = (p) => `rtp://127.0.0.1:${p}?rtcpport=${p}&pkt_size=1180`;
    // Parameter sets in band, as browsers send them.
    const filter = codec === H264 ? 'h264_mp4toannexb' : 'null';
    await run('ffmpeg', ['-v', 'error', '-re', '-i', file, '-map', '0:v', '-c', 'copy', '-bsf:v', filter, '-f', 'rtp', to(port), '-map', '0:a',
        '-c', 'copy', '-f', 'rtp', to(port + 2)], { timeout: 120000 });
    await sleep(200);
    for (const [kind, stop] of Object.entries({ video, audio })) writeFileSync(join(folder, `${name}-${kind}.rtp`), stop());
}

// ---- broadcasters ----

const CODECS = {
    h264: { mimeType: 'video/H264', payloadType: 102, parameters: { 'packetization-mode': 1, 'profile-level-id': '42e01f', 'level-asymmetry-allowed': 1 } },
    vp8: { mimeType: 'video/VP8', payloadType: 96, parameters: {} },
};
const TWCC = { uri: 'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01', id: 5 };
const feedback = [{ type: 'transport-cc' }, { type: 'nack' }, { type: 'nack', parameter: 'pli' }, { type: 'ccm', parameter: 'fir' }];

const OFF = { stream: false, peers: false, composite: false };

class Broadcaster {
    static ssrc = 1000;

    static async join(service, recording, roomId, role) {
        const b = new Broadcaster();
        const ssrc = (Broadcaster.ssrc += 2);
        const codec = CODECS[recording] ?? CODECS.vp8;
        b.child = spawn(sender, [join(folder, `${recording}-video.rtp`), codec.payloadType, join(folder, `${recording}-audio.rtp`), 111, ssrc]);
        b.child.stderr.pipe(process.stderr);
        const lines = createInterface({ input: b.child.stdout })[Symbol.asyncIterator]();
        const value = (await lines.next()).value;
        b.signal = await Signal.open(service.url);
        await b.signal.ask('createRoom', { roomId, hls: OFF });
        await b.signal.request('joinRoom', { roomId, role, displayName: 'A name' });
        const t = await b.signal.request('createProducerTransport', {});
        const print = t.dtlsParameters.fingerprints.find((f) => f.algorithm === 'sha-256').value;
        const { port } = t.iceCandidates.find((c) => c.protocol === 'udp');
        await b.signal.request('connectProducerTransport', { transportId: t.id,
            dtlsParameters: { role: 'client', fingerprints: [{ algorithm: 'sha-256', value }] } });
        b.child.stdin.write(`${port} ${t.iceParameters.usernameFragment} ${t.iceParameters.password} ${print}\n`);
        if ((await lines.next()).value !== 'connected') throw new Error('a broadcaster did not connect');
        await b.produce(t.id, 'video', { ...codec, clockRate: 90000, rtcpFeedback: feedback }, ssrc);
        await b.produce(t.id, 'audio', { mimeType: 'audio/opus', payloadType: 111, clockRate: 48000, channels: 2,
            parameters: { useinbandfec: 1 }, rtcpFeedback: [{ type: 'transport-cc' }] }, ssrc + 1);
        return b;
    }

    produce(transportId, kind, codec, ssrc) {
        return this.signal.request('produce', { transportId, kind, appData: { source: kind === 'video' ? 'camera' : 'microphone' },
            rtpParameters: { mid: kind === 'video' ? '0' : '1', codecs: [codec], headerExtensions: [TWCC], encodings: [{ ssrc }], rtcp: { cname: 'bench' } } });
    }

    leave() {
        this.child.stdin.end();
        this.signal.close();
    }
}

// ---- measuring ----

const sum = (f) => f.ffmpeg + f.controller + f.workers;

/** CPU seconds that the processes' threads have used. */
function cpu(pids) {
    let ns = 0;
    for (const pid of pids) {
        for (const task of readdirSync(`/proc/${pid}/task`)) {
            try {
                ns += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'latin1').split(' ')[0]);
            } catch { /* a thread that ended */ }
        }
    }
    return ns / 1e9;
}

/** Percent of a core, by who. */
async function shares(service, seconds) {
    const pids = { ffmpeg: service.children('pipe:0'), controller: [service.child.pid], workers: service.children('weir-worker') };
    const before = Object.values(pids).map(cpu);
    const started = performance.now();
    await sleep(seconds * 1000);
    const passed = (performance.now() - started) / 1000;
    const used = Object.values(pids).map((p, i) => (cpu(p) - before[i]) / passed * 100);
    return Object.fromEntries(Object.keys(pids).map((k, i) => [k, used[i]]));
}

async function restarts(service) {
    const text = await (await fetch(`${service.url}/metrics`)).text();
    return [...text.matchAll(/^weir_hls_restarts_total\{reason="(\w+)"\} (\d+)/gm)].filter((m) => m[2] !== '0').map((m) => `${m[1]} ${m[2]}`).join(', ');
}

async function measure(mode) {
    const service = await Service.start({ WEIR_DEMO: '0', WEIR_HLS_WINDOW: '600s', ...mode.env });
    const all = [];
    try {
        await sleep(WARM_S * 1000);
        const idle = await shares(service, IDLE_S);
        for (let i = 0; i < mode.streams; i++) {
            for (let k = 0; k < (mode.peers ?? 1); k++)
                all.push(await Broadcaster.join(service, mode.recording, `room${i}`, mode.peers ? 'participant' : 'broadcaster'));
        }
        await sleep(WARM_S * 1000);
        const without = await shares(service, IDLE_S);
        for (let i = 0; i < mode.streams; i++) await all[i * (mode.peers ?? 1)].signal.request('setRoomHls', mode.hls ?? { stream: true });
        const list = (i) => fetch(`${service.url}/live/room${i}/${mode.peers ? 'composite' : 'index'}.m3u8`);
        for (let i = 0; i < mode.streams; i++) await until(`stream ${i}`, 60000, async () => (await list(i)).ok);
        await sleep(WARM_S * 1000);
        const before = await restarts(service);
        const used = await shares(service, SECONDS);
        const after = await restarts(service);
        if (after !== before) throw new Error(`it restarted: ${before} before, ${after} after`);
        const each = (now) => Object.fromEntries(Object.keys(now).map((k) => [k, Math.max(0, now[k] - idle[k]) / mode.streams]));
        return { ...each(used), without: sum(each(without)) };
    } catch (e) {
        throw new Error(`${mode.name}: ${e.message}\n${service.log.slice(-4000)}`);
    } finally {
        for (const b of all) b.leave();
        await service.stop();
    }
}

const MODES = [
    { name: 'passthrough, 720p30, 2.5 Mbit/s', recording: 'h264', streams: 6, env: { WEIR_HLS_MAX_PIPELINES: '6' } },
    { name: '720p30 VP8 to H.264', recording: 'vp8', streams: 2, env: {} },
    { name: 'ladder: passthrough, 480p, 144p', recording: 'h264', streams: 1, env: { WEIR_HLS_LADDER: '720p:2500k,480p:1000k,144p:150k' } },
    { name: 'composite of 8 (640x360, 25/s)', recording: 'small', streams: 1, peers: 8, hls: { composite: true } },
    { name: 'composite of 8, low bandwidth', recording: 'small', streams: 1, peers: 8, hls: { composite: true, lowBandwidth: true } },
    { name: 'one stream, low bandwidth', recording: 'vp8', streams: 2, hls: { stream: true, lowBandwidth: true } },
];

try {
    const wanted = process.argv.slice(2);
    const modes = MODES.filter((m) => wanted.length === 0 || wanted.some((w) => m.name.startsWith(w)));
    await Promise.all([...new Set(modes.map((m) => m.recording))].map((r) => makeRecording(r, RECORDINGS[r])));
    mkdirSync('build', { recursive: true });
    console.log('| mode | streams at once | ffmpeg, % of a core each | controller | workers | all | of it without HLS |\n|---|--:|--:|--:|--:|--:|--:|');
    for (const mode of modes) {
        const f = await measure(mode);
        const figures = [f.ffmpeg, f.controller, f.workers, sum(f), f.without].map((x) => x.toFixed(2));
        console.log(`| ${mode.name} | ${mode.streams} | ${figures.join(' | ')} |`);
        appendFileSync('build/bench.json', `${JSON.stringify({ bench: 'hls_cost', what: mode.name, figure: 'percent_of_a_core', value: sum(f) })}\n`);
    }
} finally {
    rmSync(folder, { recursive: true, force: true });
}
