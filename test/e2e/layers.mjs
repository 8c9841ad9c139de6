// Pages that run layers_page.js: who sends, who watches.
import { open } from './browser.mjs';
import { bundle } from './bundle.mjs';
import { until } from './service.mjs';

/** Pages of one room. */
export class Room {
    constructor(browser, service, roomId, script) { Object.assign(this, { browser, service, roomId, script, pages: [] }); }

    static async open(browser, service, roomId) {
        return new Room(browser, service, roomId, await bundle('layers_page.js'));
    }

    async join(peerId) {
        const page = await open(this.browser, `${this.service.url}/healthz`, { bypassCSP: true });
        this.pages.push(page);
        await page.addScriptTag({ content: this.script });
        await page.evaluate(async ([url, room, peer]) => { globalThis.client = await globalThis.page.Client.join(url, room, peer); },
            [`${this.service.url.replace('http', 'ws')}/ws`, this.roomId, peerId]);
        return page;
    }

    /** Sends a video; done when all its streams arrive at the server. */
    async broadcast(options, ms) {
        const page = await this.join('ann');
        await call(page, 'publish', options);
        const n = options.encodings.length;
        let state;
        await until('all layers arrive', ms, async () => {
            state = { scores: await page.evaluate(() => globalThis.client.scores), sent: await call(page, 'sent') };
            return state.scores.length === n && state.scores.every((s) => s > 0) && state.sent.every((s) => s.frames > 0);
        }, 200).catch((e) => { throw new Error(`${e.message}: ${JSON.stringify(state)}`); });
        return page;
    }

    /** `portOf`: see Client.transport. */
    async watch(peerId, portOf) {
        const page = await this.join(peerId);
        if (portOf) await page.exposeFunction('portOf', portOf);
        await page.evaluate((by) => globalThis.client.watch(by ? globalThis.portOf : undefined), Boolean(portOf));
        return page;
    }

    async close() { for (const page of this.pages) await page.context().close(); }
}

export const call = (page, method, ...args) => page.evaluate(([m, a]) => globalThis.client[m](...a), [method, args]);

/** Waits until what a viewer receives is as `is` says, and gives it; says what it was when it never was. */
export async function receives(page, what, ms, is) {
    let now;
    return until(what, ms, async () => {
        now = await call(page, 'received');
        return is(now) && now;
    }, 100).catch(async (e) => {
        const layers = await page.evaluate(() => globalThis.client.layers);
        throw new Error(`${e.message}: ${JSON.stringify({ now, layers })}`);
    });
}
