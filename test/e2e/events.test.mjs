// What happens, told to others: Server-Sent Events that go on where they broke off, and signed webhooks that are tried again.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { call, cheap, register } from './account.mjs';
import { Service, freePort, until } from './service.mjs';
import { Signal, dtlsParameters, opus } from './signal.mjs';

const secret = 'what the webhooks are signed with';
let service;
let receiver;
let received = [];
let answer = () => 200;

before(async () => {
    const port = await freePort();
    receiver = createServer((req, res) => {
        let body = '';
        req.on('data', (d) => { body += d; });
        req.on('end', () => {
            const status = answer(req);
            received.push({ path: req.url, headers: req.headers, body, status, at: Date.now() });
            res.writeHead(status).end();
        });
    });
    await new Promise((done) => receiver.listen(port, '127.0.0.1', done));
    service = await Service.start({ ...cheap, WEIR_HLS_ENABLED: '0', WEIR_RTC_WORKERS: '1', WEIR_LIMITS_RECONNECT: '1s', WEIR_LIMITS_EVENT_LISTENERS: '20',
        WEIR_WEBHOOKS_URLS: `http://127.0.0.1:${port}/hook`, WEIR_WEBHOOKS_SECRET: secret, WEIR_WEBHOOKS_PAUSE: '100ms' });
});
after(async () => {
    assert.equal(await service.stop(), 0, service.log);
    receiver.close();
});

/** A listener: its events as they come. */
class Listener {
    static async open({ lastEventId, query = '' } = {}) {
        const l = new Listener();
        l.abort = new AbortController();
        l.events = [];
        const response = await fetch(`${service.url}/api/events${query}`, { signal: l.abort.signal, headers: lastEventId ? { 'Last-Event-ID': lastEventId } : {} });
        l.status = response.status;
        l.headers = response.headers;
        if (response.status !== 200) {
            await response.text();
            return l;
        }
        l.ended = l.#read(response.body).catch(() => {});
        return l;
    }

    async #read(body) {
        let text = '';
        for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
            text += chunk;
            for (let i; (i = text.indexOf('\n\n')) >= 0; text = text.slice(i + 2)) {
                const fields = Object.fromEntries(text.slice(0, i).split('\n').map((line) => [line.split(':')[0], line.slice(line.indexOf(':') + 2)]));
                if (fields.event) this.events.push({ id: fields.id, event: fields.event, data: JSON.parse(fields.data) });
            }
        }
    }

    of(name) { return this.events.filter((e) => e.event === name); }

    wait(name, n = 1) { return until(`${n} ${name}`, 5000, () => this.of(name).length >= n && this.of(name)); }

    close() { this.abort.abort(); }
}

async function broadcast(roomId, title = 'By a test') {
    const signal = await Signal.open(service.url);
    await signal.request('joinRoom', { roomId, role: 'broadcaster', title });
    const transport = await signal.request('createProducerTransport');
    await signal.request('connectProducerTransport', { transportId: transport.id, dtlsParameters });
    await signal.request('produce', { transportId: transport.id, kind: 'audio', rtpParameters: opus() });
    return { end: async () => { await signal.request('leaveRoom'); signal.close(); } };
}

test('streams that start, are watched, and end are told as they do', async () => {
    const l = await Listener.open();
    assert.match(l.headers.get('content-type'), /^text\/event-stream/);
    const [hello] = await l.wait('hello');
    assert.match(hello.id, /^[a-z0-9]{8}-0$/);
    const b = await broadcast('told', 'Told');
    const [started] = await l.wait('stream.started');
    assert.deepEqual([started.data.roomId, started.data.title, started.data.userId], ['told', 'Told', null]);
    const viewer = await Signal.open(service.url);
    await viewer.request('joinRoom', { roomId: 'told', role: 'viewer' });
    const [viewers] = await l.wait('stream.viewers');
    assert.deepEqual([viewers.data.viewerCount, viewers.data.viewerCountPeak], [1, 1]);
    await b.end();
    const [ended] = await l.wait('stream.ended');
    assert.deepEqual([ended.data.streamId, ended.data.viewerCountPeak], [started.data.streamId, 1]);
    assert.ok(l.of('stream.producers').every((e) => e.data.producers.every((p) => p.kind === 'audio')));
    const numbers = l.events.map((e) => Number(e.id.split('-')[1]));
    assert.deepEqual(numbers, [...numbers].sort((x, y) => x - y));
    viewer.close();
    l.close();
});

test('who comes back gets what was missed, and nothing twice', async () => {
    const l = await Listener.open();
    await l.wait('hello');
    const first = await broadcast('missed-1');
    await l.wait('stream.started');
    await first.end();
    await l.wait('stream.ended');
    const lastEventId = l.events.at(-1).id;
    l.close();
    const second = await broadcast('missed-2');
    await second.end();
    for (const how of [{ lastEventId }, { query: `?lastEventId=${lastEventId}` }]) {
        const back = await Listener.open(how);
        await back.wait('stream.ended');
        assert.deepEqual([...new Set(back.events.map((e) => e.data.roomId))], ['missed-2']);
        assert.equal(back.of('hello').length + back.of('reset').length, 0);
        back.close();
    }
});

