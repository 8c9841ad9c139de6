// Runs mediasoup's own Node tests on weir-worker: `node run.mjs [jest arguments]`, after `npm ci --ignore-scripts`.
// Fails when a test fails that known-failures.json does not list, and when one passes that it lists.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const worker = process.env.WEIR_WORKER_BIN ?? join(here, '../../../build/release/weir-worker');
const jest = join(here, 'node_modules/jest/bin/jest.js');
const data = join(here, 'node_modules/mediasoup/node/lib/test/data');
const report = join(here, '../../../build/interop-mediasoup.json');

// The certificate that the tests refer to and the package does not carry.
function makeCertificate() {
    const [cert, key] = ['dtls-cert.pem', 'dtls-key.pem'].map((name) => join(data, name));
    if (existsSync(cert) && existsSync(key)) return;
    mkdirSync(data, { recursive: true });
    const made = spawnSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '3650', '-subj',
        '/CN=weir-interop', '-keyout', key, '-out', cert], { encoding: 'utf8' });
    if (made.status !== 0) throw new Error(`openssl: ${made.stderr ?? made.error}`);
}

function runJest(args) {
    rmSync(report, { force: true });
    mkdirSync(dirname(report), { recursive: true });
    const said = spawnSync(process.execPath, [jest, '--config', join(here, 'jest.config.cjs'), '--json', '--forceExit',
        '--outputFile', report, ...args], {
        cwd: here,
        stdio: ['ignore', 'ignore', 'pipe'],
        encoding: 'utf8',
        maxBuffer: 1 << 28,
        env: { ...process.env, MEDIASOUP_WORKER_BIN: join(here, 'mediasoup-worker'), WEIR_WORKER_BIN: worker },
    });
    if (!existsSync(report)) throw new Error(`jest said nothing:\n${said.stderr ?? said.error}`);
    const out = JSON.parse(readFileSync(report, 'utf8'));
    for (const file of out.testResults) {
        if (file.assertionResults.length === 0) throw new Error(`${file.name}: ${file.message}`);
    }
    // Names are not unique over files.
    return out.testResults.flatMap((file) => file.assertionResults.map((t) => ({
        name: `${basename(file.name, '.js')}: ${t.fullName}`, status: t.status, why: t.failureMessages[0],
    })));
}

makeCertificate();
const results = runJest(process.argv.slice(2)).filter((t) => t.status === 'passed' || t.status === 'failed');
const known = JSON.parse(readFileSync(join(here, 'known-failures.json'), 'utf8'));
const failed = results.filter((t) => t.status === 'failed');
const passed = results.filter((t) => t.status === 'passed');
const surprises = [
    ...failed.filter((t) => !known[t.name]).map((t) => `failed, and is not listed: ${t.name}\n${t.why}`),
    ...passed.filter((t) => known[t.name]).map((t) => `passes, and is listed as failing: ${t.name}`),
];
for (const line of surprises) console.log(line);
console.log(`mediasoup's own tests: ${passed.length} of ${results.length} pass`);
process.exitCode = surprises.length > 0 ? 1 : 0;
