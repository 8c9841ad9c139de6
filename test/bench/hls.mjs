// What serving HLS costs: playlists, parts and segments of a live stream by the service, and the same bytes by nginx as files,
// in the same run, in turn; then two thousand requests that wait. wrk makes the requests. BENCH_SECONDS: of a round.
import { execFile, spawn } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { parseMedia } from '../e2e/hls_playlist.mjs';
import { Service, freePort, until } from '../e2e/service.mjs';

const run = promisify(execFile);
const SECONDS = Number(process.env.BENCH_SECONDS ?? 3);
const ROUNDS = 5; // the first is dropped
const CONNECTIONS = 64;
const WAITING = 2000;

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

/** A figure as the other benches write them. */
function figure(what, name, value) {
    mkdirSync('build', { recursive: true });
    appendFileSync('build/bench.json', `${JSON.stringify({ bench: 'hls', what, figure: name, value })}\n`);
}

/** nginx with one worker on a folder, as a plain file server. */
async function startNginx(folder) {
    const port = await freePort();
    writeFileSync(join(folder, 'nginx.conf'), `
daemon off; master_process off; worker_processes 1; pid ${folder}/nginx.pid; error_log ${folder}/error.log;
events { worker_connections 4096; }
http {
    types { application/vnd.apple.mpegurl m3u8; video/mp4 mp4 m4s; }
    access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000; open_file_cache max=1000;
    client_body_temp_path ${folder}/t1; proxy_temp_path ${folder}/t2; fastcgi_temp_path ${folder}/t3; uwsgi_temp_path ${folder}/t4;
    scgi_temp_path ${folder}/t5;
    server { listen 127.0.0.1:${port}; root ${folder}/files; add_header Cache-Control "public, max-age=31536000, immutable";
        add_header Access-Control-Allow-Origin "*"; }
}
`);
    const child = spawn('nginx', ['-c', join(folder, 'nginx.conf'), '-p', folder, '-e', join(folder, 'error.log')], { stdio: 'ignore' });
    const url = `http://127.0.0.1:${port}`;
    await until('nginx is up', 10000, async () => (await fetch(`${url}/playlist.m3u8`)).ok);
    return { child, url, stop: () => new Promise((done) => { child.on('exit', done); child.kill('SIGTERM'); }) };
}

/** CPU that the process's first thread, which serves, has used, µs. */
function cpu(pid) {
    return Number(readFileSync(`/proc/${pid}/schedstat`, 'latin1').split(' ')[0]) / 1000;
}

/** CPU of what else the process does (the stream itself), µs a second. */
async function idle(pid) {
    const before = cpu(pid);
    await sleep(SECONDS * 1000);
    return (cpu(pid) - before) / SECONDS;
}

/** One round: requests a second, and µs of the server's CPU each, beyond what it takes without them. */
async function load(url, pid, base) {
    const started = performance.now();
    const before = cpu(pid);
    const { stdout } = await run('wrk', ['-t1', `-c${CONNECTIONS}`, `-d${SECONDS}s`, url]);
    const requests = Number(/(\d+) requests in/.exec(stdout)[1]);
    if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(`${url}: ${stdout}`);
    return { rate: Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)[1]), cpu: (cpu(pid) - before - base * (performance.now() - started) / 1000) / requests };
}

async function compare(what, path, bytes, service, nginx) {
    const ours = [];
    const theirs = [];
    const base = await idle(service.child.pid);
    for (let i = 0; i < ROUNDS; i++) {
        ours.push(await load(`${service.url}/live/demo/${path.ours}`, service.child.pid, base));
        theirs.push(await load(`${nginx.url}/${path.theirs}`, nginx.child.pid, 0));
    }
    // What else runs on the machine only takes requests away: the best round has least of it.
    const best = (list) => Math.max(...list.slice(1).map((x) => x.rate));
    const each = (list) => median(list.slice(1).map((x) => x.cpu));
    const [rate, other, us, otherUs] = [best(ours), best(theirs), each(ours), each(theirs)];
    console.log(`| ${what} | ${bytes} | ${Math.round(rate)} | ${Math.round(other)} | ${(rate / other).toFixed(2)} | ${us.toFixed(1)} | ${otherUs.toFixed(1)} | ${(otherUs / us).toFixed(2)} |`);
    figure(what, 'requests_per_second', rate);
    figure(what, 'of_nginx', rate / other);
    figure(what, 'cpu_us', us);
    figure(what, 'nginx_cpu_us', otherUs);
}

