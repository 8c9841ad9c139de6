// Clients that come and go at bad moments: every request is answered once, and nothing stays behind.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Service, until } from './service.mjs';
import { Signal, dtlsParameters, metrics, opus } from './signal.mjs';

let service;
const instrumented = (process.env.WEIR_E2E_VARIANT ?? 'release') !== 'release';

before(async () => {
    service = await Service.start({
        WEIR_HLS_ENABLED: '0', WEIR_RTC_WORKERS: '2', WEIR_LIMITS_REQUESTS_PER_SECOND: '10000', WEIR_LIMITS_REQUESTS_BURST: '10000',
        WEIR_LIMITS_CONNECTIONS_PER_IP: '100000', WEIR_LOG_LEVEL: 'warn',
    });
});

after(async () => {
    assert.equal(await service?.stop(), 0, `the service ends cleanly\n${service?.log}`);
});

/** No peer, no object in rooms or workers; routers only of rooms that wait for who comes back. */
async function nothingLeft(ms = 5000) {
    let m;
    await until('nothing is left', ms, async () => {
        m = await metrics(service.url);
        return ['weir_peers', 'weir_transports', 'weir_producers', 'weir_consumers', 'weir_signaling_connections'].every((k) => m[k] === 0);
    }, 200).catch((e) => { throw new Error(`${e.message}: ${JSON.stringify(m)}`); });
    // The workers' own counts are asked for every few seconds.
    await until('the workers have nothing', 15000, async () => {
        m = await metrics(service.url);
        return m.weir_worker_transports + m.weir_worker_producers + m.weir_worker_consumers === 0 && m.weir_worker_load === m.weir_rooms;
    }, 300).catch((e) => { throw new Error(`${e.message}: ${JSON.stringify(m)}`); });
    return m;
}

