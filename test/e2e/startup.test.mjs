// How the service starts, fails to start, and ends: one clear line, the exit code, and no process left behind.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import websocket from 'websocket';
import { Program, build } from './program.mjs';
import { freePort, freePorts, until } from './service.mjs';

const WebSocket = websocket.w3cwebsocket;
const programs = [];

async function start(env, args) {
    const p = await Program.start(env, args);
    programs.push(p);
    return p;
}

afterEach(() => {
    for (const p of programs.splice(0)) p.clean();
});

/** It does not start: says why in a line that fits, exit code, nothing left. */
async function refuses(p, pattern, code = 1) {
    const end = await p.ended();
    assert.deepEqual(end, { code, signal: null }, p.log);
    const lines = p.err.split('\n').filter((l) => pattern.test(l) && !/^\d{4}-/.test(l));
    assert.equal(lines.length, 1, `one line of ${pattern}:\n${p.err}`);
    assert.doesNotMatch(p.out, /Weir is up/);
    assert.deepEqual(p.processes(), []);
    assert.deepEqual(p.reports, []);
}

async function endsWell(p, ms) {
    assert.deepEqual(await p.ended(ms), { code: 0, signal: null }, p.log);
    assert.deepEqual(p.processes(), [], 'no process is left');
    assert.deepEqual(p.reports, []);
    assert.doesNotMatch(p.err, /handles_left|weir\.stuck/);
}

function occupy(open) {
    return new Promise((done, fail) => {
        const s = open();
        s.on('error', fail);
        s.on('listening', () => done(s));
    });
}

// ---- what keeps it from starting ----

test('the HTTP port is taken', async () => {
    const port = await freePort();
    const other = await occupy(() => createServer().listen(port, '127.0.0.1'));
    try {
        await refuses(await start({ WEIR_HTTP_PORT: String(port) }), new RegExp(`^weir: .*127\\.0\\.0\\.1:${port}.*in use.*http\\.port`));
    } finally {
        other.close();
    }
});

test('a UDP or TCP port of a media worker is taken', async () => {
    for (const kind of ['udp', 'tcp']) {
        const base = await freePorts(2);
        const other = await occupy(() => {
            if (kind === 'tcp') return createServer().listen(base + 1, '127.0.0.1');
            const s = createSocket('udp4');
            s.bind(base + 1, '127.0.0.1');
            return s;
        });
        try {
            await refuses(await start({ WEIR_RTC_PORT_BASE: String(base) }), new RegExp(`^weir: .*port ${base + 1}: the port is taken.*rtc\\.port_base`));
        } finally {
            other.close();
        }
    }
});

test('an address that this machine does not have', async () => {
    await refuses(await start({ WEIR_HTTP_HOST: '192.0.2.1' }), /^weir: cannot listen on 192\.0\.2\.1/);
    await refuses(await start({ WEIR_RTC_LISTEN_IPS: '192.0.2.1' }), /^weir: .*192\.0\.2\.1.*rtc\.listen_ips/);
});

test('ffmpeg is missing', async () => {
    await refuses(await start({ WEIR_HLS_FFMPEG: 'no-such-ffmpeg' }), /ffmpeg.*missing.*apt-get install ffmpeg.*WEIR_HLS_ENABLED=0/, 2);
    const p = await start({ WEIR_HLS_FFMPEG: 'no-such-ffmpeg', WEIR_HLS_ENABLED: '0' });
    await p.up();
    p.child.kill('SIGINT');
    await endsWell(p);
});

test('the data folder cannot be written to', async () => {
    const p = await Program.start({}, ['--version']);
    programs.push(p);
    await p.ended();
    writeFileSync(join(p.dir, 'file'), '');
    await refuses(await start({ WEIR_DATA_DIR: join(p.dir, 'file') }), /data\.dir.*not a folder/, 2);
    await refuses(await start({ WEIR_DATA_DIR: join(p.dir, 'file', 'below') }), /^weir: cannot make the data folder .*Not a directory.*data\.dir/);
    await refuses(await start({ WEIR_DATA_DIR: '/proc/none' }), /^weir: cannot make the data folder .*data\.dir/);
    await refuses(await start({ WEIR_HLS_DIR: join(p.dir, 'file', 'below') }), /^weir: cannot make the HLS folder .*hls\.dir/);
    if (process.getuid() !== 0) {
        mkdirSync(join(p.dir, 'read-only'), { mode: 0o555 });
        await refuses(await start({ WEIR_DATA_DIR: join(p.dir, 'read-only') }), /data\.dir.*cannot be written/, 2);
    }
});

