// Static files: exact bytes, ranges, conditions, compression, and no way out of the folder.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, renameSync, rmSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import zlib from 'node:zlib';
import { exchange, makeFolder, readAll, startServer, until } from './helper.mjs';

const big = crypto.randomBytes(5_000_000);
const script = Buffer.from('export const answer = 42; // again and again\n'.repeat(3000));

function fill(root) {
    mkdirSync(join(root, 'assets'));
    mkdirSync(join(root, 'sub'));
    writeFileSync(join(root, 'index.html'), '<!doctype html><title>app</title>');
    writeFileSync(join(root, 'assets/app-1a2b.js'), script);
    writeFileSync(join(root, 'big.mp4'), big);
    writeFileSync(join(root, 'seg1.m4s'), big.subarray(0, 500_000));
    writeFileSync(join(root, 'small.ts'), big.subarray(0, 1880));
    writeFileSync(join(root, 'index.m3u8'), '#EXTM3U\n' + '#EXTINF:1,\nseg.ts\n'.repeat(100));
    writeFileSync(join(root, 'empty.txt'), '');
    writeFileSync(join(root, 'sub/a b+c.txt'), 'spaced');
    writeFileSync(join(root, 'pre.css'), 'a{}'.repeat(1000));
    writeFileSync(join(root, 'pre.css.gz'), zlib.gzipSync('b{}'));
    const outside = makeFolder();
    writeFileSync(join(outside, 'secret.txt'), 'secret');
    symlinkSync(join(outside, 'secret.txt'), join(root, 'link.txt'));
    symlinkSync(outside, join(root, 'linked'));
    symlinkSync('sub/a b+c.txt', join(root, 'inside.txt'));
    execFileSync('mkfifo', [join(root, 'pipe.txt')]);
}

