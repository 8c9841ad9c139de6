// Streams over HTTP: create, start, broadcast with the key, watch, end; who may and who may not; on SQLite and PostgreSQL.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { call, cheap, firstAdmin, register } from './account.mjs';
import { Postgres } from './postgres.mjs';
import { Service, until } from './service.mjs';
import { Signal, dtlsParameters, opus } from './signal.mjs';

const services = [];
let postgres;
async function start(env = {}) {
    const s = await Service.start({ ...cheap, WEIR_HLS_ENABLED: '0', WEIR_RTC_WORKERS: '1', WEIR_LIMITS_REGISTER_PER_MINUTE: '0', WEIR_LIMITS_CREATE_PER_MINUTE: '0',
        WEIR_LIMITS_RECONNECT: '1s', ...env });
    services.push(s);
    return s;
}
before(async () => {
    postgres = await Postgres.create();
    await postgres.start();
});
after(async () => {
    for (const s of services) assert.equal(await s.stop(), 0, `the service ends cleanly\n${s.log}`);
    await postgres.remove();
});

async function create(service, user, body = {}) {
    const r = await call(service, 'POST', '/api/livestream/create', { title: 'A stream', ...body }, user.headers);
    assert.equal(r.status, 201, JSON.stringify(r.body));
    return r.body;
}

/** A broadcaster that sends nothing but is there: {signal, joined}. */
async function broadcast(service, roomId, data = {}, headers = {}) {
    const signal = await Signal.open(service.url, headers);
    const joined = await signal.request('joinRoom', { roomId, role: 'broadcaster', ...data });
    const transport = await signal.request('createProducerTransport');
    await signal.request('connectProducerTransport', { transportId: transport.id, dtlsParameters });
    await signal.request('produce', { transportId: transport.id, kind: 'audio', rtpParameters: opus() });
    return { signal, joined };
}

