// HLS heals: whatever is killed or stopped, the playlist advances again at the same address, and nothing is left behind.
import assert from 'node:assert/strict';
import { readFileSync, existsSync, rmSync } from 'node:fs';
import { loadavg, cpus } from 'node:os';
import { after, before, test } from 'node:test';
import { Service, until } from './service.mjs';

let service;
let left; // folder of the first life

before(async () => {
    service = await Service.start({ WEIR_DEMO: '1' });
    await until('the demo plays', 30000, () => position());
});

after(async () => {
    const children = pids('weir-worker', 'ffmpeg');
    assert.equal(await service?.stop(), 0, 'the service ends cleanly');
    for (const pid of children) assert.ok(!alive(pid), `process ${pid} is gone`);
    if (left) rmSync(left, { recursive: true, force: true });
});

const pids = (...names) => names.flatMap((n) => service.children(n));
/** ffmpeg of the pipeline, not of the test card. */
const pipelines = () => service.children('pipe:0');

function alive(pid) {
    return existsSync(`/proc/${pid}`) && !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
}

/**
 * How far the demo's pictures have come: the number of the newest run (each begins with a discontinuity) and of its newest part;
 * null: nothing is there.
 */
async function position() {
    const r = await fetch(`${service.url}/live/demo/v0.m3u8`);
    if (!r.ok) return null;
    const text = await r.text();
    const mark = '#EXT-X-DISCONTINUITY\n';
    const runs = text.split(mark);
    const parts = [...runs.at(-1).matchAll(/^#EXT-X-PART:.*URI="v0-\w+-(\d+)\.(\d+)\.m4s"/gm)].map((m) => Number(m[1]) * 1000 + Number(m[2]));
    const first = Number(/#EXT-X-DISCONTINUITY-SEQUENCE:(\d+)/.exec(text)?.[1] ?? 0);
    return parts.length ? { run: first + runs.length - 1, part: Math.max(...parts) } : null;
}

/** Does something bad; ms until pictures of another run come. What the old one still had is not counted. */
async function healing(harm) {
    const last = await position();
    const started = Date.now();
    await harm();
    await until('new pictures', 30000, async () => (await position())?.run > last.run, 20);
    return Date.now() - started;
}

/** Within the limit, which grows with the machine's load; a machine that others keep busy gets three tries. */
async function heals(harm, limit) {
    const tries = [];
    for (let i = 0; i < 3; i++) {
        tries.push(await healing(harm));
        const busy = Math.max(1, loadavg()[0] / cpus().length);
        if (tries.at(-1) < limit * busy) return tries.at(-1);
    }
    assert.fail(`advanced after ${tries} ms, at ${(loadavg()[0] / cpus().length).toFixed(1)} times the load`);
}

function signal(victims, name) {
    assert.ok(victims.length > 0);
    for (const pid of victims) process.kill(pid, name);
    return victims;
}

test('ffmpeg killed: advances within 3 s', async (t) => {
    t.diagnostic(`${await heals(() => signal(pipelines(), 'SIGKILL'), 3000)} ms`);
});

test('ffmpeg stopped: advances within 3 s, and the stopped one is gone', async (t) => {
    let victims;
    t.diagnostic(`${await heals(() => { victims = signal(pipelines(), 'SIGSTOP'); }, 3000)} ms`);
    for (const pid of victims) assert.ok(!alive(pid));
});

test('every worker killed: advances within 5 s', async (t) => {
    t.diagnostic(`${await heals(() => signal(service.children('weir-worker'), 'SIGKILL'), 5000)} ms`);
});

test('the controller killed: its processes go with it, and numbers grow when it is back', async () => {
    const before = await position();
    const orphans = pids('weir-worker', 'ffmpeg');
    signal(pipelines(), 'SIGSTOP'); // would not notice by itself
    service.child.kill('SIGKILL');
    await service.exited;
    await until('its processes are gone', 5000, () => !orphans.some(alive));
    left = service.dir;
    service = await Service.start({ WEIR_DEMO: '1', WEIR_DATA_DIR: left });
    await until('the demo plays', 30000, () => position());
    const now = await position();
    assert.ok(now.part > before.part && now.run >= before.run, `${JSON.stringify(before)}, then ${JSON.stringify(now)}`);
});

test('PROGRAM-DATE-TIME is when pictures were sent, in all tracks, and goes on over restarts', async () => {
    const segments = (text) => (text.match(/#EXTINF/g) ?? []).length;
    const [video, sound] = await Promise.all(['v0', 'a0'].map(async (t) => {
        const text = await until(`segments of ${t}`, 10000, async () => {
            const list = await (await fetch(`${service.url}/live/demo/${t}.m3u8`)).text();
            return segments(list) >= 3 && list;
        }, 50);
        let at = null;
        const starts = [];
        for (const line of text.split('\n')) {
            const set = /^#EXT-X-PROGRAM-DATE-TIME:(.*)$/.exec(line)?.[1];
            if (set) at = Date.parse(set);
            const seconds = Number(/^#EXTINF:([\d.]+)/.exec(line)?.[1] ?? 0);
            if (seconds) {
                starts.push(at);
                at += seconds * 1000;
            }
        }
        const first = Number(/MEDIA-SEQUENCE:(\d+)/.exec(text)[1]);
        return { end: at, starts, now: Date.now(), byNumber: new Map(starts.map((t, i) => [first + i, t])) };
    }));
    assert.ok(video.starts.every((t, i) => i === 0 || t > video.starts[i - 1]), 'always later');
    const busy = Math.max(1, loadavg()[0] / cpus().length);
    assert.ok(video.now - video.end > -300 && video.now - video.end < 3000 * busy, `${video.now - video.end} ms behind the clock`);
    for (const [n, t] of video.byNumber) {
        const other = sound.byNumber.get(n);
        assert.ok(other === undefined || Math.abs(t - other) < 150, `segment ${n} of sound begins ${other - t} ms after that of pictures`);
    }
});

test('twenty kills in a row leave one process, and no ports', async () => {
    for (let i = 0; i < 20; i++) {
        const victims = await until('ffmpeg', 10000, () => { const p = pipelines(); return p.length > 0 && p; });
        signal(victims, 'SIGKILL');
        await until('it is gone', 5000, () => !victims.some(alive), 5);
    }
    const last = (await position()).run;
    await until('new pictures', 30000, async () => (await position())?.run > last);
    assert.equal(pipelines().length, 1);
    const udp = readFileSync('/proc/net/udp', 'utf8');
    const bound = Array.from({ length: 40 }, (_, i) => service.hlsBase + i)
        .filter((port) => udp.includes(`0100007F:${port.toString(16).toUpperCase().padStart(4, '0')} `));
    assert.ok(bound.length <= 4, `bound: ${bound}`);
});