test('the media worker is missing, or is no program', async () => {
    await refuses(await start({ WEIR_RTC_WORKER_PATH: '/none/weir-worker' }), /^weir: the media worker is missing: \/none\/weir-worker.*rtc\.worker_path/);
    const p = await start({}, ['--version']);
    await p.ended();
    const script = join(p.dir, 'worker');
    writeFileSync(script, '#!/none/interpreter\n');
    chmodSync(script, 0o755);
    await refuses(await start({ WEIR_RTC_WORKER_PATH: script }), /^weir: a media worker cannot start: cannot run .*worker/);
    await refuses(await start({ WEIR_RTC_WORKER_PATH: '/bin/false' }), /^weir: a media worker cannot start/);
});

function certificate(dir, name) {
    const [key, cert] = [join(dir, `${name}.key`), join(dir, `${name}.pem`)];
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key,
        '-out', cert, '-days', '2', '-subj', '/CN=localhost'], { stdio: 'ignore' });
    return { key, cert };
}

test('certificate or key cannot be used', async () => {
    const p = await start({}, ['--version']);
    await p.ended();
    const a = certificate(p.dir, 'a');
    const b = certificate(p.dir, 'b');
    const tls = (cert, key) => start({ WEIR_HTTP_TLS_CERT: cert, WEIR_HTTP_TLS_KEY: key });
    await refuses(await tls(a.cert, join(p.dir, 'none.key')), /http\.tls_key.*none\.key cannot be read/, 2);
    await refuses(await tls(a.cert, ''), /http\.tls_key.*both/, 2);
    await refuses(await tls(a.key, a.key), /^weir: cannot use .*a\.key: there is no certificate/);
    await refuses(await tls(a.cert, a.cert), /^weir: cannot use .*a\.pem: there is no private key/);
    await refuses(await tls(a.cert, b.key), /^weir: cannot use .*b\.key: it is not the key to the certificate/);
});

test('the database is of a newer version, or is none', async () => {
    const p = await start({}, ['--version']);
    await p.ended();
    for (const name of ['newer', 'broken']) mkdirSync(join(p.dir, name));
    execFileSync('sqlite3', [join(p.dir, 'newer', 'weir.db'), `CREATE TABLE schema_migrations (version BIGINT PRIMARY KEY, name TEXT NOT NULL,
        applied_at BIGINT NOT NULL); INSERT INTO schema_migrations VALUES (9999, 'later', 1)`]);
    writeFileSync(join(p.dir, 'broken', 'weir.db'), 'this is not a database, whatever its name may be\n'.repeat(100));
    await refuses(await start({ WEIR_DATA_DIR: join(p.dir, 'newer') }), /^weir: .*database is of a newer version/);
    await refuses(await start({ WEIR_DATA_DIR: join(p.dir, 'broken') }), /^weir: .*database.*not a database/);
});

test('options and settings that are not known', async () => {
    const option = await start({}, ['--fast']);
    await refuses(option, /--fast/, 2);
    await refuses(await start({}, ['fast']), /^weir: unexpected argument: fast/, 2);
    await refuses(await start({ WEIR_HTP_PORT: '1', WEIR_RTC_WORKERS: 'many' }), /^WEIR_RTC_WORKERS: expected/, 2);
    const p = await start({}, ['--version']);
    assert.equal((await p.ended()).code, 0);
    assert.match(p.out, /^weir \d+\.\d+\.\d+\n$/);
    const conf = join(p.dir, 'broken.conf');
    writeFileSync(conf, '# comment\nhttp.prot = 1\n\n[limits]\nrooms = -1\nno equals sign\n');
    const check = await start({}, ['--config', conf, '--check-config']);
    assert.equal((await check.ended()).code, 1);
    const at = (line, rest) => new RegExp(`^${conf.replaceAll('/', '\\/')}:${line}: ${rest}`, 'm');
    assert.match(check.out, at(2, 'http\\.prot: no such key; did you mean http\\.port'));
    assert.match(check.out, at(5, 'limits\\.rooms: expected'));
    assert.match(check.out, at(6, 'expected "key = value"'));
    await refuses(await start({}, ['--config', conf]), at(5, 'limits\\.rooms'), 2);
    await refuses(await start({}, ['--config', join(p.dir, 'none.conf')]), /none\.conf: no such file/, 2);
});

