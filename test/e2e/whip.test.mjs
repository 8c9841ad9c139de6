// WHIP and WHEP with Chromium's own RTCPeerConnection: broadcasting by stream key, watching, trickle and restart, errors, ends.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { launch, moving, open } from './browser.mjs';
import { Service, until } from './service.mjs';
import { Signal, metrics } from './signal.mjs';
import { cheap } from './account.mjs';
import { streamWithKey } from './stream_key.mjs';

const script = new URL('whip_page.js', import.meta.url).pathname;
const corpus = new URL('../fuzz/corpus/controller_sdp/', import.meta.url).pathname;
const sample = (name) => readFileSync(join(corpus, name), 'utf8');
let service;
let browser;

before(async () => {
    service = await Service.start({ ...cheap, WEIR_RTC_WORKERS: '2', WEIR_ICE_STUN_URLS: 'stun:stun.example.org:3478',
        WEIR_ICE_TURN_URLS: 'turn:turn.example.org', WEIR_ICE_TURN_SECRET: 'secret' });
    browser = await launch();
});

after(async () => {
    await browser?.close();
    assert.equal(await service?.stop(), 0, `the service ends cleanly\n${service?.log}`);
});

const stream = (options) => streamWithKey(service, options);

async function page() {
    const p = await open(browser, `${service.url}/healthz`);
    await p.addScriptTag({ path: script });
    return p;
}

const publish = (p, s, options) => p.evaluate(([url, key, o]) => globalThis.whip.publish(url, key, o), [`${service.url}/whip`, s.key, options ?? {}]);
const play = (p, id) => p.evaluate((url) => globalThis.whip.play(url), `${service.url}/whep/${id}`);
const post = (path, body, headers = {}) => fetch(service.url + path, { method: 'POST', body, headers: { 'Content-Type': 'application/sdp', ...headers } });
const frames = async (p) => (await p.evaluate(() => globalThis.whip.received())).video?.frames ?? 0;
const live = async (room) => (await service.json('/api/livestream/active')).streams.find((s) => s.roomId === room);

async function refused(response, status, field) {
    assert.equal(response.status, status, await response.clone().text());
    const { error } = await response.json();
    assert.ok(error.code && error.reason, JSON.stringify(error));
    if (field !== undefined) assert.equal(error.field, field);
    return response;
}

for (const codec of ['video/VP8', 'video/H264']) {
    test(`a browser broadcasts by WHIP in ${codec}, another watches by WHEP, signaling's viewers and HLS see the same stream`, async () => {
        const s = await stream();
        const viewer = await Signal.open(service.url);
        await viewer.request('joinRoom', { roomId: s.room, role: 'viewer' });
        const sender = await page();
        const { session, etag, link, answer } = await publish(sender, s, { codec });
        assert.match(session, /\/whip\/session\/[a-z0-9]{32}$/);
        assert.match(etag, /^"\w+"$/);
        assert.match(link, /<stun:stun.example.org:3478>; rel="ice-server"/);
        assert.match(link, /<turn:turn.example.org>; rel="ice-server"; username="\d+:[^"]+"; credential="[^"]+"; credential-type="password"/);
        assert.match(answer, /a=ice-lite/);
        await until('viewers are told', 5000, () => viewer.count('roomProducersChanged') >= 2);
        const stats = await metrics(service.url);
        assert.ok(stats.weir_whip_sessions >= 1);

        const watcher = await page();
        const whep = await play(watcher, s.room);
        assert.match(whep.answer, /a=sendonly/);
        await moving(watcher, '#player', 15000);
        // A busy machine may begin with a smaller picture.
        await until('the whole picture', 30000, async () => (await watcher.evaluate(() => globalThis.whip.received())).video?.width === 640, 250);
        await until('sound', 5000, async () => (await watcher.evaluate(() => globalThis.whip.received())).audio?.packets > 20);
        await until('two viewers', 5000, async () => (await live(s.room)).viewerCount === 2);
        await until('HLS', 20000, async () => (await live(s.room))?.hlsUrl);

        assert.equal(await watcher.evaluate(() => globalThis.whip.end()), 200);
        await until('the viewer is gone', 5000, async () => (await live(s.room)).viewerCount === 1);
        assert.equal(await sender.evaluate(() => globalThis.whip.end()), 200);
        await until('the stream has ended at once', 5000, async () => !(await live(s.room)));
        await until('its viewers are told', 5000, () => viewer.count('streamEnded') === 1);
        assert.equal((await fetch(session, { method: 'DELETE' })).status, 404);
        viewer.close();
        await sender.context().close();
        await watcher.context().close();
    });
}

