// A conformance check of a live presentation by RFC 8216bis: its playlists, how they go on, and the media behind them.
// Alone: node hls_check.mjs http://host/live/room/index.m3u8 [seconds]
import { readFragments, readInit } from './bmff.mjs';
import { applyDelta, checkReload, newest, parseMedia, parseMultivariant } from './hls_playlist.mjs';

const TICK = 0.002; // s; one unit of the coarsest time scale, and rounding

export class HlsCheck {
    constructor(url) {
        this.url = url;
        this.problems = [];
        this.counts = { reloads: 0, deltas: 0, hints: 0, parts: 0, segments: 0, reports: 0, independent: 0 };
        this.inits = new Map();
        this.measured = new Map(); // by the playlist's URL
    }

    wrong(where) {
        return (section, text) => this.problems.push(`${where}: ${section}: ${text}`);
    }

    async bytes(uri, base, where) {
        const r = await fetch(new URL(uri, base));
        const body = Buffer.from(await r.arrayBuffer());
        if (r.status !== 200) this.wrong(where)('6.2.1', `${uri} answers ${r.status}`);
        return r.status === 200 ? body : null;
    }

    async load(url, query = '') {
        const r = await fetch(url + query);
        const text = await r.text();
        const name = url.slice(url.lastIndexOf('/') + 1) + query;
        if (r.status !== 200) {
            this.wrong(name)('6.2.1', `answers ${r.status}`);
            return null;
        }
        if (!/^application\/vnd\.apple\.mpegurl/.test(r.headers.get('content-type'))) this.wrong(name)('4', `is of type ${r.headers.get('content-type')}`);
        return parseMedia(text, this.wrong(name));
    }

    /** Everything, for that long. Returns what was wrong, one line each. */
    async run(seconds) {
        const r = await fetch(this.url);
        const master = parseMultivariant(await r.text(), this.wrong('index'));
        this.playlists = [...master.variants, ...master.media].map((x) => new URL(x.URI, this.url).href);
        this.checkMaster(master);
        await Promise.all(this.playlists.map((url) => this.follow(url, seconds)));
        await this.checkTogether();
        await this.checkClaims(await (await fetch(this.url)).text());
        return this.problems;
    }

    checkMaster(master) {
        const wrong = this.wrong('index');
        if (master.variants.length === 0) wrong('4.4.6.2', 'no variant');
        const names = new Set();
        for (const m of master.media) {
            for (const key of ['TYPE', 'GROUP-ID', 'NAME']) if (!m[key]) wrong('4.4.6.1', `EXT-X-MEDIA without ${key}`);
            const name = `${m['GROUP-ID']} ${m.NAME}`;
            if (names.has(name)) wrong('4.4.6.1.1', `${name} twice`);
            names.add(name);
        }
        for (const v of master.variants) {
            if (!/^[1-9]\d*$/.test(v.BANDWIDTH)) wrong('4.4.6.2', `BANDWIDTH ${v.BANDWIDTH} of ${v.URI}`);
            if (!v.CODECS) wrong('4.4.6.2', `no CODECS of ${v.URI}`);
            if (v.AUDIO && !master.media.some((m) => m.TYPE === 'AUDIO' && m['GROUP-ID'] === v.AUDIO))
                wrong('4.4.6.2.1', `no group ${v.AUDIO}`);
        }
    }

    /** Reloads as a low-latency player does, each second time by delta, and looks at everything that is new. */
    async follow(url, seconds) {
        const name = url.slice(url.lastIndexOf('/') + 1);
        const wrong = this.wrong(name);
        let list = await this.load(url);
        const end = Date.now() + seconds * 1000;
        const seen = new Set();
        for (const s of list?.segments ?? []) await this.checkSegment(s, url, seen);
        while (list && !list.ended && Date.now() < end) {
            const [msn, part] = newest(list);
            const query = list.open ? `?_HLS_msn=${msn}&_HLS_part=${part + 1}` : `?_HLS_msn=${msn + 1}&_HLS_part=0`;
            const hinted = this.bytes(list.hint.URI, url, `${name}'s hint`);
            const delta = this.counts.reloads++ % 2 === 1;
            let next = await this.load(url, query + (delta ? '&_HLS_skip=YES' : ''));
            if (!next) return;
            if (next.skipped > 0) {
                this.counts.deltas++;
                next = applyDelta(list, next, wrong);
                const whole = await this.load(url, query);
                // Parts of what was skipped are from the list before.
                const plain = (l) => JSON.stringify(l.segments.map((s) => ({ ...s, parts: [] })));
                if (newest(whole).join() === newest(next).join() && plain(whole) !== plain(next))
                    wrong('6.2.5.1', `a delta update gives another list than a whole one: ${plain(next)}, ${plain(whole)}`);
            }
            if (newest(next)[0] < msn || (newest(next)[0] === msn && newest(next)[1] <= part && !next.ended))
                wrong('6.2.5.2', `${query} was answered with ${newest(next)}`);
            checkReload(list, next, wrong);
            this.checkHint(list, next, await hinted, wrong);
            await this.checkReports(next, url, wrong);
            for (const s of next.segments.slice(-4)) await this.checkSegment(s, url, seen);
            if (next.open) await this.checkParts(next.open, url, seen);
            list = next;
        }
    }

