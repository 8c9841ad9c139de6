// A small mediasoup application and two browsers, with Weir's workers beneath: in one router, and in two routers of two
// workers joined by pipes.
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

const mediaCodecs = [
    { kind: 'audio', mimeType: 'audio/opus', clockRate: 48000, channels: 2 },
    { kind: 'video', mimeType: 'video/VP8', clockRate: 90000 },
];
const LIMIT_MS = 20000;

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

async function until(what, condition) {
    const end = Date.now() + LIMIT_MS;
    while (Date.now() < end) {
        if (await condition()) return;
        await new Promise((done) => { setTimeout(done, 50); });
    }
    assert.fail(`${what}: not within ${LIMIT_MS / 1000} s`);
}

// What an application's server does for one client in one router; room is what clients share.
function serverOf(router, room) {
    const transports = new Map();
    const consumers = new Map();
    return {
        capabilities: () => router.rtpCapabilities,
        async createTransport() {
            const t = await router.createWebRtcTransport({
                listenInfos: [{ protocol: 'udp', ip: '127.0.0.1' }], enableSctp: true,
            });
            transports.set(t.id, t);
            return {
                id: t.id, iceParameters: t.iceParameters, iceCandidates: t.iceCandidates,
                dtlsParameters: t.dtlsParameters, sctpParameters: t.sctpParameters,
            };
        },
        connect: ({ id, dtlsParameters }) => transports.get(id).connect({ dtlsParameters }),
        async produce({ id, kind, rtpParameters }) {
            const producer = await transports.get(id).produce({ kind, rtpParameters });
            room.producers.push(producer);
            return { id: producer.id };
        },
        async produceData({ id, sctpStreamParameters, label, protocol }) {
            const producer = await transports.get(id).produceData({ sctpStreamParameters, label, protocol });
            room.dataProducers.push(producer);
            return { id: producer.id };
        },
        async consume({ id, rtpCapabilities }) {
            const out = { consumers: [], dataConsumers: [] };
            for (const { id: producerId } of room.producers) {
                const c = await transports.get(id).consume({ producerId, rtpCapabilities, paused: true });
                consumers.set(c.id, c);
                out.consumers.push({ id: c.id, producerId, kind: c.kind, rtpParameters: c.rtpParameters });
            }
            for (const { id: dataProducerId } of room.dataProducers) {
                const c = await transports.get(id).consumeData({ dataProducerId });
                out.dataConsumers.push({
                    id: c.id, dataProducerId, sctpStreamParameters: c.sctpStreamParameters, label: c.label,
                    protocol: c.protocol,
                });
            }
            return out;
        },
        resume: ({ id }) => consumers.get(id).resume(),
        prefer: (spatialLayer) => Promise.all([...consumers.values()].filter((c) => c.kind === 'video')
            .map((c) => c.setPreferredLayers({ spatialLayer, temporalLayer: 2 }))),
    };
}

async function openPage(router, room) {
    const context = await browser.newContext();
    await context.grantPermissions(['camera', 'microphone']).catch(() => {});
    const page = await context.newPage();
    const methods = serverOf(router, room);
    page.server = methods;
    await page.exposeFunction('callServer', async (method, args) => (await methods[method](args)) ?? null);
    await page.goto(url);
    return page;
}

async function sees(page) {
    await until('decoded frames', async () => (await page.evaluate('framesDecoded()')) >= 30);
    await until('messages', async () => (await page.evaluate('messages.length')) >= 10);
    const messages = await page.evaluate('messages');
    const first = Number(messages[0].split(' ')[1]);
    assert.deepEqual(messages, messages.map((_, i) => `message ${first + i}`));
}

