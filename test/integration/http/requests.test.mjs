// Requests, answers and their limits, over plain TCP and over TLS.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { exchange, makeCertificate, newCertificate, makeFolder, readAll, spawnServer, startServer, until } from './helper.mjs';

const get = (path, more = '') => `GET ${path} HTTP/1.1\r\nHost: x\r\n${more}\r\n`;
const statuses = (text) => [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map((m) => Number(m[1]));

for (const secure of [false, true]) {
    describe(secure ? 'over TLS' : 'over TCP', () => {
        let s;
        before(async () => { s = await startServer({ secure }); });
        after(async () => {
            const { code, err } = await s.stop();
            assert.equal(code, 0, err);
        });

        it('answers JSON with its own security headers', async () => {
            const r = await s.request('/json');
            assert.equal(r.status, 200);
            assert.deepEqual(r.json(), { ok: true });
            assert.equal(r.headers['content-type'], 'application/json');
            assert.equal(r.headers['x-content-type-options'], 'nosniff');
            assert.ok(r.headers['referrer-policy']);
            assert.ok(Math.abs(Date.parse(r.headers.date) - Date.now()) < 5000);
        });

        it('keeps a connection for many requests', async () => {
            const ports = new Set();
            const agent = new (secure ? (await import('node:https')).Agent : http.Agent)({
                keepAlive: true, maxSockets: 1, rejectUnauthorized: false });
            for (let i = 0; i < 50; i++) ports.add((await s.request('/json', { agent })).localPort);
            agent.destroy();
            assert.equal(ports.size, 1);
        });

        it('answers pipelined requests in order, later ones after an answer that took its time', async () => {
            const r = await exchange(s, get('/query?n=1') + get('/slow?ms=150') + get('/query?n=2') + get('/nope') +
                get('/query?n=3', 'Connection: close\r\n'));
            assert.deepEqual(statuses(r.text), [200, 200, 200, 404, 200]);
            const at = ['"n":1', '"late":true', '"n":2', 'NotFound', '"n":3'].map((x) => r.text.indexOf(x));
            assert.deepEqual(at, [...at].sort((a, b) => a - b));
            assert.ok(at.every((x) => x > 0));
        });

        it('answers two thousand pipelined requests', async () => {
            const n = 2000;
            const r = await exchange(s, get('/json').repeat(n - 1) + get('/json', 'Connection: close\r\n'), { ms: 20000 });
            assert.equal(statuses(r.text).length, n);
            assert.equal(r.why, 'end');
        });

        it('takes a request that comes byte by byte', async () => {
            const sock = await s.connect();
            const all = readAll(sock);
            for (const c of 'POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello') {
                sock.write(c);
                await new Promise((r) => setImmediate(r));
            }
            assert.match((await all).text, /200 OK[\s\S]*\r\n\r\nhello$/);
        });

        for (const [method, path] of [['POST', '/echo'], ['PUT', '/echo/a'], ['PATCH', '/echo/b'], ['DELETE', '/echo/c']]) {
            it(`takes bodies of ${method} with a length, chunked, and without any`, async () => {
                const body = Buffer.alloc(100_000, 'abc');
                const sized = await s.request(path, { method, body, headers: { 'content-length': body.length } });
                assert.ok(sized.bytes.equals(body));
                const chunked = await s.request(path, { method, headers: { 'transfer-encoding': 'chunked' }, body: (req) => {
                    for (let i = 0; i < 10; i++) req.write(body.subarray(i * 10_000, (i + 1) * 10_000));
                    req.end();
                } });
                assert.equal(chunked.status, 200);
                assert.ok(chunked.bytes.equals(body));
                const r = await exchange(s, `${method} ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
                assert.deepEqual(statuses(r.text), [200]);
            });
        }

        it('goes on after a chunked body with extensions and trailers', async () => {
            const r = await exchange(s, 'POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n' +
                '3;a=b\r\nabc\r\n2\r\nde\r\n0\r\nX-T: y\r\n\r\n' + get('/json', 'Connection: close\r\n'));
            assert.deepEqual(statuses(r.text), [200, 200]);
            assert.match(r.text, /abcde/);
        });

        it('sends 100 Continue to who waits for it', async () => {
            const sock = await s.connect();
            const all = readAll(sock);
            sock.write('POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n');
            await new Promise((r) => sock.once('data', r));
            sock.write('ok');
            assert.match((await all).text, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK[\s\S]*ok$/);
        });

        it('refuses a body that is too large before it comes, and the client reads why', async () => {
            const r = await s.request('/json', { method: 'POST', body: Buffer.alloc(3 << 20) });
            assert.equal(r.status, 413);
            assert.equal(r.json().error.code, 'TooLarge');
            const c = await s.request('/json', { method: 'POST', headers: { 'transfer-encoding': 'chunked' },
                body: (req) => { req.on('error', () => {}); req.end(Buffer.alloc(2 << 20)); } });
            assert.equal(c.status, 413);
        });

        it('lets a route take more than the server does', async () => {
            const body = Buffer.alloc(3 << 20, 7);
            const r = await s.request('/echo', { method: 'POST', body });
            assert.ok(r.bytes.equals(body));
        });

        it('names the field of a bad query and of bad JSON', async () => {
            assert.deepEqual((await s.request('/query?n=7')).json(), { n: 7, text: '' });
            assert.deepEqual((await s.request('/query?text=a%20b%2Bc+d%26')).json(), { n: 7, text: 'a b+c d&' });
            for (const [q, code] of [['n=x', 'TypeError'], ['n=0', 'RangeError'], ['n=101', 'RangeError'],
                ['n=', 'TypeError'], ['n=1e3', 'TypeError'], ['n=99999999999999999999', 'RangeError']]) {
                const r = await s.request(`/query?${q}`);
                assert.equal(r.status, 400, q);
                assert.equal(r.json().error.code, code, q);
                assert.equal(r.json().error.field, 'n');
            }
            const r = await s.request('/json', { method: 'POST', body: '{"a":' });
            assert.equal(r.status, 400);
            assert.equal(r.json().error.code, 'Malformed');
        });

        it('answers 404, 405 with Allow, and OPTIONS', async () => {
            const nope = await s.request('/nope');
            assert.equal(nope.status, 404);
            assert.equal(nope.json().error.code, 'NotFound');
            const wrong = await s.request('/echo', { method: 'PUT', body: 'x' });
            assert.equal(wrong.status, 405);
            assert.equal(wrong.headers.allow, 'POST, OPTIONS');
            const options = await s.request('/json', { method: 'OPTIONS' });
            assert.equal(options.status, 204);
            assert.equal(options.headers.allow, 'GET, HEAD, POST, OPTIONS');
        });

        it('answers preflights of routes that are open to other origins, and of no others', async () => {
            const ask = (path) => s.request(path, { method: 'OPTIONS', headers: { origin: 'http://other',
                'access-control-request-method': 'GET', 'access-control-request-headers': 'authorization, x-a' } });
            const open = await ask('/json');
            assert.equal(open.headers['access-control-allow-origin'], '*');
            assert.equal(open.headers['access-control-allow-headers'], 'authorization, x-a');
            assert.match(open.headers['access-control-allow-methods'], /GET/);
            const shut = await ask('/query');
            assert.equal(shut.headers['access-control-allow-origin'], undefined);
            assert.equal((await s.request('/query')).headers['access-control-allow-origin'], undefined);
            assert.equal((await s.request('/json')).headers['access-control-allow-origin'], '*');
        });

        it('answers HEAD as GET without the body', async () => {
            const head = await s.request('/json', { method: 'HEAD' });
            assert.equal(head.status, 200);
            assert.equal(head.headers['content-length'], '11');
            assert.equal(head.bytes.length, 0);
            assert.equal((await s.request('/json')).status, 200);
        });

        it('gives pages a policy that lets media, workers and sockets work', async () => {
            const csp = (await s.request('/page')).headers['content-security-policy'];
            assert.match(csp, /default-src 'self'/);
            assert.match(csp, /media-src [^;]*blob:/);
            assert.match(csp, /worker-src [^;]*blob:/);
            assert.match(csp, /connect-src [^;]*wss:/);
        });

        const broken = [
            ['GARBAGE\r\n\r\n', 400, 'no request line'],
            ['GET /json\r\n\r\n', 400, 'HTTP/0.9'],
            ['GET  /json HTTP/1.1\r\nHost: x\r\n\r\n', 400, 'two spaces'],
            ['GET /json HTTP/1.1\nHost: x\n\n', 400, 'bare LF'],
            ['GET /json HTTP/1.1\r\n\r\n', 400, 'no Host'],
            ['GET /json HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n', 400, 'two Hosts'],
            ['GET /json HTTP/1.1\r\nHost : x\r\n\r\n', 400, 'space before the colon'],
            ['GET /json HTTP/1.1\r\nHost: x\r\n folded: y\r\n\r\n', 400, 'folded line'],
            ['GET /json HTTP/1.1\r\nHost: x\r\nA: b\u0000c\r\n\r\n', 400, 'NUL in a value'],
            ['GET json HTTP/1.1\r\nHost: x\r\n\r\n', 400, 'relative target'],
            ['GET /a%00b HTTP/1.1\r\nHost: x\r\n\r\n', 400, 'escaped NUL'],
            ['GET /a%zz HTTP/1.1\r\nHost: x\r\n\r\n', 400, 'bad escape'],
            ['GET /../x HTTP/1.1\r\nHost: x\r\n\r\n', 400, 'dot segment'],
            ['GET /live/%2e%2e/x HTTP/1.1\r\nHost: x\r\n\r\n', 400, 'escaped dot segment'],
            ['GET /live/..%2fx HTTP/1.1\r\nHost: x\r\n\r\n', 400, 'escaped slash'],
            ['BREW /json HTTP/1.1\r\nHost: x\r\n\r\n', 501, 'unknown method'],
            ['CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n', 501, 'CONNECT'],
            ['GET /json HTTP/2.0\r\nHost: x\r\n\r\n', 505, 'version'],
            ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505, 'HTTP/2 preface'],
            ['POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n', 400, 'negative length'],
            ['POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1, 1\r\n\r\nx', 400, 'list of lengths'],
            ['POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx', 400, 'two lengths'],
            ['POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 400, 'both'],
            ['POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n', 501, 'other coding'],
            ['POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n', 400, 'bad chunk size'],
            ['POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n', 400, 'chunk too long'],
            ['POST /echo HTTP/1.1\r\nHost: x\r\nExpect: miracles\r\nContent-Length: 1\r\n\r\nx', 417, 'expectation'],
            [get('/' + 'a'.repeat(5000)), 414, 'long target'],
            [get('/json', `X: ${'a'.repeat(17_000)}\r\n`), 431, 'long header'],
            [get('/json', 'X: y\r\n'.repeat(101)), 431, 'many headers'],
            ['GET /' + 'a'.repeat(60_000), 414, 'endless target'],
            ['GET / HTTP/1.1\r\n' + 'A: b\r\n'.repeat(10_000), 431, 'endless headers'],
        ];
        for (const [bytes, status, name] of broken) {
            it(`answers ${status} to: ${name}`, async () => {
                const r = await exchange(s, Buffer.from(bytes, 'latin1'));
                assert.deepEqual(statuses(r.text), [status]);
                assert.match(r.text, /Connection: close/);
                assert.match(r.text, /"error":\{"code":"/);
                assert.notEqual(r.why, 'time');
            });
        }

        it('takes headers of 12 kB', async () => {
            const r = await s.request('/json', { headers: { 'x-long': 'a'.repeat(12_000) } });
            assert.equal(r.status, 200);
        });

        it('speaks HTTP/1.0, with and without keep-alive', async () => {
            const closed = await exchange(s, 'GET /json HTTP/1.0\r\n\r\n');
            assert.match(closed.text, /Connection: close/);
            assert.equal(closed.why, 'end');
            const kept = await exchange(s, 'GET /json HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /json HTTP/1.0\r\n\r\n');
            assert.deepEqual(statuses(kept.text), [200, 200]);
        });

        it('accepts the absolute form of a target', async () => {
            const r = await exchange(s, 'GET http://x/query?n=5 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
            assert.match(r.text, /"n":5/);
        });

        it('streams with back-pressure, byte by byte the same', async () => {
            const r = await s.request('/flood');
            assert.equal(r.bytes.length, 8 << 20);
            for (let i = 0; i < r.bytes.length; i += 997) assert.equal(r.bytes[i], i % 251);
            assert.equal((await s.request('/json')).status, 200);
        });

        it('streams events as they happen', async () => {
            const r = await s.request('/events');
            assert.equal(r.headers['content-type'], 'text/event-stream');
            assert.equal(r.text, 'data: 0\n\ndata: 1\n\ndata: 2\n\n');
        });

        it('tells a handler that its client left, and survives an answer after that', async () => {
            const before = (await s.request('/stats')).json().requestsClosed;
            for (const path of ['/hang', '/slow?ms=300', '/flood']) {
                const sock = await s.connect();
                sock.write(get(path));
                await new Promise((r) => setTimeout(r, 100));
                sock.destroy();
            }
            await until(async () => (await s.request('/stats')).json().requestsClosed === before + 3);
            await new Promise((r) => setTimeout(r, 350)); // the late answer comes now
            assert.equal((await s.request('/json')).status, 200);
        });

        it('notices that a client left who had sent far too much while waiting', async () => {
            const before = (await s.request('/stats')).json().requestsClosed;
            const sock = await s.connect();
            sock.write(get('/hang'));
            sock.write(Buffer.alloc(1 << 20, 'A'));
            await new Promise((r) => setTimeout(r, 100));
            sock.destroy();
            await until(async () => (await s.request('/stats')).json().requestsClosed === before + 1);
            const r = await exchange(s, get('/slow?ms=100') + 'B'.repeat(200_000));
            assert.deepEqual(statuses(r.text), [200]);
            assert.notEqual(r.why, 'time');
        });
        it('rests while clients do not read and yet go on sending', async () => {
            writeFileSync(join(s.root, 'long.mp4'), Buffer.alloc(20 << 20));
            const socks = [];
            for (const first of [get('/long.mp4').repeat(20), get('/flood'), get('/hang')]) {
                const sock = await s.connect();
                sock.pause();
                sock.write(first);
                await new Promise((r) => setTimeout(r, 50));
                sock.write('G');
                socks.push(sock);
            }
            const cpuMs = () => {
                const f = readFileSync(`/proc/${s.child.pid}/stat`, 'utf8').split(' ');
                return (Number(f[13]) + Number(f[14])) * 10;
            };
            await new Promise((r) => setTimeout(r, 500));
            const before = cpuMs();
            await new Promise((r) => setTimeout(r, 1000));
            assert.ok(cpuMs() - before < 150, `${cpuMs() - before} ms of a second`);
            for (const sock of socks) sock.destroy();
        });
        it('shows who asks, as IPv4', async () => {
            assert.deepEqual((await s.request('/peer', { headers: { 'x-forwarded-for': '9.9.9.9' } })).json(),
                { peer: '127.0.0.1' });
        });

        it('counts', async () => {
            const text = (await s.request('/metrics')).text;
            assert.match(text, /^http_requests_total\{code="200"\} \d+$/m);
            assert.match(text, /^http_requests_total\{code="404"\} \d+$/m);
            assert.match(text, /^http_connections \d+$/m);
            assert.match(text, /^http_sent_bytes_total \d+$/m);
            assert.match(text, /^http_request_seconds_bucket\{le="\+Inf"\} \d+$/m);
        });

        it('serves a thousand connections at once', async () => {
            const socks = await Promise.all(Array.from({ length: 1000 }, () => s.connect()));
            const stats = (await s.request('/stats')).json();
            assert.ok(stats.connections >= 1000, String(stats.connections));
            const answers = await Promise.all(socks.map((sock) => new Promise((resolve) => {
                sock.once('data', (d) => resolve(d.toString()));
                sock.write(get('/json'));
            })));
            assert.ok(answers.every((a) => a.startsWith('HTTP/1.1 200')));
            for (const sock of socks) sock.destroy();
            await until(async () => (await s.request('/stats')).json().connections < 50);
        });
    });
}

describe('time-outs of one second', () => {
    let s;
    before(async () => { s = await startServer({ env: { WEIR_TEST_SHORT: '1' } }); });
    after(async () => { assert.equal((await s.stop()).code, 0); });

    it('answers 408 to a header that does not end', async () => {
        const sock = await s.connect();
        const all = readAll(sock, { ms: 8000 });
        sock.write('GET /json HTTP/1.1\r\n');
        const drip = setInterval(() => sock.write('A: b\r\n'), 200);
        const r = await all;
        clearInterval(drip);
        assert.deepEqual(statuses(r.text), [408]);
    });
    it('answers 408 to a body that does not come', async () => {
        const r = await exchange(s, 'POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc');
        assert.deepEqual(statuses(r.text), [408]);
    });
    it('closes connections that say nothing, before and between requests', async () => {
        assert.equal((await readAll(await s.connect())).why !== 'time', true);
        const r = await exchange(s, get('/json'));
        assert.deepEqual(statuses(r.text), [200]);
        assert.notEqual(r.why, 'time');
    });
    it('lets an answer take its time', async () => {
        assert.deepEqual((await s.request('/slow?ms=2500')).json(), { late: true });
    });
    it('drops a client that reads nothing of a long answer', async () => {
        const before = (await s.request('/stats')).json().requestsClosed;
        const sock = await s.connect();
        sock.pause();
        sock.write(get('/flood'));
        await until(async () => (await s.request('/stats')).json().requestsClosed === before + 1, 8000);
        sock.destroy();
    });
});

describe('strangers on the TLS port', () => {
    it('does without those who speak no TLS, or nothing', async () => {
        const s = await startServer({ secure: true, env: { WEIR_TEST_SHORT: '1' } });
        for (const bytes of [get('/json'), '', '\x16\x03\x01', '\x16\x03\x01\x00\x05hello']) {
            const sock = net.connect({ host: '127.0.0.1', port: s.port });
            sock.on('error', () => {});
            const all = readAll(sock);
            if (bytes) sock.write(Buffer.from(bytes, 'latin1'));
            const r = await all;
            assert.notEqual(r.why, 'time');
            assert.doesNotMatch(r.text, /HTTP/);
        }
        assert.equal((await s.request('/json')).status, 200);
        assert.equal((await s.stop()).code, 0);
    });
});

describe('configuration', () => {
    it('says host, port and why when it cannot listen', async () => {
        const s = await startServer();
        const second = await spawnServer([s.root, '127.0.0.1', String(s.port)]).ended;
        assert.equal(second.code, 1);
        assert.match(second.err, new RegExp(`cannot listen on 127\\.0\\.0\\.1:${s.port}: Address already in use`));
        assert.equal((await s.stop()).code, 0);
        const foreign = await spawnServer([s.root, '192.0.2.1', '0']).ended;
        assert.equal(foreign.code, 1);
        assert.match(foreign.err, /cannot listen on 192\.0\.2\.1:0: /);
        const name = await spawnServer([s.root, 'no-address', '0']).ended;
        assert.match(name.err, /not an IP address: no-address/);
    });
    it('names the certificate that cannot be used', async () => {
        const { key } = makeCertificate();
        const absent = await spawnServer([makeFolder(), '127.0.0.1', '0', '/nonexistent.pem', key]).ended;
        assert.equal(absent.code, 1);
        assert.match(absent.err, /cannot read \/nonexistent\.pem: No such file/);
        const wrong = await spawnServer([makeFolder(), '127.0.0.1', '0', key, key]).ended;
        assert.equal(wrong.code, 1);
        assert.match(wrong.err, /cannot use .*key\.pem: there is no certificate/);
        const other = await spawnServer([makeFolder(), '127.0.0.1', '0', newCertificate().cert, key]).ended;
        assert.equal(other.code, 1);
        assert.match(other.err, /cannot use .*key\.pem: it is not the key to the certificate/);
        const noKey = await spawnServer([makeFolder(), '127.0.0.1', '0', makeCertificate().cert, makeCertificate().cert]).ended;
        assert.match(noKey.err, /there is no private key/);
    });
    it('believes a proxy only if it is told to', async () => {
        const s = await startServer({ env: { WEIR_TEST_PROXY: '127.0.0.0/8' } });
        const r = await s.request('/peer', { headers: { 'x-forwarded-for': '1.2.3.4, 5.6.7.8' } });
        assert.deepEqual(r.json(), { peer: '5.6.7.8' });
        const chain = await s.request('/peer', { headers: { 'x-forwarded-for': '1.2.3.4, 5.6.7.8, 127.0.0.9' } });
        assert.deepEqual(chain.json(), { peer: '5.6.7.8' });
        const bad = await s.request('/peer', { headers: { 'x-forwarded-for': 'unknown' } });
        assert.deepEqual(bad.json(), { peer: '127.0.0.1' });
        assert.equal((await s.stop()).code, 0);
    });
    it('gives each address so many connections, and those that a proxy brings as well', async () => {
        const s = await startServer({ env: { WEIR_TEST_CONNECTIONS_PER_IP: '2' } });
        const socks = await Promise.all([s.connect(), s.connect()]);
        const third = net.connect({ host: '127.0.0.1', port: s.port });
        third.on('error', () => {});
        assert.notEqual((await readAll(third)).why, 'time');
        socks[0].destroy();
        await until(async () => { try { return (await s.request('/json')).status === 200; } catch { return false; } });
        socks[1].destroy();
        assert.equal((await s.stop()).code, 0);

        const p = await startServer({ env: { WEIR_TEST_CONNECTIONS_PER_IP: '2', WEIR_TEST_PROXY: '127.0.0.1' } });
        const many = await Promise.all([p.connect(), p.connect(), p.connect(), p.connect()]);
        const upgrade = (sock, who) => {
            sock.write('GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n'
                + `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nX-Forwarded-For: ${who}\r\n\r\n`);
            return new Promise((done) => { sock.once('data', (d) => done(Number(/^HTTP\/1.1 (\d+)/.exec(d)[1]))); });
        };
        assert.equal(await upgrade(many[0], '9.9.9.9'), 101);
        assert.equal(await upgrade(many[1], '9.9.9.9'), 101);
        assert.equal(await upgrade(many[2], '9.9.9.9'), 429);
        assert.equal(await upgrade(many[3], '8.8.8.8'), 101);
        many[0].destroy();
        await until(async () => {
            const sock = await p.connect();
            const status = await upgrade(sock, '9.9.9.9');
            sock.destroy();
            return status === 101;
        });
        for (const x of many) x.destroy();
        assert.equal((await p.stop()).code, 0);
    });
    it('listens on all addresses, and shows IPv4 peers as such', async () => {
        const s = await startServer({ host: '::' });
        assert.deepEqual((await s.request('/peer')).json(), { peer: '127.0.0.1' });
        assert.equal((await s.stop()).code, 0);
    });
    it('closes connections beyond its limit and serves again when others have gone', async () => {
        const s = await startServer({ env: { WEIR_TEST_CONNECTIONS: '3' } });
        const socks = await Promise.all([s.connect(), s.connect(), s.connect()]);
        const fourth = net.connect({ host: '127.0.0.1', port: s.port });
        fourth.on('error', () => {});
        assert.notEqual((await readAll(fourth)).why, 'time');
        socks[0].destroy();
        await until(async () => { try { return (await s.request('/json')).status === 200; } catch { return false; } });
        for (const x of socks) x.destroy();
        assert.equal((await s.stop()).code, 0);
    });
});

describe('closing', () => {
    for (const secure of [false, true]) {
        it(`ends in the middle of everything, leaking nothing${secure ? ', over TLS' : ''}`, async () => {
            const s = await startServer({ secure });
            const open = [];
            for (const bytes of ['', 'GET /js', get('/hang'), get('/slow?ms=100'), get('/flood'), get('/events'),
                'POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc', get('/json') + get('/hang') + get('/json')]) {
                const sock = await s.connect();
                sock.pause();
                if (bytes) sock.write(bytes);
                open.push(sock);
            }
            if (secure) open.push(net.connect({ host: '127.0.0.1', port: s.port })); // in the middle of the handshake
            await new Promise((r) => setTimeout(r, 100));
            const { code, err } = await s.stop();
            assert.equal(code, 0, err);
            for (const sock of open) sock.destroy();
        });
    }
    it('may be asked for by a handler', async () => {
        const s = await startServer();
        const r = await exchange(s, 'POST /stop HTTP/1.1\r\nHost: x\r\n\r\n');
        assert.deepEqual(statuses(r.text), [204]);
        assert.equal((await s.ended).code, 0);
    });
});
