// Chat of one controller: what comes on joining, what is said, who may not, and what stays in the database.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import net from 'node:net';
import { call, cheap, firstAdmin, register } from './account.mjs';
import { Service, until } from './service.mjs';
import { Signal, dtlsParameters, opus } from './signal.mjs';

let service;
const open = [];
let rooms = 0;
const newRoom = () => `chat-${++rooms}`;

before(async () => {
    service = await Service.start({
        ...cheap,
        WEIR_HLS_ENABLED: '0',
        WEIR_LIMITS_REQUESTS_PER_SECOND: '10000',
        WEIR_LIMITS_REQUESTS_BURST: '10000',
        WEIR_LIMITS_CHAT_PER_MINUTE: '6000',
        WEIR_LIMITS_CHAT_BURST: '200',
        WEIR_CHAT_BAN_ADDRESSES: '0',
    });
});

after(async () => {
    for (const s of open) s.close();
    assert.equal(await service?.stop(), 0, 'the service ends cleanly');
});

async function join(roomId, role, displayName, more = {}) {
    const s = await Signal.open(service.url);
    open.push(s);
    s.joined = await s.request('joinRoom', { roomId, role, displayName, ...more });
    await until('the history', 5000, () => s.count('chatHistory') > 0, 5);
    s.of = (method) => s.events.filter((e) => e.method === method).map((e) => e.data);
    s.history = () => s.of('chatHistory').at(-1).messages.map((m) => m.message);
    s.me = () => s.of('chatIdentity').at(-1);
    s.heard = () => s.of('chatMessage').map((m) => m.message);
    return s;
}

async function refused(signal, method, data, code, pattern) {
    const m = await signal.ask(method, data);
    assert.equal(m.ok, false, `${method} was accepted`);
    assert.equal(m.errorCode, code, m.errorReason);
    assert.match(m.errorReason, pattern);
}

test('what is written comes to all in the room, in one order, and to nobody else', async () => {
    const room = newRoom();
    const a = await join(room, 'viewer', 'Anna');
    const b = await join(room, 'viewer', 'Ben');
    const other = await join(newRoom(), 'viewer', 'Olga');
    const said = [];
    for (let i = 0; i < 20; i++) {
        await (i % 2 ? a : b).request('sendChat', { message: `m${i}` });
        said.push(`m${i}`);
    }
    await until('all', 5000, () => a.heard().length === 20 && b.heard().length === 20);
    assert.deepEqual(a.heard(), said);
    assert.deepEqual(b.heard(), said);
    assert.equal(other.heard().length, 0);
    const m = a.of('chatMessage')[0];
    assert.equal(m.displayName, 'Ben');
    assert.equal(m.role, 'viewer');
    assert.equal(m.guest, true);
    assert.equal(m.authorId, b.me().authorId);
    assert.ok(Math.abs(m.createdAt - Date.now()) < 60000);
});

test('who joins gets the last hundred at once, and older ones from the database', async () => {
    const room = newRoom();
    const a = await join(room, 'viewer', 'Anna');
    for (let i = 0; i < 130; i++) a.request('sendChat', { message: `m${i}` });
    await until('all', 5000, () => a.heard().length === 130);
    const b = await join(room, 'viewer', 'Ben');
    assert.deepEqual(b.history(), Array.from({ length: 100 }, (_, i) => `m${i + 30}`));
    assert.equal(b.events[0].method, 'chatIdentity');
    const first = b.of('chatHistory')[0].messages[0].messageId;
    const older = await until('written', 5000, async () => {
        const r = await b.request('getChatHistory', { before: first, limit: 20 });
        return r.messages.length === 20 && r;
    });
    assert.deepEqual(older.messages.map((m) => m.message), Array.from({ length: 20 }, (_, i) => `m${i + 10}`));
    const last = await b.request('getChatHistory', { limit: 2 });
    assert.deepEqual(last.messages.map((m) => m.message), ['m128', 'm129']);
});

