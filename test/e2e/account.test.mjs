// Accounts over HTTP: register, log in and out, passwords, sessions, forged requests, guessing, rights; on SQLite and PostgreSQL.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { bearer, call, cheap, firstAdmin, register } from './account.mjs';
import { Postgres } from './postgres.mjs';
import { Service, until } from './service.mjs';

const quiet = { ...cheap, WEIR_HLS_ENABLED: '0', WEIR_RTC_WORKERS: '1', WEIR_LIMITS_REGISTER_PER_MINUTE: '0' };
const services = [];
async function start(env = {}) {
    const s = await Service.start({ ...quiet, ...env });
    services.push(s);
    return s;
}
let postgres;
before(async () => {
    postgres = await Postgres.create();
    await postgres.start();
});
after(async () => {
    for (const s of services) assert.equal(await s.stop(), 0, `the service ends cleanly\n${s.log}`);
    await postgres.remove();
});

const claims = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));

for (const engine of ['SQLite', 'PostgreSQL']) describe(engine, () => {
    let service;
    let admin;
    before(async () => {
        service = await start(engine === 'PostgreSQL' ? { WEIR_DB_URL: postgres.url } : {});
        admin = await firstAdmin(service);
    });

    test('the first start makes an admin, whose password has to be changed before anything else', async () => {
        assert.equal(admin.login.body.user.mustChangePassword, true);
        assert.equal(admin.login.body.user.role, 'admin');
        assert.equal(service.log.match(new RegExp(admin.first, 'g')).length, 1, 'it is printed once');
        const old = await call(service, 'POST', '/api/account/login', { username: 'admin', password: admin.first });
        assert.equal(old.status, 401);
        const mine = await call(service, 'GET', '/api/account', undefined, admin.headers);
        assert.equal(mine.body.user.mustChangePassword, false);
    });

    test('a user registers, sees the account, logs out, and the token is worth nothing', async () => {
        const { status, body, headers } = await call(service, 'POST', '/api/account/register', { username: 'Alice', password: 'wonderland', displayName: 'Alice L.' });
        assert.equal(status, 201);
        assert.deepEqual({ ...body.user, id: 0, createdAt: 0 }, { id: 0, createdAt: 0, username: 'alice', displayName: 'Alice L.', about: '', role: 'user',
            mustChangePassword: false, disabled: false });
        const cookie = headers.get('set-cookie');
        assert.match(cookie, /^weir_session=[\w-]+\.[\w-]+\.[\w-]+; Path=\/; HttpOnly; SameSite=Lax; Max-Age=2592000$/);
        assert.ok(Math.abs(body.expiresAt - Date.now() - 30 * 86400e3) < 60e3);
        assert.equal(claims(body.token).sub, body.user.id);
        const mine = await call(service, 'GET', '/api/account', undefined, bearer(body.token));
        assert.deepEqual(mine.body.user, body.user);
        const out = await call(service, 'POST', '/api/account/logout', undefined, bearer(body.token));
        assert.equal(out.status, 204);
        assert.match(out.headers.get('set-cookie'), /^weir_session=; .*Max-Age=0/);
        const after = await call(service, 'GET', '/api/account', undefined, bearer(body.token));
        assert.equal(after.status, 401);
        assert.match(after.headers.get('www-authenticate'), /^Bearer/);
    });

    test('names are taken once, in any case, and are made of few characters', async () => {
        await register(service, 'bob');
        for (const username of ['bob', 'BOB', 'Bob']) {
            const { status, body } = await call(service, 'POST', '/api/account/register', { username, password: 'long enough' });
            assert.deepEqual([status, body.error.field], [409, 'username']);
        }
        for (const username of ['b ob', '-bob', '_bob', 'bób', 'bob@x', '<b>', 'a'.repeat(33), 'ab', '']) {
            const { status, body } = await call(service, 'POST', '/api/account/register', { username, password: 'long enough' });
            assert.deepEqual([status, body.error.field], [400, 'username'], username);
        }
        for (const password of ['short', 'x'.repeat(257), '']) {
            const { status, body } = await call(service, 'POST', '/api/account/register', { username: 'bobby', password });
            assert.deepEqual([status, body.error.field], [400, 'password']);
        }
    });

    test('logging in, with whatever case, and with what is wrong', async () => {
        const carol = await register(service, 'carol');
        const { status, body } = await call(service, 'POST', '/api/account/login', { username: 'CAROL', password: carol.password });
        assert.equal(status, 200);
        assert.equal(body.user.id, carol.id);
        assert.notEqual(claims(body.token).jti, claims(carol.token).jti);
        for (const [username, password] of [['carol', 'wrong'], ['nobody-here', 'wrong'], ['carol', `${carol.password} `]]) {
            const r = await call(service, 'POST', '/api/account/login', { username, password });
            assert.deepEqual([r.status, r.body.error.reason], [401, 'username or password is wrong']);
        }
    });

    test('another password ends all other sessions', async () => {
        const dave = await register(service, 'dave');
        const other = await call(service, 'POST', '/api/account/login', { username: 'dave', password: dave.password });
        const wrong = await call(service, 'POST', '/api/account/password', { currentPassword: 'no', newPassword: 'quite another' }, dave.headers);
        assert.deepEqual([wrong.status, wrong.body.error.field], [403, 'currentPassword']);
        const same = await call(service, 'POST', '/api/account/password', { currentPassword: dave.password, newPassword: dave.password }, dave.headers);
        assert.deepEqual([same.status, same.body.error.field], [400, 'newPassword']);
        const changed = await call(service, 'POST', '/api/account/password', { currentPassword: dave.password, newPassword: 'quite another' }, dave.headers);
        assert.equal(changed.status, 200);
        for (const token of [dave.token, other.body.token])
            assert.equal((await call(service, 'GET', '/api/account', undefined, bearer(token))).status, 401);
        assert.equal((await call(service, 'GET', '/api/account', undefined, bearer(changed.body.token))).status, 200);
        assert.equal((await call(service, 'POST', '/api/account/login', { username: 'dave', password: dave.password })).status, 401);
        assert.equal((await call(service, 'POST', '/api/account/login', { username: 'dave', password: 'quite another' })).status, 200);
    });

    test('logging out everywhere ends all sessions', async () => {
        const erin = await register(service, 'erin');
        const other = await call(service, 'POST', '/api/account/login', { username: 'erin', password: erin.password });
        assert.equal((await call(service, 'GET', '/api/account', undefined, bearer(other.body.token))).status, 200);
        assert.equal((await call(service, 'POST', '/api/account/logout', { everywhere: true }, erin.headers)).status, 204);
        assert.equal((await call(service, 'GET', '/api/account', undefined, bearer(other.body.token))).status, 401);
    });

    test('a profile is changed by its user and read by anybody, by id and by name', async () => {
        const frank = await register(service, 'frank');
        const changed = await call(service, 'PATCH', '/api/account', { displayName: 'Frank <b>', about: 'Hé "there" \u{1F43A}' }, frank.headers);
        assert.equal(changed.status, 200);
        for (const key of [frank.id, 'frank', 'FRANK']) {
            const { status, body } = await call(service, 'GET', `/api/users/${key}`);
            assert.equal(status, 200);
            assert.deepEqual({ ...body.user, createdAt: 0 }, { id: frank.id, username: 'frank', displayName: 'Frank <b>', about: 'Hé "there" \u{1F43A}', role: 'user', createdAt: 0 });
        }
        assert.equal((await call(service, 'PATCH', '/api/account', { about: 'Less.' }, frank.headers)).body.user.displayName, 'Frank <b>');
        assert.equal((await call(service, 'PATCH', '/api/account', { about: 'x' })).status, 401);
        assert.equal((await call(service, 'GET', '/api/users/nobody-here')).status, 404);
        assert.equal((await call(service, 'GET', '/api/users/01234567-89ab-4cde-8f01-23456789abcd')).status, 404);
    });

    test('tokens that were not made here, or were changed, are refused', async () => {
        const grace = await register(service, 'grace');
        const [head, body, signature] = grace.token.split('.');
        const none = Buffer.from('{"alg":"none"}').toString('base64url');
        const other = Buffer.from(JSON.stringify({ ...claims(grace.token), sub: admin.id })).toString('base64url');
        for (const token of [`${head}.${body}.`, `${none}.${body}.`, `${none}.${body}.${signature}`, `${head}.${other}.${signature}`, 'x', '..', 'a'.repeat(5000)])
            assert.equal((await call(service, 'GET', '/api/account', undefined, bearer(token))).status, 401, token.slice(0, 40));
        assert.equal((await call(service, 'GET', '/api/account', undefined, grace.headers)).status, 200);
    });

    test('with a cookie, only pages of this site change anything', async () => {
        const heidi = await register(service, 'heidi');
        const change = (headers) => call(service, 'PATCH', '/api/account', { about: 'changed' }, { Cookie: heidi.cookie, ...headers });
        assert.equal((await call(service, 'GET', '/api/account', undefined, { Cookie: heidi.cookie })).status, 200);
        for (const headers of [{}, { Origin: 'https://evil.example' }, { Origin: 'null' }, { 'Sec-Fetch-Site': 'cross-site' }, { 'Sec-Fetch-Site': 'same-site' },
            { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'same-origin' }, { Origin: `${service.url}.evil.example` }])
            assert.equal((await change(headers)).status, 403, JSON.stringify(headers));
        assert.equal((await call(service, 'GET', '/api/account', undefined, heidi.headers)).body.user.about, '');
        for (const headers of [{ Origin: service.url }, { 'Sec-Fetch-Site': 'same-origin' }, { Origin: service.url, 'Sec-Fetch-Site': 'same-origin' }])
            assert.equal((await change(headers)).status, 200, JSON.stringify(headers));
        /* Nobody is logged in as somebody else by a page of another site. */
        const login = await call(service, 'POST', '/api/account/login', { username: 'heidi', password: heidi.password }, { Origin: 'https://evil.example' });
        assert.equal(login.status, 403);
        assert.equal(login.headers.get('set-cookie'), null);
        /* A bearer token is nothing that a browser sends by itself. */
        const foreign = await call(service, 'PATCH', '/api/account', { about: 'by token' }, { ...heidi.headers, Origin: 'https://app.example' });
        assert.equal(foreign.status, 200);
    });

    test('admins list, make, promote, disable; others do not', async () => {
        const ivan = await register(service, 'ivan');
        for (const [method, path, body] of [['GET', '/api/admin/users'], ['POST', '/api/admin/users', { username: 'judy', password: 'long enough' }],
            ['PATCH', `/api/admin/users/${ivan.id}`, { role: 'admin' }]]) {
            assert.equal((await call(service, method, path, body, ivan.headers)).status, 403);
            assert.equal((await call(service, method, path, body)).status, 401);
        }
        const made = await call(service, 'POST', '/api/admin/users', { username: 'Judy', password: 'long enough', role: 'moderator' }, admin.headers);
        assert.deepEqual([made.status, made.body.user.username, made.body.user.role, made.body.user.mustChangePassword], [201, 'judy', 'moderator', true]);
        const judy = await call(service, 'POST', '/api/account/login', { username: 'judy', password: 'long enough' });
        const early = await call(service, 'PATCH', '/api/account', { about: 'x' }, bearer(judy.body.token));
        assert.deepEqual([early.status, early.body.error.code], [403, 'PasswordChangeRequired']);
        const list = await call(service, 'GET', '/api/admin/users?prefix=i&limit=1', undefined, admin.headers);
        assert.deepEqual(list.body.users.map((u) => u.username), ['ivan']);
        assert.equal(list.body.users[0].passwordHash, undefined);
        const own = await call(service, 'PATCH', `/api/admin/users/${admin.id}`, { role: 'user' }, admin.headers);
        assert.equal(own.status, 409);
        const disabled = await call(service, 'PATCH', `/api/admin/users/${ivan.id}`, { disabled: true }, admin.headers);
        assert.equal(disabled.body.user.disabled, true);
        assert.equal((await call(service, 'GET', '/api/account', undefined, ivan.headers)).status, 401);
        assert.equal((await call(service, 'POST', '/api/account/login', { username: 'ivan', password: ivan.password })).status, 403);
        assert.equal((await call(service, 'GET', '/api/users/ivan')).status, 404);
        const back = await call(service, 'PATCH', `/api/admin/users/${ivan.id}`, { disabled: false, password: 'a new password' }, admin.headers);
        assert.deepEqual([back.status, back.body.user.mustChangePassword], [200, true]);
        assert.equal((await call(service, 'POST', '/api/account/login', { username: 'ivan', password: 'a new password' })).body.user.mustChangePassword, true);
        assert.equal((await call(service, 'PATCH', '/api/admin/users/nobody', { disabled: true }, admin.headers)).status, 404);
    });
});