function waitingRequest(port, path) {
    return new Promise((done, fail) => {
        const s = connect(port, '127.0.0.1', () => s.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`));
        s.on('error', fail);
        let text = '';
        s.on('data', (d) => {
            text += d.toString('latin1');
            const end = text.indexOf('\r\n\r\n');
            const length = Number(/content-length: (\d+)/i.exec(text)?.[1]);
            if (end > 0 && text.length >= end + 4 + length) {
                s.destroy();
                done({ status: Number(text.slice(9, 12)), at: Date.now() });
            }
        });
    });
}

/** Thousands that wait for one part: what each costs while it waits, and how long all are served. */
async function waiting(service) {
    const status = (name) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(readFileSync(`/proc/${service.child.pid}/status`, 'utf8'))[1]);
    const url = `${service.url}/live/demo/v0.m3u8`;
    const figures = [];
    for (let round = 0; round < 3; round++) {
        const before = { rss: status('VmRSS'), threads: status('Threads') };
        const list = parseMedia(await (await fetch(url)).text(), () => {});
        const all = Array.from({ length: WAITING }, () => waitingRequest(service.port, `/live/demo/v0.m3u8?_HLS_msn=${list.next + 2}`));
        let held = { n: 0 };
        const settled = Promise.all(all);
        let over = false;
        settled.then(() => { over = true; });
        while (!over) {
            const text = await (await fetch(`${service.url}/metrics`)).text();
            const n = Number(/weir_hls_waiting_requests (\d+)/.exec(text)[1]);
            if (n >= held.n) held = { n, rss: status('VmRSS'), threads: status('Threads') };
            await sleep(20);
        }
        const answers = await settled;
        const times = answers.map((a) => a.at);
        figures.push({ held: held.n, kb: (held.rss - before.rss) / held.n, threads: held.threads - before.threads,
            ok: answers.filter((a) => a.status === 200).length, spread: Math.max(...times) - Math.min(...times) });
    }
    for (const f of figures)
        console.log(`| ${f.held} | ${f.ok} | ${f.kb.toFixed(2)} | ${f.threads} | ${f.spread} |`);
    figure('waiting', 'kb_each', figures[0].kb);
    figure('waiting', 'threads', Math.max(...figures.map((f) => f.threads)));
}

const folder = mkdtempSync(join(tmpdir(), 'weir-bench-hls-'));
const service = await Service.start({ WEIR_DEMO: '1', WEIR_HLS_WINDOW: '600s', WEIR_LIMITS_CONNECTIONS_PER_IP: '100000' });
let nginx;
try {
    const live = `${service.url}/live/demo`;
    await until('half a minute of the demo', 120000, async () => {
        const r = await fetch(`${live}/v0.m3u8`);
        return r.ok && parseMedia(await r.text(), () => {}).segments.length >= 30;
    }, 500);
    const text = await (await fetch(`${live}/v0.m3u8`)).text();
    const segment = parseMedia(text, () => {}).segments.at(-1);
    const bytes = async (uri) => Buffer.from(await (await fetch(`${live}/${uri}`)).arrayBuffer());
    const files = { 'playlist.m3u8': Buffer.from(text), 'segment.m4s': await bytes(segment.uri), 'part.m4s': await bytes(segment.parts[1].uri) };
    mkdirSync(join(folder, 'files'));
    for (const [name, b] of Object.entries(files)) writeFileSync(join(folder, 'files', name), b);
    nginx = await startNginx(folder);
    console.log(`\nServing, ${CONNECTIONS} connections, wrk with one thread, the best of ${ROUNDS - 1} rounds of ${SECONDS} s in turn\n`);
    console.log('| what | bytes | requests/s | nginx | of nginx | CPU µs each | nginx | nginx / ours |');
    console.log('|---|--:|--:|--:|--:|--:|--:|--:|');
    // A segment leaves the memory after a while: the newest at the time of each.
    await compare('segment', { ours: segment.uri, theirs: 'segment.m4s' }, files['segment.m4s'].length, service, nginx);
    const now = parseMedia(await (await fetch(`${live}/v0.m3u8`)).text(), () => {}).segments.at(-1);
    const part = await bytes(now.parts[1].uri);
    writeFileSync(join(folder, 'files', 'part.m4s'), part);
    await compare('part', { ours: now.parts[1].uri, theirs: 'part.m4s' }, part.length, service, nginx);
    await compare('playlist', { ours: 'v0.m3u8', theirs: 'playlist.m3u8' }, files['playlist.m3u8'].length, service, nginx);
    console.log('\n| waiting at once | answered 200 | kB each | threads more | first to last answer, ms |');
    console.log('|--:|--:|--:|--:|--:|');
    await waiting(service);
} finally {
    await nginx?.stop();
    await service.stop();
    rmSync(folder, { recursive: true, force: true });
}