test('a message is one line of text; too long, empty or not text is refused by name', async () => {
    const a = await join(newRoom(), 'viewer', 'Anna');
    await a.request('sendChat', { message: ' <script>alert(1)</script>\n\u202e &amp; \u0007👩‍👧 ' });
    await until('it', 5000, () => a.heard().length === 1);
    assert.equal(a.heard()[0], '<script>alert(1)</script> &amp; 👩‍👧');
    await refused(a, 'sendChat', { message: ' \u200b ' }, 400, /message/);
    await refused(a, 'sendChat', { message: '' }, 400, /message/);
    await refused(a, 'sendChat', { message: 'x'.repeat(501) }, 413, /message.*500/);
    await refused(a, 'sendChat', { message: 'x'.repeat(3000) }, 400, /message/);
    await refused(a, 'sendChat', { message: 7 }, 400, /message/);
    await refused(a, 'sendChat', {}, 400, /message/);
    assert.equal(a.heard().length, 1);
    const outside = await Signal.open(service.url);
    open.push(outside);
    await refused(outside, 'sendChat', { message: 'x' }, 409, /joinRoom/);
});

test('mentions and replies name whom they mean', async () => {
    const room = newRoom();
    const a = await join(room, 'viewer', 'Anna Maria');
    const b = await join(room, 'viewer', 'Ben');
    const { messageId } = await a.request('sendChat', { message: 'a question' });
    await until('it', 5000, () => b.heard().length === 1);
    await b.request('sendChat', { message: '@anna maria yes', replyTo: messageId });
    const m = await until('the reply', 5000, () => a.of('chatMessage')[1]);
    assert.deepEqual(m.mentions, [a.me().authorId]);
    assert.equal(m.replyTo.messageId, messageId);
    assert.equal(m.replyTo.message, 'a question');
    assert.equal(m.replyTo.displayName, 'Anna Maria');
    await b.request('sendChat', { message: 'x', replyTo: 'nothing' });
    const plain = await until('it', 5000, () => a.of('chatMessage')[2]);
    assert.equal(plain.replyTo, undefined);
});

test('a guest keeps its identity with its resume token, and only with that', async () => {
    const room = newRoom();
    const a = await join(room, 'viewer', 'Anna');
    const { authorId } = a.me();
    const { peerId, resumeToken } = a.joined;
    a.close();
    await a.closed;
    const again = await join(room, 'viewer', 'Anna', { peerId, resumeToken });
    assert.equal(again.me().authorId, authorId);
    const thief = await join(newRoom(), 'viewer', 'Anna', { peerId });
    assert.notEqual(thief.me().authorId, authorId);
    await again.request('changeDisplayName', { displayName: 'Annette' });
    await until('renamed', 5000, () => again.me().displayName === 'Annette');
});

test('moderators delete, time out and ban; others may not', async () => {
    const room = newRoom();
    const host = await join(room, 'broadcaster', 'Host');
    const mod = await join(room, 'viewer', 'Mod');
    const bad = await join(room, 'viewer', 'Bad');
    assert.equal(host.me().role, 'broadcaster');
    const badId = bad.me().authorId;
    const one = await bad.request('sendChat', { message: 'one' });
    await bad.request('sendChat', { message: 'two' });
    await until('both', 5000, () => mod.heard().length === 2);

    await refused(mod, 'deleteChatMessage', one, 403, /not yours/);
    await refused(mod, 'banFromChat', { authorId: badId }, 403, /moderators/);
    await refused(mod, 'getChatBans', {}, 403, /moderators/);
    await refused(bad, 'setChatModerator', { authorId: badId, moderator: true }, 403, /broadcaster/);
    await host.request('setChatModerator', { authorId: mod.me().authorId, moderator: true });
    await until('the role', 5000, () => mod.me().role === 'moderator');

    await mod.request('deleteChatMessage', one);
    await until('gone', 5000, () => bad.of('chatMessageDeleted').some((d) => d.messageIds.includes(one.messageId)));
    await refused(mod, 'deleteChatMessage', one, 404, /messageId/);

    await mod.request('banFromChat', { authorId: badId, seconds: 2, reason: 'calm down' });
    await until('told', 5000, () => bad.me().banned);
    assert.ok(bad.me().until > Date.now());
    assert.equal(bad.me().reason, 'calm down');
    await refused(bad, 'sendChat', { message: 'three' }, 403, /timed out for another \d+ s/);
    const late = await join(room, 'viewer', 'Late');
    assert.deepEqual(late.history(), [], 'a time-out takes the messages away');
    assert.equal((await mod.request('getChatBans', {})).bans[0].displayName, 'Bad');
    await until('it may again', 5000, async () => (await bad.ask('sendChat', { message: 'back' })).ok, 100);

    await mod.request('banFromChat', { authorId: badId });
    await refused(bad, 'sendChat', { message: 'four' }, 403, /banned/);
    await refused(mod, 'banFromChat', { authorId: host.me().authorId }, 403, /authorId/);
    await refused(mod, 'banFromChat', { authorId: mod.me().authorId }, 403, /authorId/);
    await mod.request('unbanFromChat', { authorId: badId });
    await until('told', 5000, () => !bad.me().banned);
    await bad.request('sendChat', { message: 'five' });

    await host.request('setChatModerator', { authorId: mod.me().authorId, moderator: false });
    await refused(mod, 'banFromChat', { authorId: badId }, 403, /moderators/);
    await host.request('deleteChatMessage', await host.request('sendChat', { message: 'own' }));
});