test('guessing is slowed down for the account and the address, and the owner elsewhere gets in', async () => {
    const service = await start({ WEIR_LIMITS_LOGIN_BURST: '3', WEIR_LIMITS_LOGIN_PER_MINUTE: '6', WEIR_LIMITS_ADDRESS_FACTOR: '20', WEIR_HTTP_TRUSTED_PROXIES: '127.0.0.1' });
    const kim = await register(service, 'kim');
    const login = (password, from) => call(service, 'POST', '/api/account/login', { username: 'kim', password }, { 'X-Forwarded-For': from });
    for (let i = 0; i < 5; i++) assert.equal((await login(kim.password, '192.0.2.1')).status, 200, 'what is right does not count');
    for (let i = 0; i < 3; i++) assert.equal((await login('guess', '192.0.2.1')).status, 401);
    const refused = await login(kim.password, '192.0.2.1');
    assert.equal(refused.status, 429);
    const wait = Number(refused.headers.get('retry-after'));
    assert.ok(wait >= 1 && wait <= 10, `${wait} s`);
    assert.equal((await login(kim.password, '192.0.2.2')).status, 200);
    assert.equal((await login(kim.password, '2001:db8::1')).status, 200);
    await until('the next token', 15000, async () => (await login(kim.password, '192.0.2.1')).status === 200, 500);
});

