// An S3-compatible server for tests: s3rver, and in front of it a gate that checks every signature with aws4 (s3rver itself does
// not), keeps a record of what was asked, and can fail as networks and servers do.
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import aws4 from 'aws4';
import S3rver from 's3rver';
import { freePort } from './service.mjs';

const credentials = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' };
const region = 'eu-test-1';

/** The signature that this request should have, or null when it has none. */
function expected(req, url) {
    const { method, headers: { host } } = req;
    if (url.searchParams.has('X-Amz-Signature')) {
        const q = new URLSearchParams(url.searchParams);
        for (const name of ['X-Amz-Signature', 'X-Amz-Algorithm', 'X-Amz-Credential', 'X-Amz-SignedHeaders']) q.delete(name);
        const asked = { host, method, path: `${url.pathname}?${q.toString().replaceAll('+', '%20')}`, service: 's3', region, signQuery: true };
        return new URL(aws4.sign(asked, credentials).path, 'http://x').searchParams.get('X-Amz-Signature');
    }
    if (!req.headers.authorization) return null;
    const headers = { Host: host };
    for (const name of ['x-amz-date', 'x-amz-content-sha256']) headers[name] = req.headers[name];
    const signed = aws4.sign({ host, method, path: req.url, service: 's3', region, headers }, credentials);
    return /Signature=(\w+)/.exec(signed.headers.Authorization)[1];
}

function isExpired(url) {
    const at = url.searchParams.get('X-Amz-Date');
    if (!at) return false;
    const from = Date.parse(at.replace(/^(....)(..)(..T..)(..)(..Z)$/, '$1-$2-$3:$4:$5'));
    return Date.now() > from + Number(url.searchParams.get('X-Amz-Expires')) * 1000;
}

export class S3 {
    static async start(bucket) {
        const s = new S3();
        s.bucket = bucket;
        s.asked = []; // "PUT /key?partNumber=1" of what was let through
        s.refused = 0;
        s.fail = () => null; // (method, url) => status, 'cut', 'stall' or null
        s.dir = mkdtempSync(join(tmpdir(), 'weir-s3-'));
        s.inner = new S3rver({ port: await freePort(), address: '127.0.0.1', silent: true, directory: s.dir, configureBuckets: [{ name: bucket }] });
        const { port } = await s.inner.run();
        s.innerPort = port;
        s.gate = createServer((req, res) => s.#take(req, res));
        s.port = await freePort();
        await s.open();
        return s;
    }

    async open() {
        this.gate.listen(this.port, '127.0.0.1');
        await once(this.gate, 'listening');
    }

    /** As when the machine goes away. */
    async shut() {
        this.gate.close();
        this.gate.closeAllConnections();
    }

    #take(req, res) {
        const url = new URL(req.url, 'http://x');
        const given = url.searchParams.get('X-Amz-Signature') ?? /Signature=(\w+)/.exec(req.headers.authorization ?? '')?.[1];
        if (!given || given !== expected(req, url) || isExpired(url)) {
            this.refused++;
            res.writeHead(403).end('<Error><Code>SignatureDoesNotMatch</Code></Error>');
            return;
        }
        const fault = this.fail(req.method, url);
        if (fault === 'cut') req.once('data', () => req.socket.destroy());
        else if (typeof fault === 'number') req.resume().once('end', () => res.writeHead(fault).end('<Error><Code>SlowDown</Code></Error>'));
        if (fault === 'stall') req.resume();
        if (fault) return;
        // A bucket in the host name goes on as one in the path.
        const path = req.headers.host.startsWith(`${this.bucket}.`) ? `/${this.bucket}${req.url}` : req.url;
        const part = url.searchParams.get('partNumber');
        this.asked.push(`${req.method} ${url.pathname}${part ? `?part=${part}` : ''}`);
        const on = request({ port: this.innerPort, host: '127.0.0.1', method: req.method, path, headers: { ...req.headers, host: `127.0.0.1:${this.innerPort}` } }, (answer) => {
            res.writeHead(answer.statusCode, answer.headers);
            answer.pipe(res);
        });
        on.on('error', () => res.destroy());
        req.pipe(on);
    }

    async stop() {
        await this.shut();
        await this.inner.close();
        rmSync(this.dir, { recursive: true, force: true });
    }
}

export const settings = (s3, more = {}) => ({
    WEIR_STORAGE_ENDPOINT: `http://127.0.0.1:${s3.port}`,
    WEIR_STORAGE_REGION: region,
    WEIR_STORAGE_BUCKET: s3.bucket,
    WEIR_STORAGE_ACCESS_KEY: credentials.accessKeyId,
    WEIR_STORAGE_SECRET_KEY: credentials.secretAccessKey,
    WEIR_STORAGE_PREFIX: 'vod files/',
    WEIR_STORAGE_PATH_STYLE: 'true',
    WEIR_STORAGE_PART_SIZE: '64k',
    ...more,
});