test('everybody may take their own message away', async () => {
    const room = newRoom();
    const a = await join(room, 'viewer', 'Anna');
    const b = await join(room, 'viewer', 'Ben');
    const m = await a.request('sendChat', { message: 'oops' });
    await refused(b, 'deleteChatMessage', m, 403, /not yours/);
    await a.request('deleteChatMessage', m);
    await until('gone', 5000, () => b.count('chatMessageDeleted') === 1);
});

test('slow mode, links and words hold for viewers, not for moderators', async () => {
    const room = newRoom();
    const host = await join(room, 'broadcaster', 'Host');
    const a = await join(room, 'viewer', 'Anna');
    await refused(a, 'setChatSettings', { slowMode: 1 }, 403, /moderators/);
    await refused(host, 'setChatSettings', { slowMode: 999999 }, 400, /slowMode/);
    await refused(host, 'setChatSettings', { words: ['ok', ' '] }, 400, /words/);
    const settings = await host.request('setChatSettings', { links: false, words: ['Spam', 'böse'] });
    assert.deepEqual(settings, { slowMode: 0, links: false, words: ['Spam', 'böse'] });
    await until('told', 5000, () => a.of('chatRules').at(-1)?.links === false);
    assert.equal(a.of('chatRules').at(-1).words, undefined, 'viewers do not learn the words');
    await refused(a, 'sendChat', { message: 'see www.example.org' }, 403, /links/);
    await refused(a, 'sendChat', { message: 'this is SPAM!' }, 403, /word/);
    await refused(a, 'sendChat', { message: 'wie BÖSE' }, 403, /word/);
    await a.request('sendChat', { message: 'spammer is another word' });
    await host.request('sendChat', { message: 'spam at https://example.org' });
    await host.request('setChatSettings', { links: true, slowMode: 30 });
    await refused(a, 'sendChat', { message: 'https://example.org' }, 429, /wait (29|30) s/);
    await host.request('sendChat', { message: 'one' });
    await host.request('sendChat', { message: 'two' });
    const late = await join(room, 'viewer', 'Late');
    assert.equal(late.of('chatHistory')[0].slowMode, 30);
});

test('who writes too fast is told how long to wait', async () => {
    const room = newRoom();
    const a = await join(room, 'viewer', 'Anna');
    const answers = await Promise.all(Array.from({ length: 260 }, (_, i) => a.ask('sendChat', { message: `m${i}` })));
    const no = answers.filter((m) => !m.ok);
    assert.ok(no.length > 20 && no.length <= 60, `${no.length} refused`);
    assert.equal(no[0].errorCode, 429);
    assert.match(no[0].errorReason, /wait 1 s/);
});