for (const engine of ['SQLite', 'PostgreSQL']) describe(engine, () => {
    let service;
    let ann;
    let ben;
    const get = async (id, user) => (await call(service, 'GET', `/api/livestream/${id}`, undefined, user?.headers)).body.stream;
    const active = async () => (await service.json('/api/livestream/active')).streams.map((s) => s.id);
    before(async () => {
        service = await start(engine === 'PostgreSQL' ? { WEIR_DB_URL: postgres.url } : {});
        ann = await register(service, 'ann');
        ben = await register(service, 'ben');
    });

    test('create, start, end, as the REST specification has it', async () => {
        const { streamId, streamKey } = await create(service, ann, { description: 'About it', recordingEnabled: true });
        assert.match(streamId, /^[0-9a-f-]{36}$/);
        assert.match(streamKey, /^[a-z0-9]{32}$/);
        const scheduled = await get(streamId, ann);
        assert.deepEqual([scheduled.status, scheduled.title, scheduled.description, scheduled.recordingEnabled, scheduled.userId, scheduled.streamKey],
            ['scheduled', 'A stream', 'About it', true, ann.id, streamKey]);
        assert.deepEqual((await call(service, 'POST', `/api/livestream/${streamId}/start`, undefined, ann.headers)).body, { success: true });
        const live = await get(streamId);
        assert.equal(live.status, 'live');
        assert.ok(Math.abs(live.startedAt - Date.now()) < 60000);
        assert.equal(live.streamKey, undefined, 'the key is the owner\'s');
        assert.ok((await active()).includes(streamId));
        const again = await call(service, 'POST', `/api/livestream/${streamId}/start`, undefined, ann.headers);
        assert.equal(again.status, 200);
        const end = await call(service, 'POST', `/api/livestream/${streamId}/end`, { recordingUrl: 'https://cdn.example.org/a.mp4' }, ann.headers);
        assert.deepEqual(end.body, { success: true });
        const ended = await get(streamId);
        assert.deepEqual([ended.status, ended.recordingUrl, ended.startedAt], ['ended', 'https://cdn.example.org/a.mp4', live.startedAt]);
        assert.ok(!(await active()).includes(streamId));
        for (const what of ['start', 'end'])
            assert.equal((await call(service, 'POST', `/api/livestream/${streamId}/${what}`, undefined, ann.headers)).status, 409);
    });

    test('only the owner starts, changes, ends and gets another key; moderators may end', async () => {
        const { streamId } = await create(service, ann);
        for (const [method, path, body] of [['POST', 'start'], ['POST', 'end'], ['POST', 'key'], ['PATCH', '', { title: 'Mine' }]]) {
            const url = `/api/livestream/${streamId}${path ? `/${path}` : ''}`;
            assert.equal((await call(service, method, url, body, ben.headers)).status, 403, url);
            assert.equal((await call(service, method, url, body)).status, 401, url);
            const missing = await call(service, method, url.replace(streamId, '01234567-89ab-4cde-8f01-23456789abcd'), body, ann.headers);
            assert.deepEqual([missing.status, missing.body.error.field], [404, 'streamId']);
        }
        assert.equal((await get(streamId)).title, 'A stream');
        assert.equal((await get(streamId, ben)).streamKey, undefined);
        const admin = await firstAdmin(service).catch(() => null);
        if (!admin) return; /* the other engine's service took the printed password with it */
        assert.equal((await call(service, 'PATCH', `/api/livestream/${streamId}`, { title: 'Theirs' }, admin.headers)).status, 403);
        assert.equal((await call(service, 'POST', `/api/livestream/${streamId}/end`, undefined, admin.headers)).status, 200);
    });

    test('what links are made of is checked', async () => {
        const { streamId } = await create(service, ann);
        for (const recordingUrl of ['javascript:alert(1)', '//evil.example/x', '/\\evil.example', 'data:text/html,x', 'x', '']) {
            const r = await call(service, 'POST', `/api/livestream/${streamId}/end`, { recordingUrl }, ann.headers);
            assert.deepEqual([r.status, r.body.error.field], [400, 'recordingUrl'], recordingUrl);
        }
        assert.equal((await get(streamId)).status, 'scheduled');
        assert.equal((await call(service, 'POST', `/api/livestream/${streamId}/end`, { recordingUrl: '/recordings/a/video.mp4' }, ann.headers)).status, 200);
    });

    test('with the key, or logged in, the owner broadcasts; nobody else does', async () => {
        const { streamId, streamKey } = await create(service, ann, { title: 'On the air' });
        const stranger = await Signal.open(service.url);
        const other = await create(service, ben);
        for (const data of [{}, { streamKey: 'wrong' }, { streamKey: other.streamKey }, { token: ben.token }]) {
            const r = await stranger.ask('joinRoom', { roomId: streamId, role: 'broadcaster', ...data });
            assert.deepEqual([r.ok, r.errorCode], [false, 403], JSON.stringify(data));
            assert.match(r.errorReason, /^streamKey/);
        }
        assert.match((await stranger.ask('joinRoom', { roomId: streamId, role: 'broadcaster', token: 'x.y.z' })).errorReason, /token/);
        const { signal } = await broadcast(service, streamId, { streamKey, title: 'another title' });
        await until('it is live', 5000, async () => (await get(streamId)).status === 'live');
        assert.equal((await get(streamId)).title, 'On the air');
        assert.deepEqual(await active(), [streamId]);
        stranger.close();
        const end = await call(service, 'POST', `/api/livestream/${streamId}/end`, undefined, ann.headers);
        assert.equal(end.status, 200);
        assert.equal(await signal.closed, 4001);
        assert.equal(signal.count('streamEnded'), 1);
        const late = await Signal.open(service.url);
        const r = await late.ask('joinRoom', { roomId: streamId, role: 'broadcaster', streamKey });
        assert.deepEqual([r.errorCode, /ended/.test(r.errorReason)], [409, true]);
        late.close();
        for (const [data, headers] of [[{ token: ann.token }, {}], [{}, ann.headers], [{}, { Cookie: ann.cookie, Origin: service.url }]]) {
            const stream = await create(service, ann);
            const b = await broadcast(service, stream.streamId, data, headers);
            await until('it is live', 5000, async () => (await get(stream.streamId)).status === 'live');
            await b.signal.request('leaveRoom');
            await until('it has ended', 5000, async () => (await get(stream.streamId)).status === 'ended');
            b.signal.close();
        }
    });

    test('another key makes the old one worthless, and who broadcasts goes on', async () => {
        const { streamId, streamKey } = await create(service, ann);
        const { signal, joined } = await broadcast(service, streamId, { streamKey, peerId: 'studio' });
        const changed = await call(service, 'POST', `/api/livestream/${streamId}/key`, undefined, ann.headers);
        assert.match(changed.body.streamKey, /^[a-z0-9]{32}$/);
        assert.notEqual(changed.body.streamKey, streamKey);
        assert.equal((await get(streamId, ann)).streamKey, changed.body.streamKey);
        assert.equal((await get(streamId)).status, 'live');
        /* Who was let in comes back with the resume token. */
        signal.drop();
        const back = await broadcast(service, streamId, { peerId: 'studio', resumeToken: joined.resumeToken });
        assert.equal((await get(streamId)).status, 'live');
        back.signal.close();
        await until('it has ended', 10000, async () => (await get(streamId)).status === 'ended');
        const next = await create(service, ann);
        const newKey = (await call(service, 'POST', `/api/livestream/${next.streamId}/key`, undefined, ann.headers)).body.streamKey;
        const s = await Signal.open(service.url);
        assert.equal((await s.ask('joinRoom', { roomId: next.streamId, role: 'broadcaster', streamKey: next.streamKey })).errorCode, 403);
        assert.ok((await s.ask('joinRoom', { roomId: next.streamId, role: 'broadcaster', streamKey: newKey })).ok);
        s.close();
    });

    test('viewers are rows: anonymous and known, joined and left, now and at peak', async () => {
        const { streamId, streamKey } = await create(service, ann);
        const b = await broadcast(service, streamId, { streamKey });
        await until('it is live', 5000, async () => (await get(streamId)).status === 'live');
        const known = await Signal.open(service.url, ben.headers);
        await known.request('joinRoom', { roomId: streamId, role: 'viewer' });
        const anonymous = await Signal.open(service.url);
        await anonymous.request('joinRoom', { roomId: streamId, role: 'viewer' });
        const rest = await call(service, 'POST', `/api/livestream/${streamId}/join`);
        assert.deepEqual([rest.status, rest.body.success, Array.isArray(rest.body.iceServers)], [200, true, true]);
        const cookie = rest.headers.get('set-cookie').split(';')[0];
        const twice = await call(service, 'POST', `/api/livestream/${streamId}/join`, undefined, { Cookie: cookie });
        assert.equal(twice.body.viewerId, rest.body.viewerId);
        assert.equal((await get(streamId)).viewerCount, 3);
        assert.deepEqual((await call(service, 'POST', `/api/livestream/${streamId}/leave`, undefined, { Cookie: cookie })).body, { success: true });
        assert.deepEqual((await call(service, 'POST', `/api/livestream/${streamId}/leave`, { viewerId: 'nobody' })).body, { success: true });
        anonymous.close();
        await until('one is left', 5000, async () => (await get(streamId)).viewerCount === 1);
        const user = await call(service, 'POST', `/api/livestream/${streamId}/join`, undefined, ben.headers);
        assert.equal((await get(streamId)).viewerCount, 2);
        assert.equal((await call(service, 'POST', `/api/livestream/${streamId}/leave`, undefined, ben.headers)).body.success, true);
        assert.equal(user.status, 200);
        await b.signal.request('leaveRoom');
        await until('it has ended', 5000, async () => (await get(streamId)).status === 'ended');
        const ended = await get(streamId);
        assert.deepEqual([ended.viewerCount, ended.viewerCountPeak], [0, 3]);
        for (const what of ['join', 'leave'])
            assert.equal((await call(service, 'POST', `/api/livestream/${streamId}/${what}`)).status, 409);
        b.signal.close();
        known.close();
        if (engine !== 'PostgreSQL') return;
        const count = (where) => Number(postgres.query(`SELECT count(*) FROM livestream_viewers WHERE stream_id = '${streamId}' AND ${where}`));
        assert.deepEqual([count('TRUE'), count(`user_id = '${ben.id}'`), count('user_id IS NULL'), count('left_at IS NULL'), count('left_at >= joined_at')], [4, 2, 2, 0, 4]);
    });

    test('a stream has no more viewers than it allows', async () => {
        const { streamId, streamKey } = await create(service, ann, { viewerLimit: 2 });
        const b = await broadcast(service, streamId, { streamKey });
        await until('it is live', 5000, async () => (await get(streamId)).status === 'live');
        const viewer = await Signal.open(service.url);
        await viewer.request('joinRoom', { roomId: streamId, role: 'viewer' });
        const rest = await call(service, 'POST', `/api/livestream/${streamId}/join`);
        assert.equal(rest.status, 200);
        const third = await Signal.open(service.url);
        const refused = await third.ask('joinRoom', { roomId: streamId, role: 'viewer' });
        assert.deepEqual([refused.ok, refused.errorCode], [false, 429]);
        assert.equal((await call(service, 'POST', `/api/livestream/${streamId}/join`)).status, 409);
        await call(service, 'POST', `/api/livestream/${streamId}/leave`, { viewerId: rest.body.viewerId });
        assert.ok((await third.ask('joinRoom', { roomId: streamId, role: 'viewer' })).ok);
        const more = await call(service, 'PATCH', `/api/livestream/${streamId}`, { viewerLimit: 3 }, ann.headers);
        assert.equal(more.body.stream.viewerLimit, 3);
        assert.equal((await call(service, 'POST', `/api/livestream/${streamId}/join`)).status, 200);
        for (const s of [b.signal, viewer, third]) s.close();
    });

    test('scheduling: others see what has a time, the next first; drafts only their owner', async () => {
        const hour = 3600e3;
        const later = await create(service, ann, { title: 'Later', scheduledAt: Date.now() + 2 * hour });
        const soon = await create(service, ann, { title: 'Soon', scheduledAt: Date.now() + hour });
        const draft = await create(service, ann, { title: 'Draft' });
        const titles = async () => (await service.json('/api/livestream/scheduled')).streams.map((s) => s.title);
        assert.deepEqual(await titles(), ['Soon', 'Later']);
        const list = async (user) => (await call(service, 'GET', `/api/livestream/user/${ann.id}?limit=200`, undefined, user?.headers)).body.streams;
        const mine = await list(ann);
        assert.equal(mine.find((s) => s.id === draft.streamId).streamKey, draft.streamKey);
        assert.ok(mine.every((s, i) => i === 0 || mine[i - 1].createdAt >= s.createdAt), 'the newest first');
        for (const who of [ben, undefined]) {
            const theirs = await list(who);
            assert.ok(theirs.every((s) => s.streamKey === undefined));
            assert.deepEqual([theirs.some((s) => s.id === draft.streamId), theirs.some((s) => s.id === soon.streamId)], [false, true]);
        }
        const page = (await call(service, 'GET', `/api/livestream/user/${ann.id}?limit=2&offset=1`, undefined, ann.headers)).body.streams;
        assert.deepEqual(page.map((s) => s.id), mine.slice(1, 3).map((s) => s.id));
        const changed = await call(service, 'PATCH', `/api/livestream/${later.streamId}`, { scheduledAt: 0, title: 'Never mind' }, ann.headers);
        assert.equal(changed.body.stream.scheduledAt, undefined);
        assert.deepEqual(await titles(), ['Soon']);
    });

    test('hostile texts are kept as they are', async () => {
        const title = `'"><script>alert(1)</script> \u{1F43A} ‮ ${'x'.repeat(100)}`;
        const { streamId } = await create(service, ann, { title, description: "'; DROP TABLE livestreams; --" });
        assert.equal((await get(streamId)).title, title);
        assert.equal((await get(streamId)).description, "'; DROP TABLE livestreams; --");
    });

    test('a stream is started, but nobody sends: a killed service ends it, and its owner goes on with the key', async () => {
        if (engine !== 'PostgreSQL') return;
        const { streamId, streamKey } = await create(service, ann);
        const b = await broadcast(service, streamId, { streamKey });
        await until('it is live', 5000, async () => (await get(streamId)).status === 'live');
        b.signal.close();
        const other = await start({ WEIR_DB_URL: postgres.url });
        await until('what was live is over', 5000, () => postgres.query(`SELECT status FROM livestreams WHERE id = '${streamId}'`) === 'ended');
        const back = await broadcast(other, streamId, { streamKey });
        await until('it is live again', 5000, () => postgres.query(`SELECT status FROM livestreams WHERE id = '${streamId}'`) === 'live');
        const denied = await Signal.open(other.url);
        assert.equal((await denied.ask('joinRoom', { roomId: streamId, role: 'broadcaster' })).errorCode, 403);
        denied.close();
        await back.signal.request('leaveRoom');
        back.signal.close();
    });
});

