// A Redis of the test's own: free port, only on loopback, nothing on disk; ended by its process id.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { freePort, until } from './service.mjs';

export class Redis {
    static async create() {
        const r = new Redis();
        r.port = await freePort();
        r.url = `redis://127.0.0.1:${r.port}/3`;
        return r;
    }

    async start() {
        this.child = spawn('redis-server', ['--port', String(this.port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--daemonize', 'no'],
            { cwd: '/', stdio: 'ignore' });
        this.exited = once(this.child, 'exit');
        await until('Redis runs', 10000, () => this.command('PING') === 'PONG', 50);
    }

    /** The answer as text, one line an element. */
    command(...args) {
        return execFileSync('redis-cli', ['-p', String(this.port), '-n', '3', '--raw', ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trimEnd();
    }

    /** At once, and without keeping anything. */
    async kill() {
        if (!this.child || this.child.exitCode !== null || this.child.signalCode !== null) return;
        this.child.kill('SIGKILL');
        await this.exited;
    }
}
