// Every page, for everybody: axe finds nothing against it, light and dark, on a phone and at a desk; nothing is wider than the
// screen; no console errors; what a watch page loads is small.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { launch, open } from './browser.mjs';
import { Service, until } from './service.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const SCREENS = { phone: { width: 360, height: 740 }, desk: { width: 1280, height: 800 } };
const WATCH_JS_MAX = 250 * 1000; // bytes, compressed
const PAGES = ['/', '/watch', '/watch/demo', '/watch/demo?mode=hls', '/watch/nobody', '/room', '/recordings', '/studio', '/login', '/login?new',
    '/users/ann', '/users/nobody', '/nowhere'];
const OWN_PAGES = ['/', '/streams', '/account'];
let service;
let browser;
let session;

before(async () => {
    service = await Service.start({ WEIR_DEMO: '1' });
    browser = await launch();
    const r = await fetch(`${service.url}/api/account/register`, { method: 'POST', headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ username: 'ann', password: 'a long password' }) });
    session = (await r.json()).token;
    await fetch(`${service.url}/api/livestream/create`, { method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${session}` },
        body: JSON.stringify({ title: 'Planned', description: 'With words', scheduledAt: Date.now() + 86400000 }) });
    await until('the demo plays', 30000, async () => (await fetch(`${service.url}/live/demo/index.m3u8`)).ok);
});

after(async () => {
    await browser?.close();
    assert.equal(await service?.stop(), 0, 'the service ends cleanly');
});

/** What axe has against the page as it is, a line each. */
async function violations(page) {
    await page.evaluate(axe);
    const found = await page.evaluate(async () => (await globalThis.axe.run(document, { resultTypes: ['violations'] })).violations
        .flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.target} ${n.failureSummary}`)));
    return found;
}

/** Opens each, and asks axe for it. */
async function judge(page, paths, what) {
    const wrong = [];
    for (const path of paths) {
        await page.goto(service.url + path);
        await page.locator('main :is(h1, form, video)').first().waitFor();
        if (path.startsWith('/watch/demo')) await until('pictures', 30000, () => page.evaluate(() => document.querySelector('video')?.readyState >= 2));
        wrong.push(...(await violations(page)).map((v) => `${what} ${path}: ${v}`));
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        if (wide > 0) wrong.push(`${what} ${path}: ${wide} px wider than the screen`);
    }
    return wrong;
}

for (const [screen, viewport] of Object.entries(SCREENS)) {
    for (const colorScheme of ['light', 'dark']) {
        test(`axe finds nothing: ${screen}, ${colorScheme}`, async () => {
            const page = await open(browser, service.url, { viewport, colorScheme });
            const wrong = await judge(page, PAGES, 'guest');
            await page.context().addCookies([{ name: 'weir_session', value: session, url: service.url }]);
            await page.evaluate(() => localStorage.setItem('weir:logged-in', '1'));
            wrong.push(...(await judge(page, OWN_PAGES, 'ann')));
            assert.deepEqual(wrong, []);
            // A user who is not there is a 404, which the browser notes.
            assert.deepEqual(page.problems.filter((p) => !/404/.test(p)), []);
            await page.context().close();
        });
    }
}

test('the first page is usable soon, and the watch page loads little', async (t) => {
    const page = await open(browser, 'about:blank');
    const sizes = new Map();
    const session_ = await page.context().newCDPSession(page);
    await session_.send('Network.enable');
    const scripts = new Set();
    session_.on('Network.responseReceived', (e) => { if (/javascript/.test(e.response.mimeType)) scripts.add(e.requestId); });
    session_.on('Network.loadingFinished', (e) => { if (scripts.has(e.requestId)) sizes.set(e.requestId, e.encodedDataLength); });
    const started = Date.now();
    await page.goto(service.url);
    await page.getByTestId('live-card').first().waitFor();
    const usable = Date.now() - started;
    sizes.clear();
    await session_.send('Network.clearBrowserCache');
    await page.goto(`${service.url}/watch/demo`);
    await until('pictures', 30000, () => page.evaluate(() => document.querySelector('video')?.readyState >= 2));
    const bytes = [...sizes.values()].reduce((a, b) => a + b, 0);
    t.diagnostic(`usable after ${usable} ms; the watch page loads ${Math.round(bytes / 1000)} kB of JavaScript in ${sizes.size} files`);
    assert.ok(bytes > 10000 && bytes <= WATCH_JS_MAX, `${bytes} bytes`);
});