test('guessing from many addresses runs into the limit of the account', async () => {
    const service = await start({ WEIR_LIMITS_LOGIN_BURST: '2', WEIR_LIMITS_LOGIN_PER_MINUTE: '1', WEIR_LIMITS_ADDRESS_FACTOR: '5', WEIR_HTTP_TRUSTED_PROXIES: '127.0.0.1' });
    await register(service, 'leo');
    const seen = [];
    for (let i = 0; i < 15; i++)
        seen.push((await call(service, 'POST', '/api/account/login', { username: 'leo', password: 'guess' }, { 'X-Forwarded-For': `198.51.100.${i}` })).status);
    assert.deepEqual(seen, [...Array(10).fill(401), ...Array(5).fill(429)]);
});

test('more log-ins at once than may wait get 503, and the service stays quick', async () => {
    const service = await start({ WEIR_ACCOUNTS_SCRYPT_COST: '14', WEIR_ACCOUNTS_SCRYPT_RUNNING: '1', WEIR_ACCOUNTS_SCRYPT_WAITING: '2', WEIR_LIMITS_LOGIN_PER_MINUTE: '0' });
    await until('the first admin', 10000, () => /Password\s+\S+/.test(service.log));
    const answers = Array.from({ length: 12 }, (_, i) => call(service, 'POST', '/api/account/login', { username: `user${i}`, password: 'guess' }));
    const began = performance.now();
    assert.equal((await fetch(`${service.url}/healthz`)).status, 200);
    const took = performance.now() - began;
    const seen = (await Promise.all(answers));
    assert.ok(seen.filter((r) => r.status === 401).length >= 3);
    const busy = seen.filter((r) => r.status === 503);
    assert.ok(busy.length >= 1 && busy.every((r) => Number(r.headers.get('retry-after')) > 0));
    assert.equal(seen.length, seen.filter((r) => r.status === 401 || r.status === 503).length);
    assert.ok(took < 1000, `healthz took ${took} ms meanwhile`);
});

