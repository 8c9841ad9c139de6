// Simulcast and SVC of every codec that Chromium sends, through Weir's worker: the viewer's picture follows the layers that
// the application prefers, and goes on over each change.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';

const here = dirname(fileURLToPath(import.meta.url));
process.env.MEDIASOUP_WORKER_BIN = join(here, 'mediasoup-worker');
const mediasoup = createRequire(import.meta.url)('mediasoup');
const LIMIT_MS = 20000;
const WIDTH = 1280;

let browser;
let server;
let url;

before(async () => {
    const { outputFiles } = await build({
        entryPoints: [join(here, 'page.mjs')], bundle: true, write: false, format: 'iife',
    });
    server = createServer((request, response) => {
        const script = request.url === '/page.js';
        response.setHeader('Content-Type', script ? 'text/javascript' : 'text/html');
        response.end(script ? outputFiles[0].text : '<video muted playsinline></video><script src="/page.js"></script>');
    });
    await new Promise((done) => { server.listen(0, '127.0.0.1', done); });
    url = `http://127.0.0.1:${server.address().port}/`;
    browser = await chromium.launch({
        executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
        ignoreDefaultArgs: ['--headless=old', '--mute-audio'],
        args: ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
            '--disable-background-networking', '--disable-component-update', '--disable-sync',
            '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream',
            '--autoplay-policy=no-user-gesture-required'],
    });
});

after(async () => {
    await browser?.close();
    server?.close();
});

const pause = (ms) => new Promise((done) => { setTimeout(done, ms); });

async function until(what, condition, now = () => '') {
    const end = Date.now() + LIMIT_MS;
    while (Date.now() < end) {
        if (await condition()) return;
        await pause(50);
    }
    assert.fail(`${what}: not within ${LIMIT_MS / 1000} s; ${JSON.stringify(await now())}`);
}

async function openPage(router, room) {
    const context = await browser.newContext();
    await context.grantPermissions(['camera', 'microphone']).catch(() => {});
    const page = await context.newPage();
    const transports = new Map();
    const methods = {
        capabilities: () => router.rtpCapabilities,
        async createTransport({ direction }) {
            const t = await router.createWebRtcTransport({
                listenInfos: [{ protocol: 'udp', ip: '127.0.0.1' }], enableSctp: true,
                initialAvailableOutgoingBitrate: 5000000,
            });
            if (direction === 'send') await t.setMaxIncomingBitrate(5000000);
            transports.set(t.id, t);
            return {
                id: t.id, iceParameters: t.iceParameters, iceCandidates: t.iceCandidates,
                dtlsParameters: t.dtlsParameters, sctpParameters: t.sctpParameters,
            };
        },
        connect: ({ id, dtlsParameters }) => transports.get(id).connect({ dtlsParameters }),
        async produce({ id, kind, rtpParameters }) {
            const producer = await transports.get(id).produce({ kind, rtpParameters });
            if (kind === 'video') room.video = producer;
            return { id: producer.id };
        },
        produceData: () => ({ id: 'unused' }),
        async consume({ id, rtpCapabilities }) {
            room.consumer = await transports.get(id).consume({
                producerId: room.video.id, rtpCapabilities, paused: true,
            });
            room.layers = [];
            room.consumer.on('layerschange', (layers) => room.layers.push(layers ?? null));
            const c = room.consumer;
            return {
                consumers: [{ id: c.id, producerId: room.video.id, kind: c.kind, rtpParameters: c.rtpParameters }],
                dataConsumers: [],
            };
        },
        resume: () => room.consumer.resume(),
    };
    await page.exposeFunction('callServer', async (method, args) => (await methods[method](args)) ?? null);
    await page.goto(url);
    return page;
}

const codecs = {
    VP8: { mimeType: 'video/VP8' },
    VP9: { mimeType: 'video/VP9', parameters: { 'profile-id': 0 } },
    H264: {
        mimeType: 'video/H264',
        parameters: { 'packetization-mode': 1, 'profile-level-id': '42e01f', 'level-asymmetry-allowed': 1 },
    },
    AV1: { mimeType: 'video/AV1', parameters: {} },
};

