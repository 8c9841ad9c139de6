// Messages with a 32-bit little-endian length before each: the framing of both channels.
'use strict';
const net = require('node:net');

class Channel {
    /* fds or streams; onMessage gets each message's bytes, onEnd is called once. */
    constructor(input, output, onMessage, onEnd) {
        this.input = typeof input === 'number' ? new net.Socket({ fd: input, readable: true, writable: false }) : input;
        this.output = typeof output === 'number' ? new net.Socket({ fd: output, readable: false, writable: true }) : output;
        this.parts = [];
        this.have = 0;
        let ended = false;
        const end = () => {
            if (!ended) onEnd();
            ended = true;
        };
        this.input.on('data', (bytes) => this.take(bytes, onMessage));
        for (const stream of [this.input, this.output]) {
            stream.on('end', end);
            stream.on('close', end);
            stream.on('error', end);
        }
    }

    take(bytes, onMessage) {
        this.parts.push(bytes);
        this.have += bytes.length;
        if (this.need && this.have < this.need) return;
        let all = this.parts.length === 1 ? this.parts[0] : Buffer.concat(this.parts);
        while (all.length >= 4 && all.length >= 4 + all.readUInt32LE(0)) {
            const end = 4 + all.readUInt32LE(0);
            onMessage(all.subarray(4, end));
            all = all.subarray(end);
        }
        this.parts = [all];
        this.have = all.length;
        this.need = all.length >= 4 ? 4 + all.readUInt32LE(0) : 4;
    }

    send(bytes) {
        const head = Buffer.alloc(4);
        head.writeUInt32LE(bytes.length);
        this.output.write(Buffer.concat([head, bytes]));
    }
}

module.exports = { Channel };
