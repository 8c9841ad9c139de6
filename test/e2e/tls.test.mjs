// HTTPS and wss by the service itself: pages, signaling, a broadcast, HLS; and who may open the WebSocket from where.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { goLive, launch, moving, open } from './browser.mjs';
import { Program } from './program.mjs';
import { until } from './service.mjs';

let dir;
let service;
let browser;

before(async () => {
    dir = mkdtempSync(join(tmpdir(), 'weir-tls-'));
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2',
        '-keyout', join(dir, 'key.pem'), '-out', join(dir, 'cert.pem'), '-subj', '/CN=localhost',
        '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'], { stdio: 'ignore' });
    service = await Program.start({
        WEIR_HTTP_TLS_CERT: join(dir, 'cert.pem'),
        WEIR_HTTP_TLS_KEY: join(dir, 'key.pem'),
        WEIR_HTTP_ALLOWED_ORIGINS: 'https://friend.example',
    });
    await service.up();
    browser = await launch(['--ignore-certificate-errors']);
});

after(async () => {
    await browser?.close();
    service?.child.kill('SIGINT');
    const end = await service?.ended();
    const left = service?.processes();
    const reports = service?.reports;
    service?.clean();
    rmSync(dir, { recursive: true, force: true });
    assert.deepEqual(end, { code: 0, signal: null }, service?.log);
    assert.deepEqual(left, []);
    assert.deepEqual(reports, []);
});

function get(path, headers = {}) {
    return new Promise((done, fail) => {
        https.get(service.url + path, { rejectUnauthorized: false, headers, agent: false }, (r) => {
            let body = '';
            r.on('data', (d) => { body += d; });
            r.on('end', () => done({ status: r.statusCode, body }));
        }).on('error', fail);
    });
}

/** The status that an upgrade to a WebSocket gets. */
function upgrade(origin) {
    return new Promise((done, fail) => {
        const req = https.request(`${service.url}/ws`, {
            rejectUnauthorized: false,
            agent: false,
            headers: {
                Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
                ...(origin === undefined ? {} : { Origin: origin }),
            },
        });
        req.on('response', (r) => { r.resume(); done(r.statusCode); });
        req.on('upgrade', (r, sock) => { sock.destroy(); done(r.statusCode); });
        req.on('error', fail);
        req.end();
    });
}

test('the addresses that are printed are https', () => {
    assert.match(service.out, new RegExp(`Home +https://127\\.0\\.0\\.1:${service.port}/`));
});

test('a broadcast over https and wss is watched by WebRTC and plays by HLS', async () => {
    const studio = await goLive(browser, service, 'sealed', 'Sealed');
    assert.equal(new URL(studio.url()).protocol, 'https:');
    const watch = await open(browser, `${service.url}/watch/sealed`);
    await moving(watch, '[data-testid=player]', 15000);
    const { streams } = JSON.parse((await get('/api/livestream/active')).body);
    assert.deepEqual(streams.map((s) => s.roomId), ['sealed']);
    const playlist = await until('HLS', 20000, async () => {
        const r = await get('/live/sealed/index.m3u8');
        const variant = r.status === 200 && /^[^#\s].*$/m.exec(r.body)?.[0];
        return variant && /\n[^#\n]+\.m4s/.test((await get(`/live/sealed/${variant}`)).body) && r;
    }, 200);
    assert.match(playlist.body, /#EXTM3U/);
    await watch.context().close();
    await studio.context().close();
});

test('pages of this site and of listed ones may open the WebSocket, others get 403', async () => {
    assert.equal(await upgrade(service.url), 101);
    assert.equal(await upgrade(undefined), 101, 'no browser');
    assert.equal(await upgrade('https://friend.example'), 101);
    assert.equal(await upgrade('https://evil.example'), 403);
    assert.equal(await upgrade(`https://127.0.0.1:${service.port}.evil.example`), 403);
    assert.equal(await upgrade(service.url.replace('https', 'http')), 403, 'a page without TLS');
    assert.equal(await upgrade('null'), 403);
    const { body } = await get('/metrics');
    assert.match(body, /^weir_signaling_foreign_origin_total 4$/m);
});

test('metrics are for this machine alone, whatever a header says', async () => {
    assert.equal((await get('/metrics')).status, 200);
    for (const name of ['X-Forwarded-For', 'X-Real-IP', 'Forwarded', 'Via'])
        assert.equal((await get('/metrics', { [name]: '127.0.0.1' })).status, 403, name);
});