test('variables of make and of tests are no mistakes, others are warned of', async () => {
    const fine = await start({ WEIR_ARGS: '--x', WEIR_E2E_VARIANT: 'asan', WEIR_TEST_ANY: '1', WEIR_FUZZ_SECONDS: '1' }, ['--check-config']);
    assert.equal((await fine.ended()).code, 0, fine.log);
    assert.match(fine.out, /^configuration: fine$/m);
    const typo = await start({ WEIR_HTP_PORT: '1' }, ['--check-config']);
    assert.equal((await typo.ended()).code, 0, typo.log);
    assert.match(typo.out, /WEIR_HTP_PORT.*WEIR_HTTP_PORT/);
});

// ---- what it waits for ----

test('a PostgreSQL that is away is waited for, and said so; the end is clean all the same', async () => {
    const port = await freePort();
    const p = await start({ WEIR_DB_URL: `postgresql://nobody:secret@127.0.0.1:${port}/weir` });
    const health = await until('health', 5000, async () => {
        const r = await fetch(`${p.url}/healthz`);
        return r.status === 503 && r.json();
    });
    assert.equal(health.status, 'starting');
    assert.ok(['away', 'connecting'].includes(health.database), health.database);
    await until('it says so', 8000, () => /weir\.waiting for=database.*refused/.test(p.err));
    assert.doesNotMatch(p.log, /secret/);
    p.child.kill('SIGTERM');
    await endsWell(p);
});

// ---- ends ----

test('Ctrl-C at any moment of the start', async () => {
    for (let ms = 0; ms <= 240; ms += 20) {
        const p = await start({ WEIR_DEMO: ms % 40 ? '1' : '0' });
        await sleep(ms);
        process.kill(-p.child.pid, 'SIGINT');
        const end = await p.ended();
        // Before it has a handler, the signal itself is the end.
        if (end.signal === 'SIGINT') assert.equal(p.err, '', `${ms} ms: ${p.log}`);
        else assert.equal(end.code, 0, `${ms} ms: ${p.log}`);
        assert.deepEqual(p.processes(), [], `${ms} ms`);
        assert.deepEqual(p.reports, [], `${ms} ms`);
        p.clean();
    }
});

/** A program with the test card on the air, and its HLS playing. */
async function onAir(env = {}) {
    const p = await start({ WEIR_DEMO: '1', ...env });
    await p.up();
    await until('HLS of the test card', 30000, async () => (await fetch(`${p.url}/live/demo/index.m3u8`)).status === 200);
    await until('one ffmpeg sends, one makes HLS', 10000, () => p.processes().filter((x) => x.command.includes('ffmpeg')).length >= 2);
    return p;
}

test('Ctrl-C, again and again, while a stream is on the air', async () => {
    const p = await onAir();
    let over = false;
    p.exited.then(() => { over = true; });
    while (!over) {
        try { process.kill(-p.child.pid, 'SIGINT'); } catch { /* it was faster */ }
        await sleep(1);
    }
    await endsWell(p);
    const left = execFileSync('sqlite3', ['-readonly', join(p.dir, 'var', 'weir.db'), 'SELECT status, ended_at > 0 FROM livestreams'], { encoding: 'utf8' });
    assert.match(left, /^ended\|1\n$/);
});

test('the controller is killed: workers and ffmpeg end by themselves, and the next start goes on', async () => {
    const p = await onAir();
    const before = p.processes().length;
    assert.ok(before >= 5, `${before} processes`);
    p.child.kill('SIGKILL');
    await p.ended();
    await until('all are gone', 15000, () => p.processes().length === 0, 100);
    const again = await start({ WEIR_DATA_DIR: join(p.dir, 'var'), WEIR_HTTP_PORT: String(p.port), WEIR_RTC_PORT_BASE: String(p.rtcBase) });
    await again.up();
    assert.match(again.err, /stream\.recovered ended=1/);
    again.child.kill('SIGINT');
    await endsWell(again);
});

