// Recordings in S3-compatible storage: uploads that go on after failures, restarts and crashes, signed addresses, deletion.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { S3, settings } from './s3.mjs';
import { Service, until } from './service.mjs';

const run = promisify(execFile);
let s3;
let service;
let first;

before(async () => {
    s3 = await S3.start('vod');
    service = await Service.start({ WEIR_DEMO: '1', ...settings(s3) });
    await until('the demo plays', 30000, async () => (await segments()) >= 4);
});

after(async () => {
    assert.equal(await service?.stop(), 0, 'the service ends cleanly');
    await s3?.stop();
});

async function segments() {
    const r = await fetch(`${service.url}/live/demo/v0.m3u8`);
    return r.ok ? (await r.text()).split('#EXTINF').length - 1 : 0;
}

const folder = (id) => join(service.dir, 'recordings', id);
const isUploaded = (id) => existsSync(folder(id)) && readdirSync(folder(id)).join() === 'sprite.vtt';

async function clip() {
    const r = await fetch(`${service.url}/api/livestream/demo/clip?seconds=4`, { method: 'POST' });
    assert.equal(r.status, 201);
    const { id } = await r.json();
    return until('the clip is ready', 60000, async () => {
        const row = await service.json(`/api/recordings/${id}`);
        return row.status === 'ready' && row;
    });
}

const redirect = (path) => fetch(service.url + path, { redirect: 'manual' });

/** Restarts in the same folder; `how` is the signal that ends it. */
async function restart(how, env = {}) {
    const { dir } = service;
    service.child.kill(how);
    await service.exited;
    service = await Service.start({ WEIR_DATA_DIR: dir, ...settings(s3), ...env });
    service.dir = dir;
}

test('a recording goes to the storage in parts, whatever fails on the way; each part once', async () => {
    let faults = 0;
    const cut = new Set();
    s3.fail = (method, url) => {
        if (faults < 2) {
            faults++;
            return 503;
        }
        const part = url.searchParams.get('partNumber');
        if (part !== '2' || cut.has(part)) return null;
        cut.add(part);
        return 'cut';
    };
    first = await clip();
    await until('it is in the storage', 60000, () => isUploaded(first.id));
    s3.fail = () => null;
    const parts = s3.asked.filter((a) => a.includes('part='));
    assert.ok(parts.length >= 3, `${parts.length} parts`);
    assert.equal(new Set(parts).size, parts.length, 'none was sent again');
    assert.equal(cut.size, 1);
    assert.equal(s3.refused, 0, 'every signature was right');
    assert.match(service.log, /storage.retry/);
});

test('players are sent to a signed address, which serves it byte for byte, with Range', async () => {
    const r = await redirect(first.videoUrl);
    assert.equal(r.status, 302);
    const location = r.headers.get('location');
    assert.ok(location.startsWith(`http://127.0.0.1:${s3.port}/vod/vod%20files/${first.id}/video.mp4?X-Amz-Algorithm=AWS4-HMAC-SHA256&`), location);
    const whole = Buffer.from(await (await fetch(location)).arrayBuffer());
    assert.equal(whole.length, first.sizeBytes);
    const part = await fetch(service.url + first.videoUrl, { headers: { range: 'bytes=1000-1999' } });
    assert.equal(part.status, 206);
    assert.deepEqual(Buffer.from(await part.arrayBuffer()), whole.subarray(1000, 2000));
    const { stdout } = await run('ffprobe', ['-v', 'error', '-show_entries', 'stream=codec_name', '-of', 'csv=p=0', service.url + first.videoUrl]);
    assert.deepEqual(stdout.trim().split('\n').sort(), ['aac', 'h264']);
    assert.equal((await redirect(first.posterUrl)).status, 302);
    assert.equal((await redirect(first.spriteUrl)).status, 200, 'cues stay, their addresses are relative');

    const download = await fetch(`${service.url}${first.videoUrl}?download`);
    assert.match(download.headers.get('content-disposition'), /^attachment; filename="[\w -]+\.mp4"$/);
    await download.arrayBuffer();
});

