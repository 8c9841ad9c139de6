// What serving HLS costs: playlists, parts and segments of a live stream by the service, and the same bytes by nginx as files,
// in the same run, in turn; then thousands of requests that wait for one playlist. wrk makes the requests. Who serves has a core,
// wrk and all else (the stream's encoders) the other. BENCH_SECONDS: of a round. BENCH_WAITING: requests that wait.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { parseMedia } from '../e2e/hls_playlist.mjs';
import { Service, freePort, until } from '../e2e/service.mjs';
import { cpu, endsWithUs, goesWithUs, onCore, pinThread, pinThreads, twoCores } from './cores.mjs';

const run = promisify(execFile);
const SECONDS = Number(process.env.BENCH_SECONDS ?? 1);
const ROUNDS = 15; // short ones, so that both sides of a pair meet the same machine; the first is dropped
const CONNECTIONS = 64;
const WAITING = Number(process.env.BENCH_WAITING ?? 5000);
const WAITING_ROUNDS = 3;
const cores = twoCores();

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

/** A figure as the other benches write them. */
function figure(what, name, value) {
    mkdirSync('build', { recursive: true });
    appendFileSync('build/bench.json', `${JSON.stringify({ bench: 'hls', what, figure: name, value })}\n`);
}

/** nginx with one worker on a folder, as a plain file server; what is compressed stands beside the file. */
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
        add_header Access-Control-Allow-Origin "*"; gzip_static on; gzip_vary on; }
}
`);
    mkdirSync(join(folder, 'files'));
    const child = spawn('nginx', ['-c', join(folder, 'nginx.conf'), '-p', folder, '-e', join(folder, 'error.log')], { stdio: 'ignore' });
    endsWithUs(child);
    const url = `http://127.0.0.1:${port}`;
    await until('nginx is up', 10000, async () => {
        if (child.exitCode !== null) throw new Error(readFileSync(join(folder, 'error.log'), 'utf8'));
        return (await fetch(`${url}/none`)).status === 404;
    });
    if (cores) pinThread(child.pid, cores.server);
    return { pid: child.pid, url, files: join(folder, 'files') };
}

/** Encoders come and go: before each measurement, all but the thread that serves are sent to the other core. */
function pinService(service) {
    if (!cores) return;
    pinThread(service.child.pid, cores.server);
    pinThreads(service.child.pid, cores.others, false);
    for (const pid of service.children('')) pinThreads(pid, cores.others, true);
}

/** CPU of what else the serving thread does (the stream itself), µs a second. */
async function idle(pid) {
    const before = cpu(pid);
    await sleep(SECONDS * 1000);
    return (cpu(pid) - before) / SECONDS;
}

/** One round: requests a second, µs of the server's CPU each, and how busy it was. */
async function load(url, headers, pid, base) {
    const args = ['wrk', '-t1', `-c${CONNECTIONS}`, `-d${SECONDS}s`, ...headers.flatMap((h) => ['-H', h]), url];
    const [program, ...rest] = cores ? [...onCore(cores.others), ...args] : args;
    const started = performance.now();
    const before = cpu(pid);
    const { stdout } = await run(program, rest, { timeout: (SECONDS + 30) * 1000 });
    const used = cpu(pid) - before;
    const passed = (performance.now() - started) / 1000;
    if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(`${url}: ${stdout}`);
    const requests = Number(/(\d+) requests in/.exec(stdout)[1]);
    return { rate: Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)[1]), cpu: (used - base * passed) / requests, busy: used / passed / 1e6 };
}

/** uri: of the stream's newest playlist. Each round takes what is newest: what is old leaves the memory. */
async function compare(what, uri, headers, { service, nginx, base }) {
    const live = `${service.url}/live/demo`;
    const ours = [];
    const theirs = [];
    let bytes = 0;
    for (let i = 0; i < ROUNDS; i++) {
        pinService(service);
        const list = parseMedia(await (await fetch(`${live}/v0.m3u8`)).text(), () => {});
        const name = uri(list);
        const copy = `${what.replaceAll(' ', '-')}-${i}.${name.split('.').at(-1)}`;
        const content = Buffer.from(await (await fetch(`${live}/${name}`)).arrayBuffer());
        writeFileSync(join(nginx.files, copy), content);
        writeFileSync(join(nginx.files, `${copy}.gz`), gzipSync(content));
        bytes = Number((await run('curl', ['-s', '-o', '/dev/null', '-w', '%{size_download}', ...headers.flatMap((h) => ['-H', h]), `${nginx.url}/${copy}`])).stdout);
        const turns = [
            async () => ours.push(await load(`${live}/${name}`, headers, service.child.pid, base)),
            async () => theirs.push(await load(`${nginx.url}/${copy}`, headers, nginx.pid, 0)),
        ];
        for (const turn of i % 2 === 0 ? turns : turns.reverse()) await turn();
    }
    const of = (list, key) => median(list.slice(1).map((x) => x[key]));
    const ratio = (f) => median(ours.slice(1).map((x, i) => f(x, theirs[i + 1])));
    const f = {
        requests_per_second: of(ours, 'rate'), nginx_requests_per_second: of(theirs, 'rate'), of_nginx: ratio((a, b) => a.rate / b.rate),
        busy: of(ours, 'busy'), nginx_busy: of(theirs, 'busy'),
        cpu_us: of(ours, 'cpu'), nginx_cpu_us: of(theirs, 'cpu'), cpu_of_nginx: ratio((a, b) => b.cpu / a.cpu),
    };
    console.log(`| ${what} | ${bytes} | ${Math.round(f.requests_per_second)} | ${Math.round(f.nginx_requests_per_second)} | **${f.of_nginx.toFixed(2)}** `
        + `| ${f.cpu_us.toFixed(1)} | ${f.nginx_cpu_us.toFixed(1)} | **${f.cpu_of_nginx.toFixed(2)}** | ${(100 * f.busy).toFixed(0)} % | ${(100 * f.nginx_busy).toFixed(0)} % |`);
    for (const [name, value] of Object.entries(f)) figure(what, name, value);
}