async function joined(p, roomId) {
    const ws = new WebSocket(`${p.url.replace('http', 'ws')}/ws`, 'protoo');
    ws.answers = new Map();
    ws.onmessage = (e) => { const m = JSON.parse(e.data); if (m.response) ws.answers.set(m.id, m); };
    ws.closed = new Promise((done) => { ws.onclose = done; });
    await new Promise((done, fail) => { ws.onopen = done; ws.onerror = () => fail(new Error('refused')); });
    let id = 0;
    ws.request = async (method, data) => {
        const mine = ++id;
        ws.send(JSON.stringify({ request: true, id: mine, method, data }));
        return until(`answer to ${method}`, 5000, () => ws.answers.get(mine), 5);
    };
    if (roomId) assert.equal((await ws.request('joinRoom', { roomId })).ok, true);
    return ws;
}

test('SIGTERM: who is there may go on, nobody opens a room, and when the last one leaves it ends', async () => {
    const p = await start({ WEIR_DRAIN: '60s' });
    await p.up();
    const stays = await joined(p, 'here');
    p.child.kill('SIGTERM');
    const health = await until('draining', 5000, async () => {
        const r = await fetch(`${p.url}/healthz`);
        return r.status === 503 && r.json();
    });
    assert.equal(health.status, 'draining');
    const late = await joined(p);
    assert.equal((await late.request('joinRoom', { roomId: 'another' })).errorCode, 503);
    assert.equal((await late.request('joinRoom', { roomId: 'here' })).ok, true);
    assert.equal((await stays.request('createProducerTransport', {})).ok, true);
    await stays.request('leaveRoom', {});
    await late.request('leaveRoom', {});
    await endsWell(p);
    const end = await stays.closed;
    assert.equal(end.code, 1001);
});

test('SIGTERM: the limit of time ends it, and so does a second signal', async () => {
    const limited = await start({ WEIR_DRAIN: '1s' });
    await limited.up();
    await joined(limited, 'here');
    let at = Date.now();
    limited.child.kill('SIGTERM');
    await endsWell(limited, 10000);
    assert.ok(Date.now() - at >= 900, 'not before the limit');
    for (const second of ['SIGTERM', 'SIGINT']) {
        const p = await start({ WEIR_DRAIN: '60s' });
        await p.up();
        await joined(p, 'here');
        p.child.kill('SIGTERM');
        await sleep(300);
        assert.equal(p.child.exitCode, null, 'it still drains');
        at = Date.now();
        p.child.kill(second);
        await endsWell(p, 10000);
    }
    const alone = await start({ WEIR_DRAIN: '60s' });
    await alone.up();
    alone.child.kill('SIGTERM');
    await endsWell(alone, 10000);
});

test('requests in the middle of the end get an answer or a closed connection, and hurt nobody', async () => {
    const p = await onAir();
    let going = true;
    const paths = ['/healthz', '/metrics', '/api/livestream/active', '/producers', '/live/demo/index.m3u8', '/'];
    const hammer = paths.map(async (path) => {
        while (going) await fetch(p.url + path).then((r) => r.arrayBuffer(), () => sleep(5));
    });
    for (let i = 0; i < 20; i++) void joined(p, `room-${i}`).catch(() => {});
    await sleep(200);
    p.child.kill('SIGINT');
    try {
        await endsWell(p);
    } finally {
        going = false;
        await Promise.all(hammer);
    }
});

test('a worker that is signalled with the whole group goes on', async () => {
    const p = await start({ WEIR_DRAIN: '60s' });
    await p.up();
    await joined(p, 'here');
    const workers = () => p.processes().filter((x) => x.command.startsWith(join(build, 'weir-worker'))).map((x) => x.pid).sort();
    const before = workers();
    assert.equal(before.length, 2);
    process.kill(-p.child.pid, 'SIGTERM');
    await sleep(500);
    assert.deepEqual(workers(), before);
    p.child.kill('SIGTERM');
    await endsWell(p);
});