test('an address that was tampered with, or is of another object, is refused', async () => {
    const location = (await redirect(first.videoUrl)).headers.get('location');
    for (const bad of [location.replace('video.mp4', 'poster.jpg'), location.replace(/X-Amz-Expires=\d+/, 'X-Amz-Expires=604800')]) {
        const r = await fetch(bad);
        assert.equal(r.status, 403);
        await r.arrayBuffer();
    }
    s3.refused = 0;
});

test('kill -9 in the middle of an upload: the next start goes on where it was', async () => {
    s3.asked.length = 0;
    s3.fail = (method, url) => (Number(url.searchParams.get('partNumber')) >= 3 ? 'stall' : null);
    const { id } = await clip();
    await until('two parts', 30000, () => s3.asked.filter((a) => a.includes('part=')).length === 2);
    await until('they are noted', 5000, () => existsSync(join(folder(id), 'video.mp4.upload')));
    await restart('SIGKILL');
    s3.fail = () => null;
    await until('it is in the storage', 60000, () => isUploaded(id));
    const parts = s3.asked.filter((a) => a.includes('part='));
    assert.equal(parts.filter((a) => a.endsWith('part=1')).length, 1, 'the first part was kept');
    assert.equal(s3.asked.filter((a) => a.startsWith('POST') && a.includes(id)).length, 2, 'one upload: begun once, put together once');
    assert.equal((await redirect(`/recordings/${id}/video.mp4`)).status, 302);
    assert.equal(s3.refused, 0);
});

test('storage away: recordings are served from disk, and the service ends at once', async () => {
    await restart('SIGTERM', { WEIR_DEMO: '1' });
    await until('the demo plays', 30000, async () => (await segments()) >= 4);
    await s3.shut();
    const row = await clip();
    await until('it was tried', 20000, () => service.log.includes('storage.retry'));
    assert.equal((await redirect(row.videoUrl)).status, 200);
    const now = await segments();
    await until('live goes on', 10000, async () => (await segments()) > now);
    const started = Date.now();
    await s3.open();
    await restart('SIGTERM');
    assert.ok(Date.now() - started < 15000);
    await until('it is in the storage', 60000, () => isUploaded(row.id));
});

test('what is deleted is deleted there, too, also when the storage was away', async () => {
    const location = (await redirect(first.videoUrl)).headers.get('location');
    await s3.shut();
    await restart('SIGTERM', { WEIR_RECORD_MAX_AGE: '1s' });
    await until('its row is gone', 10000, async () => (await redirect(`/api/recordings/${first.id}`)).status === 404);
    await s3.open();
    await restart('SIGKILL');
    await until('nothing is left on disk', 60000, () => readdirSync(join(service.dir, 'recordings')).length === 0);
    const gone = await fetch(location);
    assert.equal(gone.status, 404);
    await gone.arrayBuffer();
});

test('with the bucket in the host name', async () => {
    await restart('SIGTERM', { WEIR_DEMO: '1', WEIR_STORAGE_PATH_STYLE: 'false', WEIR_STORAGE_ENDPOINT: `http://localhost:${s3.port}` });
    await until('the demo plays', 30000, async () => (await segments()) >= 4);
    const row = await clip();
    await until('it is in the storage', 60000, () => isUploaded(row.id));
    const location = new URL((await redirect(row.videoUrl)).headers.get('location'));
    assert.equal(location.host, `vod.localhost:${s3.port}`);
    const status = await new Promise((done, fail) => {
        request({ host: '127.0.0.1', port: s3.port, path: location.pathname + location.search, headers: { host: location.host } }, (r) => {
            r.resume();
            done(r.statusCode);
        }).on('error', fail).end();
    });
    assert.equal(status, 200);
    assert.equal(s3.refused, 0);
});

test('keys that the storage refuses are told, and nothing is lost', async () => {
    await restart('SIGTERM', { WEIR_DEMO: '1', WEIR_STORAGE_SECRET_KEY: 'wrong' });
    await until('the demo plays', 30000, async () => (await segments()) >= 4);
    const row = await clip();
    await until('it is told', 20000, () => /storage.refused.*403 SignatureDoesNotMatch/.test(service.log));
    assert.equal((await redirect(row.videoUrl)).status, 200);
});