test('while the database is away, what is live is told, and the rest gets 503', async () => {
    const own = await Postgres.create();
    await own.start();
    try {
        const service = await start({ WEIR_DB_URL: own.url });
        const ann = await register(service, 'ann');
        const { streamId, streamKey } = await create(service, ann);
        const { signal } = await broadcast(service, streamId, { streamKey });
        await until('it is live', 5000, async () => (await call(service, 'GET', `/api/livestream/${streamId}`)).body.stream?.status === 'live');
        await own.stop();
        await until('it is noticed', 10000, async () => (await service.json('/healthz')).database === 'away');
        assert.deepEqual((await service.json('/api/livestream/active')).streams.map((s) => s.id), [streamId]);
        assert.equal((await call(service, 'GET', `/api/livestream/${streamId}`)).body.stream.status, 'live');
        assert.equal((await call(service, 'POST', `/api/livestream/${streamId}/join`)).status, 200);
        for (const [method, path, body] of [['POST', '/api/livestream/create', { title: 'x' }], ['POST', `/api/livestream/${streamId}/start`],
            ['GET', `/api/livestream/user/${ann.id}`], ['GET', '/api/livestream/scheduled'], ['GET', '/api/livestream/01234567-89ab-4cde-8f01-23456789abcd']]) {
            const r = await call(service, method, path, body, ann.headers);
            assert.equal(r.status, 503, path);
            assert.ok(Number(r.headers.get('retry-after')) > 0);
        }
        const late = await Signal.open(service.url);
        assert.equal((await late.ask('joinRoom', { roomId: '01234567-89ab-4cde-8f01-23456789abcd', role: 'broadcaster' })).errorCode, 503);
        assert.ok((await late.ask('joinRoom', { roomId: 'any-other', role: 'broadcaster' })).ok);
        const viewer = await Signal.open(service.url);
        await viewer.request('joinRoom', { roomId: streamId, role: 'viewer' });
        await signal.request('leaveRoom');
        await own.start();
        await until('the end is written', 15000, () => own.query(`SELECT status FROM livestreams WHERE id = '${streamId}'`) === 'ended');
        assert.equal(own.query(`SELECT count(*) FROM livestream_viewers WHERE stream_id = '${streamId}' AND left_at IS NOT NULL`), '2');
        for (const s of [late, viewer, signal]) s.close();
        assert.equal(await service.stop(), 0);
    } finally {
        await own.remove();
    }
});