for (const secure of [false, true]) {
    describe(secure ? 'files over TLS' : 'files over TCP', () => {
        let s;
        before(async () => {
            const root = makeFolder();
            fill(root);
            s = await startServer({ secure, root });
        });
        after(async () => {
            const { code, err } = await s.stop();
            assert.equal(code, 0, err);
        });

        it('serves big files byte by byte the same, also many at once', async () => {
            const all = await Promise.all(Array.from({ length: 20 }, () => s.request('/big.mp4')));
            for (const r of all) {
                assert.equal(r.headers['content-length'], String(big.length));
                assert.ok(r.bytes.equals(big));
            }
        });

        it('knows types', async () => {
            for (const [path, type] of [['/', 'text/html'], ['/assets/app-1a2b.js', 'text/javascript'],
                ['/big.mp4', 'video/mp4'], ['/seg1.m4s', 'video/iso.segment'], ['/small.ts', 'video/mp2t'],
                ['/index.m3u8', 'application/vnd.apple.mpegurl'], ['/empty.txt', 'text/plain']]) {
                const r = await s.request(path);
                assert.equal(r.status, 200, path);
                assert.ok(r.headers['content-type'].startsWith(type), `${path} ${r.headers['content-type']}`);
            }
        });

        for (const [range, from, to] of [['bytes=0-0', 0, 1], ['bytes=0-99', 0, 100], ['bytes=100-', 100, big.length],
            ['bytes=-500', big.length - 500, big.length], [`bytes=4999999-9999999`, 4_999_999, big.length],
            ['bytes=-9999999', 0, big.length], ['bytes=65530-1500000', 65_530, 1_500_001]]) {
            it(`serves ${range}`, async () => {
                const r = await s.request('/big.mp4', { headers: { range } });
                assert.equal(r.status, 206);
                assert.equal(r.headers['content-range'], `bytes ${from}-${to - 1}/${big.length}`);
                assert.ok(r.bytes.equals(big.subarray(from, to)));
            });
        }
        it('refuses ranges beyond the end, and ignores those it does not understand', async () => {
            const beyond = await s.request('/big.mp4', { headers: { range: 'bytes=5000000-' } });
            assert.equal(beyond.status, 416);
            assert.equal(beyond.headers['content-range'], 'bytes */5000000');
            for (const range of ['bytes=0-1,5-6', 'items=0-1', 'bytes=5-1', 'bytes=a-b', 'bytes=-']) {
                const r = await s.request('/seg1.m4s', { headers: { range } });
                assert.equal(r.status, 200, range);
                assert.ok(r.bytes.equals(big.subarray(0, 500_000)), range);
            }
            assert.equal((await s.request('/empty.txt', { headers: { range: 'bytes=0-' } })).status, 416);
        });
        it('minds If-Range', async () => {
            const { headers } = await s.request('/seg1.m4s', { method: 'HEAD' });
            const ask = (tag) => s.request('/seg1.m4s', { headers: { range: 'bytes=0-9', 'if-range': tag } });
            assert.equal((await ask(headers.etag)).status, 206);
            assert.equal((await ask(headers['last-modified'])).status, 206);
            assert.equal((await ask('"other"')).status, 200);
        });

        it('answers 304 while nothing changed, and 200 after a change', async () => {
            const path = join(s.root, 'changing.txt');
            writeFileSync(path, 'one');
            const first = await s.request('/changing.txt');
            const ask = (headers) => s.request('/changing.txt', { headers });
            const same = await ask({ 'if-none-match': `"x", ${first.headers.etag}` });
            assert.equal(same.status, 304);
            assert.equal(same.headers.etag, first.headers.etag);
            assert.equal(same.bytes.length, 0);
            assert.equal((await ask({ 'if-none-match': `W/${first.headers.etag}` })).status, 304);
            assert.equal((await ask({ 'if-modified-since': first.headers['last-modified'] })).status, 304);
            assert.equal((await ask({ 'if-none-match': '"x"', 'if-modified-since': first.headers['last-modified'] })).status, 200);
            writeFileSync(path + '.new', 'two');
            renameSync(path + '.new', path);
            const changed = await ask({ 'if-none-match': first.headers.etag });
            assert.equal(changed.status, 200);
            assert.equal(changed.text, 'two');
        });

        it('says HEAD without a body, with the length of the file', async () => {
            const r = await s.request('/big.mp4', { method: 'HEAD' });
            assert.equal(r.headers['content-length'], String(big.length));
            assert.equal(r.headers['accept-ranges'], 'bytes');
            assert.equal(r.bytes.length, 0);
            const g = await s.request('/assets/app-1a2b.js', { method: 'HEAD', headers: { 'accept-encoding': 'gzip' } });
            assert.equal(g.headers['content-encoding'], 'gzip');
        });

        it('compresses text for who takes it, and only text', async () => {
            const gz = { headers: { 'accept-encoding': 'br, gzip;q=0.8' } };
            for (let i = 0; i < 2; i++) { // made, then remembered
                const r = await s.request('/assets/app-1a2b.js', gz);
                assert.equal(r.headers['content-encoding'], 'gzip');
                assert.equal(r.headers.vary, 'Accept-Encoding');
                assert.ok(r.bytes.length < 5000);
                assert.ok(zlib.gunzipSync(r.bytes).equals(script));
            }
            const plain = await s.request('/assets/app-1a2b.js');
            assert.ok(plain.bytes.equals(script));
            const r = await s.request('/assets/app-1a2b.js', gz);
            assert.notEqual(r.headers.etag, plain.headers.etag);
            assert.equal((await s.request('/assets/app-1a2b.js', { headers: { ...gz.headers, 'if-none-match': r.headers.etag } })).status, 304);
            assert.equal((await s.request('/big.mp4', gz)).headers['content-encoding'], undefined);
            assert.equal((await s.request('/index.html', gz)).headers['content-encoding'], undefined); // too small
            assert.equal((await s.request('/assets/app-1a2b.js', { headers: { 'accept-encoding': 'gzip;q=0' } })).headers['content-encoding'], undefined);
            const part = await s.request('/assets/app-1a2b.js', { headers: { ...gz.headers, range: 'bytes=0-9' } });
            assert.equal(part.status, 206);
            assert.ok(part.bytes.equals(script.subarray(0, 10)));
        });
        it('prefers a neighbour that was compressed in advance, unless it is older', async () => {
            const gz = { headers: { 'accept-encoding': 'gzip' } };
            const past = new Date(Date.now() - 60_000);
            utimesSync(join(s.root, 'pre.css'), past, past);
            assert.equal(zlib.gunzipSync((await s.request('/pre.css', gz)).bytes).toString(), 'b{}');
            const older = new Date(Date.now() - 120_000);
            utimesSync(join(s.root, 'pre.css.gz'), older, older);
            assert.equal(zlib.gunzipSync((await s.request('/pre.css', gz)).bytes).toString(), 'a{}'.repeat(1000));
        });

        it('caches assets and segments for ever, pages and playlists never without asking', async () => {
            const cache = async (path) => (await s.request(path)).headers['cache-control'];
            assert.match(await cache('/assets/app-1a2b.js'), /immutable/);
            assert.equal(await cache('/'), 'no-cache');
            assert.equal(await cache('/live/index.m3u8'), 'no-cache');
            assert.match(await cache('/live/small.ts'), /immutable/);
            assert.match(await cache('/live/seg1.m4s'), /immutable/);
            assert.equal(await cache('/file/empty.txt'), 'max-age=60');
        });
        it('opens the live folder to other origins', async () => {
            assert.equal((await s.request('/live/index.m3u8')).headers['access-control-allow-origin'], '*');
            assert.equal((await s.request('/index.m3u8')).headers['access-control-allow-origin'], undefined);
            const r = await s.request('/live/small.ts', { method: 'OPTIONS', headers: { 'access-control-request-method': 'GET',
                'access-control-request-headers': 'range' } });
            assert.equal(r.status, 204);
            assert.equal(r.headers['access-control-allow-headers'], 'range');
            const post = await s.request('/live/small.ts', { method: 'POST', body: 'x' });
            assert.equal(post.status, 405);
            assert.equal(post.headers.allow, 'GET, HEAD, OPTIONS');
        });

        it('gives the app for its own addresses, and 404 for files that are not there', async () => {
            const html = { headers: { accept: 'text/html,*/*;q=0.8' } };
            for (const path of ['/', '/watch/demo', '/studio', '/room/abc?x=1']) {
                const r = await s.request(path, html);
                assert.equal(r.status, 200, path);
                assert.match(r.text, /<title>app/);
                assert.equal(r.headers['cache-control'], 'no-cache');
                assert.match(r.headers['content-security-policy'], /default-src/);
            }
            assert.equal((await s.request('/watch/demo', { headers: { accept: 'application/json' } })).status, 404);
            assert.equal((await s.request('/missing.js', html)).status, 404);
            assert.equal((await s.request('/live/nothing', html)).status, 404);
            assert.equal((await s.request('/sub', { headers: { accept: '*/*' } })).status, 404);
        });

        it('finds names with spaces and plus signs', async () => {
            assert.equal((await s.request('/sub/a%20b+c.txt')).text, 'spaced');
            assert.equal((await s.request('/inside.txt')).text, 'spaced');
        });
        for (const path of ['/link.txt', '/linked/secret.txt', '/live/linked/secret.txt', '/pipe.txt', '/sub/', '/sub//a%20b+c.txt',
            '//etc/passwd', '/live//etc/passwd', '/assets', '/file/..']) {
            it(`does not serve ${path}`, async () => {
                const r = await exchange(s, `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
                assert.match(r.text, /^HTTP\/1\.1 40[04]/);
                assert.doesNotMatch(r.text, /secret|root:/);
            });
        }

        it('serves what was there at the start, when a file is replaced in the middle', async () => {
            const path = join(s.root, 'replaced.mp4');
            writeFileSync(path, big);
            const sock = await s.connect();
            sock.pause();
            sock.write('GET /replaced.mp4 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
            await new Promise((r) => setTimeout(r, 200));
            writeFileSync(path + '.new', Buffer.alloc(1000));
            renameSync(path + '.new', path);
            const r = await readAll(sock, { ms: 20000 });
            assert.ok(r.bytes.subarray(r.bytes.indexOf('\r\n\r\n') + 4).equals(big));
            rmSync(path);
        });
        it('serves the promised length of a file that grows', async () => {
            const path = join(s.root, 'growing.mp4');
            writeFileSync(path, big);
            const sock = await s.connect();
            sock.pause();
            sock.write('GET /growing.mp4 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
            await new Promise((r) => setTimeout(r, 200));
            appendFileSync(path, Buffer.alloc(100_000));
            const r = await readAll(sock, { ms: 20000 });
            assert.ok(r.bytes.subarray(r.bytes.indexOf('\r\n\r\n') + 4).equals(big));
        });
        it('breaks off, rather than invent bytes, when a file is cut in the middle', async () => {
            const path = join(s.root, 'cut.mp4');
            writeFileSync(path, Buffer.concat([big, big, big]));
            const sock = await s.connect();
            sock.pause();
            sock.write('GET /cut.mp4 HTTP/1.1\r\nHost: x\r\n\r\n');
            await new Promise((r) => setTimeout(r, 200));
            truncateSync(path, 1000);
            const r = await readAll(sock, { ms: 20000 });
            assert.notEqual(r.why, 'time');
            assert.ok(r.bytes.length < 3 * big.length);
            assert.equal((await s.request('/big.mp4', { method: 'HEAD' })).status, 200);
        });
        it('gives files back when clients leave in the middle', async () => {
            for (let i = 0; i < 20; i++) {
                const sock = await s.connect();
                sock.write('GET /big.mp4 HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(3));
                await new Promise((r) => sock.once('data', r));
                sock.destroy();
            }
            const links = () => execFileSync('ls', ['-l', `/proc/${s.child.pid}/fd`]).toString().match(/big\.mp4/g)?.length ?? 0;
            await until(() => links() === 0);
        });
        it('serves hundreds of readers of a playlist that changes, never half of it', async () => {
            const path = join(s.root, 'live.m3u8');
            const text = (n) => `#EXTM3U\n${`#${n}\n`.repeat(2000)}#END ${n}`;
            let n = 0;
            const write = () => { writeFileSync(path + '.tmp', text(++n)); renameSync(path + '.tmp', path); };
            write();
            const timer = setInterval(write, 5);
            const answers = await Promise.all(Array.from({ length: 400 }, () =>
                s.request('/live/live.m3u8', { headers: { 'accept-encoding': 'gzip' } })));
            clearInterval(timer);
            for (const r of answers) {
                const got = zlib.gunzipSync(r.bytes).toString();
                assert.equal(got, text(Number(/#END (\d+)/.exec(got)[1])));
            }
        });
    });
}