test('where registration is closed, admins make accounts', async () => {
    const service = await start({ WEIR_ACCOUNTS_REGISTRATION: '0' });
    const admin = await firstAdmin(service);
    const refused = await call(service, 'POST', '/api/account/register', { username: 'mallory', password: 'long enough' });
    assert.equal(refused.status, 403);
    assert.match(refused.body.error.reason, /closed/);
    assert.equal((await call(service, 'POST', '/api/admin/users', { username: 'mia', password: 'long enough' }, admin.headers)).status, 201);
});

test('two controllers on one database know each other\'s tokens, and see each other\'s log-outs', async () => {
    const env = { WEIR_DB_URL: postgres.url, WEIR_ACCOUNTS_SESSION_CHECK: '1s' };
    const a = await start(env);
    const b = await start(env);
    const nina = await register(a, 'nina');
    assert.equal((await call(b, 'GET', '/api/account', undefined, nina.headers)).body.user.username, 'nina');
    assert.equal((await call(a, 'POST', '/api/account/logout', undefined, nina.headers)).status, 204);
    await until('the other one notices', 5000, async () => (await call(b, 'GET', '/api/account', undefined, nina.headers)).status === 401);
    assert.doesNotMatch(b.log, /There was no admin/);
});

test('a restart keeps sessions; another secret ends them', async () => {
    const env = { WEIR_DB_URL: postgres.url };
    const first = await start(env);
    const olga = await register(first, 'olga');
    assert.equal(await first.stop(), 0);
    const second = await start(env);
    assert.equal((await call(second, 'GET', '/api/account', undefined, olga.headers)).status, 200);
    assert.equal(await second.stop(), 0);
    const third = await start({ ...env, WEIR_ACCOUNTS_SECRET: 'a secret that is not the one in the database' });
    assert.equal((await call(third, 'GET', '/api/account', undefined, olga.headers)).status, 401);
});

