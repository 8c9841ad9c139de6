// A PostgreSQL of the test's own: private folder, free port, only on loopback; ended by its process id.
import { execFileSync, spawn } from 'node:child_process';
import { chownSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, until } from './service.mjs';

/** It refuses to run as root. */
function asUser() {
    if (process.getuid() !== 0) return {};
    const id = (flag) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
    return { uid: id('-u'), gid: id('-g') };
}

export class Postgres {
    static async create() {
        const p = new Postgres();
        const versions = '/usr/lib/postgresql';
        p.bin = join(versions, readdirSync(versions).sort((a, b) => a - b).at(-1), 'bin');
        p.dir = mkdtempSync(join(tmpdir(), 'weir-postgres-'));
        p.user = asUser();
        if (p.user.uid !== undefined) chownSync(p.dir, p.user.uid, p.user.gid);
        execFileSync(join(p.bin, 'initdb'), ['-D', join(p.dir, 'data'), '-U', 'postgres', '-A', 'trust', '-N', '-E', 'UTF8', '--locale=C'],
            { ...p.user, cwd: '/', stdio: 'ignore' });
        p.port = await freePort();
        p.url = `postgresql://postgres@127.0.0.1:${p.port}/postgres`;
        return p;
    }

    async start() {
        this.child = spawn(join(this.bin, 'postgres'), ['-D', join(this.dir, 'data'), '-k', this.dir, '-p', String(this.port),
            '-c', 'listen_addresses=127.0.0.1', '-c', 'fsync=off'], { ...this.user, cwd: '/', stdio: 'ignore' });
        this.exited = once(this.child, 'exit');
        await until('PostgreSQL runs', 20000, () => this.query('SELECT 1') === '1', 100);
    }

    /** The first column of the first row, as text. */
    query(sql) {
        return execFileSync(join(this.bin, 'psql'), ['-X', '-A', '-t', '-c', sql, this.url],
            { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], cwd: '/' }).split('\n')[0];
    }

    /** SIGQUIT: at once, without a word to its clients. */
    async stop(signal = 'SIGQUIT') {
        if (!this.child || this.child.exitCode !== null || this.child.signalCode !== null) return;
        this.child.kill(signal);
        await this.exited;
    }

    async remove() {
        await this.stop();
        rmSync(this.dir, { recursive: true, force: true });
    }
}
