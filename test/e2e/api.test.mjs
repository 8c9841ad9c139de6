// The API held against the document that the running service gives of it: every route, with what is right and what is not.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { cheap, firstAdmin, register } from './account.mjs';
import { OpenApi } from './openapi.mjs';
import { Service } from './service.mjs';

let service;
let api;
/** As who: headers of a request. */
const callers = { nobody: {} };
const withBody = () => api.operations().filter(({ op }) => op.requestBody);

before(async () => {
    service = await Service.start({ ...cheap, WEIR_RTC_WORKERS: '1', WEIR_HLS_ENABLED: '1', WEIR_LIMITS_API_PER_MINUTE: '0', WEIR_LIMITS_CREATE_PER_MINUTE: '0',
        WEIR_LIMITS_REGISTER_PER_MINUTE: '0', WEIR_LIMITS_LOGIN_PER_MINUTE: '0', WEIR_LIMITS_CHAT_PER_MINUTE: '0' });
    api = await OpenApi.load(service.url);
    callers.admin = (await firstAdmin(service)).headers;
    callers.user = (await register(service, 'somebody')).headers;
});
after(async () => assert.equal(await service.stop(), 0, `the service ends cleanly\n${service.log}`));

/** Every operation, as every caller. */
async function each(operations, probe) {
    for (const [who, headers] of Object.entries(callers)) for (const o of operations) {
        /* Whoever logs out is nobody from then on. */
        if (o.op.operationId !== 'logout' || who === 'nobody') await probe(o, headers, who);
    }
}

test('the document is OpenAPI 3.1, and its operations have names of their own', () => {
    assert.equal(api.document.openapi, '3.1.0');
    const operations = api.operations();
    assert.ok(operations.length >= 12);
    assert.equal(new Set(operations.map(({ op }) => op.operationId)).size, operations.length);
    for (const { path, op } of operations) {
        const names = [...path.matchAll(/\{(\w+)\}/g)].map((m) => m[1]);
        assert.deepEqual(op.parameters?.filter((p) => p.in === 'path').map((p) => p.name) ?? [], names, path);
        assert.ok(op.summary && op.tags.length === 1, path);
    }
});

test('every route comes from the table', () => {
    const found = execFileSync('git', ['grep', '-l', 'http_route_add', '--', 'controller'], { cwd: new URL('../..', import.meta.url), encoding: 'utf8' });
    assert.deepEqual(found.trim().split('\n').filter((f) => !f.startsWith('controller/net/')), ['controller/api/api.c']);
});

