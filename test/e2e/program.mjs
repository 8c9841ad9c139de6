// The program itself, for tests of how it starts and ends: any arguments and settings, no waiting for health.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { freePort, freePorts, until } from './service.mjs';

const root = resolve(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '../..');
export const build = join(root, 'build', process.env.WEIR_E2E_VARIANT ?? 'release');

export class Program {
    /** Settings that work; env goes over them. */
    static async start(env = {}, args = []) {
        const p = new Program();
        p.port = await freePort();
        p.rtcBase = await freePorts(4);
        p.hlsBase = await freePorts(16);
        p.dir = mkdtempSync(join(tmpdir(), 'weir-program-'));
        p.url = `http${env.WEIR_HTTP_TLS_CERT ? 's' : ''}://127.0.0.1:${env.WEIR_HTTP_PORT ?? p.port}`;
        p.out = '';
        p.err = '';
        // Every process that comes of it has this in its environment.
        p.mark = `WEIR_TEST_MARK=${p.dir}`;
        p.child = spawn(join(build, 'weir'), args, {
            cwd: p.dir,
            stdio: ['ignore', 'pipe', 'pipe'],
            detached: true, // a group of its own, which a test may signal as a terminal does
            env: {
                PATH: process.env.PATH,
                WEIR_TEST_MARK: p.dir,
                WEIR_HTTP_PORT: String(p.port),
                WEIR_RTC_PORT_BASE: String(p.rtcBase),
                WEIR_RTC_WORKERS: '2',
                WEIR_HLS_PORT_MIN: String(p.hlsBase),
                WEIR_HLS_PORT_MAX: String(p.hlsBase + 15),
                WEIR_HLS_MAX_PIPELINES: '4',
                WEIR_DATA_DIR: join(p.dir, 'var'),
                WEIR_DEMO: '0',
                ...env,
            },
        });
        p.child.stdout.on('data', (d) => { p.out += d; });
        p.child.stderr.on('data', (d) => { p.err += d; });
        p.exited = new Promise((done) => { p.child.on('close', (code, signal) => done({ code, signal })); });
        return p;
    }

    get log() { return this.out + this.err; }

    up() {
        return until(`the program is up\n${this.log}`, 30000, async () => {
            if (this.child.exitCode !== null || this.child.signalCode !== null) throw new Error(`it ended: ${this.log}`);
            return this.out.includes('Weir is up');
        }, 10);
    }

    /** Its end, or a failure after `ms`. */
    async ended(ms = 20000) {
        let timer;
        const late = new Promise((_, fail) => {
            timer = setTimeout(() => fail(new Error(`it does not end:\n${this.log}`)), ms);
        });
        try {
            return await Promise.race([this.exited, late]);
        } finally {
            clearTimeout(timer);
        }
    }

    /** Every living process that came of it: pid and command line. */
    processes() {
        const found = [];
        for (const pid of readdirSync('/proc').filter((n) => /^\d+$/.test(n))) {
            try {
                const env = readFileSync(`/proc/${pid}/environ`, 'latin1');
                const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
                if (env.includes(this.mark) && !/\) Z /.test(stat))
                    found.push({ pid: Number(pid), command: readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ') });
            } catch { /* it went meanwhile */ }
        }
        return found;
    }

    /** What sanitizers of an instrumented build complain about. */
    get reports() {
        return this.err.match(/(ERROR: (Address|Leak)Sanitizer|runtime error:|WARNING: ThreadSanitizer)[^\n]*/g) ?? [];
    }

    /** Ends what is left and removes its folder. */
    clean() {
        for (const { pid } of this.processes()) {
            try { process.kill(pid, 'SIGKILL'); } catch { /* it went meanwhile */ }
        }
        rmSync(this.dir, { recursive: true, force: true });
    }
}
