// The translation at work: requests and commands one way, responses, events and log lines the other.
'use strict';
const path = require('node:path');
const { spawn } = require('node:child_process');
const readline = require('node:readline');
const flatbuffers = require('flatbuffers');
const schema = require('./schema.cjs');
const { Channel } = require('./channel.cjs');
const { Codec } = require('./codec.cjs');
const { METHODS, COMMANDS, EVENTS, ERRORS } = require('./vocabulary.cjs');

const PACKAGE = path.join(path.dirname(require.resolve('mediasoup')), '..', '..');
// First byte of a log message: what mediasoup's library makes of it.
const LOG_LEVELS = { trace: 'D', debug: 'D', info: 'D', warn: 'W', error: 'E' };

class Adapter {
    constructor(program, args) {
        this.types = schema.load(PACKAGE);
        this.codec = new Codec(PACKAGE, this.types);
        this.program = program;
        this.args = args;
        this.pending = new Map(); // response table by request id
        this.closing = false;
        this.numbers = {
            method: this.numbersOf('FBS.Request.Method'),
            event: this.numbersOf('FBS.Notification.Event'),
        };
    }

    numbersOf(name) {
        return new Map([...this.types.get(name).values].map(([number, key]) => [key, number]));
    }

    start() {
        this.child = spawn(this.program, this.args, { stdio: ['ignore', 'inherit', 'pipe', 'pipe', 'pipe'] });
        this.child.on('error', (error) => this.fail(`cannot start ${this.program}: ${error.message}`));
        this.child.on('exit', (code, signal) => this.onWorkerExit(code, signal));
        readline.createInterface({ input: this.child.stderr }).on('line', (line) => this.onLog(line));
        this.weir = new Channel(this.child.stdio[4], this.child.stdio[3], (bytes) => this.fromWeir(bytes), () => {});
        // The worker's own end of fd 3 ends when the library closes it; weir-worker then ends as well.
        this.mediasoup = new Channel(3, 4, (bytes) => this.fromMediasoup(bytes), () => {
            this.closing = true;
            this.child.stdio[3].end();
        });
    }

    fail(text) {
        process.stderr.write(`${text}\n`);
        process.exit(1);
    }

    onWorkerExit(code, signal) {
        if (signal && !this.closing) process.kill(process.pid, 'SIGKILL');
        process.exit(code ?? 0);
    }

    // ---- mediasoup → Weir ----

    fromMediasoup(bytes) {
        const message = this.codec.classOf(this.types.get('FBS.Message.Message'))
            .getRootAsMessage(new flatbuffers.ByteBuffer(new Uint8Array(bytes)));
        const union = this.types.get('FBS.Message.Body');
        const { tag, type } = union.members[message.dataType() - 1];
        const body = message.data(new (this.codec.classOf(type))());
        if (tag === 'Request') this.onRequest(body);
        if (tag === 'Notification') this.onCommand(body);
    }

    bodyOf(table, unionName) {
        return this.codec.readUnion('body', this.types.get(unionName), table) ?? undefined;
    }

    toWeir(object) {
        this.weir.send(Buffer.from(JSON.stringify(object)));
    }

    onRequest(request) {
        const name = this.types.get('FBS.Request.Method').values.get(request.method());
        if (!METHODS[name]) {
            this.respond(request.id(), { error: 'Error', reason: `${name} is not for a worker` });
            return;
        }
        const [method, answer] = METHODS[name];
        this.pending.set(request.id(), answer);
        this.toWeir({
            id: request.id(), method, handlerId: request.handlerId(),
            data: this.bodyOf(request, 'FBS.Request.Body'),
        });
    }

    onCommand(notification) {
        const name = this.types.get('FBS.Notification.Event').values.get(notification.event());
        if (name === 'WORKER_CLOSE') this.closing = true;
        this.toWeir({
            event: COMMANDS[name], handlerId: notification.handlerId(),
            data: this.bodyOf(notification, 'FBS.Notification.Body'),
        });
    }

    // ---- Weir → mediasoup ----

    fromWeir(bytes) {
        const message = JSON.parse(bytes.toString());
        if (message.event !== undefined) this.onEvent(message);
        else this.respond(message.id, message);
    }

    toMediasoup(tag, object) {
        if (this.closing) return;
        const builder = new flatbuffers.Builder(1024);
        const message = new (this.codec.classOf(this.types.get('FBS.Message.Message'), 'T'))();
        message.dataType = this.types.get('FBS.Message.Body').members.findIndex((m) => m.tag === tag) + 1;
        message.data = object;
        builder.finish(message.pack(builder));
        this.mediasoup.send(builder.asUint8Array());
    }

    setBody(object, unionName, table, data) {
        const union = this.types.get(unionName);
        const index = union.members.findIndex((m) => m.tag === table);
        object.bodyType = index + 1;
        object.body = this.codec.build(union.members[index].type, data);
    }

    respond(id, { accepted = false, data = {}, error, reason }) {
        const response = new (this.codec.classOf(this.types.get('FBS.Response.Response'), 'T'))();
        const answer = this.pending.get(id);
        this.pending.delete(id);
        response.id = id;
        response.accepted = accepted;
        if (accepted && answer) {
            const table = typeof answer === 'function' ? answer(data) : answer;
            // The library knows its worker by the process that it started.
            if (table === 'Worker_DumpResponse') data.pid = process.pid;
            this.setBody(response, 'FBS.Response.Body', table, data);
        } else if (!accepted) {
            response.error = ERRORS[error] ?? 'Error';
            response.reason = reason;
        }
        this.toMediasoup('Response', response);
    }

    onEvent({ event, handlerId, data }) {
        if (event === 'worker.running') {
            this.notify('WORKER_RUNNING', String(process.pid));
        } else if (EVENTS[event]) {
            const [name, table] = EVENTS[event];
            this.notify(name, handlerId, table, data);
        }
    }

    notify(name, handlerId, table, data) {
        const notification = new (this.codec.classOf(this.types.get('FBS.Notification.Notification'), 'T'))();
        notification.handlerId = handlerId;
        notification.event = this.numbers.event.get(name);
        if (table) this.setBody(notification, 'FBS.Notification.Body', table, data ?? {});
        this.toMediasoup('Notification', notification);
    }

    onLog(line) {
        const [, level, text] = /^\S+ (\w+) (.*)$/.exec(line) ?? [];
        const log = new (this.codec.classOf(this.types.get('FBS.Log.Log'), 'T'))();
        log.data = LOG_LEVELS[level] ? LOG_LEVELS[level] + text : `E${line}`;
        this.toMediasoup('Log', log);
    }
}

module.exports = { Adapter };
