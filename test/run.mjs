// Runs test programs side by side and adds up what they say: `node test/run.mjs [--jobs N] suite...`.
// A suite is KIND:PATH[,PATH...]; kinds: tap (prints TAP: cmocka, node --test), valgrind (the same under valgrind, with
// the programs of ours that it starts), fuzz (exit code only), node, npm.
// Closes with `N passed, N failed` over everything; exit code 0 only if nothing failed.
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';

const LIMIT_MS = Number(process.env.WEIR_TEST_LIMIT_S ?? 900) * 1000;
const LOG_DIR = 'build/test-logs';
// What is started by tests and is not ours is not looked at.
const VALGRIND = ['--quiet', '--error-exitcode=99', '--leak-check=full', '--errors-for-leak-kinds=definite,indirect,possible',
    '--show-leak-kinds=definite,indirect,possible', '--num-callers=25', '--suppressions=test/valgrind.supp',
    '--trace-children=yes', '--trace-children-skip=/bin/*,/usr/*'];

function commandOf(kind, path) {
    if (kind === 'node') return ['node', ['--test', '--test-reporter=tap', '--test-concurrency=1', '--test-timeout=240000', path]];
    if (kind === 'fuzz') {
        const name = basename(path).replace(/_fuzz$/, '');
        const seconds = process.env.WEIR_FUZZ_SECONDS ?? '5';
        const scratch = `${LOG_DIR}/fuzz-${name}`;
        mkdirSync(scratch, { recursive: true });
        return [path, [`-max_total_time=${seconds}`, '-rss_limit_mb=2048', `-artifact_prefix=${scratch}/`, scratch,
            `test/fuzz/corpus/${name}`]];
    }
    if (kind === 'valgrind') return ['valgrind', [...VALGRIND, path]];
    if (kind === 'npm') return ['npm', ['--prefix', path, 'test', '--silent']];
    return [path, []];
}

// Counts of one program. One that ends badly without saying why counts as one failure.
function verdict(kind, out, code) {
    if (kind === 'fuzz') return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 };
    let passed = 0;
    let failed = 0;
    let skipped = 0; // each of them says why in the log
    if (kind === 'node') {
        passed = Number(/^# pass (\d+)/m.exec(out)?.[1] ?? 0);
        failed = Number(/^# fail (\d+)/m.exec(out)?.[1] ?? 0) + Number(/^# cancelled (\d+)/m.exec(out)?.[1] ?? 0);
        skipped = Number(/^# skipped (\d+)/m.exec(out)?.[1] ?? 0);
    } else if (kind === 'npm') {
        const plain = out.replace(/\u001b\[[0-9;]*m/g, '');
        passed = Number(/Tests .*?(\d+) passed/.exec(plain)?.[1] ?? /^# pass (\d+)/m.exec(plain)?.[1] ?? 0);
        failed = Number(/Tests .*?(\d+) failed/.exec(plain)?.[1] ?? /^# fail (\d+)/m.exec(plain)?.[1] ?? 0);
    } else {
        for (const line of out.split('\n')) {
            if (/^ok \d+/.test(line)) passed++;
            else if (/^not ok \d+/.test(line)) failed++;
        }
    }
    if (failed === 0 && (code !== 0 || passed + skipped === 0)) failed = 1;
    return { passed, failed, skipped };
}

function run({ kind, path }) {
    return new Promise((resolve) => {
        const [command, args] = commandOf(kind, path);
        const started = Date.now();
        let out = '';
        const child = spawn(command, args, {
            stdio: ['ignore', 'pipe', 'pipe'],
            detached: true, // a group of its own, so that what hangs can be ended with all that it started
            env: { ...process.env, CMOCKA_MESSAGE_OUTPUT: 'TAP', ...(kind === 'valgrind' ? { WEIR_TEST_SLOW: '1' } : {}) },
        });
        const timer = setTimeout(() => {
            out += `\ntimed out after ${LIMIT_MS / 1000} s\n`;
            try { process.kill(-child.pid, 'SIGKILL'); } catch { /* it ended by itself */ }
        }, LIMIT_MS);
        child.stdout.on('data', (d) => { out += d; });
        child.stderr.on('data', (d) => { out += d; });
        child.on('error', (e) => { out += String(e); });
        child.on('close', (code) => {
            clearTimeout(timer);
            resolve({ kind, path, out, code, ms: Date.now() - started, ...verdict(kind, out, code) });
        });
    });
}

function parse(argv) {
    let jobs = 2;
    const work = [];
    for (let i = 0; i < argv.length; i++) {
        if (argv[i] === '--jobs') { jobs = Number(argv[++i]); continue; }
        const [kind, list] = argv[i].split(/:(.*)/);
        for (const path of (list ?? '').split(',').filter(Boolean)) work.push({ kind, path });
    }
    return { jobs, work };
}

const { jobs, work } = parse(process.argv.slice(2));
mkdirSync(LOG_DIR, { recursive: true });
let passed = 0;
let failed = 0;
const queue = [...work];
async function lane() {
    for (let item = queue.shift(); item; item = queue.shift()) {
        const r = await run(item);
        passed += r.passed;
        failed += r.failed;
        const name = (r.kind === 'valgrind' ? 'valgrind/' : '') + r.path.replace(/^build\/[a-z]+\/test\//, '');
        const log = `${LOG_DIR}/${name.replaceAll('/', '-')}.log`;
        writeFileSync(log, r.out);
        console.log(`${r.failed ? 'FAIL' : 'ok  '} ${name}: ${r.passed} passed, ${r.failed} failed${r.skipped ? `, ${r.skipped} skipped` : ''} (${(r.ms / 1000).toFixed(1)} s)`);
        if (r.failed) console.log(r.out.split('\n').slice(-60).map((l) => `    ${l}`).join('\n'));
    }
}
await Promise.all(Array.from({ length: jobs }, lane));
writeFileSync(`${LOG_DIR}/totals.jsonl`, `${JSON.stringify({ passed, failed })}\n`, { flag: 'a' });
if (!process.env.WEIR_TEST_PART) console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
