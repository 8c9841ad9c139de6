// Reads as much of fragmented MP4 (ISO/IEC 14496-12, -15) as tests need to check what playlists say of it.

/** The boxes of b, one level: [{ type, body }]. Throws where sizes do not add up. */
export function boxes(b) {
    const found = [];
    for (let at = 0; at < b.length;) {
        const size = b.length - at >= 8 ? b.readUInt32BE(at) : 0;
        if (size < 8 || at + size > b.length) throw new Error(`a box of ${size} bytes at ${at} of ${b.length}`);
        found.push({ type: b.toString('latin1', at + 4, at + 8), body: b.subarray(at + 8, at + size), at, size });
        at += size;
    }
    return found;
}

/** The body at a path of types; null: not there. */
export function find(b, ...path) {
    for (const type of path) {
        b = b && (boxes(b).find((x) => x.type === type)?.body ?? null);
    }
    return b;
}

const hex = (n) => n.toString(16).padStart(2, '0');

/** The audio object type (ISO/IEC 14496-1, 8.6.6; 14496-3, 1.6.2.1) from an esds. */
function audioObject(esds) {
    const at = esds.indexOf(0x05, 4 + 13); // DecSpecificInfo, behind the ES and DecoderConfig descriptors
    for (let k = at; k >= 0 && k < esds.length - 2; k = esds.indexOf(0x05, k + 1)) {
        let n = k + 1;
        while (esds[n] & 0x80) n++;
        const length = esds[n] & 0x7f;
        if (length >= 2 && length <= 16 && n + length < esds.length) return esds[n + 1] >> 3;
    }
    return 0;
}

/** What an initialization segment says: codec as in CODECS (RFC 6381), timescale, size. */
export function readInit(b) {
    if (boxes(b)[0].type !== 'ftyp') throw new Error('does not begin with ftyp');
    const trak = find(b, 'moov', 'trak');
    const mdhd = find(trak, 'mdia', 'mdhd');
    const timescale = mdhd.readUInt32BE(mdhd[0] === 1 ? 20 : 12);
    const entry = boxes(find(trak, 'mdia', 'minf', 'stbl', 'stsd').subarray(8))[0];
    if (!find(b, 'moov', 'mvex', 'trex')) throw new Error('has no trex');
    const trex = find(b, 'moov', 'mvex', 'trex');
    const defaults = { duration: trex.readUInt32BE(12), size: trex.readUInt32BE(16), flags: trex.readUInt32BE(20) };
    if (entry.type === 'avc1') {
        const avcc = boxes(entry.body.subarray(78)).find((x) => x.type === 'avcC').body;
        return { video: true, timescale, defaults, codec: `avc1.${hex(avcc[1])}${hex(avcc[2])}${hex(avcc[3])}`,
            width: entry.body.readUInt16BE(24), height: entry.body.readUInt16BE(26) };
    }
    const esds = boxes(entry.body.subarray(28)).find((x) => x.type === 'esds');
    return { video: false, timescale, defaults, channels: entry.body.readUInt16BE(16),
        codec: esds ? `mp4a.40.${audioObject(esds.body)}` : entry.type.toLowerCase() };
}

const NON_SYNC = 0x10000;

function readTrun(trun, head, init) {
    const flags = trun.readUInt32BE(0) & 0xffffff;
    const n = trun.readUInt32BE(4);
    let at = 8 + (flags & 0x1 ? 4 : 0);
    const first = flags & 0x4 ? trun.readUInt32BE(at) : null;
    at += flags & 0x4 ? 4 : 0;
    const samples = [];
    for (let i = 0; i < n; i++) {
        const next = (bit, fallback) => {
            if (!(flags & bit)) return fallback;
            at += 4;
            return trun.readUInt32BE(at - 4);
        };
        const duration = next(0x100, head.duration ?? init.defaults.duration);
        const size = next(0x200, head.size ?? init.defaults.size);
        const own = next(0x400, null);
        next(0x800, 0);
        samples.push({ duration, size, flags: own ?? (i === 0 && first !== null ? first : head.flags ?? init.defaults.flags) });
    }
    return samples;
}

function readTfhd(tfhd) {
    const flags = tfhd.readUInt32BE(0) & 0xffffff;
    let at = 8 + (flags & 0x1 ? 8 : 0) + (flags & 0x2 ? 4 : 0);
    const next = (bit) => (flags & bit ? tfhd.readUInt32BE((at += 4) - 4) : undefined);
    return { duration: next(0x8), size: next(0x10), flags: next(0x20) };
}

/** Whether the access unit at the start of data has an IDR slice: NAL units with lengths of four bytes. */
function hasIdr(data) {
    for (let at = 0; at + 4 < data.length; at += 4 + data.readUInt32BE(at)) {
        if ((data[at + 4] & 0x1f) === 5) return true;
    }
    return false;
}

/** What a part or segment holds: fragments, each with its decode time, duration (s), frames, and whether it begins with a sync sample. */
export function readFragments(b, init) {
    const top = boxes(b);
    const found = [];
    for (const [i, moof] of top.entries()) {
        if (moof.type !== 'moof') continue;
        const traf = find(moof.body, 'traf');
        const tfdt = find(traf, 'tfdt');
        const head = readTfhd(find(traf, 'tfhd'));
        const samples = boxes(traf).filter((x) => x.type === 'trun').flatMap((x) => readTrun(x.body, head, init));
        const mdat = top[i + 1];
        if (mdat?.type !== 'mdat') throw new Error('a moof without its mdat');
        const bytes = samples.reduce((sum, s) => sum + s.size, 0);
        if (bytes !== mdat.body.length) throw new Error(`samples of ${bytes} bytes in an mdat of ${mdat.body.length}`);
        const time = tfdt[0] === 1 ? Number(tfdt.readBigUInt64BE(4)) : tfdt.readUInt32BE(4);
        found.push({
            start: time / init.timescale,
            duration: samples.reduce((sum, s) => sum + s.duration, 0) / init.timescale,
            frames: samples.length,
            sync: samples.length > 0 && !(samples[0].flags & NON_SYNC),
            idr: init.codec.startsWith('avc1') ? hasIdr(mdat.body.subarray(0, samples[0].size)) : true,
        });
    }
    return found;
}
