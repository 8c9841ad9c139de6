// Picture and sound over HLS stay together though the sender's sound card runs wrong and packets are lost: read out of the
// test card, whose bar is at the left edge when it pings. WEIR_SOAK_SECONDS=3600 makes it an hour, at 100 ppm. With
// WEIR_SYNC_COMPOSITE=1 also as a composite, which takes a machine with time to spare.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { DriftingLine } from './drifting_line.mjs';
import { parseMedia } from './hls_playlist.mjs';
import { quantile } from './glass.mjs';
import { Service, until } from './service.mjs';

const SECONDS = Number(process.env.WEIR_SOAK_SECONDS ?? 40);
// In the short form the clock is so wrong that they would be 80 ms apart at its end; in an hour 360 ms.
const PPM = Math.max(100, Math.round(0.08e6 / SECONDS));
const LIMIT_MS = 40;
const WINDOW = 8; // segments
const AAC_SAMPLES = 1024; // of a frame
const COMPOSITE = process.env.WEIR_SYNC_COMPOSITE === '1';
const run = promisify(execFile);
let dir;
let line;
let service;

before(async () => {
    dir = mkdtempSync(join(tmpdir(), 'weir-sync-'));
    line = await DriftingLine.start(dir, { ppm: PPM, loss: 0.005, jitterMs: 15 });
    service = await Service.start({ WEIR_DEMO: '1', WEIR_HLS_FFMPEG: line.program, WEIR_HLS_MODES: COMPOSITE ? 'stream,composite' : 'stream', WEIR_HLS_NAMES: 'false',
        WEIR_HLS_LADDER: '360p:500k', WEIR_HLS_PRESET: 'ultrafast' });
});

after(async () => {
    assert.equal(await service?.stop(), 0, 'the service ends cleanly');
    line?.close();
    rmSync(dir, { recursive: true, force: true });
});

/** The newest segments of a track, as one file. */
async function newest(track) {
    const base = `${service.url}/live/demo/`;
    const list = await until(`${WINDOW} segments of ${track}`, 30000, async () => {
        const r = await fetch(`${base}${track}.m3u8`);
        const parsed = r.ok && parseMedia(await r.text(), () => {});
        const inOneRun = parsed && parsed.segments.length >= WINDOW && parsed.segments.slice(1 - WINDOW).every((s) => !s.discontinuity);
        return inOneRun && parsed;
    });
    const segments = list.segments.slice(-WINDOW);
    const pieces = await Promise.all([segments[0].map, ...segments.map((s) => s.uri)].map(async (uri) => Buffer.from(await (await fetch(base + uri)).arrayBuffer())));
    const file = join(dir, `${track}.mp4`);
    writeFileSync(file, Buffer.concat(pieces));
    return file;
}

/** What came out, and when in the media's time each piece of it is. */
async function decoded(file, ...args) {
    const { stdout, stderr } = await run('ffmpeg', ['-hide_banner', '-nostats', '-copyts', '-i', file, ...args, 'pipe:1'], { encoding: 'buffer', maxBuffer: 1 << 28 });
    return { bytes: stdout, times: [...stderr.toString().matchAll(/ n: *\d+ .*?pts_time:([\d.]+)/g)].map((m) => Number(m[1])) };
}

/** By the pictures: when in a second (0 to 1, of the media's time) the bar was at the left. */
async function barTimes(file) {
    const { bytes: rows, times } = await decoded(file, '-vf', 'scale=640:360,crop=640:2:0:294,format=gray,scale=640:1,showinfo', '-fps_mode', 'passthrough', '-f', 'rawvideo');
    assert.equal(rows.length, times.length * 640, 'a row of each frame');
    const found = [];
    times.forEach((t, i) => {
        const row = rows.subarray(i * 640, i * 640 + 640);
        const left = row.findIndex((v) => v > 110);
        const right = row.findLastIndex((v) => v > 110);
        // The bar as a whole, and nothing that a lost packet left behind.
        if (left < 8 || right > 631 || Math.abs(right - left - 95) > 4) return;
        found.push(t - ((left + right) / 2 - 47.5 + 96) / 736);
    });
    return found;
}

/** By the sound: when it pinged. */
async function pingTimes(file) {
    const { bytes, times } = await decoded(file, '-af', 'ashowinfo', '-ac', '1', '-ar', '48000', '-f', 'f32le');
    const found = [];
    const at = (i) => times[Math.floor(i / AAC_SAMPLES)] + (i % AAC_SAMPLES) / 48000;
    assert.equal(times.length, bytes.length / 4 / AAC_SAMPLES);
    let quietSince = 0;
    for (let i = 0; i * 4 < bytes.length; i++) {
        if (Math.abs(bytes.readFloatLE(i * 4)) < 0.025) continue;
        if (i - quietSince > 0.4 * 48000) found.push(at(i));
        quietSince = i;
    }
    return found;
}

/** ms by which the sound is late, -500 to 500. */
function lateness(ping, bar) {
    const d = ping - bar;
    return (d - Math.round(d)) * 1000;
}

async function measure(pictures, sounds) {
    const [video, sound] = await Promise.all([newest(pictures), newest(sounds)]);
    const bars = await barTimes(video);
    const pings = await pingTimes(sound);
    assert.ok(bars.length > 20 && pings.length > 2, `${bars.length} bars, ${pings.length} pings`);
    return pings.map((p) => quantile(bars.map((b) => lateness(p, b)), 0.5));
}

/** ms by which pings were late, read again and again. */
async function watch(pictures, sounds) {
    const end = Date.now() + SECONDS * 1000;
    const seen = [];
    for (;;) {
        seen.push(...(await measure(pictures, sounds)));
        if (Date.now() > end) return seen;
        await sleep(Math.min(Math.max(SECONDS / 60, 5) * 1000, Math.max(end - Date.now(), 0) + 100));
    }
}

function figures(seen, away) {
    const round = (x) => Math.round(x);
    return JSON.stringify({ pings: seen.length, first: round(seen[0]), last: round(seen.at(-1)), median: round(quantile(seen, 0.5)), worst: round(Math.max(...away)),
        claimed: round(line.claimed), lost: line.lost.map((l) => Number(l.toFixed(4))) });
}

describe('both at once', { concurrency: true }, () => {
    test(`a stream: picture and sound stay within ${LIMIT_MS} ms of what its sender says, over ${SECONDS} s, at ${PPM} ppm and with loss`, async (t) => {
        const seen = await watch('v0', 'a0');
        const away = seen.map((ms) => Math.abs(ms - line.claimed));
        t.diagnostic(figures(seen, away));
        assert.ok(line.lost.every((l) => l > 0), 'the line loses');
        assert.ok(Math.max(...away) <= LIMIT_MS, `claimed ${line.claimed}, ms late: ${seen.map(Math.round)}`);
    });

    // By arrival: who reads late, because the machine is busy, hears late; so not every single ping counts.
    test(`a composite: as they arrive, picture and sound stay within ${LIMIT_MS} ms for four pings of five`, { skip: !COMPOSITE }, async (t) => {
        const seen = await watch('composite-video', 'composite-audio');
        const away = seen.map(Math.abs);
        t.diagnostic(figures(seen, away));
        assert.ok(quantile(away, 0.8) <= LIMIT_MS, `ms late: ${seen.map(Math.round)}`);
        assert.ok(quantile(away.slice(-away.length / 4), 0.5) <= LIMIT_MS, `not at the end: ${seen.map(Math.round)}`);
    });
});
