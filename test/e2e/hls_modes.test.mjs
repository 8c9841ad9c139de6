// HLS by peer and as a composite: real pixels and tones, compared with what was sent.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { launch } from './browser.mjs';
import { openBundled } from './bundle.mjs';
import { HlsMedia } from './hls_media.mjs';
import { Service, until } from './service.mjs';
import { Signal } from './signal.mjs';

const LIMIT = 60000;
let service;
let media;
let browser;
let page;

before(async () => {
    service = await Service.start({ WEIR_HLS_PRESET: 'ultrafast', WEIR_HLS_NAMES: '1' });
    media = new HlsMedia(service.url);
    browser = await launch();
    page = await openBundled(browser, service, 'hls_modes_page.js');
});

after(async () => {
    await browser?.close();
    assert.equal(await service?.stop(), 0, `the service ends cleanly\n${service?.log}`);
});

async function join(room, peer, name, role = 'participant') {
    await page.evaluate(async ([url, ...who]) => { (globalThis.peers ??= {})[who[1]] = await globalThis.page.Client.join(url, ...who); },
        [`${service.url.replace('http', 'ws')}/ws`, room, peer, name, role]);
}
const act = (peer, method, ...args) => page.evaluate(([p, m, a]) => globalThis.peers[p][m](...a).then((r) => (typeof r === 'object' ? null : r)), [peer, method, args]);

const LEFT = [0.25, 0.4];
const RIGHT = [0.75, 0.4];

async function putHls(room, hls, expected = 200) {
    const r = await fetch(`${service.url}/api/rooms/${room}/hls`, { method: 'PUT', body: JSON.stringify(hls), headers: { 'content-type': 'application/json' } });
    assert.equal(r.status, expected);
    return r.json();
}

test('a room\'s modes are set over REST and signaling', async () => {
    assert.deepEqual(await putHls('meet', { composite: true, peers: true }),
        { stream: true, peers: true, composite: true, names: true, lowBandwidth: false });
    assert.equal((await putHls('meet', { composite: 7 }, 400)).error.field, 'composite');
    assert.equal((await fetch(`${service.url}/api/rooms/nowhere/hls`)).status, 404);
    const s = await Signal.open(service.url);
    await s.request('createRoom', { roomId: 'other', hls: { peers: true } });
    assert.equal((await service.json('/api/rooms/other/hls')).peers, true);
    await s.request('createRoom', { roomId: 'other', hls: { peers: false } });
    assert.equal((await service.json('/api/rooms/other/hls')).peers, true, 'one that is there is left alone');
    await s.request('joinRoom', { roomId: 'other' });
    assert.equal((await s.request('setRoomHls', { composite: true, lowBandwidth: true })).lowBandwidth, true);
    await s.request('leaveRoom');
    await s.request('joinRoom', { roomId: 'other', role: 'viewer' });
    assert.equal((await s.ask('setRoomHls', { composite: false })).ok, false);
    s.close();
});

test('a composite shows each peer\'s colour in its place, and mixes the sound', async () => {
    await join('meet', 'ann', 'Ann');
    await act('ann', 'show', '#e00000');
    await act('ann', 'sound', 440);
    await join('meet', 'bob', 'Bob: 50%, it\'s [me]');
    await act('bob', 'show', '#0000e0');
    await act('bob', 'sound', 1000);
    await media.shows('meet', 'composite-video', [LEFT, RIGHT], 'rb');
    await until('both tones', LIMIT, async () => (await media.tone('meet', 'composite-audio', 440)) > 0.2
        && (await media.tone('meet', 'composite-audio', 1000)) > 0.2, 300);
    assert.match(await media.text('meet/composite.m3u8'), /RESOLUTION=1280x720[^]*composite-video\.m3u8/);
});

test('every peer has playlists of its own', async () => {
    await media.shows('meet', 'ann-video', [LEFT, RIGHT], 'rr');
    await media.shows('meet', 'bob-video', [LEFT, RIGHT], 'bb');
    await until('its own tone', LIMIT, async () => (await media.tone('meet', 'bob-audio', 1000)) > 0.5, 300);
    assert.match(await media.text('meet/bob.m3u8'), /URI="bob-audio\.m3u8"[^]*bob-video\.m3u8/);
});