test('a browser sees, hears and reads another through one router, and observers hear who speaks', async () => {
    const worker = await mediasoup.createWorker();
    const router = await worker.createRouter({ mediaCodecs });
    const levels = await router.createAudioLevelObserver({ interval: 500 });
    const speaker = await router.createActiveSpeakerObserver();
    const heard = { volumes: 0, dominant: undefined };
    levels.on('volumes', () => { heard.volumes++; });
    speaker.on('dominantspeaker', ({ producer }) => { heard.dominant = producer.id; });
    const room = { producers: [], dataProducers: [] };
    const alice = await openPage(router, room);
    await alice.evaluate('publish()');
    await until('producers', () => room.producers.length === 2 && room.dataProducers.length === 1);
    const audio = room.producers.find((p) => p.kind === 'audio');
    await levels.addProducer({ producerId: audio.id });
    await speaker.addProducer({ producerId: audio.id });
    const bob = await openPage(router, room);
    await bob.evaluate('watch()');
    await sees(bob);
    await until('volumes', () => heard.volumes > 0);
    await until('a dominant speaker', () => heard.dominant === audio.id);
    const [stat] = await room.producers.find((p) => p.kind === 'video').getStats();
    assert.ok(stat.packetCount > 30 && stat.score > 0);
    await alice.context().close();
    await bob.context().close();
    worker.close();
});

test('a room is piped over two workers', async () => {
    const workers = [await mediasoup.createWorker(), await mediasoup.createWorker()];
    const [one, two] = await Promise.all(workers.map((w) => w.createRouter({ mediaCodecs })));
    const room = { producers: [], dataProducers: [] };
    const alice = await openPage(one, room);
    await alice.evaluate('publish()');
    await until('producers', () => room.producers.length === 2 && room.dataProducers.length === 1);
    for (const { id } of room.producers) await one.pipeToRouter({ producerId: id, router: two, enableSrtp: true });
    for (const { id } of room.dataProducers) await one.pipeToRouter({ dataProducerId: id, router: two });
    const bob = await openPage(two, room);
    await bob.evaluate('watch()');
    await sees(bob);
    const before = await bob.evaluate('framesDecoded()');
    const video = room.producers.find((p) => p.kind === 'video');
    await video.pause();
    await new Promise((done) => { setTimeout(done, 500); });
    const paused = await bob.evaluate('framesDecoded()');
    await new Promise((done) => { setTimeout(done, 1000); });
    assert.ok(await bob.evaluate('framesDecoded()') <= paused + 1, 'a paused producer still arrives');
    await video.resume();
    await until('frames after the pause', async () => (await bob.evaluate('framesDecoded()')) > before + 30);
    await alice.context().close();
    await bob.context().close();
    for (const w of workers) w.close();
});

test('a viewer behind a pipe gets the layer that the application prefers', async () => {
    const workers = [await mediasoup.createWorker(), await mediasoup.createWorker()];
    const [one, two] = await Promise.all(workers.map((w) => w.createRouter({ mediaCodecs })));
    const room = { producers: [], dataProducers: [] };
    const alice = await openPage(one, room);
    const layers = [4, 2, 1].map((scaleResolutionDownBy) => (
        { scaleResolutionDownBy, scalabilityMode: 'L1T3', maxBitrate: 1200000 / scaleResolutionDownBy }));
    await alice.evaluate((encodings) => globalThis.publish(encodings), layers);
    await until('producers', () => room.producers.length === 2);
    const video = room.producers.find((p) => p.kind === 'video');
    assert.equal(video.type, 'simulcast');
    await until('all layers', () => video.score.length === 3 && video.score.every((s) => s.score > 0));
    for (const { id } of room.producers) await one.pipeToRouter({ producerId: id, router: two });
    room.dataProducers.length = 0;
    const bob = await openPage(two, room);
    await bob.evaluate('watch()');
    const width = () => bob.evaluate('document.querySelector("video").videoWidth');
    for (const [layer, wanted] of [[0, 320], [2, 1280], [1, 640]]) {
        await bob.server.prefer(layer);
        await until(`a picture ${wanted} wide`, async () => (await width()) === wanted);
    }
    await alice.context().close();
    await bob.context().close();
    for (const w of workers) w.close();
});
