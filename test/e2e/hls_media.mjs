// What is in live HLS: decoded pictures and sounds of its newest segments.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { until } from './service.mjs';

const LIMIT = 60000;

async function decode(bytes, ...args) {
    const child = spawn('ffmpeg', ['-v', 'error', '-i', 'pipe:0', ...args, 'pipe:1'], { stdio: ['pipe', 'pipe', 'ignore'] });
    const out = [];
    child.stdout.on('data', (d) => out.push(d));
    child.stdin.on('error', () => {});
    child.stdin.end(bytes);
    await once(child, 'close');
    return Buffer.concat(out);
}

export class HlsMedia {
    constructor(url) {
        this.url = url;
    }

    async text(path) {
        const r = await fetch(`${this.url}/live/${path}`);
        return r.ok ? r.text() : null;
    }

    /** Initialization segment and the newest whole segment of a track; null: not there yet. */
    async newest(room, track) {
        const list = await this.text(`${room}/${track}.m3u8`);
        const maps = [...(list ?? '').matchAll(/#EXT-X-MAP:URI="([^"]+)"/g)];
        const segments = (list ?? '').match(/^[^#\s].*\.m4s$/gm) ?? [];
        if (maps.length === 0 || segments.length === 0) return null;
        const parts = await Promise.all([maps.at(-1)[1], segments.at(-1)].map(async (name) => {
            const r = await fetch(`${this.url}/live/${room}/${name}`);
            return r.ok ? Buffer.from(await r.arrayBuffer()) : null;
        }));
        return parts.every(Boolean) ? { name: segments.at(-1), bytes: Buffer.concat(parts), list } : null;
    }

    /** The colour of the last frame of a track at places given in parts of width and height: one of r, g, b, or - for none. */
    async colours(room, track, places, [w, h] = [64, 36]) {
        const s = await this.newest(room, track);
        if (!s) return null;
        const raw = await decode(s.bytes, '-vf', `scale=${w}:${h}`, '-f', 'rawvideo', '-pix_fmt', 'rgb24');
        const frame = raw.subarray(raw.length - w * h * 3);
        return places.map(([x, y]) => {
            const at = (Math.floor(y * h) * w + Math.floor(x * w)) * 3;
            const rgb = [...frame.subarray(at, at + 3)];
            const top = Math.max(...rgb);
            return top < 100 || rgb.filter((v) => v > top / 2).length > 1 ? '-' : 'rgb'[rgb.indexOf(top)];
        }).join('');
    }

    async shows(room, track, places, expected, size) {
        let seen;
        await until(`${track} shows ${expected}`, LIMIT, async () => { seen = await this.colours(room, track, places, size); return seen === expected; }, 300)
            .catch((e) => { throw new Error(`${e.message}, but ${seen}`); });
    }

    /**
     * How loud a tone is in the newest segment, against all that is there. In pieces of 20 ms, which hear 50 Hz to either side: where
     * packets come unevenly, on a busy machine, sound is stretched a little.
     */
    async tone(room, track, hz) {
        const s = await this.newest(room, track);
        if (!s) return 0;
        const raw = await decode(s.bytes, '-f', 's16le', '-ac', '1', '-ar', '48000');
        const samples = new Int16Array(raw.buffer, raw.byteOffset, Math.floor(raw.length / 2));
        const piece = 960;
        let tone = 0;
        let all = 0;
        for (let from = 0; from + piece <= samples.length; from += piece) {
            let re = 0;
            let im = 0;
            for (let i = 0; i < piece; i++) {
                const v = samples[from + i];
                re += v * Math.cos(2 * Math.PI * hz * i / 48000);
                im += v * Math.sin(2 * Math.PI * hz * i / 48000);
                all += v * v;
            }
            tone += 2 * (re * re + im * im) / piece;
        }
        return all > 0 ? tone / all : 0;
    }
}