const simulcast = (mode) => [4, 2, 1].map((scaleResolutionDownBy) => (
    { scaleResolutionDownBy, scalabilityMode: mode, maxBitrate: 1500000 / scaleResolutionDownBy }));
const svc = (mode) => [{ scalabilityMode: mode, maxBitrate: 2500000 }];

const cases = [
    ['VP8', 'simulcast L1T3', simulcast('L1T3'), 3],
    ['VP8', 'simulcast L1T1', simulcast('L1T1'), 1],
    ['H264', 'simulcast L1T1', simulcast('L1T1'), 1],
    ['VP9', 'simulcast L1T3', simulcast('L1T3'), 3],
    ['VP9', 'L3T3_KEY', svc('L3T3_KEY'), 3],
    ['VP9', 'L3T3', svc('L3T3'), 3],
    ['AV1', 'simulcast L1T3', simulcast('L1T3'), 3],
    ['AV1', 'L3T3_KEY', svc('L3T3_KEY'), 3],
    ['AV1', 'L3T3', svc('L3T3'), 3],
];

// What the viewer's decoder says: [width, frames decoded, key frames, freezes, dropped, PLI sent].
const statsOf = (page) => page.evaluate(async () => {
    const stats = await globalThis.videoConsumer.getStats();
    const s = [...stats.values()].find((one) => one.type === 'inbound-rtp') ?? {};
    return {
        width: document.querySelector('video').videoWidth, frames: s.framesDecoded ?? 0, keys: s.keyFramesDecoded ?? 0,
        freezes: s.freezeCount ?? 0, frozen: s.totalFreezesDuration ?? 0, plis: s.pliCount ?? 0, nacks: s.nackCount ?? 0,
        lost: s.packetsLost ?? 0, fps: s.framesPerSecond ?? 0,
    };
});

for (const [codec, name, encodings, temporal] of cases) {
    test(`${codec} ${name}: the picture follows the preferred layers`, async () => {
        const worker = await mediasoup.createWorker();
        const router = await worker.createRouter({ mediaCodecs: [
            { kind: 'audio', mimeType: 'audio/opus', clockRate: 48000, channels: 2 },
            { kind: 'video', clockRate: 90000, ...codecs[codec] }] });
        const room = {};
        const alice = await openPage(router, room);
        alice.evaluate((e) => globalThis.publish(e), encodings).catch(() => {});
        await until('the producer', () => room.video);
        if (encodings.length > 1) {
            await until('all streams', () => room.video.score.length === 3 && room.video.score.every((s) => s.score > 0),
                () => room.video.score);
        }
        const bob = await openPage(router, room);
        await bob.evaluate('watch()');
        const follow = async (spatialLayer, temporalLayer) => {
            await room.consumer.setPreferredLayers({ spatialLayer, temporalLayer });
            const width = WIDTH >> (2 - spatialLayer);
            await until(`layer ${spatialLayer}, ${width} wide`, async () => (await statsOf(bob)).width === width,
                async () => [await statsOf(bob), room.layers, room.video.score, await room.consumer.dump()]);
        };
        await follow(2, temporal - 1);
        await pause(1000);
        const before = await statsOf(bob);
        for (const layer of [0, 1, 2, 1, 0, 2]) await follow(layer, temporal - 1);
        if (temporal > 1) {
            await follow(2, 0);
            await pause(2500);
            const slow = (await statsOf(bob)).fps;
            await follow(2, temporal - 1);
            await until('the full rate again', async () => (await statsOf(bob)).fps > slow * 2,
                async () => [slow, await statsOf(bob), room.layers]);
        }
        const end = await statsOf(bob);
        if (process.env.VERBOSE) console.log(codec, name, JSON.stringify({ before, end, layers: room.layers }));
        assert.equal(end.lost, before.lost, 'packets that are missing');
        assert.ok(end.frozen - before.frozen < 1, `frozen for ${end.frozen - before.frozen} s`);
        await alice.context().close();
        await bob.context().close();
        worker.close();
    });
}
