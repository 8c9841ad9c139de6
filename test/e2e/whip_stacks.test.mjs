// WHIP and WHEP with other stacks than a browser's: aiortc and GStreamer's webrtcbin broadcast and watch, each other and Chromium.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { networkInterfaces } from 'node:os';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { launch, moving, open } from './browser.mjs';
import { Service, until } from './service.mjs';
import { cheap } from './account.mjs';
import { streamWithKey } from './stream_key.mjs';

// Both leave loopback out when they gather.
const address = Object.values(networkInterfaces()).flat().find((a) => a.family === 'IPv4' && !a.internal)?.address;
let service;
let browser;
const children = [];

before(async () => {
    assert.ok(address, 'the machine has an address');
    service = await Service.start({ ...cheap, WEIR_HLS_ENABLED: '0', WEIR_RTC_LISTEN_IPS: address });
    browser = await launch();
});

after(async () => {
    for (const child of children) child.kill('SIGKILL'); // of tests that failed
    await browser?.close();
    assert.equal(await service?.stop(), 0, `the service ends cleanly\n${service?.log}`);
});

/** A Python client; `last` is what it said of each thing. */
class Client {
    constructor(stack, use, id, key) {
        const args = [new URL(`whip_${stack}.py`, import.meta.url).pathname, use, `${service.url}/${use === 'publish' ? 'whip' : `whep/${id}`}`, ...(key ? [key] : [])];
        this.last = {};
        this.errors = '';
        this.child = spawn('/usr/bin/python3', args, { stdio: ['pipe', 'pipe', 'pipe'] });
        children.push(this.child);
        this.child.stderr.on('data', (d) => { this.errors += d; });
        createInterface({ input: this.child.stdout }).on('line', (line) => { if (line.startsWith('{')) Object.assign(this.last, JSON.parse(line)); });
        this.exited = once(this.child, 'exit');
    }

    async has(what, probe, ms = 20000) {
        try {
            return await until(what, ms, () => probe(this.last));
        } catch (e) {
            throw new Error(`${e.message}; it has ${JSON.stringify(this.last)}\n${this.errors.slice(-2000)}`);
        }
    }

    /** Ends its session by DELETE. */
    async end() {
        this.child.stdin.end();
        const timer = setTimeout(() => this.child.kill('SIGKILL'), 10000);
        await this.exited;
        clearTimeout(timer);
        assert.equal(this.last.deleted, 200, this.errors.slice(-2000));
    }
}

const live = async (s) => (await service.json('/api/livestream/active')).streams.find((l) => l.roomId === s.room);

for (const stack of ['aiortc', 'gstreamer']) {
    test(`${stack} broadcasts, ${stack} and a browser watch`, async () => {
        const s = await streamWithKey(service);
        const sender = new Client(stack, 'publish', null, s.key);
        await sender.has('201', (l) => l.status === 201);
        await sender.has('a connection', (l) => l.state === 'connected');
        await until('live', 5000, () => live(s));

        const page = await open(browser, `${service.url}/healthz`);
        await page.addScriptTag({ path: new URL('whip_page.js', import.meta.url).pathname });
        await page.evaluate((url) => globalThis.whip.play(url), `${service.url}/whep/${s.room}`);
        await moving(page, '#player', 20000);

        const player = new Client(stack, 'play', s.room);
        await player.has('sound and pictures', (l) => l.audio > 20 && l.video > 20);
        assert.equal(player.last.width, 640);
        await player.end();
        await page.context().close();
        await sender.end();
        await until('the stream has ended at once', 5000, async () => !(await live(s)));
    });
}
