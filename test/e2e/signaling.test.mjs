// The same signaling driven by protoo-client, and by clients that misbehave.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import protoo from 'protoo-client';
import websocket from 'websocket';
import { Service, until } from './service.mjs';

const WebSocket = websocket.w3cwebsocket;
let service;
const open = [];

before(async () => {
    service = await Service.start({ WEIR_HLS_ENABLED: '0', WEIR_LIMITS_REQUESTS_PER_SECOND: '1000', WEIR_LIMITS_REQUESTS_BURST: '1000' });
});

after(async () => {
    for (const p of open) p.close();
    assert.equal(await service?.stop(), 0, 'the service ends cleanly');
});

function connect() {
    const transport = new protoo.WebSocketTransport(`${service.url.replace('http', 'ws')}/ws`);
    const peer = new protoo.Peer(transport);
    peer.events = [];
    peer.on('notification', (n) => peer.events.push(n));
    open.push(peer);
    return new Promise((done, fail) => {
        peer.on('open', () => done(peer));
        peer.on('failed', () => fail(new Error('not connected')));
    });
}

const refused = (promise, code, pattern) => assert.rejects(promise, (e) => {
    assert.equal(e.code, code, e.message);
    assert.match(e.message, pattern);
    return true;
});

const opus = {
    mid: '0',
    codecs: [{ mimeType: 'audio/opus', payloadType: 111, clockRate: 48000, channels: 2, parameters: { useinbandfec: 1 }, rtcpFeedback: [] }],
    headerExtensions: [],
    encodings: [{ ssrc: 22222222 }],
    rtcp: { cname: 'abc' },
};
const fingerprint = { algorithm: 'sha-256', value: Array.from({ length: 32 }, () => 'AB').join(':') };

test('a whole session by protoo-client: join, transports, produce, consume, stats, close', async () => {
    const a = await connect();
    const { roomId } = await a.request('createRoom', {});
    const joined = await a.request('joinRoom', { roomId, peerId: 'alice', displayName: 'Alice' });
    assert.equal(joined.peerId, 'alice');
    assert.ok(joined.rtpCapabilities.codecs.some((c) => c.mimeType === 'video/VP8'));
    assert.deepEqual(joined.peers, []);
    const b = await connect();
    const other = await b.request('joinRoom', { roomId, displayName: 'Bob' });
    assert.deepEqual(other.peers.map((p) => p.displayName), ['Alice']);
    await until('peerJoined', 2000, () => a.events.some((e) => e.method === 'peerJoined' && e.data.peerId === other.peerId));

    const send = await a.request('createProducerTransport', {});
    assert.match(send.iceParameters.usernameFragment, /^[a-z0-9]{4,}$/);
    assert.ok(send.iceCandidates.some((c) => c.protocol === 'udp') && send.iceCandidates.some((c) => c.protocol === 'tcp'));
    assert.deepEqual(await a.request('connectProducerTransport', { transportId: send.id, dtlsParameters: { role: 'client', fingerprints: [fingerprint] } }), { connected: true });
    const { id: producerId } = await a.request('produce', { transportId: send.id, kind: 'audio', rtpParameters: opus, appData: { source: 'mic' } });
    const changed = await until('roomProducersChanged', 2000, () => b.events.find((e) => e.method === 'roomProducersChanged'));
    assert.deepEqual(changed.data, { added: [{ producerId, peerId: 'alice', kind: 'audio', paused: false, appData: { source: 'mic' } }], removed: [] });

    const recv = await b.request('createConsumerTransport', { forceTcp: true });
    assert.ok(recv.iceCandidates.every((c) => c.protocol === 'tcp'));
    const consumer = await b.request('consume', { producerId, rtpCapabilities: other.rtpCapabilities });
    assert.equal(consumer.kind, 'audio');
    assert.equal(consumer.type, 'simple');
    assert.equal(consumer.producerPaused, false);
    assert.deepEqual(await b.request('resumeConsumer', { consumerId: consumer.id }), {});
    assert.deepEqual(await b.request('requestConsumerKeyFrame', { consumerId: consumer.id }), {});
    assert.deepEqual(await b.request('setConsumerPriority', { consumerId: consumer.id, priority: 2 }), {});
    assert.deepEqual(await b.request('pauseConsumer', { consumerId: consumer.id }), {});
    assert.deepEqual(await a.request('pauseProducer', { producerId }), {});
    await until('paused is announced', 2000, () => b.events.some((e) => e.method === 'roomProducersChanged' && e.data.added[0]?.paused));
    assert.deepEqual(await a.request('resumeProducer', { producerId }), {});
    assert.ok((await a.request('restartIce', { transportId: send.id })).iceParameters.password);
    assert.equal((await a.request('getTransportStats', { transportId: send.id }))[0].transportId, send.id);
    assert.ok(Array.isArray(await a.request('getProducerStats', { producerId })));
    assert.ok(Array.isArray(await b.request('getConsumerStats', { consumerId: consumer.id })));
    assert.deepEqual(await a.request('changeDisplayName', { displayName: 'Alicia' }), {});
    await until('new name', 2000, () => b.events.some((e) => e.method === 'peerJoined' && e.data.displayName === 'Alicia'));
    await a.request('closeProducer', { producerId });
    await until('removed', 2000, () => b.events.some((e) => e.method === 'roomProducersChanged' && e.data.removed[0]?.producerId === producerId));
    await until('consumer closed', 2000, () => b.events.some((e) => e.method === 'consumerClosed' && e.data.consumerId === consumer.id));
    assert.deepEqual(await a.request('leaveRoom'), {});
    await until('peerLeft', 2000, () => b.events.some((e) => e.method === 'peerLeft' && e.data.peerId === 'alice'));
});

