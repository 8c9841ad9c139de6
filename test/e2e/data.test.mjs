// Data channels between browsers, by mediasoup-client: all kinds of reliability, large messages, both ways.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, open } from './browser.mjs';
import { bundle } from './bundle.mjs';
import { Service, until } from './service.mjs';

const KIB_256 = 256 * 1024;
let service;
let browser;
let script;

before(async () => {
    script = await bundle('data_page.js');
    service = await Service.start({ WEIR_HLS_ENABLED: '0' });
    browser = await launch();
});

after(async () => {
    await browser?.close();
    assert.equal(await service?.stop(), 0, 'the service ends cleanly');
});

async function join_(roomId, peerId) {
    const page = await open(browser, `${service.url}/healthz`, { bypassCSP: true });
    await page.addScriptTag({ content: script });
    await page.evaluate(async ([url, room, peer]) => { globalThis.client = await globalThis.page.Client.join(url, room, peer); },
        [`${service.url.replace('http', 'ws')}/ws`, roomId, peerId]);
    return page;
}

const call = (page, method, ...args) => page.evaluate(([m, a]) => globalThis.client[m](...a), [method, args]);
const got = (page, label) => page.evaluate((l) => globalThis.client.got.filter((m) => m.label === l), label);
const consumers = (page, n) => until(`${n} open data consumers`, 5000, async () => (await call(page, 'open')) === n);
const received = (page, label, n, ms = 10000) => until(`${n} messages of ${label}`, ms, async () => {
    const all = await got(page, label);
    return all.length >= n ? all : false;
});

test('text, bytes, empty messages and 256 KiB go both ways, in order', async () => {
    const [a, b] = [await join_('both', 'ann'), await join_('both', 'ben')];
    await call(a, 'produce', { label: 'chat', ordered: true, appData: { of: 'ann' } });
    await call(b, 'produce', { label: 'chat', ordered: true, appData: { of: 'ben' } });
    await consumers(a, 1);
    await consumers(b, 1);
    for (const [from, to, peer] of [[a, b, 'ann'], [b, a, 'ben']]) {
        await call(from, 'say', 'chat', 'hello, \u{1f30a}');
        await call(from, 'say', 'chat', '');
        const sums = [];
        for (const [i, n] of [1, 1200, 70000, KIB_256, KIB_256].entries()) sums.push([n, await call(from, 'push', 'chat', n, i)]);
        const all = await received(to, 'chat', 7);
        assert.deepEqual(all.map((m) => m.from), Array(7).fill(peer));
        assert.deepEqual(all[0].appData, { of: peer });
        assert.deepEqual(all.slice(0, 2).map((m) => m.text), ['hello, \u{1f30a}', '']);
        assert.deepEqual(all.slice(2).map((m) => [m.n, m.sum]), sums);
    }
    await a.context().close();
    await b.context().close();
});

test('unordered, limited by retransmissions and by time: all arrive on a good line', async () => {
    const a = await join_('kinds', 'ann');
    const kinds = {
        unordered: { ordered: false },
        retransmits: { ordered: false, maxRetransmits: 0 },
        lifetime: { ordered: false, maxPacketLifeTime: 1000 },
    };
    for (const [label, kind] of Object.entries(kinds)) await call(a, 'produce', { label, ...kind });
    const b = await join_('kinds', 'ben'); // comes later, and finds them
    await consumers(b, 3);
    for (const label of Object.keys(kinds)) {
        const sums = new Set();
        for (let i = 0; i < 50; i++) sums.add(await call(a, 'push', label, 3000, i));
        const all = await received(b, label, 50);
        assert.deepEqual(new Set(all.map((m) => m.sum)), sums, label);
    }
    await a.context().close();
    await b.context().close();
});

test('one talks to several; who leaves or closes is told of', async () => {
    const a = await join_('many', 'ann');
    await call(a, 'produce', { label: 'news', ordered: true });
    const others = [await join_('many', 'ben'), await join_('many', 'cat'), await join_('many', 'dan')];
    for (const o of others) await consumers(o, 1);
    const sum = await call(a, 'push', 'news', KIB_256, 9);
    for (const o of others) assert.deepEqual((await received(o, 'news', 1)).map((m) => m.sum), [sum]);
    await call(a, 'end', 'news');
    for (const o of others) await consumers(o, 0);
    await call(a, 'produce', { label: 'again', ordered: true });
    for (const o of others) await consumers(o, 1);
    await call(a, 'say', 'again', 'still here');
    for (const o of others) assert.equal((await received(o, 'again', 1))[0].text, 'still here');
    await a.context().close();
    for (const o of others) await consumers(o, 0);
    for (const o of others) await o.context().close();
});

test('a message is there within milliseconds, and megabytes within a second', async () => {
    const [a, b] = [await join_('fast', 'ann'), await join_('fast', 'ben')];
    await call(a, 'produce', { label: 'bulk', ordered: true });
    await consumers(b, 1);
    const start = Date.now();
    // The server holds 2 MB for a receiver, and drops what is more: in portions below that.
    for (let i = 0; i < 20; i++) {
        await call(a, 'push', 'bulk', KIB_256, i);
        if (i % 5 === 4) await received(b, 'bulk', i + 1, 20000);
    }
    const ms = Date.now() - start;
    console.log(`5 MiB browser to browser: ${ms} ms`);
    assert.ok(ms < 10000, `${ms} ms`);
    await a.context().close();
    await b.context().close();
});

test('wrong requests for data channels are refused with a reason', async () => {
    const a = await join_('wrong', 'ann');
    const refused = (method, data) => a.evaluate(([m, d]) => globalThis.client.signaling.request(m, d).then(() => 'accepted', (e) => e.message), [method, data]);
    const [without, send] = await a.evaluate(async () => {
        const t = await globalThis.client.signaling.request('createProducerTransport', {});
        return [t.id, globalThis.client.send.id];
    });
    const stream = { streamId: 9, ordered: true };
    assert.match(await refused('produceData', { transportId: without, sctpStreamParameters: stream }), /^409 .*sctpCapabilities/);
    assert.match(await refused('produceData', { transportId: 'no', sctpStreamParameters: stream }), /^404 .*transportId/);
    assert.match(await refused('produceData', { transportId: send }), /^400 .*sctpStreamParameters/);
    assert.match(await refused('produceData', { transportId: send, sctpStreamParameters: { ...stream, maxRetransmits: 3 } }), /^400 .*ordered/);
    assert.match(await refused('produceData', { transportId: send, sctpStreamParameters: stream, appData: { x: 'y'.repeat(5000) } }), /^400 .*appData/);
    assert.match(await refused('consumeData', { dataProducerId: 'no' }), /^404 .*dataProducerId/);
    assert.match(await refused('closeDataProducer', { dataProducerId: 'no' }), /^404 .*dataProducerId/);
    assert.match(await refused('closeDataConsumer', { dataConsumerId: 'no' }), /^404 .*dataConsumerId/);
    assert.equal(await refused('produceData', { transportId: send, sctpStreamParameters: stream }), 'accepted');
    assert.match(await refused('produceData', { transportId: send, sctpStreamParameters: stream }), /^409 .*streamId/);
    await a.context().close();
});
