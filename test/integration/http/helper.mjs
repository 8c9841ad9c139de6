// The test server as a child process, and clients that can misbehave: raw sockets, raw WebSocket frames.
import { execFileSync, spawn } from 'node:child_process';
import crypto from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';

const here = new URL('../../../', import.meta.url).pathname;
export const serverBinary = process.env.HTTP_TEST_SERVER ??
    [join(here, 'build/asan/http-test-server'), join(here, 'build/release/http-test-server')].find(existsSync);

process.setMaxListeners(0);
export function makeFolder() {
    const dir = mkdtempSync(join(tmpdir(), 'weir-http-'));
    process.on('exit', () => rmSync(dir, { recursive: true, force: true }));
    return dir;
}

export function newCertificate() {
    const dir = makeFolder();
    const made = { cert: join(dir, 'cert.pem'), key: join(dir, 'key.pem') };
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
        '-days', '2', '-subj', '/CN=localhost', '-keyout', made.key, '-out', made.cert],
    { stdio: 'ignore' });
    return made;
}

let certificate;
/** The same one for all that just need any. */
export function makeCertificate() {
    certificate ??= newCertificate();
    return certificate;
}

export function spawnServer(args, env = {}) {
    const child = spawn(serverBinary, args, {
        stdio: ['pipe', 'pipe', 'pipe'],
        env: { ...process.env, ASAN_OPTIONS: 'detect_leaks=1', ...env },
    });
    const s = { child, err: '', out: '' };
    child.stderr.on('data', (d) => { s.err += d; });
    s.ended = new Promise((resolve) => child.on('close', (code) => resolve({ code, err: s.err, out: s.out })));
    s.listening = new Promise((resolve, reject) => {
        child.stdout.on('data', (d) => {
            s.out += d;
            const m = /listening (\d+)\n/.exec(s.out);
            if (m) resolve(Number(m[1]));
        });
        s.ended.then(({ code, err }) => reject(new Error(`server ended: ${code} ${err}`)));
    });
    s.listening.catch(() => {});
    return s;
}

export async function startServer({ root = makeFolder(), secure = false, env = {}, host = '127.0.0.1' } = {}) {
    const c = secure ? makeCertificate() : null;
    const s = spawnServer([root, host, '0', ...(c ? [c.cert, c.key] : [])], env);
    const port = await s.listening;
    const agent = new (secure ? https : http).Agent({ keepAlive: true, rejectUnauthorized: false, maxSockets: 2000 });

    function request(path, { method = 'GET', headers = {}, body, agent: own = agent, signal } = {}) {
        return new Promise((resolve, reject) => {
            const req = (secure ? https : http).request({ host: '127.0.0.1', port, path, method, headers, agent: own,
                signal, rejectUnauthorized: false, setDefaultHeaders: true }, (res) => {
                const parts = [];
                res.on('data', (d) => parts.push(d));
                res.on('end', () => {
                    const bytes = Buffer.concat(parts);
                    resolve({ status: res.statusCode, headers: res.headers, bytes, text: bytes.toString(),
                        json: () => JSON.parse(bytes.toString()), socket: res.socket, localPort: res.socket?.localPort });
                });
                res.on('error', reject);
            });
            req.on('error', reject);
            if (typeof body === 'function') body(req);
            else req.end(body);
        });
    }
    function connect() {
        return new Promise((resolve, reject) => {
            const sock = secure ? tls.connect({ host: '127.0.0.1', port, rejectUnauthorized: false })
                : net.connect({ host: '127.0.0.1', port });
            sock.setNoDelay(true);
            sock.on('error', reject);
            sock.once(secure ? 'secureConnect' : 'connect', () => { sock.on('error', () => {}); resolve(sock); });
        });
    }
    // Ends the server and tells how it ended; with the sanitizers this is also where leaks show.
    async function stop() {
        agent.destroy();
        s.child.stdin.end();
        return s.ended;
    }
    return { ...s, port, root, request, connect, stop, agent, secure };
}

// All that comes until the other side closes, or the quiet time is over.
export function readAll(sock, { ms = 5000 } = {}) {
    return new Promise((resolve) => {
        const parts = [];
        const timer = setTimeout(done, ms, 'time');
        function done(why) {
            clearTimeout(timer);
            resolve({ text: Buffer.concat(parts).toString('latin1'), bytes: Buffer.concat(parts), why });
        }
        sock.on('data', (d) => parts.push(d));
        sock.on('end', () => done('end'));
        sock.on('close', () => done('close'));
        sock.resume();
    });
}

// Sends bytes, waits for the connection's end.
export async function exchange(server, bytes, options) {
    const sock = await server.connect();
    const all = readAll(sock, options);
    sock.write(bytes);
    const r = await all;
    sock.destroy();
    return r;
}