test('joins, leaves, stopped cameras and shared screens lay it out anew, at the same address', async () => {
    const before = Number(/MEDIA-SEQUENCE:(\d+)/.exec(await media.text('meet/composite-video.m3u8'))[1]);
    await act('bob', 'pause', 'camera', true);
    await media.shows('meet', 'composite-video', [LEFT, RIGHT], 'r-');
    await act('bob', 'pause', 'camera', false);
    await media.shows('meet', 'composite-video', [LEFT, RIGHT], 'rb');
    await act('bob', 'show', '#00c000', 'video/VP8', [640, 360], 'screen');
    await media.shows('meet', 'composite-video', [[0.2, 0.4], [0.6, 0.5]], 'gg');
    await act('bob', 'stop', 'screen');
    await media.shows('meet', 'composite-video', [LEFT, RIGHT], 'rb');
    await act('bob', 'leave');
    await media.shows('meet', 'composite-video', [LEFT, RIGHT], 'rr');
    await until('its own playlist has ended', LIMIT, async () => /ENDLIST/.test(await media.text('meet/bob-video.m3u8')), 300);
    const list = await media.text('meet/composite-video.m3u8');
    assert.match(list, /#EXT-X-DISCONTINUITY/);
    assert.ok(Number(/MEDIA-SEQUENCE:(\d+)/.exec(list)[1]) >= before);
});

test('low bandwidth is set while it runs', async () => {
    await putHls('meet', { lowBandwidth: true, peers: false });
    await until('256x144', LIMIT, async () => /RESOLUTION=256x144/.test(await media.text('meet/composite.m3u8') ?? ''), 300);
    await media.shows('meet', 'composite-video', [LEFT, RIGHT], 'rr');
    await act('ann', 'leave');
    await until('no transcoder is left', LIMIT, () => service.children('ffmpeg').length === 0, 300);
});

const SMALL = [256, 144];
/** Pixels of the small canvas as places; a hair inside, so that they are not the ones before. */
const pixels = (...at) => at.map(([x, y]) => [(x + 0.5) / SMALL[0], (y + 0.5) / SMALL[1]]);

test('low bandwidth is a canvas of 256x144 with each picture where it should be, by one thread each', async () => {
    await putHls('tiny', { lowBandwidth: true, composite: true, stream: false, names: false });
    await join('tiny', 'ann', 'Ann');
    await act('ann', 'show', '#e00000', 'video/VP8', [640, 360]);
    await act('ann', 'sound', 440);
    await join('tiny', 'bob', 'Bob');
    await act('bob', 'show', '#0000e0', 'video/H264', [640, 360]);
    // Two halves of 128x144, in each a picture of 128x72: rows 36 to 107.
    const two = pixels([3, 40], [124, 103], [131, 40], [252, 103], [64, 31], [64, 112], [192, 31], [192, 112]);
    await media.shows('tiny', 'composite-video', two, 'rrbb----', SMALL);
    await until('its tone', LIMIT, async () => (await media.tone('tiny', 'composite-audio', 440)) > 0.5, 300);
    assert.match(await media.text('tiny/composite.m3u8'), /RESOLUTION=256x144/);
    const [pid] = await until('one transcoder', LIMIT, () => { const found = service.children('pipe:0'); return found.length === 1 && found; });
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    const after1 = (name) => command.flatMap((a, i) => (command[i - 1] === name ? [a] : []));
    assert.deepEqual(after1('-threads'), ['1', '1'], 'decoder and encoder');
    assert.deepEqual(after1('-filter_complex_threads'), ['1']);
    const graph = after1('-filter_complex')[0];
    assert.equal(graph.match(/\[0:v:\d\]scale=128:72:/g).length, 2, `each picture is made small before anything else: ${graph}`);

    // Four quarters of 128x72; the third is 4:3, 96x72 in the middle of its quarter.
    await join('tiny', 'cem', 'Cem');
    await act('cem', 'show', '#00c000', 'video/VP8', [320, 240]);
    await join('tiny', 'dua', 'Dua');
    await act('dua', 'show', '#e00000', 'video/VP8', [640, 360]);
    const four = pixels([3, 4], [124, 67], [131, 4], [252, 67], [20, 76], [107, 139], [8, 108], [119, 108], [131, 76], [252, 139]);
    await media.shows('tiny', 'composite-video', four, 'rrbbgg--rr', SMALL);
    for (const who of ['ann', 'bob', 'cem', 'dua']) await act(who, 'leave');
    await until('no transcoder is left', LIMIT, () => service.children('ffmpeg').length === 0, 300);
});

test('the broadcaster\'s stream with low bandwidth is 256x144, also of H.264', async () => {
    await putHls('tiny2', { lowBandwidth: true });
    await join('tiny2', 'caster', 'Caster', 'broadcaster');
    await act('caster', 'show', '#00c000', 'video/H264', [320, 240]);
    const places = pixels([36, 4], [219, 139], [24, 72], [231, 72]);
    await media.shows('tiny2', 'v0', places, 'gg--', SMALL);
    assert.match(await media.text('tiny2/index.m3u8'), /RESOLUTION=256x144/);
    await act('caster', 'leave');
    await until('no transcoder is left', LIMIT, () => service.children('ffmpeg').length === 0, 300);
});

test('a composite goes on in the same run while microphones are muted, silent where they are', async () => {
    await putHls('mute', { composite: true, stream: false });
    await join('mute', 'ann', 'Ann');
    await act('ann', 'sound', 440);
    await act('ann', 'pause', 'microphone', true); // from before its first run
    await act('ann', 'show', '#e00000');
    await join('mute', 'bob', 'Bob');
    await act('bob', 'show', '#0000e0');
    await act('bob', 'sound', 1000);
    const sounds = async () => [await media.tone('mute', 'composite-audio', 440) > 0.2, await media.tone('mute', 'composite-audio', 1000) > 0.2].join();
    const hears = (what) => until(`sounds are ${what}`, LIMIT, async () => (await sounds()) === what, 300);
    await media.shows('mute', 'composite-video', [LEFT, RIGHT], 'rb');
    await hears('false,true');
    const [pid] = service.children('pipe:0');
    const advances = async (n) => {
        const end = async () => Number(/-(\d+)\.m4s$/.exec((await media.newest('mute', 'composite-audio')).name)[1]);
        const from = await end();
        await until(`${n} segments more`, LIMIT, async () => (await end()) >= from + n, 100);
    };
    await act('ann', 'pause', 'microphone', false);
    await hears('true,true');
    await act('bob', 'pause', 'microphone', true);
    await hears('true,false');
    await act('ann', 'pause', 'microphone', true);
    await hears('false,false');
    await advances(3);
    await act('bob', 'pause', 'microphone', false);
    await hears('false,true');
    await act('ann', 'pause', 'microphone', false);
    await hears('true,true');
    assert.deepEqual(service.children('pipe:0'), [pid], 'the same transcoder all the time');
    assert.doesNotMatch(await media.text('mute/composite-audio.m3u8'), /EXT-X-GAP/);
    for (const who of ['ann', 'bob']) await act(who, 'leave');
    await until('no transcoder is left', LIMIT, () => service.children('ffmpeg').length === 0, 300);
});
