// Settings that bound or shape what one client gets, seen from a client.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import net from 'node:net';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Service, until } from './service.mjs';
import { Signal, metrics, opus } from './signal.mjs';

const services = [];
async function start(env) {
    const s = await Service.start({ WEIR_HLS_ENABLED: '0', WEIR_RTC_WORKERS: '1', ...env });
    services.push(s);
    return s;
}

after(async () => {
    for (const s of services) assert.equal(await s.stop(), 0, `the service ends cleanly\n${s.log}`);
});

const asked = async (s, method, data) => { const m = await s.ask(method, data); return m.ok ? 'ok' : `${m.errorCode} ${m.errorReason}`; };

test('a TURN secret gives every peer credentials of its own that expire', async () => {
    const service = await start({ WEIR_ICE_TURN_URLS: 'turn:turn.example.org:3478', WEIR_ICE_TURN_SECRET: 'north', WEIR_ICE_TURN_TTL: '2h',
        WEIR_ICE_STUN_URLS: 'stun:stun.example.org:3478' });
    const seen = new Set();
    for (const peerId of ['alice', 'bob']) {
        const s = await Signal.open(service.url);
        const { iceServers } = await s.request('joinRoom', { roomId: 'r', peerId });
        assert.deepEqual(iceServers[0], { urls: ['stun:stun.example.org:3478'] });
        const { urls, username, credential } = iceServers[1];
        assert.deepEqual(urls, ['turn:turn.example.org:3478']);
        const [expiry, name] = username.split(':');
        assert.equal(name, peerId);
        assert.ok(Math.abs(Number(expiry) - Date.now() / 1000 - 7200) < 5, expiry);
        assert.equal(credential, createHmac('sha1', 'north').update(username).digest('base64'));
        seen.add(credential);
        s.close();
    }
    assert.equal(seen.size, 2);
});

test('without TCP there are no TCP candidates, and who insists is told', async () => {
    const service = await start({ WEIR_RTC_TCP: '0' });
    const s = await Signal.open(service.url);
    await s.request('joinRoom', { roomId: 'r' });
    const t = await s.request('createConsumerTransport');
    assert.ok(t.iceCandidates.length > 0 && t.iceCandidates.every((c) => c.protocol === 'udp'));
    assert.match(await asked(s, 'createConsumerTransport', { forceTcp: true }), /^415 forceTcp/);
    s.close();
});

test('bit rates of transports are bounded as configured', async () => {
    const service = await start({ WEIR_RTC_MIN_BITRATE: '50k', WEIR_RTC_INITIAL_BITRATE: '700k', WEIR_RTC_MAX_BITRATE: '3M', WEIR_RTC_MAX_INCOMING_BITRATE: '2M' });
    const s = await Signal.open(service.url);
    await s.request('joinRoom', { roomId: 'r' });
    const recv = await s.request('createConsumerTransport');
    const [down] = await s.request('getTransportStats', { transportId: recv.id });
    assert.equal(down.maxOutgoingBitrate, 3000000);
    assert.equal(down.minOutgoingBitrate, 50000);
    const send = await s.request('createProducerTransport');
    const [up] = await s.request('getTransportStats', { transportId: send.id });
    assert.equal(up.maxIncomingBitrate, 2000000);
    s.close();
});

test('a peer gets so many transports, producers and consumers, and no more', async () => {
    const service = await start({ WEIR_LIMITS_TRANSPORTS_PER_PEER: '3', WEIR_LIMITS_PRODUCERS_PER_PEER: '2', WEIR_LIMITS_CONSUMERS_PER_PEER: '2' });
    const s = await Signal.open(service.url);
    const other = await Signal.open(service.url);
    await s.request('joinRoom', { roomId: 'r' });
    const { rtpCapabilities } = await other.request('joinRoom', { roomId: 'r' });
    const send = await s.request('createProducerTransport');
    await s.request('createConsumerTransport');
    await s.request('createConsumerTransport');
    assert.match(await asked(s, 'createConsumerTransport'), /^429 .*transports/);
    const produce = () => s.ask('produce', { transportId: send.id, kind: 'audio', rtpParameters: opus() });
    const ids = [(await produce()).data.id, (await produce()).data.id];
    const third = await produce();
    assert.equal(third.errorCode, 429);
    assert.match(third.errorReason, /producers/);
    await s.request('closeProducer', { producerId: ids[0] });
    ids[0] = (await produce()).data.id;
    assert.ok(ids[0], 'one that is closed makes room');
    await other.request('createConsumerTransport');
    const consume = (i) => other.ask('consume', { producerId: ids[i], rtpCapabilities });
    const first = await consume(0);
    assert.equal(first.ok, true, first.errorReason);
    assert.equal((await consume(1)).ok, true);
    const more = await consume(0);
    assert.equal(more.errorCode, 429);
    assert.match(more.errorReason, /consumers/);
    await other.request('closeConsumer', { consumerId: first.data.id });
    assert.equal((await consume(0)).ok, true);
    s.close();
    other.close();
});