test('a ban of a guest holds for its address, but not for who moderates from there', async () => {
    const own = await Service.start({ WEIR_HLS_ENABLED: '0' });
    const keep = service;
    service = own;
    try {
        const room = newRoom();
        const host = await join(room, 'broadcaster', 'Host');
        const bad = await join(room, 'viewer', 'Bad');
        await host.request('banFromChat', { authorId: bad.me().authorId });
        bad.close();
        const again = await join(room, 'viewer', 'Somebody else');
        assert.equal(again.me().banned, true);
        await refused(again, 'sendChat', { message: 'me again' }, 403, /banned/);
        await host.request('sendChat', { message: 'better' });
        for (const s of [host, again]) s.close();
    } finally {
        service = keep;
        assert.equal(await own.stop(), 0);
    }
});

test('messages, deletions, bans and settings survive a restart', async () => {
    const env = { WEIR_HLS_ENABLED: '0', WEIR_CHAT_BAN_ADDRESSES: '0' };
    const first = await Service.start(env);
    const keep = service;
    service = first;
    let second;
    try {
        const host = await join('kept', 'broadcaster', 'Host');
        const bad = await join('kept', 'viewer', 'Bad');
        const gone = await host.request('sendChat', { message: 'gone' });
        await host.request('sendChat', { message: 'stays' });
        await bad.request('sendChat', { message: 'bad' });
        await host.request('deleteChatMessage', gone);
        await host.request('banFromChat', { authorId: bad.me().authorId });
        await host.request('setChatSettings', { slowMode: 7 });
        const { peerId, resumeToken } = bad.joined;
        for (const s of [host, bad]) s.close();
        first.child.kill('SIGINT');
        await first.exited;
        service = second = await Service.start({ ...env, WEIR_DB_URL: `sqlite:${first.dir}/weir.db` });
        const again = await join('kept', 'viewer', 'Bad', { peerId, resumeToken });
        assert.deepEqual(again.history(), ['stays']);
        assert.equal(again.me().banned, true);
        assert.equal(again.of('chatHistory')[0].slowMode, 7);
        again.close();
    } finally {
        service = keep;
        await second?.stop();
        await first.stop();
    }
});

test('an account writes under its own name and keeps its id; the service\'s admin may do everything', async () => {
    const room = newRoom();
    const ann = await register(service, 'ann');
    const admin = await firstAdmin(service);
    const host = await join(room, 'broadcaster', 'Host');
    const a = await join(room, 'viewer', 'Somebody famous', { token: ann.token });
    const b = await join(room, 'viewer', 'Ann again', { token: ann.token });
    const boss = await join(room, 'viewer', '', { token: admin.token });
    assert.equal(a.me().authorId, ann.id);
    assert.equal(b.me().authorId, ann.id);
    assert.equal(a.me().displayName, 'ann', 'not the name that the client gave');
    assert.equal(boss.me().role, 'admin');
    await a.request('sendChat', { message: 'hello' });
    const m = await until('it', 5000, () => host.of('chatMessage')[0]);
    assert.equal(m.guest, false);
    assert.equal(m.authorId, ann.id);
    await refused(host, 'banFromChat', { authorId: admin.id }, 403, /authorId/);
    await boss.request('setChatModerator', { authorId: ann.id, moderator: true });
    await until('at both', 5000, () => a.me().role === 'moderator' && b.me().role === 'moderator');
    const own = await host.request('sendChat', { message: 'of the host' });
    await refused(a, 'deleteChatMessage', own, 403, /not yours/);
    await boss.request('deleteChatMessage', own);
});

