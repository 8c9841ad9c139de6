// The real service for a test: starts weir on free ports with a folder of its own, and ends it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, existsSync, readFileSync, readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { createSocket } from 'node:dgram';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const root = resolve(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '../..');
const variant = process.env.WEIR_E2E_VARIANT ?? 'release';

export function freePort() {
    return new Promise((done, fail) => {
        const server = createServer();
        server.on('error', fail);
        server.listen(0, '127.0.0.1', () => {
            const { port } = server.address();
            server.close(() => done(port));
        });
    });
}

function udpIsFree(port) {
    return new Promise((done) => {
        const s = createSocket('udp4');
        s.on('error', () => done(false));
        s.bind(port, '127.0.0.1', () => s.close(() => done(true)));
    });
}

function tcpIsFree(port) {
    return new Promise((done) => {
        const s = createServer();
        s.on('error', () => done(false));
        s.listen(port, '127.0.0.1', () => s.close(() => done(true)));
    });
}

/** The first of n ports in a row that are free for UDP and TCP. */
export async function freePorts(n) {
    for (;;) {
        const base = 20000 + Math.floor(Math.random() * 11000);
        let free = true;
        for (let i = 0; i < n && free; i++) free = (await udpIsFree(base + i)) && (await tcpIsFree(base + i));
        if (free) return base;
    }
}

/** Repeats `probe` until it gives something truthy; fails with `what` after `ms`. */
export async function until(what, ms, probe, every = 50) {
    const end = Date.now() + ms;
    let last;
    while (Date.now() < end) {
        try {
            const value = await probe();
            if (value) return value;
        } catch (e) {
            last = e;
        }
        await sleep(every);
    }
    throw new Error(`${what}: not within ${ms} ms${last ? ` (${last.message})` : ''}`);
}

/** Those that nobody stopped when the program ends, for whatever reason that Node is told of. */
const running = new Set();
process.on('exit', () => {
    for (const s of running) {
        s.child.kill('SIGKILL');
        rmSync(s.dir, { recursive: true, force: true });
    }
});

export class Service {
    /** env: WEIR_... settings beside the ports and the data folder. wrap: a command that becomes the program, which is its last argument. */
    static async start(env = {}, wrap = []) {
        const s = new Service();
        s.port = await freePort();
        s.rtcBase = await freePorts(44); // in one piece, since the two may not overlap
        s.hlsBase = s.rtcBase + 4;
        s.dir = mkdtempSync(join(tmpdir(), 'weir-e2e-'));
        s.url = `http://127.0.0.1:${s.port}`;
        s.log = '';
        const [program, ...args] = [...wrap, join(root, 'build', variant, 'weir')];
        s.child = spawn(program, args, {
            cwd: root,
            stdio: ['ignore', 'pipe', 'pipe'],
            env: {
                ...process.env,
                WEIR_HTTP_PORT: String(s.port),
                WEIR_RTC_PORT_BASE: String(s.rtcBase),
                WEIR_HLS_PORT_MIN: String(s.hlsBase),
                WEIR_HLS_PORT_MAX: String(s.hlsBase + 39),
                WEIR_HLS_MAX_PIPELINES: '8',
                WEIR_DATA_DIR: s.dir,
                WEIR_DEMO: '0',
                ...env,
            },
        });
        s.child.stdout.on('data', (d) => { s.log += d; });
        s.child.stderr.on('data', (d) => { s.log += d; });
        s.exited = once(s.child, 'exit');
        running.add(s);
        try {
            await until('service is up', 20000, async () => {
                if (s.child.exitCode !== null) throw new Error(`it ended: ${s.log}`);
                return (await fetch(`${s.url}/healthz`)).status === 200;
            });
        } catch (e) {
            await s.stop();
            throw new Error(`${e.message}\n${s.log}`);
        }
        return s;
    }

    async json(path) {
        const r = await fetch(this.url + path);
        if (!r.ok) throw new Error(`${path}: ${r.status}`);
        return r.json();
    }

    /** Pids of the service's children whose command line has `text`. */
    children(text) {
        const found = [];
        for (const pid of readdirSync('/proc').filter((n) => /^\d+$/.test(n))) {
            try {
                const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
                const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
                const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
                if (parent === this.child.pid && command.includes(text)) found.push(Number(pid));
            } catch { /* it went meanwhile */ }
        }
        return found;
    }

    async stop() {
        if (this.child.exitCode === null && this.child.signalCode === null) {
            this.child.kill('SIGINT');
            const timer = globalThis.setTimeout(() => this.child.kill('SIGKILL'), 15000);
            await this.exited;
            clearTimeout(timer);
        }
        if (existsSync(this.dir)) rmSync(this.dir, { recursive: true, force: true });
        running.delete(this);
        return this.child.exitCode;
    }
}