export async function until(what, ms = 5000) {
    const end = Date.now() + ms;
    for (;;) {
        const v = await what();
        if (v) return v;
        if (Date.now() > end) throw new Error('did not come true in time');
        await new Promise((r) => setTimeout(r, 20));
    }
}

export const OP = { CONT: 0, TEXT: 1, BINARY: 2, CLOSE: 8, PING: 9, PONG: 10 };

// A WebSocket client made of frames.
export class Ws {
    static async open(server, path, { protocol, headers = {}, key = crypto.randomBytes(16).toString('base64') } = {}) {
        const w = new Ws();
        w.sock = await server.connect();
        w.frames = [];
        w.wanted = [];
        w.buf = Buffer.alloc(0);
        w.closed = new Promise((resolve) => w.sock.on('close', () => { w.ended = true; w.wake(); resolve(); }));
        const lines = [`GET ${path} HTTP/1.1`, 'Host: x', 'Connection: keep-alive, Upgrade', 'Upgrade: websocket',
            'Sec-WebSocket-Version: 13', `Sec-WebSocket-Key: ${key}`];
        if (protocol) lines.push(`Sec-WebSocket-Protocol: ${protocol}`);
        for (const [k, v] of Object.entries(headers)) lines.push(`${k}: ${v}`);
        w.head = await new Promise((resolve) => {
            let got = Buffer.alloc(0);
            const onData = (d) => {
                got = Buffer.concat([got, d]);
                const end = got.indexOf('\r\n\r\n');
                if (end < 0) return;
                w.sock.off('data', onData);
                w.sock.on('data', (x) => w.take(x));
                w.take(got.subarray(end + 4));
                resolve(got.subarray(0, end).toString());
            };
            w.sock.on('data', onData);
            w.sock.on('close', () => resolve(got.toString()));
            w.sock.write(lines.join('\r\n') + '\r\n\r\n');
        });
        w.status = Number(w.head.split(' ')[1]);
        w.accept = crypto.createHash('sha1').update(key + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64');
        return w;
    }
    take(d) {
        this.buf = Buffer.concat([this.buf, d]);
        for (;;) {
            const b = this.buf;
            if (b.length < 2) break;
            let len = b[1] & 0x7f;
            let at = 2;
            if (len === 126) { if (b.length < 4) break; len = b.readUInt16BE(2); at = 4; }
            else if (len === 127) { if (b.length < 10) break; len = Number(b.readBigUInt64BE(2)); at = 10; }
            if (b.length < at + len) break;
            this.frames.push({ op: b[0] & 15, fin: !!(b[0] & 0x80), data: Buffer.from(b.subarray(at, at + len)) });
            this.buf = b.subarray(at + len);
        }
        this.wake();
    }
    wake() { for (const f of this.wanted.splice(0)) f(); }
    static frame(op, data, { fin = true, mask = true, rsv = 0 } = {}) {
        const body = Buffer.from(data);
        const n = body.length;
        const head = Buffer.alloc(n < 126 ? 2 : n < 65536 ? 4 : 10);
        head[0] = (fin ? 0x80 : 0) | rsv << 4 | op;
        if (n < 126) head[1] = n;
        else if (n < 65536) { head[1] = 126; head.writeUInt16BE(n, 2); }
        else { head[1] = 127; head.writeBigUInt64BE(BigInt(n), 2); }
        if (!mask) return Buffer.concat([head, body]);
        head[1] |= 0x80;
        const m = crypto.randomBytes(4);
        for (let i = 0; i < n; i++) body[i] ^= m[i & 3];
        return Buffer.concat([head, m, body]);
    }
    send(data, op = OP.TEXT, options) { this.sock.write(Ws.frame(op, data, options)); }
    // The next frame; null when the connection ended before.
    async next(ms = 5000) {
        const end = Date.now() + ms;
        while (this.frames.length === 0) {
            if (this.ended) return null;
            const left = end - Date.now();
            if (left <= 0) throw new Error('no frame came');
            await new Promise((r) => { const t = setTimeout(r, left); this.wanted.push(() => { clearTimeout(t); r(); }); });
        }
        return this.frames.shift();
    }
    async nextText() {
        const f = await this.next();
        return f && f.op === OP.TEXT ? f.data.toString() : f;
    }
    // The code of the close frame that must come; other frames before it are skipped.
    async closeCode(ms = 5000) {
        for (;;) {
            const f = await this.next(ms);
            if (!f) return null;
            if (f.op === OP.CLOSE) return f.data.length >= 2 ? f.data.readUInt16BE(0) : 1005;
        }
    }
}