test('an address gets so many connections; behind a trusted proxy, each of its clients does', async () => {
    const direct = await start({ WEIR_LIMITS_CONNECTIONS_PER_IP: '8' });
    const open = [];
    for (let i = 0; i < 20 && open.length < 20; i++) {
        try { open.push(await Signal.open(direct.url)); } catch { break; }
    }
    assert.ok(open.length >= 5 && open.length <= 8, `${open.length} connections`);
    open.shift().close();
    await until('a place is free again', 5000, async () => { open.push(await Signal.open(direct.url)); return true; }, 200);
    for (const s of open) s.close();
    const counted = await until('metrics are served again', 5000, () => metrics(direct.url), 200);
    assert.ok(counted.http_refused_per_address_total >= 1);

    const proxied = await start({ WEIR_LIMITS_CONNECTIONS_PER_IP: '3', WEIR_HTTP_TRUSTED_PROXIES: '127.0.0.0/8, ::1' });
    const from = (ip) => Signal.open(proxied.url, { 'X-Forwarded-For': ip });
    const a = [await from('198.51.100.1'), await from('198.51.100.1'), await from('203.0.113.9, 198.51.100.1')];
    await assert.rejects(from('198.51.100.1'));
    const b = await from('198.51.100.2');
    a.pop().close();
    await until('a place is free again', 5000, async () => { a.push(await from('198.51.100.1')); return true; }, 100);
    for (const s of [...a, b]) s.close();
});

test('a client that does not read is let go, and hurts nobody', async () => {
    const service = await start({ WEIR_LIMITS_SEND_QUEUE_BYTES: '64k', WEIR_LIMITS_REQUESTS_PER_SECOND: '100000', WEIR_LIMITS_REQUESTS_BURST: '100000' });
    const deaf = net.connect({ host: '127.0.0.1', port: service.port });
    deaf.on('error', () => {});
    const frame = (text) => {
        const body = Buffer.from(text);
        const mask = Buffer.from([1, 2, 3, 4]);
        return Buffer.concat([Buffer.from([0x81, 0x80 | body.length]), mask, body.map((x, i) => x ^ mask[i % 4])]);
    };
    deaf.write('GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n');
    deaf.write(frame('{"request":true,"id":1,"method":"joinRoom","data":{"roomId":"r"}}'));
    await until('the deaf one is in', 5000, async () => (await metrics(service.url)).weir_peers === 1, 200);
    deaf.pause();
    const loud = await Signal.open(service.url);
    await loud.request('joinRoom', { roomId: 'r' });
    const t = await loud.request('createProducerTransport');
    const { id } = await loud.request('produce', { transportId: t.id, kind: 'audio', rtpParameters: opus(), appData: { filler: 'x'.repeat(4000) } });
    // Each tells the other peer 4 kB; the kernel takes some megabytes before anything waits here.
    await until('the deaf one is gone', 30000, async () => {
        await Promise.all(Array.from({ length: 100 }, (_, i) => loud.request(i % 2 ? 'resumeProducer' : 'pauseProducer', { producerId: id })));
        return (await metrics(service.url)).weir_signaling_connections === 1;
    }, 1);
    await until('the others are told', 3000, () => loud.count('peerLeft') === 1);
    assert.deepEqual(loud.strays, []);
    loud.close();
    deaf.destroy();
});

test('a client that answers no pings counts as gone, one that does stays', async () => {
    const service = await start({ WEIR_LIMITS_IDLE: '5s' });
    const silent = net.connect({ host: '127.0.0.1', port: service.port });
    const ended = new Promise((done) => { silent.on('close', done); });
    silent.on('error', () => {});
    silent.write('GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n');
    silent.resume();
    const at = Date.now();
    const lively = await Signal.open(service.url);
    await Promise.race([ended, sleep(12000)]);
    const ms = Date.now() - at;
    assert.ok(ms >= 4500 && ms < 9000, `${ms} ms`);
    await sleep(1000);
    assert.equal((await lively.ask('createRoom')).ok, true, 'its pongs keep it');
    lively.close();
});
