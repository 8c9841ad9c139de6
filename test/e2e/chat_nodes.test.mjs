// Chat over two controllers on one Redis and one PostgreSQL, all real; Redis goes away, hangs, and comes back empty.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Postgres } from './postgres.mjs';
import { Redis } from './redis.mjs';
import { Service, until } from './service.mjs';
import { Signal } from './signal.mjs';

let postgres;
let redis;
const nodes = [];
const open = [];
let rooms = 0;
const newRoom = () => `both-${++rooms}`;
const key = (room) => `test:chat:stream-${room}`;

before(async () => {
    [postgres, redis] = await Promise.all([Postgres.create(), Redis.create()]);
    await Promise.all([postgres.start(), redis.start()]);
    for (let i = 0; i < 2; i++) {
        nodes.push(await Service.start({
            WEIR_HLS_ENABLED: '0',
            WEIR_RTC_WORKERS: '1',
            WEIR_DB_URL: postgres.url,
            WEIR_REDIS_URL: redis.url,
            WEIR_REDIS_PREFIX: 'test:',
            WEIR_CHAT_BAN_ADDRESSES: '0',
            WEIR_LIMITS_REQUESTS_PER_SECOND: '100000',
            WEIR_LIMITS_REQUESTS_BURST: '100000',
            WEIR_LIMITS_CHAT_PER_MINUTE: '1000000',
            WEIR_LIMITS_CHAT_BURST: '100000',
        }));
    }
    await redisUp(1);
});

after(async () => {
    for (const s of open) s.close();
    for (const node of nodes) assert.equal(await node.stop(), 0, 'a controller ends cleanly');
    await redis?.kill();
    await postgres?.remove();
});

async function metric(node, name) {
    const text = await (await fetch(`${node.url}/metrics`)).text();
    return Number(text.match(new RegExp(`^${name} (\\S+)`, 'm'))?.[1]);
}

async function redisUp(want) {
    for (const node of nodes) await until(`Redis ${want ? 'up' : 'away'}`, 20000, async () => (await metric(node, 'weir_redis_up')) === want);
}

async function join(node, roomId, role, displayName, more = {}) {
    const s = await Signal.open(nodes[node].url);
    open.push(s);
    s.joined = await s.request('joinRoom', { roomId, role, displayName, ...more });
    await until('the history', 5000, () => s.count('chatHistory') > 0, 5);
    s.of = (method) => s.events.filter((e) => e.method === method).map((e) => e.data);
    s.me = () => s.of('chatIdentity').at(-1);
    s.heard = () => s.of('chatMessage').map((m) => m.message);
    /* What a client shows: the newest history, then what came behind it. */
    s.shown = () => {
        let list = [];
        for (const e of s.events) {
            if (e.method === 'chatHistory') list = e.data.messages.map((m) => [m.messageId, m.message]);
            else if (e.method === 'chatMessage') list.push([e.data.messageId, e.data.message]);
            else if (e.method === 'chatMessageDeleted') list = list.filter(([id]) => !e.data.messageIds.includes(id));
        }
        return list.slice(-100).map(([, text]) => text);
    };
    return s;
}

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

test('both hear everything, in one order, however fast both write', async () => {
    const room = newRoom();
    const a = await join(0, room, 'viewer', 'Anna');
    const b = await join(1, room, 'viewer', 'Ben');
    const n = 500;
    await Promise.all([a, b].flatMap((s, i) => Array.from({ length: n }, (_, k) => s.request('sendChat', { message: `${i}-${k}` }))));
    await until('all', 20000, () => a.heard().length === 2 * n && b.heard().length === 2 * n);
    assert.deepEqual(a.heard(), b.heard());
    const mine = (list, i) => list.filter((m) => m.startsWith(`${i}-`));
    assert.deepEqual(mine(a.heard(), 0), Array.from({ length: n }, (_, k) => `0-${k}`), 'each author in order');
    assert.deepEqual(mine(a.heard(), 1), Array.from({ length: n }, (_, k) => `1-${k}`));
    const mixed = a.heard().findIndex((m, i, all) => i > 0 && m[0] !== all[i - 1][0]);
    assert.ok(mixed > 0, 'they wrote at the same time');
    const late = await join(1, room, 'viewer', 'Late');
    assert.deepEqual(late.shown(), a.heard().slice(-100));
    assert.equal(Number(redis.command('LLEN', key(room))), 100);
    const stored = await until('written', 10000, () => postgres.query(`SELECT COUNT(*) FROM livestream_chat WHERE room_id = '${room}'`) === '1000' && 1000);
    assert.equal(stored, 1000, 'each message once in the database');
});

test('a controller that opens a room later has its history from Redis, at once', async () => {
    const room = newRoom();
    const a = await join(0, room, 'viewer', 'Anna');
    for (let i = 0; i < 130; i++) await a.request('sendChat', { message: `m${i}` });
    const b = await join(1, room, 'viewer', 'Ben');
    assert.deepEqual(b.shown(), Array.from({ length: 100 }, (_, i) => `m${i + 30}`));
    assert.equal(b.count('chatHistory'), 1);
});

