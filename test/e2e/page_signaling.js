// Weir's signaling for pages of tests.

/** protoo's framing, as docs/signaling.md describes it. */
export class Signaling {
    constructor(url) {
        this.ws = new WebSocket(url, 'protoo');
        this.waiting = new Map();
        this.lastId = 0;
        this.listeners = [];
        this.ws.onmessage = (e) => this.take(JSON.parse(e.data));
        this.opened = new Promise((done, fail) => { this.ws.onopen = done; this.ws.onerror = () => fail(new Error('not connected')); });
    }

    take(m) {
        if (m.notification) {
            this.listeners.forEach((l) => l(m.method, m.data));
            return;
        }
        const w = this.waiting.get(m.id);
        this.waiting.delete(m.id);
        if (m.ok) w?.done(m.data);
        else w?.fail(new Error(`${m.errorCode} ${m.errorReason}`));
    }

    request(method, data = {}) {
        const id = ++this.lastId;
        this.ws.send(JSON.stringify({ request: true, id, method, data }));
        return new Promise((done, fail) => this.waiting.set(id, { done, fail }));
    }
}