test('simulcast by RID: three layers arrive, and a WHEP viewer gets the largest', async () => {
    const s = await stream();
    const sender = await page();
    const { answer } = await publish(sender, s, { simulcast: true });
    assert.match(answer, /a=simulcast:recv q;h;f/);
    const watcher = await page();
    await play(watcher, s.room);
    await until('the large picture', 60000, async () => (await watcher.evaluate(() => globalThis.whip.received())).video?.width === 960, 500);
    await sender.context().close();
    await watcher.context().close();
});

test('ICE restarts by PATCH, on both sides, and the picture goes on', async () => {
    const s = await stream();
    const sender = await page();
    const watcher = await page();
    const first = await publish(sender, s);
    await play(watcher, s.room);
    await moving(watcher, '#player', 15000);
    for (const p of [sender, watcher]) {
        const { changed, ufrag } = await p.evaluate(() => globalThis.whip.restart());
        assert.ok(changed && ufrag.length >= 4);
        await until('connected anew', 10000, () => p.evaluate(() => globalThis.whip.pc.iceConnectionState === 'connected' || globalThis.whip.pc.iceConnectionState === 'completed'));
        const before = await frames(watcher);
        await until('frames after it', 10000, async () => (await frames(watcher)) > before + 10);
    }
    const frag = 'm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\na=candidate:1 1 udp 1 192.0.2.1 6000 typ host\r\n';
    const patch = (headers, body = frag) => fetch(first.session, { method: 'PATCH', body, headers: { 'Content-Type': 'application/trickle-ice-sdpfrag', ...headers } });
    await refused(await patch({ 'If-Match': first.etag }), 412, 'If-Match'); // of before the restart
    await refused(await patch({}), 428, 'If-Match');
    assert.equal((await patch({ 'If-Match': await sender.evaluate(() => globalThis.whip.etag) })).status, 204);
    await refused(await patch({ 'If-Match': '*' }), 400, 'a=ice-ufrag');
    await refused(await patch({ 'If-Match': '*' }, 'nonsense'), 400);
    const wrong = await refused(await patch({ 'If-Match': '*', 'Content-Type': 'text/plain' }), 415);
    assert.equal(wrong.headers.get('accept-patch'), 'application/trickle-ice-sdpfrag');
    await sender.context().close();
    await watcher.context().close();
});

test('an encoder that comes back takes its own place, viewers go on in the same session', async () => {
    const s = await stream();
    const sender = await page();
    const watcher = await page();
    await publish(sender, s);
    await play(watcher, s.room);
    await moving(watcher, '#player', 15000);
    const { id } = await live(s.room);
    await sender.context().close(); // without a word
    const again = await page();
    await publish(again, s);
    assert.equal(id, s.id);
    assert.equal((await live(s.room)).id, id, 'the same stream goes on');
    const before = await frames(watcher);
    await until('frames of the new one', 15000, async () => (await frames(watcher)) > before + 25);
    await moving(watcher, '#player', 10000);
    await again.context().close();
    await watcher.context().close();
});

test('a broadcaster whose media is lost ends its session, as over signaling', async () => {
    const s = await stream();
    const sender = await page();
    const { session } = await publish(sender, s);
    await until('live', 5000, () => live(s.room));
    await sender.evaluate(() => globalThis.whip.pc.close());
    // At the latest: 30 s until consent expires, 15 s in which ICE may come back, 15 s in which the broadcaster may.
    await until('the stream has ended', 75000, async () => !(await live(s.room)), 500);
    assert.equal((await fetch(session, { method: 'DELETE' })).status, 404);
    await sender.context().close();
});

test('a worker that is killed takes its sessions along; who comes again goes on with the stream', async () => {
    const s = await stream();
    const sender = await page();
    const { session } = await publish(sender, s);
    const { id } = await until('live', 5000, () => live(s.room));
    for (const pid of service.children('weir-worker')) process.kill(pid, 'SIGKILL');
    await until('the session has ended', 5000, async () => (await fetch(session, { method: 'PATCH', body: 'x' })).status === 404);
    await until('workers run', 10000, async () => (await fetch(`${service.url}/healthz`)).status === 200);
    const again = await page();
    await publish(again, s);
    assert.equal((await live(s.room)).id, id);
    const watcher = await page();
    await play(watcher, s.room);
    await moving(watcher, '#player', 15000);
    for (const p of [sender, again, watcher]) await p.context().close();
});