test('wrong requests are refused with a reason that names the field, and the connection stays', async () => {
    const p = await connect();
    await refused(p.request('fly', {}), 404, /method/);
    await refused(p.request('produce', {}), 409, /joinRoom/);
    await refused(p.request('joinRoom', {}), 400, /roomId/);
    await refused(p.request('joinRoom', { roomId: 7 }), 400, /roomId/);
    await refused(p.request('joinRoom', { roomId: '../etc' }), 400, /roomId/);
    await refused(p.request('joinRoom', { roomId: 'x'.repeat(65) }), 400, /roomId/);
    await refused(p.request('joinRoom', { roomId: 'r', role: 'king' }), 400, /role/);
    await p.request('joinRoom', { roomId: 'r' });
    await refused(p.request('joinRoom', { roomId: 'r' }), 409, /leaveRoom/);
    await refused(p.request('connectProducerTransport', { transportId: 'no', dtlsParameters: { fingerprints: [fingerprint] } }), 404, /transportId/);
    const t = await p.request('createProducerTransport', {});
    await refused(p.request('connectProducerTransport', { transportId: t.id }), 400, /dtlsParameters/);
    await refused(p.request('connectProducerTransport', { transportId: t.id, dtlsParameters: { fingerprints: [{ algorithm: 'sha-256', value: 'zz' }] } }), 400, /fingerprints\[0\]\.value/);
    await refused(p.request('connectProducerTransport', { transportId: t.id, dtlsParameters: { role: 'boss', fingerprints: [fingerprint] } }), 400, /role/);
    const produce = (change) => p.request('produce', { transportId: t.id, kind: 'audio', rtpParameters: { ...opus, ...change } });
    await refused(produce({ codecs: [] }), 400, /codecs/);
    await refused(produce({ codecs: [{ ...opus.codecs[0], clockRate: 'fast' }] }), 400, /codecs\[0\]\.clockRate/);
    await refused(produce({ codecs: [{ ...opus.codecs[0], mimeType: 'audio/flute' }] }), 415, /codecs\[0\]\.mimeType/);
    await refused(produce({ encodings: [] }), 400, /encodings/);
    await refused(p.request('produce', { transportId: t.id, kind: 'smell', rtpParameters: opus }), 400, /kind/);
    await refused(p.request('produce', { transportId: t.id, kind: 'audio', rtpParameters: opus, appData: { a: 'x'.repeat(5000) } }), 400, /appData/);
    await refused(p.request('consume', { producerId: 'x', rtpCapabilities: {} }), 409, /createConsumerTransport/);
    await p.request('createConsumerTransport', {});
    await refused(p.request('consume', { producerId: 'x', rtpCapabilities: {} }), 404, /producerId/);
    await refused(p.request('closeProducer', { producerId: 'x' }), 404, /producerId/);
    await refused(p.request('resumeConsumer', { consumerId: 'x' }), 404, /consumerId/);
    await refused(p.request('setConsumerPreferredLayers', { consumerId: 'x', spatialLayer: -1 }), 400, /spatialLayer/);
    assert.ok((await p.request('createProducerTransport', {})).id, 'the connection goes on');
});

test('an endpoint that lacks the codec is told so', async () => {
    const a = await connect();
    const b = await connect();
    await a.request('joinRoom', { roomId: 'codecs' });
    await b.request('joinRoom', { roomId: 'codecs' });
    const t = await a.request('createProducerTransport', {});
    const { id } = await a.request('produce', { transportId: t.id, kind: 'audio', rtpParameters: opus });
    await b.request('createConsumerTransport', {});
    await refused(b.request('consume', { producerId: id, rtpCapabilities: { codecs: [{ kind: 'audio', mimeType: 'audio/PCMU', clockRate: 8000, preferredPayloadType: 0 }] } }), 415, /rtpCapabilities/);
});

