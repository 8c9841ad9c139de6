// A room that is larger than one worker: its peers are in two, and streams go between them.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { goLive, inbound, launch, moving, open } from './browser.mjs';
import { bundle } from './bundle.mjs';
import { Service, until } from './service.mjs';
import { Signal, dtlsParameters, metrics, opus } from './signal.mjs';

let service;
let browser;
let script;

before(async () => {
    script = await bundle('spread_page.js');
    browser = await launch();
});

after(() => browser?.close());

/** Each test has a service with nothing in it, and so little room in a worker that a room's second peer gets the other one. */
async function serve(hls = '0') {
    service = await Service.start({
        WEIR_RTC_WORKERS: '2', WEIR_RTC_WORKER_LOAD_MAX: '2', WEIR_LIMITS_REQUESTS_PER_SECOND: '10000', WEIR_LIMITS_REQUESTS_BURST: '10000',
        WEIR_LIMITS_CONNECTIONS_PER_IP: '100000', WEIR_HLS_ENABLED: hls,
    });
}

afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
    assert.equal(await service?.stop(), 0, `the service ends cleanly\n${service?.log}`);
});

const workerOf = (page) => page.ports.at(-1) - service.rtcBase;
const workerOfTransport = (t) => t.iceCandidates[0].port - service.rtcBase;
const health = () => service.json('/healthz');
const frames = async (page) => (await inbound(page)).framesDecoded;

/** Adds peers until the next one would get another worker than `taken`; they leave by close(). */
async function fill(room, taken) {
    const peers = [];
    for (let i = 0; i < 50; i++) {
        const s = await Signal.open(service.url);
        await s.request('joinRoom', { roomId: room, role: 'viewer' });
        const worker = workerOfTransport(await s.request('createConsumerTransport'));
        if (worker !== taken) {
            await s.request('leaveRoom');
            s.close();
            return { close: () => peers.forEach((p) => p.close()) };
        }
        peers.push(s);
    }
    throw new Error('all peers get one worker');
}

async function watch(room) {
    const page = await open(browser, `${service.url}/watch/${room}`);
    await until('a transport', 30000, () => page.ports.length > 0)
        .catch(async (e) => assert.fail(`${e.message}: ${await page.innerText('body')} ${page.problems}`));
    return page;
}

/** Pages that watch: one in each worker, by worker. */
async function viewersInBoth(room) {
    const by = [];
    const first = await watch(room);
    by[workerOf(first)] = first;
    // What a page needs until it joins is time in which loads may change: that may take another try.
    for (let i = 0; i < 4 && !(by[0] && by[1]); i++) {
        const others = await fill(room, workerOf(first));
        const second = await watch(room);
        if (by[workerOf(second)]) await second.context().close();
        else by[workerOf(second)] = second;
        others.close();
    }
    assert.ok(by[0] && by[1], 'viewers in both workers');
    return by;
}

/** Rooms are empty, workers too, and no pipe is left. */
async function nothingLeft() {
    let m;
    await until('nothing is left', 20000, async () => {
        m = await metrics(service.url);
        return ['weir_peers', 'weir_transports', 'weir_producers', 'weir_consumers', 'weir_room_pipes', 'weir_room_piped', 'weir_rooms_spread',
            'weir_worker_transports', 'weir_worker_producers', 'weir_worker_consumers'].every((k) => m[k] === 0) && m.weir_worker_load === m.weir_rooms;
    }, 300).catch((e) => { throw new Error(`${e.message}: ${JSON.stringify(m)}`); });
    // Rooms that stay empty close meanwhile.
    await until('one router a room', 20000, async () => {
        const { perWorker } = await health();
        return perWorker.reduce((n, w) => n + w.routers, 0) === (await metrics(service.url)).weir_rooms;
    }, 300);
}

async function bothRun() {
    await until('both workers run', 10000, async () => (await health()).workersRunning === 2);
}

async function hears(page, ms = 20000) {
    const was = await inbound(page);
    await until('audio', ms, async () => {
        const now = await inbound(page);
        return now.audioPackets > was.audioPackets + 20 && now.audioEnergy > was.audioEnergy;
    });
}

async function unmute(page) {
    if (await page.getByTestId('unmute').isVisible().catch(() => false)) await page.getByTestId('unmute').click();
}

test('a stream is seen and heard in both workers, and a mute, an end and its HLS reach both', async () => {
    await serve('1');
    const studio = await goLive(browser, service, 'stage', 'On stage');
    const viewers = await viewersInBoth('stage');
    for (const page of viewers) {
        await moving(page, '[data-testid=player]', 30000);
        await unmute(page);
        await hears(page);
    }
    const { perWorker } = await health();
    assert.deepEqual(perWorker.map((w) => w.routers), [1, 1]);
    const m = await until('the pipe is counted', 5000, async () => {
        const now = await metrics(service.url);
        return now.weir_room_piped === 2 && now;
    });
    assert.deepEqual([m.weir_rooms_spread, m.weir_room_pipes], [1, 1]);
    await until('HLS of it', 30000, async () => (await segments('stage')) > 2);
    await studio.getByTestId('mute').click();
    for (const page of viewers) {
        await until('silence', 10000, async () => {
            const was = await inbound(page);
            await sleep(400);
            return (await inbound(page)).audioEnergy - was.audioEnergy < 1e-6;
        });
    }
    await studio.getByTestId('mute').click();
    for (const page of viewers) await hears(page);
    await studio.context().close();
    for (const page of viewers) await page.context().close();
    await nothingLeft();
});