test('there is a page to read it that needs no other host', async () => {
    const page = await (await fetch(`${service.url}/api/docs`)).text();
    for (const { op } of api.operations()) assert.ok(page.includes(`id="${op.operationId}"`), op.operationId);
    assert.doesNotMatch(page, /(src|href)="?(https?:)?\/\//);
    assert.doesNotMatch(page, /<script/);
});

test('every route answers as documented', async () => {
    await each(api.operations(), async (o, headers) => {
        const schema = api.bodySchema(o.op);
        await api.ask(o, { headers, body: schema && api.example(schema) });
    });
});

test('other methods of a path are refused with 405, other paths with 404', async () => {
    const known = new Map();
    for (const { path, method } of api.operations()) known.set(path, [...(known.get(path) ?? []), method]);
    for (const [path, methods] of known) {
        const other = ['PUT', 'DELETE', 'PATCH'].find((m) => !methods.includes(m));
        const r = await fetch(service.url + path.replace(/\{\w+\}/g, 'x'), { method: other, body: '{}' });
        /* A path that fits several patterns knows the methods of all of them. */
        if (r.status !== 405) continue;
        assert.match(r.headers.get('allow'), new RegExp(methods[0]));
        assert.equal((await r.json()).error.code, 'UnsupportedError');
    }
    const r = await fetch(`${service.url}/api/no/such/path`);
    assert.equal(r.status, 404);
    assert.equal((await r.json()).error.code, 'NotFound');
});

test('what is no JSON is refused with 400, before anything happens', async () => {
    const broken = ['{', '[]', '"text"', '7', 'null', '{"a":1,"a":2}', '{"title":"\\ud800"}', new Uint8Array([0x7b, 0xff, 0xfe, 0x7d]),
        '['.repeat(10000), '{"a":'.repeat(3000)];
    await each(withBody(), async (o, headers) => {
        for (const body of broken) {
            const { status, value } = await api.ask(o, { headers, body });
            assert.ok(status >= 400 && status < 500, `${o.path}: ${status}`);
            assert.ok(value.error.reason, o.path);
        }
    });
});

test('fields of a wrong type or size are refused, and named', async () => {
    await each(withBody(), async (o, headers, who) => {
        const schema = api.bodySchema(o.op);
        for (const [name, field] of Object.entries(schema.properties)) {
            const f = api.resolve(field);
            const wrong = f.type === 'string' ? [7, {}, [], true, 'x'.repeat((f.maxLength ?? 5000) + 1)]
                : f.type === 'boolean' ? ['yes', 1, {}] : f.type === 'integer' ? ['7', {}, 1.5, -1e15, 1e18] : f.type === 'array' ? ['x', {}] : [];
            for (const value of wrong) {
                const r = await api.ask(o, { headers, body: { ...api.example(schema), [name]: value } });
                assert.ok(r.status >= 400 && r.status < 500, `${o.path} ${name}=${JSON.stringify(value).slice(0, 40)}: ${r.status}`);
                if (r.status === 400) assert.equal(r.value.error.field, name, `${o.path} as ${who}`);
            }
        }
        for (const name of schema.required ?? []) {
            const body = api.example(schema);
            delete body[name];
            const r = await api.ask(o, { headers, body });
            assert.ok(r.status >= 400 && r.status < 500);
            if (r.status === 400) assert.equal(r.value.error.field, name);
        }
    });
});

test('bodies that are too large are refused with 413', async () => {
    await each(withBody(), async (o, headers) => {
        const r = await api.ask(o, { headers, body: `{"x":"${'y'.repeat(2 * 1024 * 1024)}"}` });
        assert.equal(r.status, 413, o.path);
    });
});

test('bodies that are not application/json are refused', async () => {
    await each(withBody(), async (o, headers) => {
        const r = await api.ask(o, { headers: { ...headers, 'Content-Type': 'text/plain' }, body: '{}' });
        assert.ok([400, 401, 403, 404, 415].includes(r.status), `${o.path}: ${r.status}`);
    });
});

test('queries out of bounds are refused, and named', async () => {
    await each(api.operations(), async (o, headers) => {
        for (const p of (o.op.parameters ?? []).filter((q) => q.in === 'query')) {
            const wrong = p.schema.type === 'integer' ? ['x', '', '1.5', '-1', '99999999999999999999', '1e3', '%00', '7;DROP TABLE users']
                : p.schema.type === 'boolean' ? ['maybe', '2'] : [];
            for (const value of wrong) {
                const r = await api.ask(o, { headers, query: `?${p.name}=${encodeURI(value)}`, body: o.op.requestBody ? {} : undefined });
                assert.ok(r.status >= 400 && r.status < 500, `${o.path} ${p.name}=${value}: ${r.status}`);
                if (r.status === 400 && r.value.error.field) assert.equal(r.value.error.field, p.name, o.path);
            }
        }
    });
});

test('what only a user or an admin may, nobody else may', async () => {
    const of = (o) => /May be used by (a user|a moderator|an admin)\./.exec(o.op.description)?.[1];
    for (const o of api.operations().filter(of)) {
        const schema = api.bodySchema(o.op);
        const body = schema && api.example(schema);
        assert.equal((await api.ask(o, { body })).status, 401, o.path);
        assert.equal((await api.ask(o, { body, headers: { Authorization: 'Bearer no.such.token' } })).status, 401, o.path);
        if (of(o) !== 'a user') assert.equal((await api.ask(o, { body, headers: callers.user })).status, 403, o.path);
    }
});

test('hostile ids in paths find nothing and break nothing', async () => {
    const hostile = ["' OR 1=1 --", '%ff%fe', '%F0%9F%90%BA', 'a'.repeat(2000), '..%252f..', '%2e%2e', '0', '-1', '{id}', '<script>', '%0d%0aX: y', '*'];
    await each(api.operations().filter(({ path }) => path.includes('{')), async (o, headers) => {
        for (const id of hostile) {
            const url = service.url + o.path.replace(/\{\w+\}/g, id.includes('%') ? id : encodeURIComponent(id));
            const schema = api.bodySchema(o.op);
            const r = await fetch(url, { method: o.method, headers: { 'Content-Type': 'application/json', ...headers }, redirect: 'manual',
                body: o.method === 'GET' ? undefined : JSON.stringify(schema ? api.example(schema) : {}) });
            assert.ok(r.status < 500 && (r.status >= 400 || o.op.responses[r.status]), `${o.method} ${o.path} ${id}: ${r.status}`);
            await r.arrayBuffer();
        }
    });
    assert.equal((await fetch(`${service.url}/healthz`)).status, 200);
});