test('streams are created so often and no more', async () => {
    const service = await start({ WEIR_LIMITS_CREATE_PER_MINUTE: '1', WEIR_LIMITS_CREATE_BURST: '3' });
    const ann = await register(service, 'ann');
    const seen = [];
    for (let i = 0; i < 5; i++) seen.push((await call(service, 'POST', '/api/livestream/create', { title: 'x' }, ann.headers)).status);
    assert.deepEqual(seen, [201, 201, 201, 429, 429]);
    const ben = await register(service, 'ben');
    assert.equal((await call(service, 'POST', '/api/livestream/create', { title: 'x' }, ben.headers)).status, 201);
});

test('chat over HTTP: users say what comes to all in the room, under the same rules', async () => {
    const service = await start();
    const ann = await register(service, 'ann');
    const ben = await register(service, 'ben');
    const { streamId, streamKey } = await create(service, ann);
    const path = `/api/livestream/${streamId}/chat`;
    assert.equal((await call(service, 'POST', path, { message: 'early' }, ann.headers)).status, 404);
    const { signal } = await broadcast(service, streamId, { streamKey });
    const viewer = await Signal.open(service.url, ben.headers);
    await viewer.request('joinRoom', { roomId: streamId, role: 'viewer', displayName: 'not ben' });
    const heard = () => viewer.events.filter((e) => e.method === 'chatMessage').map((e) => e.data);
    const said = await call(service, 'POST', path, { message: 'Hello <b>\nall' }, ann.headers);
    assert.equal(said.status, 201);
    assert.equal(said.body.success, true);
    await viewer.request('sendChat', { message: 'Hi', replyTo: said.body.messageId });
    await until('both are heard', 5000, () => heard().length === 2);
    assert.deepEqual(heard().map((m) => [m.authorId, m.displayName, m.role, m.guest, m.message]),
        [[ann.id, 'ann', 'broadcaster', false, 'Hello <b> all'], [ben.id, 'ben', 'viewer', false, 'Hi']]);
    assert.equal(heard()[0].messageId, said.body.messageId);
    const list = (query = '') => service.json(path + query).then(({ messages }) => messages.map((m) => m.message));
    assert.deepEqual(await list(), ['Hello <b> all', 'Hi']);
    assert.deepEqual(await list('?limit=1'), ['Hi']);
    await until('it is in the database', 5000, async () => (await list('?offset=1'))[0] === 'Hello <b> all');
    assert.equal((await call(service, 'POST', path, { message: 'x' })).status, 401);
    assert.equal((await call(service, 'POST', path, { message: '\u200b' }, ann.headers)).status, 400);
    await signal.request('banFromChat', { authorId: ben.id });
    const banned = await call(service, 'POST', path, { message: 'x' }, ben.headers);
    assert.deepEqual([banned.status, /banned/.test(banned.body.error.reason)], [403, true]);
    let status = 201;
    for (let i = 0; i < 100 && status === 201; i++) status = (await call(service, 'POST', path, { message: `${i}` }, ann.headers)).status;
    assert.equal(status, 429);
    await signal.request('leaveRoom');
    await until('it has ended', 5000, async () => (await call(service, 'GET', `/api/livestream/${streamId}`)).body.stream.status === 'ended');
    assert.equal((await call(service, 'POST', path, { message: 'late' }, ann.headers)).status, 404);
    await until('the chat stays', 5000, async () => (await list('?limit=2&offset=0')).length === 2);
    for (const s of [signal, viewer]) s.close();
});

