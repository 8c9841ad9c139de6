// The service on PostgreSQL: it waits for it, streams are stored, and live goes on when it goes away.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { goLive, inbound, launch, moving, open } from './browser.mjs';
import { Postgres } from './postgres.mjs';
import { Program } from './program.mjs';
import { until } from './service.mjs';

let postgres;
let service;
let browser;

before(async () => {
    postgres = await Postgres.create();
    // First the service, then its database.
    service = await Program.start({ WEIR_DB_URL: postgres.url, WEIR_HLS_ENABLED: '0', WEIR_LIMITS_RECONNECT: '3s' });
    browser = await launch();
});

after(async () => {
    await browser?.close();
    service?.child.kill('SIGINT');
    const end = await service?.ended();
    service?.clean();
    await postgres?.remove();
    assert.deepEqual(end, { code: 0, signal: null }, service?.log);
    assert.deepEqual(service.reports, []);
});

const health = async () => {
    const r = await fetch(`${service.url}/healthz`);
    return { code: r.status, ...await r.json() };
};

const row = (roomId) => postgres.query(`SELECT status || ' ' || (ended_at IS NOT NULL) FROM livestreams WHERE room_id = '${roomId}'`);

test('started before its database, it comes up as soon as that is there, and migrates it', async () => {
    await until('it answers', 5000, async () => (await health()).code === 503);
    await postgres.start();
    await service.up();
    await until('healthy', 5000, async () => {
        const h = await health();
        return h.code === 200 && h.database === 'ready';
    });
    assert.ok(Number(postgres.query('SELECT count(*) FROM schema_migrations')) >= 1);
});

test('a stream is stored as live, and as ended when its broadcaster ends it', async () => {
    const studio = await goLive(browser, service, 'stored', 'Stored');
    await until('live in the table', 5000, () => row('stored') === 'live false');
    assert.equal(postgres.query("SELECT title FROM livestreams WHERE room_id = 'stored'"), 'Stored');
    await studio.context().close();
    await until('ended in the table', 15000, () => row('stored') === 'ended true', 200);
});

test('the database dies under a live stream: it goes on, health says away, and the end is written afterwards', async () => {
    const studio = await goLive(browser, service, 'tough', 'Tough');
    const watch = await open(browser, `${service.url}/watch/tough`);
    await moving(watch, '[data-testid=player]', 15000);
    await until('live in the table', 5000, () => row('tough') === 'live false');
    await postgres.stop();
    await until('health says so', 10000, async () => (await health()).database === 'away');
    assert.equal((await health()).code, 200, 'live goes on, so viewers may come');
    const { framesDecoded } = await inbound(watch);
    await until('frames go on', 5000, async () => (await inbound(watch)).framesDecoded > framesDecoded + 20);
    const another = await open(browser, `${service.url}/watch/tough`);
    await moving(another, '[data-testid=player]', 15000);
    await another.context().close();
    const active = async () => (await (await fetch(`${service.url}/api/livestream/active`)).json()).streams.map((s) => s.roomId);
    assert.deepEqual(await active(), ['tough']);

    // It ends, and another one begins and ends, with nobody to write it down.
    await studio.context().close();
    await until('ended', 15000, async () => (await active()).length === 0, 200);
    const brief = await goLive(browser, service, 'brief', 'Brief');
    await brief.context().close();
    await until('ended', 15000, async () => (await active()).length === 0, 200);

    await postgres.start();
    await until('health says so', 15000, async () => (await health()).database === 'ready');
    await until('the end is written', 10000, () => row('tough') === 'ended true', 200);
    await until('and the one that nobody saw', 10000, () => row('brief') === 'ended true', 200);
});

test('it ends in an orderly way with a stream on the air and the database away', async () => {
    await goLive(browser, service, 'last', 'Last');
    await until('live in the table', 5000, () => row('last') === 'live false');
    await postgres.stop();
    const at = Date.now();
    service.child.kill('SIGINT');
    assert.deepEqual(await service.ended(), { code: 0, signal: null }, service.log);
    assert.ok(Date.now() - at < 8000, 'without waiting for ever');
    assert.deepEqual(service.processes(), []);
    await postgres.start();
    assert.equal(row('last'), 'live false', 'nobody could write it');
    const next = await Program.start({ WEIR_DB_URL: postgres.url, WEIR_HLS_ENABLED: '0' });
    try {
        await next.up();
        await until('the next start does', 5000, () => row('last') === 'ended true');
        next.child.kill('SIGINT');
        assert.equal((await next.ended()).code, 0);
    } finally {
        next.clean();
    }
});