    /** 4.4.5.3: what was hinted at came as the next part, unless the encoder's run ended there. */
    checkHint(before, after, bytes, wrong) {
        const uri = before.hint.URI;
        const parts = [...after.segments, ...(after.open ? [after.open] : [])].flatMap((s) => s.parts);
        this.counts.hints++;
        if (after.segments.some((s) => s.msn >= before.next && s.discontinuity) || after.open?.discontinuity) return;
        if (!parts.some((p) => p.uri === uri)) wrong('4.4.5.3', `${uri} was hinted at, and never came`);
        else if (!bytes?.length) wrong('4.4.5.3', `${uri} was hinted at, and could not be had`);
    }

    async checkReports(list, url, wrong) {
        const others = this.playlists.filter((u) => u !== url).map((u) => u.slice(u.lastIndexOf('/') + 1));
        for (const other of others) {
            const report = list.reports.find((r) => r.URI === other);
            if (!report) {
                wrong('4.4.5.4', `no report of ${other}`);
                continue;
            }
            this.counts.reports++;
            const now = await this.load(new URL(other, url).href);
            if (!now) continue;
            const told = [Number(report['LAST-MSN']), Number(report['LAST-PART'])];
            const segment = [...now.segments, ...(now.open ? [now.open] : [])].find((s) => s.msn === told[0]);
            if (!segment || (segment.parts.length > 0 && told[1] >= segment.parts.length))
                wrong('4.4.5.4', `${other} is said to be at ${told}, and is at ${newest(now)}`);
            if (newest(now)[0] > told[0] + 3) wrong('4.4.5.4', `${other} is said to be at ${told} and is at ${newest(now)}: long ago`);
        }
    }

    async init(uri, base) {
        const key = new URL(uri, base).href;
        if (!this.inits.has(key)) {
            const b = await this.bytes(uri, base, uri);
            this.inits.set(key, b && readInit(b));
        }
        return this.inits.get(key);
    }

    read(b, init, where) {
        try {
            return readFragments(b, init);
        } catch (e) {
            this.wrong(where)('3.3', e.message);
            return [];
        }
    }

    async checkParts(s, base, seen) {
        const init = await this.init(s.map, base);
        for (const p of s.parts) {
            if (seen.has(p.uri) || !init) continue;
            seen.add(p.uri);
            const b = await this.bytes(p.uri, base, p.uri);
            if (!b) continue;
            const wrong = this.wrong(p.uri);
            const [f, ...more] = this.read(b, init, p.uri);
            this.counts.parts++;
            if (!f || more.length > 0) wrong('3.2', `holds ${f ? more.length + 1 : 0} fragments`);
            if (!f) continue;
            if (Math.abs(f.duration - p.duration) > TICK) wrong('4.4.4.9', `is told to last ${p.duration}, and lasts ${f.duration}`);
            if (p.independent !== (f.sync && f.idr)) wrong('4.4.4.9', `INDEPENDENT=${p.independent}, sync sample ${f.sync}, IDR ${f.idr}`);
            this.counts.independent += p.independent;
        }
    }

    async checkSegment(s, base, seen) {
        if (seen.has(s.uri) || s.gap) return;
        seen.add(s.uri);
        const init = await this.init(s.map, base);
        const whole = await this.bytes(s.uri, base, s.uri);
        if (!init || !whole) return;
        const wrong = this.wrong(s.uri);
        await this.checkParts(s, base, seen);
        const parts = [];
        for (const p of s.parts) parts.push((await this.bytes(p.uri, base, p.uri)) ?? Buffer.alloc(0));
        if (parts.length > 0 && !Buffer.concat(parts).equals(whole)) wrong('3.2', 'is not its parts, one behind the other');
        const f = this.read(whole, init, s.uri);
        const duration = f.reduce((sum, x) => sum + x.duration, 0);
        this.counts.segments++;
        if (Math.abs(duration - s.duration) > TICK * f.length) wrong('4.4.4.1', `EXTINF ${s.duration}, lasts ${duration}`);
        if (!f[0]?.sync || !f[0]?.idr) wrong('4.4.2.1', 'does not begin with a key frame');
        for (let i = 1; i < f.length; i++) {
            if (Math.abs(f[i - 1].start + f[i - 1].duration - f[i].start) > TICK) wrong('3', `a hole of ${f[i].start - f[i - 1].start - f[i - 1].duration} s`);
        }
        const m = this.measured.get(base) ?? [];
        m.push({ msn: s.msn, discontinuity: s.discontinuity, bytes: whole.length, start: f[0]?.start, duration, frames: f.reduce((n, x) => n + x.frames, 0), init });
        this.measured.set(base, m);
    }

