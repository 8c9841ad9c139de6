// deploy/nginx.conf in front of the service: one request a state of a playlist and a part, the right answer for each, no kept errors.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { newest, parseMedia } from './hls_playlist.mjs';
import { Service, freePort, until } from './service.mjs';

const skip = spawnSync('nginx', ['-v']).error ? 'nginx is not installed' : false;
let service;
let folder;
let nginx;
let front;

before(async () => {
    if (skip) return;
    service = await Service.start({ WEIR_DEMO: '1', WEIR_HTTP_TRUSTED_PROXIES: '127.0.0.1' });
    folder = mkdtempSync(join(tmpdir(), 'weir-nginx-'));
    mkdirSync(join(folder, 'cache'));
    const port = await freePort();
    const put = (text, from, to) => {
        assert.ok(text.includes(from), from);
        return text.replace(from, to);
    };
    let conf = readFileSync(resolve(import.meta.dirname, '../../deploy/nginx.conf'), 'utf8');
    conf = put(conf, 'listen 80;', `listen 127.0.0.1:${port};`);
    conf = put(conf, 'server 127.0.0.1:8080;', `server 127.0.0.1:${service.port};`);
    conf = put(conf, '/run/nginx.pid', join(folder, 'pid'));
    conf = put(conf, '/var/log/nginx/error.log', join(folder, 'error.log'));
    conf = put(conf, '/var/cache/nginx/weir', join(folder, 'cache'));
    const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((n) => `${n}_temp_path ${join(folder, n)};`).join(' ');
    conf = put(conf, 'access_log off;', `access_log off; ${paths}`);
    // As whoever runs the test: a worker of another user could not write into its folder.
    writeFileSync(join(folder, 'nginx.conf'), `daemon off;\n${process.getuid() === 0 ? 'user root;\n' : ''}${conf}`);
    nginx = spawn('nginx', ['-c', join(folder, 'nginx.conf'), '-p', folder, '-e', join(folder, 'error.log')], { stdio: 'ignore' });
    front = `http://127.0.0.1:${port}`;
    await until('nginx passes playlists on', 30000, async () => {
        const r = await fetch(`${front}/live/demo/v0.m3u8`);
        return r.ok && parseMedia(await r.text(), () => {}).segments.length > 4;
    }, 100);
});

after(async () => {
    if (skip) return;
    const gone = new Promise((done) => nginx.on('exit', done));
    nginx.kill('SIGTERM');
    await gone;
    assert.equal(await service.stop(), 0, 'the service ends cleanly');
    rmSync(folder, { recursive: true, force: true });
});

const agent = new Agent({ keepAlive: false, maxSockets: 1000 });

function raw(path, headers = {}) {
    return new Promise((done, fail) => {
        request(`${front}/live/demo/${path}`, { headers, agent }, (res) => {
            const chunks = [];
            res.on('data', (d) => chunks.push(d));
            res.on('end', () => done({ status: res.statusCode, headers: res.headers, cache: res.headers['x-cache-status'], body: Buffer.concat(chunks) }));
        }).on('error', fail).end();
    });
}

/** Requests that the service itself has answered. */
async function answered() {
    const text = await (await fetch(`${service.url}/metrics`)).text();
    return [...text.matchAll(/^(?:weir_)?http_requests_total\{[^}]*\} (\d+)/gm)].reduce((sum, m) => sum + Number(m[1]), 0);
}

async function position() {
    const list = parseMedia((await raw('v0.m3u8')).body.toString(), () => {});
    return { list, at: newest(list) };
}

test('three hundred viewers that wait for the same part cost the service one request', { skip }, async () => {
    const { list } = await position();
    const query = `v0.m3u8?_HLS_msn=${list.next + 1}&_HLS_part=0`;
    const before = await answered();
    const got = await Promise.all(Array.from({ length: 300 }, (_, i) => raw(`${query}&other=${i}`)));
    const cost = await answered() - before;
    assert.ok(got.every((r) => r.status === 200));
    assert.equal(new Set(got.map((r) => r.body.toString())).size, 1, 'all get the same');
    assert.ok(newest(parseMedia(got[0].body.toString(), () => {}))[0] >= list.next + 1);
    assert.ok(cost <= 3, `${cost} requests`);
    assert.equal((await raw(query)).cache, 'HIT');
});

