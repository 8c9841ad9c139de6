// WebSocket: handshake, messages, limits, endings, over plain TCP and over TLS.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { exchange, OP, startServer, until, Ws } from './helper.mjs';

for (const secure of [false, true]) {
    describe(secure ? 'wss' : 'ws', () => {
        let s;
        let old;
        const started = Date.now();
        before(async () => {
            s = await startServer({ secure });
            old = await Ws.open(s, '/ws', { protocol: 'protoo' });
        });
        after(async () => {
            const { code, err } = await s.stop();
            assert.equal(code, 0, err);
        });
        const open = (path = '/ws', options = { protocol: 'protoo' }) => Ws.open(s, path, options);
        const stats = async () => (await s.request('/stats')).json();
        const codes = async (code) => (await stats()).wsCodes[code] ?? 0;

        it('shakes hands and echoes', async () => {
            const w = await open();
            assert.equal(w.status, 101);
            assert.ok(w.head.includes(`Sec-WebSocket-Accept: ${w.accept}`));
            assert.match(w.head, /Sec-WebSocket-Protocol: protoo/);
            assert.doesNotMatch(w.head, /Extensions/);
            for (const text of ['hello', '', 'grüße \u{1f600}', 'x'.repeat(125), 'x'.repeat(126), 'y'.repeat(70_000), 'z'.repeat(256 * 1024)]) {
                w.send(text);
                assert.equal(await w.nextText(), text);
            }
            w.sock.destroy();
        });
        it('offers no compression to who asks for it', async () => {
            const w = await open('/ws', { protocol: 'protoo', headers: { 'Sec-WebSocket-Extensions': 'permessage-deflate' } });
            assert.equal(w.status, 101);
            assert.doesNotMatch(w.head, /deflate/);
            w.send('hello');
            assert.equal(await w.nextText(), 'hello');
            w.sock.destroy();
        });
        it('picks the endpoint by subprotocol', async () => {
            const second = await open('/ws', { protocol: 'other, protoo' });
            assert.match(second.head, /Sec-WebSocket-Protocol: protoo/);
            const none = await open('/ws', {});
            assert.equal(none.status, 101);
            assert.doesNotMatch(none.head, /Sec-WebSocket-Protocol/);
            const unknown = await open('/ws-small', { protocol: 'other' });
            assert.equal(unknown.status, 400);
            for (const w of [second, none, unknown]) w.sock.destroy();
        });
        it('gives query and greeting at once, and refuses before the handshake', async () => {
            const w = await open('/ws?greet=hi%20there');
            assert.equal(await w.nextText(), 'hi there');
            w.sock.destroy();
            const bad = await open('/ws?token=bad');
            assert.equal(bad.status, 401);
            bad.sock.destroy();
        });
        it('refuses handshakes that are not right', async () => {
            const base = 'GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n';
            const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
            const ask = async (bytes) => (await exchange(s, bytes + 'X: y\r\n\r\n', { ms: 2000 })).text;
            assert.match(await ask(base + key), /^HTTP\/1\.1 426[\s\S]*Sec-WebSocket-Version: 13/);
            assert.match(await ask(base + key + 'Sec-WebSocket-Version: 8\r\n'), /^HTTP\/1\.1 426/);
            assert.match(await ask(base + 'Sec-WebSocket-Version: 13\r\n'), /^HTTP\/1\.1 400/);
            assert.match(await ask(base + 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: abc\r\n'), /^HTTP\/1\.1 400/);
            assert.match(await ask('GET /ws HTTP/1.1\r\nHost: x\r\nConnection: close\r\n'), /^HTTP\/1\.1 426[\s\S]*Upgrade: websocket/);
            assert.match(await ask('POST /ws HTTP/1.1\r\nHost: x\r\nConnection: close\r\n'), /^HTTP\/1\.1 405/);
            // RFC 6455 1.3's own example
            const w = await open('/ws', { key: 'dGhlIHNhbXBsZSBub25jZQ==' });
            assert.match(w.head, /s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=/);
            w.sock.destroy();
        });
        it('takes frames that follow the handshake in the same packet', async () => {
            const sock = await s.connect();
            const got = new Promise((resolve) => {
                let all = Buffer.alloc(0);
                sock.on('data', (d) => { all = Buffer.concat([all, d]); if (all.includes('early')) resolve(); });
            });
            sock.write(Buffer.concat([Buffer.from('GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
                'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'), Ws.frame(OP.TEXT, 'early')]));
            await got;
            sock.destroy();
        });

        it('joins fragments, with control frames between them', async () => {
            const w = await open();
            w.send('one ', OP.TEXT, { fin: false });
            w.send('p', OP.PING);
            w.send('two ', OP.CONT, { fin: false });
            w.send('three', OP.CONT);
            const pong = await w.next();
            assert.equal(pong.op, OP.PONG);
            assert.equal(pong.data.toString(), 'p');
            assert.equal(await w.nextText(), 'one two three');
            w.sock.destroy();
        });
        it('joins fragments that split a character, byte by byte', async () => {
            const w = await open();
            const bytes = Buffer.from('ü\u{1f600}');
            bytes.forEach((b, i) => w.send([b], i === 0 ? OP.TEXT : OP.CONT, { fin: i === bytes.length - 1 }));
            assert.equal(await w.nextText(), 'ü\u{1f600}');
            for (const b of Ws.frame(OP.TEXT, 'slowly')) { w.sock.write(Buffer.from([b])); await new Promise((r) => setImmediate(r)); }
            assert.equal(await w.nextText(), 'slowly');
            w.sock.destroy();
        });

        const refused = [
            ['a message over the limit', 1009, (w) => w.send('x'.repeat(1025))],
            ['fragments over the limit together', 1009, (w) => { w.send('x'.repeat(1000), OP.TEXT, { fin: false }); w.send('x'.repeat(100), OP.CONT); }],
            ['a length of 2^63', 1009, (w) => w.sock.write(Buffer.from([0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4]))],
            ['invalid UTF-8', 1007, (w) => w.send([0x61, 0xff])],
            ['half a character at the end', 1007, (w) => w.send([0xc3])],
            ['a surrogate', 1007, (w) => w.send([0xed, 0xa0, 0x80])],
            ['an overlong form', 1007, (w) => w.send([0xc0, 0xaf])],
            ['a binary message', 1003, (w) => w.send('x', OP.BINARY)],
            ['an unmasked frame', 1002, (w) => w.send('x', OP.TEXT, { mask: false })],
            ['a reserved bit', 1002, (w) => w.send('x', OP.TEXT, { rsv: 4 })],
            ['a reserved opcode', 1002, (w) => w.send('x', 3)],
            ['a continuation of nothing', 1002, (w) => w.send('x', OP.CONT)],
            ['a message inside another', 1002, (w) => { w.send('x', OP.TEXT, { fin: false }); w.send('y'); }],
            ['a fragmented ping', 1002, (w) => w.send('x', OP.PING, { fin: false })],
            ['a ping of 126 bytes', 1002, (w) => w.send('x'.repeat(126), OP.PING)],
            ['a close frame of one byte', 1002, (w) => w.send([3], OP.CLOSE)],
            ['a close code that nobody may send', 1002, (w) => w.send([0x03, 0xed], OP.CLOSE)],
            ['a close reason that is not UTF-8', 1007, (w) => w.send([0x03, 0xe8, 0xff], OP.CLOSE)],
        ];
        for (const [name, code, act] of refused) {
            it(`closes with ${code} on ${name}`, async () => {
                const w = await open('/ws-small', { protocol: 'small' });
                act(w);
                assert.equal(await w.closeCode(), code);
                await w.closed;
            });
        }

        it('closes with 1009 while a huge message is still being sent', async () => {
            const w = await open('/ws-small', { protocol: 'small' });
            w.send('x'.repeat(3_000_000));
            assert.equal(await w.closeCode(), 1009);
            w.sock.destroy();
        });
        it('answers a close frame with the same code, and tells the handler', async () => {
            const before = await codes(4005);
            const w = await open();
            w.send([0x0f, 0xa5, 0x62, 0x79, 0x65], OP.CLOSE); // 4005 bye
            assert.equal(await w.closeCode(), 4005);
            await w.closed;
            await until(async () => await codes(4005) === before + 1);
        });
        it('closes by itself with code and reason, and waits for the answer', async () => {
            const before = await codes(4001);
            const w = await open();
            w.send('last');
            w.send('close');
            assert.equal(await w.nextText(), 'last');
            const f = await w.next();
            assert.equal(f.op, OP.CLOSE);
            assert.equal(f.data.readUInt16BE(0), 4001);
            assert.equal(f.data.subarray(2).toString(), 'as you wish');
            w.send([0x0f, 0xa1], OP.CLOSE);
            await w.closed;
            await until(async () => await codes(4001) === before + 1);
        });
        it('gives up on a peer that does not answer its close frame', async () => {
            const open1 = async () => { const x = await stats(); return x.wsOpen - x.wsClosed - 1; };
            await until(async () => await open1() === 0, 8000);
            const w = await open();
            w.send('close');
            assert.equal(await w.closeCode(), 4001);
            assert.equal(await open1(), 1);
            await until(async () => await open1() === 0, 8000);
            w.sock.destroy();
        });
        it('notices a peer that breaks off', async () => {
            const w = await open();
            const before = await codes(1006);
            w.sock.destroy();
            await until(async () => await codes(1006) === before + 1);
        });

        it('loses a slow reader, and nobody else', async () => {
            const slow = await open('/ws-small', { protocol: 'small' });
            const other = await open();
            slow.sock.pause();
            for (let i = 0; i < 30; i++) {
                slow.send('flood 10');
                other.send(`still ${i}`);
                assert.equal(await other.nextText(), `still ${i}`);
            }
            slow.send('flood 1000');
            await until(async () => await codes(1013) === 1, 10000);
            other.send('and after');
            assert.equal(await other.nextText(), 'and after');
            slow.sock.destroy();
            other.sock.destroy();
        });
        it('delivers all of a burst to who does read', async () => {
            const w = await open();
            w.send('flood 300');
            for (let i = 0; i < 300; i++) assert.equal((await w.nextText()).length, 10_000);
            w.sock.destroy();
        });

        it('pings the silent, keeps who answers, drops who does not', async () => {
            const dead = await open('/ws-small', { protocol: 'small' });
            const live = await open('/ws-small', { protocol: 'small' });
            const answer = (async () => {
                for (let i = 0; i < 3; i++) {
                    const f = await live.next();
                    assert.equal(f.op, OP.PING);
                    live.send(f.data, OP.PONG);
                }
            })();
            await dead.closed;
            await answer;
            live.send('here');
            assert.equal(await live.nextText(), 'here');
            live.sock.destroy();
        });
        it('carries three hundred connections', async () => {
            const all = await Promise.all(Array.from({ length: 300 }, () => open()));
            all.forEach((w, i) => w.send(`n ${i}`));
            await Promise.all(all.map(async (w, i) => assert.equal(await w.nextText(), `n ${i}`)));
            assert.match((await s.request('/metrics')).text, /^ws_connections 3\d\d$/m);
            for (const w of all) w.sock.destroy();
        });
        it('keeps a connection for longer than a handshake may take', async () => {
            await new Promise((r) => setTimeout(r, Math.max(0, started + 12_500 - Date.now())));
            old.send('still there');
            assert.equal(await old.nextText(), 'still there');
            old.sock.destroy();
        });
    });

    it(`closes open sockets with 1001 when the server ends${secure ? ', over TLS' : ''}`, async () => {
        const s = await startServer({ secure });
        const quiet = await Ws.open(s, '/ws', { protocol: 'protoo' });
        const stuck = await Ws.open(s, '/ws', { protocol: 'protoo' });
        stuck.sock.pause();
        stuck.send('flood 300');
        const half = await Ws.open(s, '/ws', { protocol: 'protoo' });
        half.send('beginning', OP.TEXT, { fin: false });
        await new Promise((r) => setTimeout(r, 100));
        const ended = s.stop();
        assert.equal(await quiet.closeCode(), 1001);
        const { code, err } = await ended;
        assert.equal(code, 0, err);
        for (const w of [quiet, stuck, half]) w.sock.destroy();
    });
}