test('an encoder broadcasts an account\'s stream by WHIP with its key, and with no other', async () => {
    const service = await start();
    const ann = await register(service, 'ann');
    const { streamId, streamKey } = await create(service, ann);
    const offer = readFileSync(new URL('../fuzz/corpus/controller_sdp/obs', import.meta.url), 'utf8');
    const whip = (key) => fetch(`${service.url}/whip`, { method: 'POST', body: offer, headers: { 'Content-Type': 'application/sdp', Authorization: `Bearer ${key}` } });
    const session = await whip(streamKey);
    assert.equal(session.status, 201, await session.text());
    await until('it is live', 5000, async () => (await call(service, 'GET', `/api/livestream/${streamId}`)).body.stream.status === 'live');
    const { streamKey: other } = (await call(service, 'POST', `/api/livestream/${streamId}/key`, undefined, ann.headers)).body;
    assert.equal((await whip(streamKey)).status, 401, 'the old key');
    assert.equal((await call(service, 'POST', `/api/livestream/${streamId}/end`, undefined, ann.headers)).status, 200);
    await until('the session is over', 5000, async () =>
        (await fetch(service.url + session.headers.get('location'), { method: 'PATCH', body: 'x' })).status === 404);
    const late = await whip(other);
    assert.ok(late.status >= 400 && late.status < 500, `${late.status}`);
    assert.match(await late.text(), /ended/);
});