test('deletions, roles, bans and settings hold at both', async () => {
    const room = newRoom();
    const host = await join(0, room, 'broadcaster', 'Host');
    const mod = await join(1, room, 'viewer', 'Mod');
    const bad = await join(0, room, 'viewer', 'Bad');
    const one = await bad.request('sendChat', { message: 'one' });
    const own = await mod.request('sendChat', { message: 'of the other' });
    await until('both', 5000, () => mod.heard().length === 2 && bad.heard().length === 2);
    await host.request('setChatModerator', { authorId: mod.me().authorId, moderator: true });
    await until('a moderator over there', 5000, () => mod.me().role === 'moderator');

    await mod.request('deleteChatMessage', one);
    await until('gone here', 5000, () => bad.of('chatMessageDeleted').some((d) => d.messageIds.includes(one.messageId)));
    await host.request('deleteChatMessage', own);
    await until('gone there', 5000, () => mod.of('chatMessageDeleted').some((d) => d.messageIds.includes(own.messageId)));
    assert.deepEqual((await join(1, room, 'viewer', 'Late')).shown(), []);
    for (const m of [one, own]) {
        await until('marked in the database', 5000, () => postgres.query(`SELECT COUNT(*) FROM livestream_chat WHERE id = '${m.messageId}' AND deleted_at IS NOT NULL`) === '1');
    }

    await bad.request('sendChat', { message: 'two' });
    await until('it', 5000, () => mod.heard().includes('two'));
    await mod.request('banFromChat', { authorId: bad.me().authorId, seconds: 600 });
    await until('told', 5000, () => bad.me().banned);
    const m = await bad.ask('sendChat', { message: 'three' });
    assert.equal(m.errorCode, 403);
    await until('the messages went too', 5000, () => host.shown().length === 0);
    const { peerId, resumeToken } = bad.joined;
    bad.close();
    await bad.closed;
    const elsewhere = await join(1, room, 'viewer', 'Bad', { peerId, resumeToken });
    assert.equal(elsewhere.me().authorId, bad.me().authorId, 'the same guest at the other controller');
    assert.equal(elsewhere.me().banned, true);
    await host.request('unbanFromChat', { authorId: elsewhere.me().authorId });
    await until('may again', 5000, () => !elsewhere.me().banned);
    await mod.request('setChatSettings', { slowMode: 20, words: ['nonsense'] });
    await until('told', 5000, () => host.of('chatRules').at(-1)?.slowMode === 20);
    assert.deepEqual((await host.request('getChatSettings', {})).words, ['nonsense']);
});

test('Redis dies: chat goes on inside each controller; it comes back empty: both have everything, in one order', async () => {
    const room = newRoom();
    const a = await join(0, room, 'broadcaster', 'Anna');
    const b = await join(1, room, 'viewer', 'Ben');
    const bad = await join(1, room, 'viewer', 'Bad');
    const before_ = [];
    for (let i = 0; i < 20; i++) {
        before_.push(await a.request('sendChat', { message: `before ${i}` }));
    }
    await until('all', 5000, () => b.heard().length === 20);
    await redis.kill();
    await redisUp(0);
    for (let i = 0; i < 5; i++) {
        /* Put together by their times, in milliseconds: so these differ. */
        await a.request('sendChat', { message: `a away ${i}` });
        await new Promise((done) => { setTimeout(done, 5); });
        await b.request('sendChat', { message: `b away ${i}` });
        await new Promise((done) => { setTimeout(done, 5); });
    }
    await until('each has its own', 5000, () => a.heard().length === 25 && b.heard().length === 25);
    await a.request('deleteChatMessage', before_[3]);
    await a.request('banFromChat', { authorId: bad.me().authorId });
    assert.equal(bad.me().banned, false, 'the other controller cannot know yet');
    const joined = await join(0, room, 'viewer', 'Joins meanwhile');
    assert.equal(joined.shown().length, 24);

    await redis.start();
    await redisUp(1);
    const expected = [];
    for (let i = 0; i < 20; i++) if (i !== 3) expected.push(`before ${i}`);
    for (let i = 0; i < 5; i++) expected.push(`a away ${i}`, `b away ${i}`);
    await until('both show the same', 10000, () => same(a.shown(), b.shown()) && a.shown().length === expected.length);
    assert.deepEqual(a.shown(), expected);
    assert.deepEqual(joined.shown(), expected);
    assert.equal(redis.command('LRANGE', key(room), '0', '-1').split('\n').length, expected.length);
    await until('the ban is known', 5000, () => bad.me().banned);
    await b.request('sendChat', { message: 'together again' });
    await until('it', 5000, () => a.heard().includes('together again'));
    assert.deepEqual((await join(0, room, 'viewer', 'Late')).shown(), [...expected, 'together again']);
});