test('what OBS sends is answered, and a session whose media never comes ends by itself', async () => {
    const s = await stream();
    const r = await post(`/whip/${s.key}`, sample('obs-simulcast')); // the key in the path
    assert.equal(r.status, 201);
    assert.equal(r.headers.get('content-type'), 'application/sdp');
    const answer = await r.text();
    assert.match(answer, /m=audio 9 UDP\/TLS\/RTP\/SAVPF 111/);
    assert.match(answer, /m=video 9 UDP\/TLS\/RTP\/SAVPF 96/);
    assert.match(answer, /a=simulcast:recv 0;1;2/);
    const session = service.url + r.headers.get('location');
    const asked = async () => (await fetch(session, { method: 'PATCH', body: 'x' })).status; // 415 while it is there
    assert.equal(await asked(), 415);
    await until('it ended', 30000, async () => (await asked()) === 404, 250);
});

test('keys: none, a wrong one, one of a stream that has ended', async () => {
    const offer = sample('obs');
    const none = await refused(await post('/whip', offer), 401);
    assert.match(none.headers.get('www-authenticate'), /^Bearer/);
    await refused(await post('/whip', offer, { Authorization: 'Bearer wrong' }), 401);
    await refused(await post(`/whip/${'x'.repeat(500)}`, offer), 401);
    await refused(await post('/whip', offer, { Authorization: `Bearer ${(await stream({ ended: true })).key}` }), 403);
});

test('one broadcaster a room: the second is told so', async () => {
    const s = await stream();
    const host = await Signal.open(service.url);
    await host.request('joinRoom', { roomId: s.room, role: 'broadcaster', streamKey: s.key });
    const r = await refused(await post('/whip', sample('obs'), { Authorization: `Bearer ${s.key}` }), 409);
    assert.ok(Number(r.headers.get('retry-after')) > 0);
    host.close();
});

test('offers that cannot be answered are refused with the reason', async () => {
    const s = await stream();
    const auth = { Authorization: `Bearer ${s.key}` };
    await refused(await post('/whip', '', auth), 400);
    await refused(await post('/whip', 'hello', auth), 400, 'line 1');
    await refused(await post('/whip', sample('obs'), { ...auth, 'Content-Type': 'text/plain' }), 415);
    await refused(await post('/whip', sample('obs').replace('H264/90000', 'H265/90000'), auth), 422, 'm=video');
    await refused(await post('/whip', sample('obs').replaceAll('a=rtcp-mux', 'a=x'), auth), 422, 'a=rtcp-mux');
    await refused(await post('/whip', sample('chromium-recv'), auth), 422, 'm=');
    assert.equal((await post('/whip', 'v'.repeat(70000), auth)).status, 413);
});

test('WHEP of what is not there, or not on the air', async () => {
    const s = await stream();
    await refused(await post('/whep/nowhere', sample('chromium-recv')), 404, 'streamId');
    const r = await refused(await post(`/whep/${s.id}`, sample('chromium-recv')), 409, 'streamId');
    assert.ok(Number(r.headers.get('retry-after')) > 0);
    await refused(await post(`/whep/${(await stream({ ended: true })).id}`, sample('chromium-recv')), 404, 'streamId');
});

test('pages of other sites may use it', async () => {
    const r = await fetch(`${service.url}/whip`, { method: 'OPTIONS', headers: { Origin: 'https://other.example', 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'authorization, content-type' } });
    assert.equal(r.status, 204);
    assert.equal(r.headers.get('access-control-allow-origin'), '*');
    assert.match(r.headers.get('access-control-allow-headers'), /authorization/);
    const s = await stream();
    const answered = await post('/whip', sample('obs'), { Authorization: `Bearer ${s.key}`, Origin: 'https://other.example' });
    assert.match(answered.headers.get('access-control-expose-headers'), /Location/);
    assert.equal((await fetch(service.url + answered.headers.get('location'), { method: 'DELETE' })).status, 200);
});

test('sessions are limited, by address and altogether', async () => {
    for (const [limit, status] of [['WEIR_LIMITS_WHIP_SESSIONS_PER_IP', 429], ['WEIR_LIMITS_WHIP_SESSIONS', 503]]) {
        const own = await Service.start({ ...cheap, WEIR_RTC_WORKERS: '1', WEIR_HLS_ENABLED: '0', [limit]: '1' });
        try {
            const ask = async () => fetch(`${own.url}/whip`, { method: 'POST', body: sample('obs'),
                headers: { 'Content-Type': 'application/sdp', Authorization: `Bearer ${(await streamWithKey(own)).key}` } });
            const first = await ask();
            assert.equal(first.status, 201);
            const second = await refused(await ask(), status);
            assert.ok(Number(second.headers.get('retry-after')) > 0);
            assert.equal((await fetch(own.url + first.headers.get('location'), { method: 'DELETE' })).status, 200);
            assert.equal((await ask()).status, 201, 'there is room again');
        } finally {
            assert.equal(await own.stop(), 0, own.log);
        }
    }
});