    /** Renditions match: 6.2.4. */
    async checkTogether() {
        const lists = await Promise.all(this.playlists.map((u) => this.load(u)));
        const wrong = this.wrong('renditions');
        for (const l of lists.slice(1)) {
            if (!l || !lists[0]) continue;
            if (l.target !== lists[0].target) wrong('6.2.4', `target durations ${lists[0].target} and ${l.target}`);
            for (const s of l.segments) {
                const twin = lists[0].segments[s.msn - lists[0].first];
                if (twin && twin.discontinuity !== s.discontinuity) wrong('6.2.4', `discontinuity of ${s.msn} differs`);
                if (twin && Math.abs(twin.wall - s.wall) > 100) wrong('6.2.4', `segment ${s.msn} begins ${s.wall - twin.wall} ms apart`);
            }
        }
        for (const [url, m] of this.measured) {
            m.sort((a, b) => a.msn - b.msn);
            for (let i = 1; i < m.length; i++) {
                const hole = m[i].start - m[i - 1].start - m[i - 1].duration;
                if (m[i].msn === m[i - 1].msn + 1 && !m[i].discontinuity && Math.abs(hole) > TICK * 10)
                    this.wrong(url)('3', `a hole of ${hole} s before segment ${m[i].msn}`);
            }
        }
    }

    /** Peak and average bits a second of all that was fetched (4.4.6.2), for one playlist. */
    rates(url) {
        const m = this.measured.get(url) ?? [];
        const bits = m.reduce((n, s) => n + s.bytes * 8, 0);
        const time = m.reduce((n, s) => n + s.duration, 0);
        // Sets of segments that last 0.5 to 1.5 target durations; a single one here is about half of a target.
        const whole = m.filter((s) => s.duration > 0.4);
        return { peak: Math.max(...whole.map((s) => s.bytes * 8 / s.duration)), average: bits / time, frames: m.reduce((n, s) => n + s.frames, 0) / time };
    }

    async checkClaims(text) {
        const wrong = this.wrong('index');
        const master = parseMultivariant(text, wrong);
        for (const v of master.variants) {
            const url = new URL(v.URI, this.url).href;
            const sound = master.media.find((m) => m['GROUP-ID'] === v.AUDIO);
            const soundUrl = sound && new URL(sound.URI, this.url).href;
            const own = this.rates(url);
            const other = sound ? this.rates(soundUrl) : { peak: 0, average: 0 };
            const init = this.measured.get(url)?.at(-1)?.init;
            const soundInit = sound && this.measured.get(soundUrl)?.at(-1)?.init;
            const codecs = [init?.codec, soundInit?.codec].filter(Boolean).join();
            if (v.CODECS !== codecs) wrong('4.4.6.2', `CODECS ${v.CODECS} of ${v.URI}, is ${codecs}`);
            if (init?.video && v.RESOLUTION !== `${init.width}x${init.height}`) wrong('4.4.6.2', `RESOLUTION ${v.RESOLUTION}, is ${init.width}x${init.height}`);
            const peak = own.peak + other.peak;
            const average = own.average + other.average;
            if (Number(v.BANDWIDTH) < peak * 0.98) wrong('4.4.6.2', `BANDWIDTH ${v.BANDWIDTH} of ${v.URI}, measured ${Math.round(peak)}`);
            if (Math.abs(Number(v['AVERAGE-BANDWIDTH']) / average - 1) > 0.15) wrong('4.4.6.2', `AVERAGE-BANDWIDTH ${v['AVERAGE-BANDWIDTH']}, measured ${Math.round(average)}`);
            if (init?.video && Math.abs(Number(v['FRAME-RATE']) / own.frames - 1) > 0.2) wrong('4.4.6.2', `FRAME-RATE ${v['FRAME-RATE']}, measured ${own.frames}`);
        }
    }
}

if (import.meta.filename === process.argv[1]) {
    const check = new HlsCheck(process.argv[2]);
    const problems = await check.run(Number(process.argv[3] ?? 10));
    console.log(problems.join('\n') || 'nothing wrong', check.counts);
    process.exit(problems.length > 0 ? 1 : 0);
}
