// How playlists and media are served: caching, conditions, ranges, compression, other origins, waiting requests; the window on disk.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { request, Agent } from 'node:http';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { newest, parseMedia } from './hls_playlist.mjs';
import { Service, until } from './service.mjs';

const WINDOW = 45; // s
const MEMORY = 36; // s; what is older is on disk only
let service;
let live;

before(async () => {
    service = await Service.start({ WEIR_DEMO: '1', WEIR_HLS_WINDOW: `${WINDOW}s`, WEIR_LIMITS_CONNECTIONS_PER_IP: '5000' });
    live = `${service.url}/live/demo`;
    await until('a few segments', 60000, async () => (await load('v0'))?.segments.length > 6, 200);
});

after(async () => {
    assert.equal(await service?.stop(), 0, 'the service ends cleanly');
});

async function load(track, query = '') {
    const r = await fetch(`${live}/${track}.m3u8${query}`);
    return r.ok ? parseMedia(await r.text(), () => {}) : null;
}

/** An answer as it is on the wire: nothing is unpacked. */
function raw(path, headers = {}, method = 'GET') {
    return new Promise((done, fail) => {
        const req = request(`${live}/${path}`, { method, headers }, (res) => {
            const chunks = [];
            res.on('data', (d) => chunks.push(d));
            res.on('end', () => done({ status: res.statusCode, headers: res.headers, body: Buffer.concat(chunks) }));
        });
        req.on('error', fail);
        req.end();
    });
}

test('playlists are asked for again each time; what was waited for and media may be kept', async () => {
    for (const path of ['index.m3u8', 'v0.m3u8', 'a0.m3u8', 'index.mpd']) {
        const r = await raw(path);
        assert.equal(r.status, 200, path);
        assert.equal(r.headers['cache-control'], 'no-cache', path);
        assert.equal(r.headers['access-control-allow-origin'], '*', path);
        assert.ok(r.headers.etag, path);
    }
    const list = await load('v0');
    const [msn, part] = newest(list);
    const blocked = await raw(`v0.m3u8?_HLS_msn=${msn}&_HLS_part=${part}`);
    // RFC 8216bis appendix B.1: six target durations for what was blocked and succeeded.
    assert.equal(blocked.headers['cache-control'], `public, max-age=${6 * list.target}`);
    for (const name of [list.segments[0].map, list.segments.at(-2).uri, list.segments.at(-1).parts[0].uri]) {
        const r = await raw(name);
        assert.match(r.headers['cache-control'], /public.*max-age=31536000.*immutable/, name);
        assert.equal(r.headers['content-type'], 'video/mp4', name);
        assert.equal(r.headers['access-control-allow-origin'], '*', name);
    }
});

test('playlists come compressed to whom asks for it, and are the same text', async () => {
    for (const path of ['v0.m3u8', 'index.mpd']) {
        // The stream goes on between two requests: the same state once in a while.
        await until(`${path} twice the same`, 20000, async () => {
            const plain = await raw(path);
            const packed = await raw(path, { 'accept-encoding': 'gzip' });
            assert.equal(plain.headers['content-encoding'], undefined);
            assert.equal(packed.headers['content-encoding'], 'gzip');
            assert.match(packed.headers.vary, /Accept-Encoding/i);
            assert.notEqual(packed.headers.etag, plain.headers.etag);
            assert.ok(packed.body.length < plain.body.length / 2);
            return packed.headers.etag.replace('-gz', '') === plain.headers.etag && gunzipSync(packed.body).equals(plain.body);
        });
    }
    const segment = (await load('v0')).segments.at(-1).uri;
    assert.equal((await raw(segment, { 'accept-encoding': 'gzip' })).headers['content-encoding'], undefined);
});

test('an ETag that is known answers 304, without the bytes', async () => {
    const { segments } = await load('v0');
    for (const name of [segments.at(-1).uri, segments.at(-1).map, segments.at(-1).parts[1].uri]) {
        const first = await raw(name);
        const again = await raw(name, { 'if-none-match': first.headers.etag });
        assert.equal(again.status, 304, name);
        assert.equal(again.body.length, 0);
        assert.equal(again.headers.etag, first.headers.etag);
        assert.equal((await raw(name, { 'if-none-match': '"other"' })).status, 200);
    }
    await until('an unchanged playlist', 20000, async () => {
        const first = await raw('index.m3u8');
        return (await raw('index.m3u8', { 'if-none-match': first.headers.etag })).status === 304;
    });
});

test('ranges are exact to the byte, across parts, and HEAD tells the size', async () => {
    const { segments } = await load('v0');
    const { uri, parts } = segments.at(-1);
    const whole = await raw(uri);
    const n = whole.body.length;
    const pieces = await Promise.all(parts.map((p) => raw(p.uri)));
    assert.ok(Buffer.concat(pieces.map((p) => p.body)).equals(whole.body), 'a segment is its parts');
    const edge = pieces[0].body.length;
    const cases = [[`0-0`, 0, 0], [`${edge - 3}-${edge + 4}`, edge - 3, edge + 4], [`${n - 5}-`, n - 5, n - 1], ['-7', n - 7, n - 1], [`10-${n * 9}`, 10, n - 1]];
    for (const [range, first, last] of cases) {
        const r = await raw(uri, { range: `bytes=${range}` });
        assert.equal(r.status, 206, range);
        assert.equal(r.headers['content-range'], `bytes ${first}-${last}/${n}`);
        assert.ok(r.body.equals(whole.body.subarray(first, last + 1)), range);
    }
    const beyond = await raw(uri, { range: `bytes=${n}-` });
    assert.equal(beyond.status, 416);
    assert.equal(beyond.headers['content-range'], `bytes */${n}`);
    assert.equal((await raw(uri, { range: 'bytes=0-3', 'if-range': '"old"' })).status, 200);
    const head = await raw(uri, {}, 'HEAD');
    assert.equal(head.headers['content-length'], String(n));
    assert.equal(head.body.length, 0);
});

