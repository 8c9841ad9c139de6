// Recordings: started and stopped by their owner, finished, listed, played, kept and deleted; nothing is lost to a crash.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { goLive, launch, open } from './browser.mjs';
import { openBundled } from './bundle.mjs';
import { Service, until } from './service.mjs';

const run = promisify(execFile);
let service;
let browser;
let studio;
let token;
let id;

before(async () => {
    service = await Service.start();
    browser = await launch();
    studio = await goLive(browser, service, 'stage', 'On "stage"');
    token = await until('the owner\'s token', 5000, () => studio.evaluate(() => {
        const key = Object.keys(sessionStorage).find((k) => k.endsWith('studio.identity.stage'));
        return JSON.parse(sessionStorage.getItem(key)).resumeToken;
    }));
    await until('HLS', 30000, async () => (await fetch(`${service.url}/live/stage/index.m3u8`)).ok);
});

after(async () => {
    await browser?.close();
    const children = service.children('ffmpeg');
    assert.equal(await service?.stop(), 0, 'the service ends cleanly');
    for (const pid of children) assert.throws(() => process.kill(pid, 0), /ESRCH/, `process ${pid} is gone`);
});

const bearer = (secret) => (secret ? { authorization: `Bearer ${secret}` } : {});

async function ask(method, path, { secret, body } = {}) {
    const r = await fetch(service.url + path, {
        method,
        headers: { ...bearer(secret), ...(body ? { 'content-type': 'application/json' } : {}) },
        body: body && JSON.stringify(body),
    });
    const text = await r.text();
    return { status: r.status, headers: r.headers, data: text ? JSON.parse(text) : null };
}

function ready(which, secret = token, s = service) {
    return until(`recording ${which} is ready`, 60000, async () => {
        const r = await fetch(`${s.url}/api/recordings/${which}`, { headers: bearer(secret) });
        const row = await r.json();
        if (row.status === 'failed') throw new Error(`it failed: ${row.failure}`);
        return row.status === 'ready' && row;
    });
}

async function seconds(file) {
    const { stdout } = await run('ffprobe', ['-v', 'error', '-select_streams', 'v', '-show_entries', 'packet=pts_time,duration_time',
        '-of', 'csv=p=0', file]);
    const times = stdout.trim().split('\n').map((line) => Number(line.split(',')[0]));
    return Math.max(...times) - Math.min(...times);
}

test('only the owner starts a recording, and only one at a time', async () => {
    assert.equal((await ask('POST', '/api/livestream/stage/recording')).status, 401);
    assert.equal((await ask('POST', '/api/livestream/stage/recording', { secret: 'wrong' })).status, 403);
    assert.equal((await ask('POST', '/api/livestream/nowhere/recording', { secret: token })).status, 404);
    assert.equal((await ask('DELETE', '/api/livestream/stage/recording', { secret: token })).status, 404);
    const started = await ask('POST', '/api/livestream/stage/recording', { secret: token });
    assert.equal(started.status, 201);
    assert.equal(started.data.status, 'recording');
    assert.equal(started.data.title, 'On "stage"');
    ({ id } = started.data);
    assert.equal((await ask('POST', '/api/livestream/stage/recording', { secret: token })).status, 409);
});

