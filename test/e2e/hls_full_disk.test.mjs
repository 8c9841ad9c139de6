// A disk that is full: live goes on from memory, and what can be rewound grows again once there is room.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readdirSync, rmSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseMedia } from './hls_playlist.mjs';
import { Service, until } from './service.mjs';

const LIMIT = 60000;
const MEMORY = 36; // s, see docs/hls.md; what leaves it is there only if it is on disk

function mayMount() {
    try {
        execFileSync('unshare', ['-rm', 'sh', '-c', 'mount -t tmpfs tmpfs /mnt'], { stdio: 'ignore' });
        return true;
    } catch {
        return false;
    }
}

test('live goes on while the disk is full, and segments are kept again when there is room', { skip: !mayMount() && 'needs a mount namespace of its own' }, async () => {
    const small = mkdtempSync(join(tmpdir(), 'weir-full-'));
    // The mount is in the service's own namespace: nobody else sees it, and it goes with the service.
    const service = await Service.start({ WEIR_DEMO: '1', WEIR_HLS_DIR: small, WEIR_HLS_WINDOW: '120s' },
        ['unshare', '-rm', 'sh', '-c', 'mount -t tmpfs -o size=64m tmpfs "$0" && exec "$@"', small]);
    const folder = `/proc/${service.child.pid}/root${small}`;
    const list = async (track = 'v0') => parseMedia(await (await fetch(`${service.url}/live/demo/${track}.m3u8`)).text(), (section, what) => assert.fail(`${section} ${what}`));
    const last = async () => (await list()).segments.at(-1).msn;
    const told = (event) => service.log.match(new RegExp(event, 'g'))?.length ?? 0;
    const onDisk = () => readdirSync(join(folder, 'demo')).filter((name) => /^v0-\w+-\d+\.m4s$/.test(name)).map((name) => Number(/-(\d+)\.m4s$/.exec(name)[1]));
    try {
        await until('segments on disk', LIMIT, () => onDisk().length >= 3);
        assert.equal(execFileSync('df', ['--output=size', small], { encoding: 'utf8' }).includes('65536'), false, 'this side does not see the mount');

        const ballast = openSync(join(folder, 'ballast'), 'w');
        assert.throws(() => { for (;;) writeSync(ballast, Buffer.alloc(65536)); }, { code: 'ENOSPC' });
        closeSync(ballast);
        const first = await last();
        await until('it is told', LIMIT, () => told('hls\\.not_stored .*No space left on device') > 0);
        await until('five segments more', LIMIT, async () => (await last()) >= first + 5);
        for (const track of ['v0', 'a0']) {
            for (const s of (await list(track)).segments) assert.equal((await fetch(`${service.url}/live/demo/${s.uri}`)).status, 200, s.uri);
        }
        assert.equal(told('hls\\.not_stored'), 1, 'told once');
        const stored = onDisk();
        const lost = (await list()).segments.map((s) => s.msn).filter((msn) => msn > first && !stored.includes(msn));
        assert.ok(lost.length >= 3, `not on disk: ${lost}; on disk: ${stored}; full at ${first}`);
        const during = Math.max(...lost);

        unlinkSync(join(folder, 'ballast'));
        await until('segments on disk again', LIMIT, () => Math.max(...onDisk()) > during);
        await until('that is told', LIMIT, () => told('hls\\.stored_again') === 1);
        // What was not stored leaves with the memory, and what was before it, since a list has no holes.
        await until('the window begins after it', 2 * MEMORY * 1000, async () => (await list()).first > during, 500);
        const from = (await list()).first;
        await until('what is older than the memory can be rewound', 2 * MEMORY * 1000, async () => (await last()) - from > MEMORY + 4, 500);
        assert.equal((await list()).first, from);
        for (const track of ['v0', 'a0']) {
            for (const s of (await list(track)).segments) assert.equal((await fetch(`${service.url}/live/demo/${s.uri}`)).status, 200, s.uri);
        }
        assert.equal(told('hls\\.not_stored'), 1);
        assert.equal(told('hls\\.run_failed'), 0);
    } finally {
        assert.equal(await service.stop(), 0, service.log);
        rmSync(small, { recursive: true, force: true });
    }
});