test('a peer id belongs to who has its resume token', async () => {
    const a = await connect();
    const first = await a.request('joinRoom', { roomId: 'mine', peerId: 'me' });
    const thief = await connect();
    await refused(thief.request('joinRoom', { roomId: 'mine', peerId: 'me' }), 409, /peerId/);
    const again = await connect();
    const second = await again.request('joinRoom', { roomId: 'mine', peerId: 'me', resumeToken: first.resumeToken });
    assert.equal(second.peerId, 'me');
    await until('the old connection is closed', 3000, () => a.closed || !a.connected);
});

test('a room has one broadcaster at a time', async () => {
    const first = await connect();
    const { resumeToken } = await first.request('joinRoom', { roomId: 'one', peerId: 'star', role: 'broadcaster' });
    const second = await connect();
    await refused(second.request('joinRoom', { roomId: 'one', role: 'broadcaster' }), 409, /role/);
    assert.ok((await second.request('joinRoom', { roomId: 'one', role: 'viewer' })).peerId, 'it may watch');
    const back = await connect();
    await back.request('joinRoom', { roomId: 'one', peerId: 'star', role: 'broadcaster', resumeToken });
    await back.request('leaveRoom');
    await second.request('leaveRoom');
    assert.ok((await second.request('joinRoom', { roomId: 'one', role: 'broadcaster' })).peerId, 'the place is free');
});

/** A WebSocket that says what it likes. */
async function raw() {
    const ws = new WebSocket(`${service.url.replace('http', 'ws')}/ws`, 'protoo');
    ws.heard = [];
    ws.onmessage = (e) => ws.heard.push(JSON.parse(e.data));
    await new Promise((done, fail) => { ws.onopen = done; ws.onerror = fail; });
    ws.next = (probe) => until('an answer', 3000, () => ws.heard.find(probe), 10);
    return ws;
}

test('messages that are no requests are answered with an error and change nothing', async () => {
    const ws = await raw();
    for (const [text, pattern] of [['{', /JSON/], ['[1,2]', /object/], ['{"request":true}', /id/], ['{"request":true,"id":-1,"method":"joinRoom"}', /id/],
        ['{"request":true,"id":5}', /method/], ['{"request":true,"id":6,"method":"joinRoom","data":[]}', /data/], ['{"id":7,"method":"joinRoom"}', /request/],
        [`{"request":true,"id":8,"method":"${'x'.repeat(100)}"}`, /method/], ['{"request":true,"id":9,"id":9,"method":"x"}', /JSON|duplicate/]]) {
        ws.heard.length = 0;
        ws.send(text);
        const answer = await ws.next((m) => m.ok === false || m.method === 'error');
        assert.match(answer.errorReason ?? answer.data.errorReason, pattern, text);
    }
    ws.heard.length = 0;
    ws.send(JSON.stringify({ request: true, id: 10, method: 'joinRoom', data: { roomId: 'r', displayName: 'x'.repeat(300000) } }));
    const answer = await ws.next((m) => m.id === 10);
    assert.equal(answer.errorCode, 413);
    ws.send(JSON.stringify({ request: true, id: 11, method: 'createRoom', data: {} }));
    assert.equal((await ws.next((m) => m.id === 11)).ok, true);
    ws.close();
});

test('requests that come too fast are refused until it slows down', async () => {
    const slow = await Service.start({ WEIR_HLS_ENABLED: '0', WEIR_LIMITS_REQUESTS_PER_SECOND: '5', WEIR_LIMITS_REQUESTS_BURST: '10' });
    try {
        const ws = new WebSocket(`${slow.url.replace('http', 'ws')}/ws`, 'protoo');
        const heard = [];
        ws.onmessage = (e) => heard.push(JSON.parse(e.data));
        await new Promise((done) => { ws.onopen = done; });
        for (let i = 0; i < 30; i++) ws.send(JSON.stringify({ request: true, id: i, method: 'createRoom', data: {} }));
        await until('all answered', 3000, () => heard.length === 30);
        const refusedOnes = heard.filter((m) => !m.ok);
        assert.ok(refusedOnes.length >= 15 && refusedOnes.every((m) => m.errorCode === 429), JSON.stringify(refusedOnes[0]));
        await until('served again', 3000, async () => {
            const id = 100 + heard.length;
            ws.send(JSON.stringify({ request: true, id, method: 'createRoom', data: {} }));
            await new Promise((r) => setTimeout(r, 300));
            return heard.some((m) => m.id === id && m.ok);
        });
        ws.close();
    } finally {
        await slow.stop();
    }
});
