// HLS of live streams: any player plays it, it heals, it gives everything back.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { goLive, inbound, launch, moving, open } from './browser.mjs';
import { Service, until } from './service.mjs';

const run = promisify(execFile);
let service;
let browser;
let studio;

before(async () => {
    service = await Service.start({ WEIR_DEMO: '1' });
    browser = await launch();
});

after(async () => {
    await browser?.close();
    const children = [...service.children('weir-worker'), ...service.children('ffmpeg')];
    assert.equal(await service?.stop(), 0, 'the service ends cleanly');
    for (const pid of children) assert.throws(() => process.kill(pid, 0), /ESRCH/, `process ${pid} is gone`);
});

/** The leading media playlist of a room, by way of the multivariant one; null: not there yet. */
async function playlist(room) {
    const master = await fetch(`${service.url}/live/${room}/index.m3u8`);
    if (!master.ok) return null;
    const variants = (await master.text()).match(/^[^#\s].*$/gm) ?? [];
    if (variants.length === 0) return null;
    const url = new URL(variants[0], master.url);
    const r = await fetch(url);
    if (!r.ok) return null;
    const text = await r.text();
    const segments = text.match(/^[^#\s].*$/gm) ?? [];
    const first = Number(/#EXT-X-MEDIA-SEQUENCE:(\d+)/.exec(text)?.[1] ?? 0);
    return { text, segments, first, end: first + segments.length, headers: r.headers, url };
}

/** When the playlist has more segments than `end`, the time that took. */
async function advances(room, end, ms) {
    const started = Date.now();
    await until(`playlist of ${room} past ${end}`, ms, async () => ((await playlist(room))?.end ?? 0) > end);
    return Date.now() - started;
}

async function probe(room) {
    const { stdout } = await run('ffprobe', ['-v', 'error', '-show_entries', 'stream=codec_name,codec_type,width,height', '-of', 'json',
        `${service.url}/live/${room}/index.m3u8`]);
    return JSON.parse(stdout).streams;
}

test('the demo is on the air: WebRTC and HLS', async () => {
    const watch = await open(browser, `${service.url}/watch/demo`);
    await moving(watch, '[data-testid=player]', 10000);
    assert.equal((await inbound(watch)).mode, 'WebRTC');
    await watch.context().close();
    await until('demo playlist', 10000, async () => (await playlist('demo'))?.segments.length > 0);
    const streams = await probe('demo');
    assert.deepEqual(streams.map((s) => s.codec_name).sort(), ['aac', 'h264']);
});

test('a browser\'s stream has a playlist within 3 s of going live', async () => {
    studio = await goLive(browser, service, 'stage', 'On stage');
    const { startedAt } = (await service.json('/api/livestream/active')).streams.find((s) => s.roomId === 'stage');
    await until('playlist', 15000, async () => (await playlist('stage'))?.segments.length > 0, 20);
    const ms = Date.now() - startedAt;
    assert.ok(ms < 3000, `playlist after ${ms} ms`);
});

test('ffprobe reads H.264 and AAC; H.264 was passed through at its own size', async () => {
    await until('some segments', 10000, async () => (await playlist('stage')).segments.length >= 3);
    const streams = await probe('stage');
    assert.deepEqual(streams.map((s) => s.codec_name).sort(), ['aac', 'h264']);
    assert.ok(streams.find((s) => s.codec_type === 'video').width >= 320);
});

test('playlists are not cached, segments are for ever, both open to other origins', async () => {
    const list = await playlist('stage');
    assert.match(list.headers.get('cache-control'), /no-cache/);
    assert.equal(list.headers.get('access-control-allow-origin'), '*');
    assert.match(list.headers.get('content-type'), /mpegurl/);
    const segment = await fetch(new URL(list.segments.at(-1), list.url));
    assert.equal(segment.status, 200);
    assert.match(segment.headers.get('cache-control'), /immutable/);
    assert.equal(segment.headers.get('access-control-allow-origin'), '*');
    const whole = Buffer.from(await segment.arrayBuffer());
    const part = await fetch(segment.url, { headers: { range: 'bytes=10-19' } });
    assert.equal(part.status, 206);
    assert.deepEqual(Buffer.from(await part.arrayBuffer()), whole.subarray(10, 20));
});

let player;
test('the watch page plays it with hls.js and says that it is HLS', async () => {
    player = await open(browser, `${service.url}/watch/stage?mode=hls`);
    await moving(player, '[data-testid=player]', 15000);
    assert.match(await player.getByTestId('mode-badge').innerText(), /HLS/);
});

test('kill -9 of ffmpeg: the playlist advances again within 5 s, at the same address, and the player goes on', async () => {
    const tries = [];
    for (let i = 0; i < 2 && !tries.some((ms) => ms < 5000); i++) {
        const before = await playlist('stage');
        const victims = service.children('ffmpeg').filter((pid) => pid !== service.children('lavfi')[0]);
        assert.ok(victims.length >= 1);
        for (const pid of victims) process.kill(pid, 'SIGKILL');
        tries.push(await advances('stage', before.end + 1, 15000));
    }
    assert.ok(tries.some((ms) => ms < 5000), `advanced after ${tries} ms`);
    assert.match((await playlist('stage')).text, /#EXT-X-DISCONTINUITY/);
    await moving(player, '[data-testid=player]', 15000);
});

test('a stopped ffmpeg (SIGSTOP) is replaced', async () => {
    const before = await playlist('stage');
    const victims = service.children('ffmpeg').filter((pid) => pid !== service.children('lavfi')[0]);
    for (const pid of victims) process.kill(pid, 'SIGSTOP');
    await advances('stage', before.end + 1, 15000);
    await moving(player, '[data-testid=player]', 15000);
});

test('kill -9 of every worker: the playlist goes on', async () => {
    const before = await playlist('stage');
    for (const pid of service.children('weir-worker')) process.kill(pid, 'SIGKILL');
    await advances('stage', before.end + 1, 20000);
    await moving(player, '[data-testid=player]', 20000);
});

test('VP8 is transcoded', async () => {
    const vp8 = await open(browser, `${service.url}/studio/oldie?autostart=1&codec=vp8&title=Oldie`);
    await vp8.getByTestId('live-badge').waitFor({ timeout: 15000 });
    await until('playlist', 20000, async () => (await playlist('oldie'))?.segments.length >= 2);
    const producers = await service.json('/producers');
    assert.ok(producers.some((p) => p.roomId === 'oldie' && p.kind === 'video'));
    assert.deepEqual((await probe('oldie')).map((s) => s.codec_name).sort(), ['aac', 'h264']);
    await vp8.context().close();
});

test('a viewer whose UDP and TCP both fail falls back to HLS and is told', async () => {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
    // As a network that lets no WebRTC through: candidates lead nowhere.
    await context.addInitScript(() => {
        const add = RTCPeerConnection.prototype.setRemoteDescription;
        RTCPeerConnection.prototype.setRemoteDescription = function (d) {
            return add.call(this, { type: d.type, sdp: d.sdp.replace(/^(a=candidate:.*? )127\.0\.0\.1 \d+/gm, '$1127.0.0.1 9') });
        };
    });
    const page = await context.newPage();
    await page.goto(`${service.url}/watch/stage`);
    await page.getByTestId('fallback-banner').waitFor({ timeout: 20000 });
    await moving(page, '[data-testid=player]', 20000);
    assert.match(await page.getByTestId('mode-badge').innerText(), /HLS/);
    await context.close();
});

test('when the stream ends the playlist ends, and nothing is left of its transcoder', async () => {
    await player.context().close();
    await studio.context().close();
    await until('stream ended', 30000, async () => !(await service.json('/api/livestream/active')).streams.some((s) => s.roomId === 'stage'), 300);
    await until('only the demo is left', 10000, async () => {
        const text = await (await fetch(`${service.url}/metrics`)).text();
        return /hls_pipelines\{[^}]*\} |hls_pipelines /.test(text) && service.children('ffmpeg').length <= 2;
    }, 300);
    const list = await playlist('stage');
    if (list) assert.match(list.text, /#EXT-X-ENDLIST/);
    assert.ok(readdirSync(service.dir).includes('hls'));
});