test('ids of an earlier life, or of none, are answered with reset', async () => {
    for (const lastEventId of ['zzzzzzzz-1', 'x', '-1', `${'9'.repeat(30)}`]) {
        const l = await Listener.open({ lastEventId });
        await l.wait('reset');
        l.close();
    }
});

test('a listener may ask for one room', async () => {
    const l = await Listener.open({ query: '?room=only-here' });
    await l.wait('hello');
    const other = await broadcast('not-here');
    const here = await broadcast('only-here');
    await l.wait('stream.started');
    await other.end();
    await here.end();
    await l.wait('stream.ended');
    assert.deepEqual([...new Set(l.events.slice(1).map((e) => e.data.roomId))], ['only-here']);
    l.close();
});

test('so many listen and no more; those who go make room', async () => {
    const all = [];
    let refused;
    for (let i = 0; i < 25 && !refused; i++) {
        const l = await Listener.open();
        if (l.status === 503) refused = l;
        else all.push(l);
    }
    assert.ok(Number(refused.headers.get('retry-after')) > 0);
    for (const l of all) l.close();
    await until('there is room', 5000, async () => {
        const l = await Listener.open();
        l.close();
        return l.status === 200;
    });
    assert.equal((await fetch(`${service.url}/api/events`, { method: 'HEAD' })).status, 200);
});

test('webhooks are signed, say what happened, and come in order', async () => {
    received = [];
    const ann = await register(service, 'ann');
    const { body } = await call(service, 'POST', '/api/livestream/create', { title: 'Hooked' }, ann.headers);
    const signal = await Signal.open(service.url, ann.headers);
    await signal.request('joinRoom', { roomId: body.streamId, role: 'broadcaster' });
    const transport = await signal.request('createProducerTransport');
    await signal.request('produce', { transportId: transport.id, kind: 'audio', rtpParameters: opus() });
    await until('started', 5000, () => received.length >= 1);
    await signal.request('leaveRoom');
    await until('ended', 5000, () => received.length >= 2);
    signal.close();
    assert.deepEqual(received.map((r) => r.headers['weir-event']), ['stream.started', 'stream.ended']);
    for (const r of received) {
        const [, t, v1] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(r.headers['weir-signature']);
        assert.equal(v1, createHmac('sha256', secret).update(`${t}.${r.body}`).digest('hex'));
        assert.ok(Math.abs(t - Date.now() / 1000) < 60);
        const { id, event, createdAt, data } = JSON.parse(r.body);
        assert.equal(id, r.headers['weir-delivery']);
        assert.equal(event, r.headers['weir-event']);
        assert.ok(Math.abs(createdAt - Date.now()) < 60000);
        assert.deepEqual([data.streamId, data.userId, data.title], [body.streamId, ann.id, 'Hooked']);
        assert.equal(r.headers['content-type'], 'application/json');
    }
});

test('a webhook that is not taken is tried again, with pauses that grow, and the next ones wait', async () => {
    received = [];
    let refusals = 3;
    answer = () => (refusals-- > 0 ? 503 : 204);
    const b = await broadcast('again');
    await b.end();
    await until('both are taken', 10000, () => received.filter((r) => r.status === 204).length === 2);
    answer = () => 200;
    assert.deepEqual(received.map((r) => [r.headers['weir-event'], r.status]),
        [['stream.started', 503], ['stream.started', 503], ['stream.started', 503], ['stream.started', 204], ['stream.ended', 204]]);
    assert.equal(new Set(received.slice(0, 4).map((r) => r.headers['weir-delivery'])).size, 1);
    const pauses = received.slice(1, 4).map((r, i) => r.at - received[i].at);
    assert.ok(pauses[0] >= 90 && pauses[1] >= 190 && pauses[2] >= 390, `${pauses} ms`);
});

test('a recording that is ready is told, over events and by webhook', async () => {
    received = [];
    const recorder = await Service.start({ ...cheap, WEIR_DEMO: '1', WEIR_RTC_WORKERS: '1', WEIR_WEBHOOKS_URLS: `http://127.0.0.1:${receiver.address().port}/hook` });
    try {
        const clip = await until('something to clip', 30000, async () => {
            const r = await call(recorder, 'POST', '/api/livestream/demo/clip?seconds=3');
            return r.status === 201 && r.body;
        }, 500);
        const hook = await until('the webhook', 30000, () => received.find((r) => r.headers['weir-event'] === 'recording.ready'), 200);
        const { data } = JSON.parse(hook.body);
        assert.deepEqual([data.recordingId, data.roomId, data.streamId], [clip.id, 'demo', clip.streamId]);
        assert.equal(hook.headers['weir-signature'], undefined, 'without a secret nothing is signed');
    } finally {
        assert.equal(await recorder.stop(), 0, recorder.log);
    }
});