test('while the database is away, who is known stays known and the rest gets 503; then all is well', async () => {
    const own = await Postgres.create();
    await own.start();
    try {
        const service = await start({ WEIR_DB_URL: own.url, WEIR_ACCOUNTS_SESSION_CHECK: '0s' });
        const pat = await register(service, 'pat');
        const quinn = await register(service, 'quinn');
        assert.equal((await call(service, 'GET', '/api/account', undefined, pat.headers)).status, 200);
        await own.stop();
        await until('it is noticed', 10000, async () => (await service.json('/healthz')).database === 'away');
        for (const [method, path, body, headers] of [['GET', '/api/account', undefined, pat.headers], ['GET', '/api/account', undefined, quinn.headers],
            ['POST', '/api/account/login', { username: 'pat', password: pat.password }], ['POST', '/api/account/register', { username: 'rita', password: 'long enough' }]]) {
            const r = await call(service, method, path, body, headers);
            assert.equal(r.status, 503, path);
            assert.ok(Number(r.headers.get('retry-after')) > 0);
            assert.equal(r.body.error.code, 'Unavailable');
        }
        await own.start();
        await until('it is back', 15000, async () => (await call(service, 'GET', '/api/account', undefined, pat.headers)).status === 200);
        assert.equal((await call(service, 'POST', '/api/account/login', { username: 'pat', password: pat.password })).status, 200);
        assert.equal(await service.stop(), 0);
    } finally {
        await own.remove();
    }
});

test('pages of other sites may do what is configured', async () => {
    const service = await start({ WEIR_HTTP_ALLOWED_ORIGINS: 'https://app.example' });
    const preflight = (origin, path, method) => fetch(service.url + path, { method: 'OPTIONS',
        headers: { Origin: origin, 'Access-Control-Request-Method': method, 'Access-Control-Request-Headers': 'content-type, authorization' } });
    const named = await preflight('https://app.example', '/api/account', 'PATCH');
    assert.equal(named.headers.get('access-control-allow-origin'), 'https://app.example');
    assert.equal(named.headers.get('access-control-allow-credentials'), 'true');
    assert.match(named.headers.get('access-control-allow-methods'), /PATCH/);
    assert.match(named.headers.get('vary'), /Origin/);
    const foreign = await preflight('https://other.example', '/api/account', 'PATCH');
    assert.equal(foreign.headers.get('access-control-allow-origin'), null);
    assert.equal(foreign.headers.get('access-control-allow-methods'), null);
    const open = await fetch(`${service.url}/api/livestream/active`, { headers: { Origin: 'https://other.example' } });
    assert.equal(open.headers.get('access-control-allow-origin'), '*');
    assert.equal(open.headers.get('access-control-allow-credentials'), null);
    const sam = await register(service, 'sam');
    const trusted = await call(service, 'PATCH', '/api/account', { about: 'x' }, { Cookie: sam.cookie, Origin: 'https://app.example' });
    assert.equal(trusted.status, 200);
});
