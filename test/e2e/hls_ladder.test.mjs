// The ladder: one source, many sizes, from the first playlist on.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { launch } from './browser.mjs';
import { openBundled } from './bundle.mjs';
import { HlsCheck } from './hls_check.mjs';
import { parseMultivariant } from './hls_playlist.mjs';
import { Service, until } from './service.mjs';

const run = promisify(execFile);
const LIMIT = 60000;
let service;
let browser;
let page;

before(async () => {
    service = await Service.start({ WEIR_HLS_PRESET: 'ultrafast', WEIR_HLS_LADDER: '1080p:5000k,720p:2500k,480p:1000k,360p:700k,144p:150k' });
    browser = await launch();
    page = await openBundled(browser, service, 'hls_modes_page.js');
});

after(async () => {
    await browser?.close();
    assert.equal(await service?.stop(), 0, `the service ends cleanly\n${service?.log}`);
});

async function goLive(room, show, encodings = null) {
    await page.evaluate(async ([url, name, how, sent]) => {
        const c = await globalThis.page.Client.join(url, name, 'caster', 'Caster', 'broadcaster');
        (globalThis.peers ??= {})[name] = c;
        await c.sound(440);
        await c.show(...how, 'camera', 25, sent ?? undefined);
    }, [`${service.url.replace('http', 'ws')}/ws`, room, show, encodings]);
}
const leave = (room) => page.evaluate((name) => globalThis.peers[name].leave(), room);
const runs = (room) => (service.log.match(new RegExp(`hls\\.active .*room=${room} `, 'g')) ?? []).length;

/** The first multivariant playlist that there is. */
async function variants(room) {
    return until(`a playlist of ${room}`, LIMIT, async () => {
        const r = await fetch(`${service.url}/live/${room}/index.m3u8`);
        return r.ok && parseMultivariant(await r.text(), (section, what) => assert.fail(`${section} ${what}`)).variants;
    }, 20);
}

/** What ffmpeg makes of a rendition, as a player: the size of its pictures, how many there are and what their colour is. */
async function plays(room, uri) {
    const url = `${service.url}/live/${room}/${uri}`;
    const { stdout } = await run('ffprobe', ['-v', 'error', '-read_intervals', '%+2', '-count_frames', '-show_entries',
        'stream=codec_name,width,height,nb_read_frames', '-of', 'json', url], { timeout: LIMIT });
    const raw = await run('ffmpeg', ['-v', 'error', '-i', url, '-frames:v', '1', '-vf', 'scale=1:1', '-f', 'rawvideo', '-pix_fmt', 'rgb24', 'pipe:1'],
        { encoding: 'buffer', timeout: LIMIT });
    const [s] = JSON.parse(stdout).streams;
    return { size: `${s.width}x${s.height}`, codec: s.codec_name, frames: Number(s.nb_read_frames), rgb: [...raw.stdout] };
}

async function expectLadder(room, sizes, rgb) {
    const first = await variants(room);
    assert.deepEqual(first.map((v) => v.RESOLUTION), sizes, service.log);
    for (const v of first) {
        const seen = await plays(room, v.URI);
        assert.equal(seen.size, v.RESOLUTION);
        assert.equal(seen.codec, 'h264');
        assert.ok(seen.frames >= 10, `${seen.frames} pictures of ${v.URI}`);
        const near = seen.rgb.every((c, i) => Math.abs(c - rgb[i]) < 48);
        assert.ok(near, `${v.URI} shows ${seen.rgb}`);
    }
    assert.deepEqual((await variants(room)).map((v) => v.RESOLUTION), sizes);
    assert.equal(runs(room), 1, 'all of it in the first run');
}

/** BANDWIDTH, CODECS, FRAME-RATE and the rest against what is in the segments. */
async function expectTrue(room) {
    const check = new HlsCheck(`${service.url}/live/${room}/index.m3u8`);
    // A browser on a busy machine sends pictures at odd times, which makes some parts short; the rest is ours.
    const problems = (await check.run(8)).filter((p) => !p.includes(': 4.4.4.9: '));
    assert.deepEqual(problems, [], JSON.stringify(check.counts));
    const rates = (await variants(room)).map((v) => Number(v['FRAME-RATE']));
    for (const r of rates) assert.ok(r > 15 && r < 30, `25 pictures a second: ${rates}`);
}

test('H.264 passes through as the top, and is never made larger', async () => {
    await goLive('h264', ['#e00000', 'video/H264', [640, 360]]);
    await expectLadder('h264', ['640x360', '256x144'], [224, 0, 0]);
    await expectTrue('h264');
    await leave('h264');
});

test('VP8 is encoded at its own size, and smaller', async () => {
    await goLive('vp8', ['#0000e0', 'video/VP8', [852, 480]]);
    await expectLadder('vp8', ['852x480', '640x360', '256x144'], [0, 0, 224]);
    await expectTrue('vp8');
    await leave('vp8');
});

test('a source that becomes larger gets the sizes that fit it with one more run, and keeps the address', async () => {
    await goLive('grows', ['#e00000', 'video/VP8', [320, 240]]);
    await expectLadder('grows', ['320x240', '192x144'], [224, 0, 0]);
    await page.evaluate(() => globalThis.peers.grows.change('camera', '#e00000', 640, 480));
    await until('more sizes', LIMIT, async () => (await variants('grows')).length === 3, 200);
    assert.deepEqual((await variants('grows')).map((v) => v.RESOLUTION), ['640x480', '480x360', '192x144']);
    for (const v of await variants('grows')) assert.equal((await plays('grows', v.URI)).frames > 0, true);
    assert.equal(runs('grows'), 2, service.log);
    await leave('grows');
});

test('of a source that is sent in several sizes the largest counts', async () => {
    await goLive('layers', ['#0000e0', 'video/H264', [1280, 720]], [4, 2, 1].map((by) => ({ scaleResolutionDownBy: by })));
    await until('all sizes', LIMIT, async () => (await variants('layers')).map((v) => v.RESOLUTION).join() === '1280x720,852x480,640x360,256x144', 200)
        .catch(async (e) => assert.fail(`${e.message}: ${(await variants('layers')).map((v) => v.RESOLUTION)}\n${service.log}`));
    // A player that begins behind live still gets what was sent while the browser's estimate grew.
    for (const v of await variants('layers')) await until(`${v.URI} at ${v.RESOLUTION}`, LIMIT, async () => (await plays('layers', v.URI)).size === v.RESOLUTION);
    await leave('layers');
});