test('a broadcaster that is in another worker than the room began in is on HLS as well', async () => {
    await serve('1');
    const early = await Signal.open(service.url);
    await early.request('joinRoom', { roomId: 'elsewhere', role: 'viewer' });
    const first = workerOfTransport(await early.request('createConsumerTransport'));
    const studio = await goLive(browser, service, 'elsewhere', 'Elsewhere');
    assert.notEqual(workerOf(studio), first);
    await until('HLS of it', 30000, async () => (await segments('elsewhere')) > 2);
    await studio.context().close();
    early.close();
    await nothingLeft();
});

async function join(roomId, peerId) {
    const page = await open(browser, `${service.url}/healthz`, { bypassCSP: true });
    await page.addScriptTag({ content: script });
    await page.evaluate(async ([url, room, peer]) => { globalThis.client = await globalThis.page.Client.join(url, room, peer); },
        [`${service.url.replace('http', 'ws')}/ws`, roomId, peerId]);
    return page;
}

const call = (page, method, ...args) => page.evaluate(([m, a]) => globalThis.client[m](...a), [method, args]);

/** Ann and Ben, in two workers. */
async function pair(room) {
    const [a, b] = [await join(room, 'ann'), await join(room, 'ben')];
    assert.notEqual(workerOf(a), workerOf(b));
    return [a, b];
}

test('data channels go both ways between workers, 256 KiB and all', async () => {
    await serve();
    const [a, b] = await pair('data');
    for (const [from, to, label] of [[a, b, 'there'], [b, a, 'back']]) {
        await call(from, 'produce', { label, ordered: true });
        await until('an open channel', 5000, async () => (await call(to, 'open')) === 1);
        const got = (n) => until(`${n} messages`, 10000, async () => {
            const all = await to.evaluate((l) => globalThis.client.got.filter((m) => m.label === l), label);
            return all.length >= n && all;
        });
        await call(from, 'say', label, 'hello');
        const sums = [];
        for (const [i, n] of [1, 70000, 256 * 1024].entries()) sums.push(await call(from, 'push', label, n, i));
        const all = await got(4);
        assert.equal(all[0].text, 'hello');
        assert.deepEqual(all.slice(1).map((m) => m.sum), sums);
    }
    await call(a, 'end', 'there');
    await until('the channel is closed', 5000, async () => (await call(b, 'open')) === 0);
    assert.equal(await call(a, 'open'), 1, 'the other one is not');
    await a.context().close();
    await b.context().close();
    await nothingLeft();
});

test('simulcast layers, scores, pause, resume and close go through', async () => {
    await serve();
    const [a, b] = await pair('layers');
    const id = await call(a, 'show');
    await until('the highest layer', 30000, async () => (await call(b, 'seen')).width === 1280);
    await call(b, 'prefer', 0);
    await until('the lowest layer', 15000, async () => (await call(b, 'seen')).width === 320);
    await call(b, 'prefer', 2);
    const seen = await until('the highest again', 15000, async () => {
        const s = await call(b, 'seen');
        return s.width === 1280 && s.score?.producerScores.length === 3 && s;
    });
    assert.ok(seen.score.producerScores.every((s) => s >= 0 && s <= 10));
    assert.equal(seen.layers.spatialLayer, 2);
    const still = () => until('a picture that stands', 5000, async () => {
        const was = (await call(b, 'seen')).frames;
        await sleep(500);
        return (await call(b, 'seen')).frames === was;
    });
    await call(a, 'request', 'pauseProducer', { producerId: id });
    await still();
    await call(a, 'request', 'resumeProducer', { producerId: id });
    const was = (await call(b, 'seen')).frames;
    await until('it moves again', 8000, async () => (await call(b, 'seen')).frames > was + 10);
    await call(a, 'request', 'closeProducer', { producerId: id });
    await until('consumerClosed', 5000, () => b.evaluate(() => globalThis.client.gone === globalThis.client.watched.id));
    await a.context().close();
    await b.context().close();
    await nothingLeft();
});