test('the part that is hinted at comes to all who wait for it, by one request', { skip }, async () => {
    const { list } = await position();
    const before = await answered();
    const got = await Promise.all(Array.from({ length: 100 }, () => raw(list.hint.URI)));
    const cost = await answered() - before;
    assert.ok(got.every((r) => r.status === 200 && r.body.equals(got[0].body)));
    assert.ok(cost <= 3, `${cost} requests`);
    const direct = Buffer.from(await (await fetch(`${service.url}/live/demo/${list.hint.URI}`)).arrayBuffer());
    assert.ok(got[0].body.equals(direct), 'byte by byte');
    const range = await raw(list.hint.URI, { range: 'bytes=100-199' });
    assert.equal(range.status, 206);
    assert.ok(range.body.equals(direct.subarray(100, 200)));
});

test('other parts, deltas and encodings are other answers', { skip }, async () => {
    const { at: [msn, part] } = await position();
    const base = `v0.m3u8?_HLS_msn=${msn}&_HLS_part=${part}`;
    const next = `v0.m3u8?_HLS_msn=${msn}&_HLS_part=${part + 1}`;
    const a = parseMedia((await raw(base)).body.toString(), () => {});
    const b = parseMedia((await raw(next)).body.toString(), () => {});
    assert.notDeepEqual(newest(a), newest(b));
    await until('something to skip', 30000, async () => (await position()).list.segments.length > 10, 300);
    const { at } = await position();
    const query = `v0.m3u8?_HLS_msn=${at[0]}&_HLS_part=${at[1]}`;
    const whole = await raw(query);
    const delta = await raw(`${query}&_HLS_skip=YES`);
    assert.ok(!whole.body.includes('EXT-X-SKIP') && delta.body.includes('EXT-X-SKIP'));
    const packed = await raw(query, { 'accept-encoding': 'br, gzip' });
    assert.equal(packed.headers['content-encoding'], 'gzip');
    assert.equal(whole.headers['content-encoding'], undefined);
    assert.ok(gunzipSync(packed.body).includes('#EXTM3U'));
    assert.equal((await raw(query, { 'accept-encoding': 'gzip' })).cache, 'HIT');
    assert.equal((await raw(query)).cache, 'HIT');
});

test('playlists as they are now, and errors, are never kept', { skip }, async () => {
    for (const path of ['v0.m3u8', 'index.m3u8', 'index.mpd']) assert.equal((await raw(path)).cache, 'BYPASS', path);
    const { list } = await position();
    for (const path of ['v0-aaaaaaaa-1.m4s', `v0.m3u8?_HLS_msn=${list.next + 100}`]) {
        const before = await answered();
        const first = await raw(path);
        const second = await raw(path);
        assert.ok(first.status >= 400 && second.status === first.status, path);
        assert.notEqual(second.cache, 'HIT', path);
        assert.ok(await answered() - before >= 2, 'both were asked');
    }
    const { list: now } = await position();
    assert.ok(now.next >= list.next, 'and it goes on');
});

test('pages and signaling pass', { skip }, async () => {
    assert.equal((await fetch(`${front}/healthz`)).status, 200);
    const status = await new Promise((done, fail) => {
        const req = request(`${front}/ws?roomId=demo&peerId=through-nginx`, { headers: { connection: 'Upgrade', upgrade: 'websocket',
            'sec-websocket-version': '13', 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==', 'sec-websocket-protocol': 'protoo' } });
        req.on('upgrade', (res, socket) => {
            socket.destroy();
            done(res.statusCode);
        });
        req.on('response', (res) => done(res.statusCode));
        req.on('error', fail);
        req.end();
    });
    assert.equal(status, 101);
});