const rss = (pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
const threads = (pid) => Number(/Threads:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);

async function metric(service, name) {
    return Number(new RegExp(`^${name} (\\d+)`, 'm').exec(await (await fetch(`${service.url}/metrics`)).text())[1]);
}

/** Thousands that wait for one playlist: what each costs while it waits, and how long until all are served. */
async function waiting(service) {
    const { pid } = service.child;
    pinService(service);
    const before = { rss: rss(pid), threads: threads(pid) };
    const args = ['build/release/test/bench/hls_waiters', String(service.port), String(WAITING)];
    const [program, ...rest] = cores ? [...onCore(cores.others), ...args] : args;
    const child = spawn(program, rest, { stdio: ['pipe', 'pipe', 'inherit'] });
    endsWithUs(child);
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const line = async () => {
        const { value, done } = await lines.next();
        if (done) throw new Error('the waiting clients ended early');
        return value;
    };
    await line(); // connected
    await until('all are accepted', 10000, async () => await metric(service, 'http_connections') >= WAITING, 20);
    const connected = rss(pid);
    const list = parseMedia(await (await fetch(`${service.url}/live/demo/v0.m3u8`)).text(), () => {});
    child.stdin.write(`/live/demo/v0.m3u8?_HLS_msn=${list.next + 2}&_HLS_part=0\n`);
    await line(); // sent
    await until('all wait', 3000, async () => await metric(service, 'weir_hls_waiting_requests') >= WAITING, 10);
    const held = { rss: rss(pid), threads: threads(pid), cpu: cpu(pid) };
    const answers = JSON.parse(await line());
    const used = cpu(pid) - held.cpu;
    await once(child, 'exit');
    await until('they are gone', 10000, async () => await metric(service, 'http_connections') < 100, 20);
    return { ok: answers.ok, texts: answers.texts, spread: answers.spreadUs / 1000, threads: held.threads - before.threads, cpu: used / WAITING,
        connection: (connected - before.rss) / WAITING, request: (held.rss - connected) / WAITING };
}

const folder = mkdtempSync(join(tmpdir(), 'weir-bench-hls-'));
goesWithUs(folder);
const service = await Service.start({ WEIR_DEMO: '1', WEIR_HLS_WINDOW: '60s', WEIR_LIMITS_CONNECTIONS_PER_IP: '100000', WEIR_HTTP_MAX_CONNECTIONS: '60000' });
await until('a minute of the demo', 180000, async () => {
    const r = await fetch(`${service.url}/live/demo/v0.m3u8`);
    return r.ok && parseMedia(await r.text(), () => {}).segments.length >= 50;
}, 500);
const nginx = await startNginx(folder);
pinService(service);
const world = { service, nginx, base: await idle(service.child.pid) };
const chosen = process.argv[2]; // serving, waiting; none: both
if (chosen !== 'waiting') {
    console.log(`\nServing, ${CONNECTIONS} connections, wrk with one thread${cores ? ' on the other core' : ''}, medians of ${ROUNDS - 1} rounds of ${SECONDS} s in turn\n`);
    console.log('| what | bytes | requests/s | nginx | of nginx | CPU µs each | nginx | nginx / ours | busy | nginx |');
    console.log('|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|');
    await compare('segment', (list) => list.segments.at(-1).uri, [], world);
    await compare('part', (list) => list.segments.at(-1).parts[1].uri, [], world);
    await compare('playlist', () => 'v0.m3u8', [], world);
    await compare('playlist gzip', () => 'v0.m3u8', ['Accept-Encoding: gzip'], world);
}
console.log('\n| waiting at once | answered 200 | texts | kB a connection | kB more to wait | threads more | first to last answer, ms | CPU µs each |');
console.log('|--:|--:|--:|--:|--:|--:|--:|--:|');
for (let i = 0; i < WAITING_ROUNDS && chosen !== 'serving'; i++) {
    const w = await waiting(service);
    console.log(`| ${WAITING} | ${w.ok} | ${w.texts} | ${w.connection.toFixed(2)} | ${w.request.toFixed(2)} | ${w.threads} | ${w.spread.toFixed(1)} | ${w.cpu.toFixed(1)} |`);
    for (const [name, value] of Object.entries(w)) figure(`waiting ${i + 1}`, name, value);
}
await service.stop();
process.exit(0);