test('over HTTP: what was said during a stream, and saying something', async () => {
    const room = newRoom();
    const owner = await register(service, 'owner');
    const viewer = await register(service, 'viewer1');
    const host = await join(room, 'broadcaster', 'Host', { token: owner.token });
    const transport = await host.request('createProducerTransport');
    await host.request('connectProducerTransport', { transportId: transport.id, dtlsParameters });
    await host.request('produce', { transportId: transport.id, kind: 'audio', rtpParameters: opus() });
    const { id } = await until('live', 5000, async () => (await service.json('/api/livestream/active')).streams.find((s) => s.roomId === room));
    const path = `/api/livestream/${id}/chat`;
    const posted = await call(service, 'POST', path, { message: ' over\nHTTP ' }, viewer.headers);
    assert.equal(posted.status, 201, JSON.stringify(posted.body));
    assert.equal(posted.body.success, true);
    const m = await until('it', 5000, () => host.of('chatMessage')[0]);
    assert.equal(m.message, 'over HTTP');
    assert.equal(m.messageId, posted.body.messageId);
    assert.equal(m.authorId, viewer.id);
    for (let i = 0; i < 5; i++) await host.request('sendChat', { message: `m${i}` });
    const read = async (query) => (await service.json(path + query)).messages.map((x) => x.message);
    await until('written', 5000, async () => (await read('')).length === 6);
    assert.deepEqual(await read(''), ['over HTTP', 'm0', 'm1', 'm2', 'm3', 'm4']);
    const older = await until('written', 5000, async () => {
        const list = await read('?limit=2&offset=1');
        return list.at(-1) === 'm3' && list;
    });
    assert.deepEqual(older, ['m2', 'm3']);
    const status = async (method, body, headers, where = path) => (await call(service, method, where, body, headers)).status;
    assert.equal(await status('POST', { message: 'x' }), 401);
    assert.equal(await status('POST', { message: '' }, viewer.headers), 400);
    assert.equal(await status('POST', {}, viewer.headers), 400);
    assert.equal(await status('POST', { message: 'x'.repeat(600) }, viewer.headers), 413);
    assert.equal(await status('POST', { message: 'x' }, viewer.headers, '/api/livestream/nothing/chat'), 404);
    assert.equal(await status('GET', undefined, {}, `${path}?limit=1000`), 400);
    await host.request('banFromChat', { authorId: viewer.id });
    assert.equal(await status('POST', { message: 'x' }, viewer.headers), 403);
    assert.ok((await service.json('/api/openapi.json')).paths['/api/livestream/{streamId}/chat'].post);
});

test('a reader that does not read loses its connection, the others lose nothing', async () => {
    const own = await Service.start({
        WEIR_HLS_ENABLED: '0',
        WEIR_LIMITS_REQUESTS_PER_SECOND: '100000',
        WEIR_LIMITS_REQUESTS_BURST: '100000',
        WEIR_LIMITS_SEND_QUEUE_BYTES: '262144',
        WEIR_LIMITS_CHAT_PER_MINUTE: '1000000',
        WEIR_LIMITS_CHAT_BURST: '100000',
    });
    const keep = service;
    service = own;
    try {
        const room = newRoom();
        const a = await join(room, 'viewer', 'Anna');
        const b = await join(room, 'viewer', 'Ben');
        const lazy = net.connect(own.port, '127.0.0.1');
        let ended = false;
        lazy.on('error', () => { ended = true; });
        lazy.on('close', () => { ended = true; });
        lazy.write('GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n' +
            'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: protoo\r\n\r\n');
        await new Promise((done) => lazy.once('data', done));
        const text = Buffer.from(JSON.stringify({ request: true, id: 1, method: 'joinRoom', data: { roomId: room, role: 'viewer' } }));
        lazy.write(Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), text]));
        lazy.pause(); // from now on it does not read
        const clients = async () => Number((await (await fetch(`${own.url}/metrics`)).text()).match(/^weir_signaling_connections (\d+)/m)?.[1] ?? -1);
        await until('all three', 5000, async () => (await clients()) === 3);
        let sent = 0;
        const message = 'x'.repeat(500);
        await until('the lazy one is gone', 60000, async () => {
            await Promise.all(Array.from({ length: 50 }, () => { sent++; return a.request('sendChat', { message }); }));
            return (await clients()) === 2;
        }, 1);
        await until('the others have all', 10000, () => a.heard().length === sent && b.heard().length === sent);
        lazy.resume();
        await until('its end', 10000, () => ended);
        for (const s of [a, b]) s.close();
    } finally {
        service = keep;
        assert.equal(await own.stop(), 0);
    }
});
