// What is served as HLS and DASH keeps to its specifications, and ffmpeg plays it as a plain player.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { HlsCheck } from './hls_check.mjs';
import { parseMedia } from './hls_playlist.mjs';
import { Service, until } from './service.mjs';

const run = promisify(execFile);
let service;
let live;

before(async () => {
    service = await Service.start({ WEIR_DEMO: '1' });
    live = `${service.url}/live/demo`;
    // Longer than what delta updates leave in.
    await until('20 s of the demo', 120000, async () => {
        const r = await fetch(`${live}/v0.m3u8`);
        return r.ok && ((await r.text()).match(/#EXTINF/g) ?? []).length > 20;
    }, 500);
});

after(async () => {
    assert.equal(await service?.stop(), 0, 'the service ends cleanly');
});

test('a low-latency player that follows for 15 s finds nothing against RFC 8216bis', async () => {
    const check = new HlsCheck(`${live}/index.m3u8`);
    const problems = await check.run(15);
    assert.deepEqual(problems, [], JSON.stringify(check.counts));
    for (const [what, n] of Object.entries(check.counts)) assert.ok(n > 0, `${what} were looked at: ${JSON.stringify(check.counts)}`);
});

test('the checker sees what is wrong', async () => {
    const text = await (await fetch(`${live}/v0.m3u8`)).text();
    const finds = (changed) => {
        const found = [];
        assert.notEqual(changed, text);
        parseMedia(changed, (section, what) => found.push(`${section} ${what}`));
        return found.length;
    };
    assert.ok(finds(text.replace(/TARGETDURATION:\d+/, 'TARGETDURATION:0')));
    assert.ok(finds(text.replace(/#EXTINF:[\d.]+/, '#EXTINF:9.000000')));
    assert.ok(finds(text.replace(/PART-TARGET=[\d.]+/, 'PART-TARGET=0.100000')));
    assert.ok(finds(text.replace(/PART-TARGET=[\d.]+/, 'PART-TARGET=0.400000')));
    assert.ok(finds(text.replace(/PART-HOLD-BACK=[\d.]+/, 'PART-HOLD-BACK=0.100000')));
    assert.ok(finds(text.replace(/,HOLD-BACK=\d+/, ',HOLD-BACK=1')));
    assert.ok(finds(text.replace(/#EXT-X-MAP[^\n]*\n/, '')));
    assert.ok(finds(text.replace(/#EXT-X-PRELOAD-HINT[^\n]*\n/, '')));
    assert.ok(finds(text.replace('#EXT-X-VERSION:9', '#EXT-X-VERSION:3')));
});

/** Decodes `seconds` of an address; returns what ffprobe counts a stream, and ffmpeg's complaints. */
async function plays(url, seconds) {
    const { stdout, stderr } = await run('ffprobe', ['-v', 'warning', '-read_intervals', `%+${seconds}`, '-count_frames',
        '-show_entries', 'stream=codec_type,codec_name,nb_read_frames,width,height', '-of', 'json', url], { timeout: 60000 });
    return { streams: JSON.parse(stdout).streams, complaints: stderr };
}

test('ffmpeg plays the HLS address as plain HLS', async () => {
    const { streams } = await plays(`${live}/index.m3u8`, 4);
    const frames = (type) => Number(streams.find((s) => s.codec_type === type)?.nb_read_frames ?? 0);
    assert.ok(frames('video') >= 40, JSON.stringify(streams));
    assert.ok(frames('audio') >= 80, JSON.stringify(streams));
});

test('ffmpeg plays the DASH manifest', async () => {
    const { streams } = await plays(`${live}/index.mpd`, 4);
    const frames = (type) => Number(streams.find((s) => s.codec_type === type)?.nb_read_frames ?? 0);
    assert.ok(frames('video') >= 40, JSON.stringify(streams));
    assert.ok(frames('audio') >= 80, JSON.stringify(streams));
});

test('the DASH manifest lists the segments of the playlists, at their times, and they are there', async () => {
    const r = await fetch(`${live}/index.mpd`);
    assert.match(r.headers.get('content-type'), /^application\/dash\+xml/);
    const text = await r.text();
    assert.match(text, /^<\?xml[^>]*\?>\n<MPD [^>]*type="dynamic"[^>]*availabilityStartTime="\d{4}-[^"]+Z"[^>]*minimumUpdatePeriod="PT[\d.]+S"/);
    // Well-formed: every element that opens closes, in order.
    const open = [];
    for (const [, slash, name, empty] of text.replace(/<\?[^>]*\?>/, '').matchAll(/<(\/?)([A-Za-z]+)[^>]*?(\/?)>/g)) {
        if (slash) assert.equal(open.pop(), name);
        else if (!empty) open.push(name);
    }
    assert.deepEqual(open, []);
    const listed = {};
    for (const [, id] of text.matchAll(/<Representation id="(\w+)"/g)) {
        const list = await (await fetch(`${live}/${id}.m3u8`)).text();
        const one = text.slice(text.indexOf(`<Representation id="${id}"`));
        const template = /<SegmentTemplate timescale="(\d+)" presentationTimeOffset="(\d+)" initialization="([^"]+)" media="([^"]+)" startNumber="(\d+)"/.exec(one);
        assert.ok(template, `a template of ${id}`);
        const [, scale, offset, init, media, start] = template;
        assert.equal((await fetch(`${live}/${init}`)).status, 200);
        assert.ok(list.includes(`#EXT-X-MAP:URI="${init}"`));
        const times = [...one.slice(0, one.indexOf('</SegmentTimeline>')).matchAll(/<S t="(\d+)" d="(\d+)"/g)].map((m) => [Number(m[1]), Number(m[2])]);
        // Sound begins within a frame of the picture, on either side of it.
        assert.ok(times.length > 10 && times[0][0] >= Number(offset) - Number(scale) / 20, `${times[0]} ${offset}`);
        for (let i = 1; i < times.length; i++) assert.ok(Math.abs(times[i - 1][0] + times[i - 1][1] - times[i][0]) <= Number(scale) / 500, 'no hole');
        const name = (k) => media.replace('$Number$', String(Number(start) + k));
        for (const k of [0, times.length - 1]) assert.equal((await fetch(`${live}/${name(k)}`)).status, 200, name(k));
        assert.ok(list.includes(name(times.length - 1)));
        listed[id] = times.length;
    }
    assert.equal(Object.keys(listed).length, 2, JSON.stringify(listed));
});