test('stopped by its owner it becomes a seekable MP4 with its pictures', async () => {
    await until('six seconds on disk', 30000, async () => (await seconds(join(service.dir, 'recordings', id, '0001.mp4'))) > 6);
    assert.equal((await ask('DELETE', '/api/livestream/stage/recording', { secret: 'wrong' })).status, 403);
    const stopped = await ask('DELETE', '/api/livestream/stage/recording', { secret: token });
    assert.equal(stopped.status, 200);
    assert.equal(stopped.data.status, 'processing');
    const row = await ready(id);
    assert.ok(row.durationMs > 6000, `${row.durationMs} ms`);
    const whole = Buffer.from(await (await fetch(service.url + row.videoUrl)).arrayBuffer());
    assert.equal(whole.length, row.sizeBytes);
    assert.ok(whole.subarray(0, 300).includes('moov'), 'the index comes first');
    for (const url of [row.posterUrl, row.thumbnailUrl]) {
        const picture = await fetch(service.url + url);
        assert.equal(picture.headers.get('content-type'), 'image/jpeg');
        assert.equal((await picture.arrayBuffer()).byteLength > 500, true);
    }
    assert.match(await (await fetch(service.url + row.spriteUrl)).text(), /^WEBVTT\n\n00:00:00.000 --> .*\nsprite.jpg#xywh=0,0,160,90\n/);
    assert.deepEqual(readdirSync(join(service.dir, 'recordings', id)).sort(),
        ['poster.jpg', 'sprite.jpg', 'sprite.vtt', 'thumbnail.jpg', 'video.mp4']);
});

test('it plays in Chromium, and seeks', async () => {
    const page = await open(browser, `${service.url}/healthz`);
    const played = await page.evaluate(async (src) => {
        const v = document.createElement('video');
        v.muted = true;
        v.src = src;
        document.body.append(v);
        await v.play();
        const { duration } = v;
        v.currentTime = duration - 1.5;
        await new Promise((done) => { v.onseeked = done; });
        const from = v.currentTime;
        await new Promise((done) => { v.onended = done; });
        return { duration, from, to: v.currentTime, width: v.videoWidth, error: v.error?.message };
    }, `/recordings/${id}/video.mp4`);
    assert.ok(played.duration > 6 && Math.abs(played.from - (played.duration - 1.5)) < 0.2, JSON.stringify(played));
    assert.ok(played.to > played.duration - 0.3 && played.width > 0, JSON.stringify(played));
    await page.context().close();
});

test('Range, download, and files that are not for others', async () => {
    const url = `${service.url}/recordings/${id}/video.mp4`;
    const whole = Buffer.from(await (await fetch(url)).arrayBuffer());
    const part = await fetch(url, { headers: { range: 'bytes=1000-1999' } });
    assert.equal(part.status, 206);
    assert.equal(part.headers.get('content-range'), `bytes 1000-1999/${whole.length}`);
    assert.deepEqual(Buffer.from(await part.arrayBuffer()), whole.subarray(1000, 2000));
    const download = await fetch(`${url}?download`);
    assert.equal(download.headers.get('content-disposition'), 'attachment; filename="On _stage_.mp4"');
    await download.arrayBuffer();
    for (const path of ['files.txt', '0001.mp4', '..%2f..%2fweir.db'])
        assert.match(String((await fetch(`${service.url}/recordings/${id}/${path}`)).status), /40[04]/, path);
});

test('its owner renames it and says who may see it', async () => {
    const path = `/api/recordings/${id}`;
    assert.equal((await ask('PATCH', path, { body: { title: 'x' } })).status, 401);
    assert.equal((await ask('PATCH', path, { secret: 'wrong', body: { title: 'x' } })).status, 403);
    const bad = await ask('PATCH', path, { secret: token, body: { visibility: 'secret' } });
    assert.equal(bad.status, 400);
    assert.match(JSON.stringify(bad.data), /visibility/);
    assert.equal((await ask('PATCH', path, { secret: token, body: { title: 'Newer' } })).data.title, 'Newer');

    const listed = async (secret) => (await ask('GET', '/api/recordings?roomId=stage', { secret })).data.recordings.some((r) => r.id === id);
    assert.equal(await listed(), false, 'unlisted at first');
    assert.equal((await ask('GET', path)).status, 200);
    await ask('PATCH', path, { secret: token, body: { visibility: 'public' } });
    assert.equal(await listed(), true);
    await ask('PATCH', path, { secret: token, body: { visibility: 'private' } });
    assert.equal(await listed(), false);
    assert.equal(await listed(token), true);
    assert.equal((await ask('GET', path)).status, 404);
    assert.equal((await fetch(`${service.url}/recordings/${id}/video.mp4`)).status, 404);
    const own = await fetch(`${service.url}/recordings/${id}/video.mp4?token=${token}`);
    assert.equal(own.status, 200);
    assert.match(own.headers.get('cache-control'), /private/);
    await own.arrayBuffer();
});

test('a viewer clips the last seconds', async () => {
    assert.equal((await ask('POST', '/api/livestream/stage/clip?seconds=90')).status, 400);
    assert.equal((await ask('POST', '/api/livestream/nowhere/clip')).status, 404);
    const clip = await ask('POST', '/api/livestream/stage/clip?seconds=5');
    assert.equal(clip.status, 201);
    assert.equal(clip.data.kind, 'clip');
    const row = await ready(clip.data.id, null);
    assert.ok(row.durationMs >= 4000 && row.durationMs < 9000, `${row.durationMs} ms`);
});

test('a stream that ends ends its recording, and two owners do not meet', async () => {
    const page = await goLive(browser, service, 'short', 'Short');
    const key = await until('the token', 5000, () => page.evaluate(() => JSON.parse(sessionStorage.getItem(
        Object.keys(sessionStorage).find((k) => k.endsWith('studio.identity.short')))).resumeToken));
    const { data } = await ask('POST', '/api/livestream/short/recording', { secret: key });
    await until('two seconds on disk', 30000, async () => (await seconds(join(service.dir, 'recordings', data.id, '0001.mp4'))) > 2);
    assert.equal((await ask('DELETE', `/api/recordings/${data.id}`, { secret: token })).status, 403);
    await page.getByTestId('end-stream').click().catch(() => {});
    await page.context().close();
    const row = await ready(data.id, key);
    assert.ok(row.durationMs > 2000);
    assert.equal((await ask('GET', '/api/recordings', { secret: key })).data.recordings.length, 1);
});

test('deleted by its owner, nothing is left', async () => {
    assert.equal((await ask('DELETE', `/api/recordings/${id}`)).status, 404, 'private: not there for others');
    assert.equal((await ask('DELETE', `/api/recordings/${id}`, { secret: token })).status, 204);
    await until('the row is gone', 5000, async () => (await ask('GET', `/api/recordings/${id}`, { secret: token })).status === 404);
    assert.equal(existsSync(join(service.dir, 'recordings', id)), false);
});

test('one deleted while it runs goes too, and the stream goes on', async () => {
    const { data } = await ask('POST', '/api/livestream/stage/recording', { secret: token });
    await until('something on disk', 20000, () => existsSync(join(service.dir, 'recordings', data.id, '0001.mp4')));
    assert.equal((await ask('DELETE', `/api/recordings/${data.id}`, { secret: token })).status, 204);
    await until('its files are gone', 5000, () => !existsSync(join(service.dir, 'recordings', data.id)));
    assert.equal((await fetch(`${service.url}/live/stage/index.m3u8`)).status, 200);
});

/** Seconds of media that the demo's playlist has told of. */
async function told(s) {
    const text = await (await fetch(`${s.url}/live/demo/v0.m3u8`)).text();
    const sum = (re, t) => [...t.matchAll(re)].reduce((n, m) => n + Number(m[1]), 0);
    const last = text.lastIndexOf('#EXTINF');
    return sum(/#EXTINF:([\d.]+)/g, text) + sum(/#EXT-X-PART:DURATION=([\d.]+)/g, text.slice(last));
}

test('kill -9 of everything: at most 1 s is lost, it plays, and the next start finishes it; age ends it', async () => {
    const env = { WEIR_DEMO: '1', WEIR_RECORD_AUTOMATIC: 'true' };
    let s = await Service.start(env);
    const { dir } = s;
    await until('eight seconds', 60000, async () => (await told(s)) > 8);
    const [which] = readdirSync(join(dir, 'recordings'));
    const before = await told(s);
    s.child.kill('SIGKILL');
    await s.exited;
    const kept = await seconds(join(dir, 'recordings', which, '0001.mp4'));
    assert.ok(kept > before - 1, `${kept} s of ${before} s`);
    s = await Service.start({ ...env, WEIR_DEMO: '0', WEIR_DATA_DIR: dir });
    const row = await ready(which, null, s);
    assert.ok(row.durationMs > (before - 1) * 1000, `${row.durationMs} ms of ${before} s`);
    s.child.kill('SIGTERM');
    await s.exited;
    s = await Service.start({ WEIR_DATA_DIR: dir, WEIR_RECORD_MAX_AGE: '1s' });
    await until('it is too old', 5000, () => !existsSync(join(dir, 'recordings', which)));
    s.dir = dir;
    await s.stop();
});

test('beyond the space for all, the oldest go', async () => {
    const s = await Service.start({ WEIR_DEMO: '1', WEIR_RECORD_MAX_SIZE: '1' });
    await until('the demo plays', 30000, async () => (await told(s)) > 3);
    const clip = await (await fetch(`${s.url}/api/livestream/demo/clip?seconds=2`, { method: 'POST' })).json();
    await until('it was finished', 60000, () => s.log.includes('record.ready'));
    await until('it is gone', 5000, () => !existsSync(join(s.dir, 'recordings', clip.id)));
    await s.stop();
});

test('a full disk ends the recording with a clear error; live goes on', { skip: process.getuid() !== 0 && 'mounting needs root' }, async () => {
    const small = mkdtempSync(join(tmpdir(), 'weir-small-'));
    await run('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', small]);
    let s;
    try {
        s = await Service.start({ WEIR_DEMO: '1', WEIR_RECORD_AUTOMATIC: 'true', WEIR_RECORD_DIR: small });
        await until('it is told', 60000, () => /record.stopped.*No space left on device/.test(s.log));
        const [which] = readdirSync(small);
        const row = await ready(which, null, s);
        assert.match(row.failure, /No space left on device/);
        const file = await fetch(s.url + row.videoUrl);
        assert.equal(file.status, 200);
        assert.ok((await file.arrayBuffer()).byteLength > 100_000, 'what there was room for is kept');
        const now = await told(s);
        await until('live goes on', 10000, async () => (await told(s)) > now + 1);
        await s.stop();
    } finally {
        await s?.stop();
        await run('umount', [small]);
        rmSync(small, { recursive: true });
    }
});

test('what stops the pipeline or the worker does not stop the recording: it goes on in the same one', async () => {
    const { data } = await ask('POST', '/api/livestream/stage/recording', { secret: token });
    const at = join(service.dir, 'recordings', data.id);
    const onDisk = async () => {
        let sum = 0;
        for (const name of readdirSync(at)) sum += await seconds(join(at, name)).catch(() => 0);
        return sum;
    };
    await until('two seconds on disk', 30000, async () => (await onDisk()) > 2);
    for (const victims of [() => service.children('pipe:0'), () => service.children('weir-worker')]) {
        const before = await onDisk();
        for (const pid of victims()) process.kill(pid, 'SIGKILL');
        await until('two seconds more', 40000, async () => (await onDisk()) > before + 2);
    }
    const total = await onDisk();
    await ask('DELETE', '/api/livestream/stage/recording', { secret: token });
    const row = await ready(data.id);
    assert.ok(row.durationMs > (total - 1) * 1000, `${row.durationMs} ms of ${total} s`);
    const file = join(at, 'video.mp4');
    for (const how of [['-vsync', 'vfr'], ['-c', 'copy']]) {
        const { stderr } = await run('ffmpeg', ['-v', 'error', '-i', file, ...how, '-f', 'null', '-']);
        assert.equal(stderr, '', 'all of it decodes, and times only grow');
    }
    assert.equal(readdirSync(at).filter((name) => /^\d/.test(name)).length, 0, 'nothing was left out');
});

test('in the studio: a button records, then leads to the recording; its owner publishes it, and the list shows it', async () => {
    await studio.getByTestId('record').click();
    await studio.waitForFunction(() => document.querySelector('[data-testid=record]').getAttribute('aria-pressed') === 'true');
    const [which] = (await ask('GET', '/api/recordings', { secret: token })).data.recordings.filter((r) => r.status === 'recording');
    await until('three seconds on disk', 30000, async () => (await seconds(join(service.dir, 'recordings', which.id, '0001.mp4'))) > 3);
    await studio.getByTestId('record').click();
    const link = studio.getByTestId('recording-link');
    await link.waitFor({ timeout: 10000 });
    await ready(which.id);
    assert.equal(await link.getAttribute('href'), `/recordings/${which.id}`);

    const page = await studio.context().newPage();
    await page.goto(`${service.url}/recordings/${which.id}`);
    await page.waitForFunction(() => document.querySelector('[data-testid=recording-player]')?.readyState >= 1, null, { timeout: 15000 });
    await page.getByTestId('recording-strip').hover();
    assert.match(await page.locator('.recording-peek').getAttribute('style'), /sprite\.jpg/);
    await page.getByTestId('recording-strip').click({ position: { x: 600, y: 5 } });
    await page.waitForFunction(() => document.querySelector('[data-testid=recording-player]').currentTime > 0.5);
    await page.getByTestId('recording-visibility').selectOption('public');
    await until('it is public', 5000, async () => (await ask('GET', `/api/recordings/${which.id}`)).data.visibility === 'public');
    await page.goto(`${service.url}/recordings`);
    await page.getByTestId('recording-card').first().click();
    await page.getByTestId('recording-player').waitFor();
    page.on('dialog', (d) => d.accept());
    await page.getByTestId('recording-delete').click();
    await until('it is gone', 5000, async () => (await ask('GET', `/api/recordings/${which.id}`)).status === 404);
    await page.close();
});

test('on the watch page: a clip, and the page of the clip', async () => {
    const page = await open(browser, `${service.url}/watch/stage`);
    await page.getByTestId('clip').click({ timeout: 20000 });
    await page.getByTestId('clip-link').click({ timeout: 10000 });
    await page.waitForFunction(() => document.querySelector('[data-testid=recording-player]')?.readyState >= 1, null, { timeout: 30000 });
    await page.context().close();
});

test('MPEG-TS is not recorded: who asks is told why, and nothing is begun', async () => {
    const other = await Service.start({ WEIR_HLS_CONTAINER: 'ts', WEIR_RECORD_AUTOMATIC: '1' });
    try {
        const page = await openBundled(browser, other, 'hls_modes_page.js');
        const secret = await page.evaluate(async (url) => {
            const c = await globalThis.page.Client.join(url, 'old', 'caster', 'Caster', 'broadcaster');
            await c.show('#e00000', 'video/VP8');
            return c.resumeToken;
        }, `${other.url.replace('http', 'ws')}/ws`);
        await until('it is live', 10000, async () => (await other.json('/api/livestream/active')).streams.length === 1);
        for (const what of ['recording', 'clip']) {
            const r = await fetch(`${other.url}/api/livestream/old/${what}`, { method: 'POST', headers: bearer(secret) });
            const { error } = await r.json();
            assert.equal(r.status, 409);
            assert.equal(error.field, 'hls.container');
            assert.match(error.message ?? error.reason, /hls\.container = ts/, JSON.stringify(error));
        }
        assert.equal((await other.json('/api/recordings')).recordings.length, 0);
        assert.match(other.log, /record\.not_started room=old why="with hls\.container = ts/);
        await page.context().close();
    } finally {
        assert.equal(await other.stop(), 0, other.log);
    }
});