test('who comes and goes in both workers leaves nothing behind', async () => {
    await serve();
    const visit = async (i) => {
        const s = await Signal.open(service.url);
        const { rtpCapabilities, producers } = await s.request('joinRoom', { roomId: `churn-${i % 3}` });
        const asked = [];
        const [send, recv] = await Promise.all([s.request('createProducerTransport'), s.request('createConsumerTransport')]);
        asked.push(s.ask('connectConsumerTransport', { transportId: recv.id, dtlsParameters }));
        asked.push(s.ask('produce', { transportId: send.id, kind: 'audio', rtpParameters: opus() }));
        for (const p of producers.slice(0, 4)) asked.push(s.ask('consume', { transportId: recv.id, producerId: p.producerId, rtpCapabilities }));
        if (i % 2) await Promise.all(asked);
        if (i % 3) s.close(); else s.drop();
        await s.closed;
        const answers = await Promise.all(asked);
        assert.deepEqual(s.strays, []);
        for (const m of answers) assert.ok(m.ok || m.gone || [404, 503].includes(m.errorCode), JSON.stringify(m));
        return workerOfTransport(recv);
    };
    let next = 0;
    const used = new Set();
    await Promise.all(Array.from({ length: 12 }, async () => { while (next < 300) used.add(await visit(next++)); }));
    assert.deepEqual([...used].sort(), [0, 1]);
    assert.doesNotMatch(service.log, /pipe_failed|router_failed|bad_answer/);
    await nothingLeft();
});

/** Segments that its HLS has had so far; 0: there is none yet. */
async function segments(room) {
    const master = await fetch(`${service.url}/live/${room}/index.m3u8`);
    const [variant] = master.ok ? (await master.text()).match(/^[^#\s].*$/gm) ?? [] : [];
    const media = variant && await fetch(new URL(variant, master.url));
    if (!media?.ok) return 0;
    const text = await media.text();
    return Number(/#EXT-X-MEDIA-SEQUENCE:(\d+)/.exec(text)?.[1] ?? 0) + (text.match(/^[^#\s].*$/gm) ?? []).length;
}

async function kill(index) {
    const [pid] = service.children(`worker-${index}`);
    process.kill(pid, 'SIGKILL');
}

test('kill -9 of the second worker: its viewer is back without a reload, the other sees no gap', async () => {
    await serve();
    const studio = await goLive(browser, service, 'tough', 'Tough');
    const viewers = await viewersInBoth('tough');
    const home = workerOf(studio);
    for (const page of viewers) {
        await moving(page, '[data-testid=player]', 30000);
        await page.evaluate(() => { globalThis.stayed = true; });
    }
    const calm = viewers[home];
    const hit = viewers[1 - home];
    const ports = calm.ports.length;
    const was = await frames(calm);
    const asked = hit.ports.length;
    await kill(1 - home);
    await until('new transports', 30000, () => hit.ports.length > asked, 20);
    await moving(hit, '[data-testid=player]', 30000);
    assert.equal(calm.ports.length, ports, 'the other viewer keeps its transport');
    await until('the other goes on', 5000, async () => (await frames(calm)) > was + 20);
    for (const page of viewers) assert.equal(await page.evaluate(() => globalThis.stayed), true, 'no reload');
    await bothRun();
    await studio.context().close();
    for (const page of viewers) await page.context().close();
    await nothingLeft();
});

test('kill -9 of the worker that the room began in: broadcaster and viewers are back, and so is HLS', async () => {
    await serve('1');
    const studio = await goLive(browser, service, 'origin', 'Origin');
    const viewers = await viewersInBoth('origin');
    for (const page of viewers) {
        await moving(page, '[data-testid=player]', 30000);
        await page.evaluate(() => { globalThis.stayed = true; });
    }
    await until('HLS of it', 30000, async () => (await segments('origin')) > 2);
    const asked = studio.ports.length;
    await kill(workerOf(studio));
    await until('new transports', 30000, () => studio.ports.length > asked, 20);
    for (const page of viewers) {
        await moving(page, '[data-testid=player]', 30000);
        assert.equal(await page.evaluate(() => globalThis.stayed), true, 'no reload');
    }
    const end = await segments('origin');
    await until('HLS goes on', 30000, async () => (await segments('origin')) > end + 2);
    await bothRun();
    await studio.context().close();
    for (const page of viewers) await page.context().close();
    await nothingLeft();
});

test('workers killed in the middle of joins and pipes: every request has one answer, and nothing stays behind', async () => {
    await serve();
    let going = true;
    const visit = async (i) => {
        const s = await Signal.open(service.url);
        const answers = [];
        try {
            const { rtpCapabilities, producers } = await s.request('joinRoom', { roomId: `killed-${i % 2}` });
            const [send, recv] = await Promise.all([s.request('createProducerTransport'), s.request('createConsumerTransport')]);
            answers.push(s.ask('produce', { transportId: send.id, kind: 'audio', rtpParameters: opus() }));
            for (const p of producers) answers.push(s.ask('consume', { transportId: recv.id, producerId: p.producerId, rtpCapabilities }));
            await sleep(i % 50);
        } catch (e) {
            if (!/50[0-9]|40[0-9]|ended/.test(e.message)) throw e;
        }
        s.drop();
        await s.closed;
        await Promise.all(answers);
        assert.deepEqual(s.strays, []);
    };
    const killer = (async () => {
        for (let k = 0; k < 8; k++) {
            await sleep(300);
            for (const pid of service.children(`worker-${k % 2}`)) {
                try { process.kill(pid, 'SIGKILL'); } catch { /* it went meanwhile */ }
            }
        }
        going = false;
    })();
    let next = 0;
    await Promise.all([killer, ...Array.from({ length: 10 }, async () => { while (going) await visit(next++); })]);
    await bothRun();
    await nothingLeft();
});