const residentKb = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${service.child.pid}/status`, 'utf8'))[1]);

/** One visit; how far it gets, and how it ends, by i. */
async function visit(i) {
    const s = await Signal.open(service.url);
    try {
        await stay(s, i);
    } finally {
        s.drop();
    }
}

async function stay(s, i) {
    const roomId = `room-${i % 7}`;
    const { rtpCapabilities, producers } = await s.request('joinRoom', { roomId, displayName: `Visitor ${i}`, role: i % 5 === 4 ? 'viewer' : 'participant' });
    const asked = [];
    if (i % 4 > 0) {
        const [send, recv] = await Promise.all([s.request('createProducerTransport'), s.request('createConsumerTransport')]);
        asked.push(s.ask('connectProducerTransport', { transportId: send.id, dtlsParameters }));
        asked.push(s.ask('produce', { transportId: send.id, kind: 'audio', rtpParameters: opus() }));
        for (const p of producers.slice(0, 3)) asked.push(s.ask('consume', { transportId: recv.id, producerId: p.producerId, rtpCapabilities }));
        asked.push(s.ask('getTransportStats', { transportId: recv.id }));
    }
    if (i % 3 === 0) await Promise.all(asked);
    if (i % 6 === 1) asked.push(s.ask('leaveRoom'));
    if (i % 2) s.close(); else s.drop();
    await s.closed;
    await Promise.all(asked); // each has its one answer, or learned that the connection ended
    assert.deepEqual(s.strays, []);
}

async function visits(from, n, atOnce) {
    let i = from;
    await Promise.all(Array.from({ length: atOnce }, async () => { while (i < from + n) await visit(i++); }));
}

test('500 quick joins and leaves leave nothing behind, in rooms, workers and memory', async (t) => {
    await visits(0, 500, 20);
    await nothingLeft();
    const before = residentKb();
    await visits(500, 500, 20);
    await nothingLeft();
    const grown = residentKb() - before;
    t.diagnostic(`${before} kB resident, grown by ${grown} kB`);
    // What one visit would leave if it leaked only its peer and its session: more than 1 kB each.
    if (!instrumented) assert.ok(grown < 512, `grown by ${grown} kB`);
});

test('a peer whose connection ends in the middle of its requests takes everything with it', async () => {
    for (let round = 0; round < 40; round++) {
        const s = await Signal.open(service.url);
        const { rtpCapabilities } = await s.request('joinRoom', { roomId: 'middle' });
        const send = await s.request('createProducerTransport');
        const asked = [];
        for (let k = 0; k < 3; k++) asked.push(s.ask('createConsumerTransport'));
        for (let k = 0; k < 5; k++) asked.push(s.ask('produce', { transportId: send.id, kind: 'audio', rtpParameters: opus() }));
        asked.push(s.ask('consume', { producerId: 'none', rtpCapabilities }));
        asked.push(s.ask('restartIce', { transportId: send.id }));
        await sleep(round % 8);
        s.drop();
        await Promise.all(asked);
    }
    await nothingLeft();
});

test('leaving while requests are under way: each gets one answer, and one may join again', async () => {
    const s = await Signal.open(service.url);
    for (let round = 0; round < 20; round++) {
        await s.request('joinRoom', { roomId: 'leaving' });
        const send = await s.request('createProducerTransport');
        const produce = s.ask('produce', { transportId: send.id, kind: 'audio', rtpParameters: opus() });
        const create = s.ask('createConsumerTransport');
        const leave = s.ask('leaveRoom');
        const late = s.ask('createConsumerTransport');
        assert.equal((await leave).ok, true);
        const refused = await late;
        assert.equal(refused.errorCode, 409);
        for (const answer of [await produce, await create]) assert.ok(answer.ok || answer.errorReason, JSON.stringify(answer));
    }
    assert.deepEqual(s.strays, []);
    s.close();
    await nothingLeft();
});

/** The pid of the worker that has the most. */
async function busyWorker() {
    const text = await (await fetch(`${service.url}/metrics`)).text();
    const loads = [...text.matchAll(/weir_worker_load\{worker="(\d+)"\} (\d+)/g)].map((m) => [Number(m[2]), m[1]]).sort((a, b) => b[0] - a[0]);
    return service.children(`worker-${loads[0][1]}`)[0];
}

async function loaded(roomId) {
    const s = await Signal.open(service.url);
    const { rtpCapabilities } = await s.request('joinRoom', { roomId });
    const send = await s.request('createProducerTransport');
    for (let k = 0; k < 4; k++) await s.request('createConsumerTransport');
    const { id } = await s.request('produce', { transportId: send.id, kind: 'audio', rtpParameters: opus() });
    return { s, send, producerId: id, rtpCapabilities };
}

test('a worker that is killed between request and answer: one answer each, reconnectRequired, and everything anew', async () => {
    for (const how of ['SIGKILL', 'SIGSTOP']) {
        const { s, send } = await loaded('killed');
        await sleep(700); // the load is in the metrics
        const pid = await until('the busy worker', 3000, busyWorker);
        const before = (await metrics(service.url)).weir_worker_restarts;
        process.kill(pid, 'SIGSTOP'); // it answers nothing from now on
        const asked = [
            s.ask('createConsumerTransport'),
            s.ask('produce', { transportId: send.id, kind: 'audio', rtpParameters: opus() }),
            s.ask('getTransportStats', { transportId: send.id }),
            s.ask('connectProducerTransport', { transportId: send.id, dtlsParameters }),
        ];
        await sleep(50);
        const at = Date.now();
        if (how === 'SIGKILL') process.kill(pid, 'SIGKILL'); // else its heartbeat tells
        for (const answer of await Promise.all(asked)) assert.equal(answer.errorCode, 503, JSON.stringify(answer));
        await until('reconnectRequired', 5000, () => s.count('reconnectRequired') === 1, 10);
        assert.equal((await s.ask('getTransportStats', { transportId: send.id })).errorCode, 404, 'the old transport is gone');
        // There is another worker, so the room need not wait for the replacement.
        const again = await s.request('createProducerTransport');
        assert.ok((await s.request('produce', { transportId: again.id, kind: 'audio', rtpParameters: opus() })).id);
        const ms = Date.now() - at;
        assert.ok(ms < (how === 'SIGKILL' ? 2000 : 5000), `${how}: ${ms} ms`);
        await until('replaced', 5000, async () => {
            const h = await service.json('/healthz');
            return h.workersRunning === 2 && (await metrics(service.url)).weir_worker_restarts === before + 1;
        }, 50);
        assert.deepEqual(s.strays, []);
        s.close();
        await nothingLeft();
    }
});

test('both workers killed again and again while clients come and go', async () => {
    let going = true;
    const killer = (async () => {
        for (let k = 0; k < 4; k++) {
            await sleep(400);
            for (const pid of service.children('worker-')) {
                try { process.kill(pid, 'SIGKILL'); } catch { /* it went meanwhile */ }
            }
        }
        going = false;
    })();
    const clients = Array.from({ length: 8 }, async (_, i) => {
        for (let k = 0; going; k++) await visit(i * 1000 + k).catch((e) => { if (!/50[0-9]|404|40[0-9]|ended/.test(e.message)) throw e; });
    });
    await Promise.all([killer, ...clients]);
    await until('both run', 10000, async () => (await service.json('/healthz')).workersRunning === 2, 50);
    await nothingLeft(10000);
    const s = await Signal.open(service.url);
    await s.request('joinRoom', { roomId: 'after' });
    assert.ok((await s.request('createProducerTransport')).id);
    s.close();
});

test('an empty room goes after a while, with its router', async () => {
    await until('no rooms, no routers', 45000, async () => {
        const m = await metrics(service.url);
        return m.weir_rooms === 0 && m.weir_worker_routers === 0 && m.weir_worker_load === 0;
    }, 500);
});