test('while messages pour in, Redis dies and comes back: none is lost, none comes twice', async () => {
    const room = newRoom();
    const a = await join(0, room, 'viewer', 'Anna');
    const b = await join(1, room, 'viewer', 'Ben');
    const said = [];
    let stop = false;
    const pour = async (s, name) => {
        for (let i = 0; !stop; i++) {
            await s.request('sendChat', { message: `${name}${i}` });
            said.push(`${name}${i}`);
            await new Promise((done) => { setTimeout(done, 15); });
        }
    };
    const pouring = [pour(a, 'a'), pour(b, 'b')];
    await until('some', 5000, () => said.length > 20);
    await redis.kill();
    await redisUp(0);
    const then = said.length;
    await until('more meanwhile', 5000, () => said.length > then + 20);
    await redis.start();
    await redisUp(1);
    const back = said.length;
    await until('more after', 5000, () => said.length > back + 10);
    stop = true;
    await Promise.all(pouring);
    await until('both show the same', 10000, () => same(a.shown(), b.shown()) &&
        ['a', 'b'].every((name) => a.shown().includes(said.findLast((m) => m[0] === name))));
    const shown = a.shown();
    assert.equal(new Set(shown).size, shown.length, 'nothing twice');
    const missing = said.filter((m) => !shown.includes(m));
    assert.equal(shown.length, Math.min(100, said.length), `missing: ${missing.slice(-5)} of ${said.length}`);
    for (const name of ['a', 'b']) {
        const numbers = shown.filter((m) => m[0] === name).map((m) => Number(m.slice(1)));
        assert.deepEqual(numbers, Array.from(numbers, (_, i) => numbers[0] + i), 'none is missing, each author in order');
    }
    await until('all written', 10000, () => postgres.query(`SELECT COUNT(*) FROM livestream_chat WHERE room_id = '${room}'`) === String(said.length));
});

test('a Redis that hangs is noticed, and does not hold chat up for long', async () => {
    const room = newRoom();
    const a = await join(0, room, 'viewer', 'Anna');
    await a.request('sendChat', { message: 'before' });
    await until('it', 5000, () => a.heard().length === 1);
    redis.child.kill('SIGSTOP');
    try {
        await a.request('sendChat', { message: 'during' });
        await until('it is shown all the same', 10000, () => a.heard().includes('during'));
        await redisUp(0);
        await a.request('sendChat', { message: 'later' });
        await until('at once', 1000, () => a.heard().includes('later'));
    } finally {
        redis.child.kill('SIGCONT');
    }
    await redisUp(1);
    const b = await join(1, room, 'viewer', 'Ben');
    assert.deepEqual(b.shown(), ['before', 'during', 'later']);
});

test('a controller starts and works without Redis, and takes part when it comes', async () => {
    await redis.kill();
    await redisUp(0);
    const room = newRoom();
    const a = await join(0, room, 'viewer', 'Anna');
    const b = await join(1, room, 'viewer', 'Ben');
    await a.request('sendChat', { message: 'a' });
    await until('it', 5000, () => a.heard().length === 1);
    await b.request('sendChat', { message: 'b' });
    await until('it', 5000, () => b.heard().length === 1);
    await redis.start();
    await redisUp(1);
    await until('together', 10000, () => same(a.shown(), ['a', 'b']) && same(b.shown(), ['a', 'b']));
});

test('PostgreSQL goes away: chat goes on at both, and all lands later', async () => {
    const room = newRoom();
    const a = await join(0, room, 'viewer', 'Anna');
    const b = await join(1, room, 'viewer', 'Ben');
    await postgres.stop();
    for (let i = 0; i < 10; i++) await (i % 2 ? a : b).request('sendChat', { message: `m${i}` });
    await until('both', 5000, () => a.heard().length === 10 && b.heard().length === 10);
    assert.deepEqual(a.heard(), b.heard());
    await postgres.start();
    await until('written', 30000, () => postgres.query(`SELECT COUNT(*) FROM livestream_chat WHERE room_id = '${room}'`) === '10');
});

test('scripts that the server forgot are loaded again', async () => {
    const room = newRoom();
    const a = await join(0, room, 'viewer', 'Anna');
    const b = await join(1, room, 'viewer', 'Ben');
    redis.command('SCRIPT', 'FLUSH');
    await a.request('sendChat', { message: 'lost its script' });
    await until('here', 5000, () => a.heard().length === 1);
    await until('and there', 10000, () => b.shown().includes('lost its script'));
    redis.command('RPUSH', key(room), 'not an entry');
    redis.command('PUBLISH', key(room), 'mnonsense');
    redis.command('PUBLISH', key(room), 'e{"kind":"banned"}');
    redis.command('PUBLISH', key(room), 'e[');
    await b.request('sendChat', { message: 'still there' });
    await until('it', 5000, () => a.shown().includes('still there'));
});