test('requests out of bounds are refused with the field at fault, and unknown names with 404', async () => {
    const { next } = await load('v0');
    const refused = async (query) => {
        const r = await raw(`v0.m3u8?${query}`);
        return [r.status, JSON.parse(r.body).error.field];
    };
    assert.deepEqual(await refused('_HLS_part=0'), [400, '_HLS_msn']);
    assert.deepEqual(await refused('_HLS_msn=x'), [400, '_HLS_msn']);
    assert.deepEqual(await refused('_HLS_msn=-1'), [400, '_HLS_msn']);
    assert.deepEqual(await refused(`_HLS_msn=${next}&_HLS_part=99999`), [400, '_HLS_part']);
    assert.deepEqual(await refused(`_HLS_msn=${next + 1000}`), [400, '_HLS_msn']);
    for (const name of ['x.m3u8', 'v0-aaaaaaaa-1.m4s', `v0-aaaaaaaa-i0.mp4`, 'v0.m3u8/']) {
        const r = await raw(name);
        assert.equal(r.status, 404, name);
        assert.doesNotMatch(r.headers['cache-control'], /max-age=[1-9]/, name);
    }
});

/** n requests that wait for the same playlist; what the service takes while most of them wait. */
async function holdTogether(n) {
    const rss = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${service.child.pid}/status`, 'utf8'))[1]);
    const threads = () => readdirSync(`/proc/${service.child.pid}/task`).length;
    const agent = new Agent({ keepAlive: false, maxSockets: n });
    const before = { rss: rss(), threads: threads() };
    const { next } = await load('v0');
    const answers = Array.from({ length: n }, () => new Promise((done, fail) => {
        const req = request(`${live}/v0.m3u8?_HLS_msn=${next + 2}`, { agent }, (res) => {
            const chunks = [];
            res.on('data', (d) => chunks.push(d));
            res.on('end', () => done({ status: res.statusCode, text: Buffer.concat(chunks).toString() }));
        });
        req.on('error', fail);
        req.end();
    }));
    let over = false;
    const got = Promise.all(answers).finally(() => { over = true; });
    const held = { most: 0, rss: before.rss, threads: before.threads };
    while (!over) {
        const waiting = Number(/weir_hls_waiting_requests (\d+)/.exec(await (await fetch(`${service.url}/metrics`)).text())?.[1]);
        if (waiting > held.most) Object.assign(held, { most: waiting, rss: rss(), threads: threads() });
        await sleep(20);
    }
    return { got: await got, next, most: held.most, kb: (held.rss - before.rss) / held.most, threads: held.threads - before.threads };
}

test('a request for what comes next waits for it; two thousand at once get the same bytes and cost little', async () => {
    const n = 2000;
    let held;
    // On a busy machine what they wait for may be there before most of them have asked.
    await until('a quarter of them wait at once', 60000, async () => {
        held = await holdTogether(n);
        assert.ok(held.got.every((a) => a.status === 200));
        return held.most >= n / 4;
    });
    const texts = new Set(held.got.map((a) => a.text));
    for (const text of texts) assert.ok(parseMedia(text, () => {}).next > held.next + 2);
    assert.ok(texts.size <= 8, `those that waited together get one text, not ${texts.size}`);
    assert.equal(held.threads, 0, 'no thread each');
    assert.ok(held.kb < 12, `${held.kb} kB each`);
});

test('what leaves the memory stays on disk until the window is over, byte by byte, then goes', async () => {
    const list = await load('v0');
    const kept = new Map();
    for (const s of list.segments.slice(-3)) kept.set(s.uri, (await raw(s.uri)).body);
    const folder = `${service.dir}/hls/demo`;
    const newestMsn = list.segments.at(-1).msn;
    await until('they are out of memory', 90000, async () => {
        const now = await load('v0');
        const length = now.segments.reduce((sum, s) => sum + s.duration, 0);
        assert.ok(length < WINDOW + 2 * list.target, `${length} s in a window of ${WINDOW}`);
        return now.segments.filter((x) => x.msn > newestMsn).reduce((sum, x) => sum + x.duration, 0) > MEMORY + 1;
    }, 500);
    for (const [uri, bytes] of kept) {
        assert.ok(readFileSync(`${folder}/${uri}`).equals(bytes), `${uri} on disk`);
        const r = await raw(uri);
        assert.equal(r.status, 200);
        assert.ok(r.body.equals(bytes), `${uri} as it was`);
        assert.match(r.headers['cache-control'], /immutable/);
        const part = await raw(uri, { range: 'bytes=100-199' });
        assert.ok(part.body.equals(bytes.subarray(100, 200)));
    }
    await until('they leave the window and the disk', 60000, async () => {
        const names = readdirSync(folder);
        const now = await load('v0');
        assert.ok(names.filter((n) => n.startsWith('v0')).length <= now.segments.length + 6, 'as many files as segments');
        return [...kept.keys()].every((uri) => !names.includes(uri));
    }, 500);
    for (const uri of kept.keys()) assert.equal((await raw(uri)).status, 404);
});
