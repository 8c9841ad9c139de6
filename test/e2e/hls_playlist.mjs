// Playlists of RFC 8216bis as objects, and what the text alone can break.

/** Attributes of a tag (4.2): quoted strings without their quotes, numbers as text. */
function attributes(text) {
    const found = {};
    for (const m of text.matchAll(/([A-Z0-9-]+)=("[^"]*"|[^,]*)(?:,|$)/g)) found[m[1]] = m[2].replace(/^"|"$/g, '');
    return found;
}

const emptySegment = () => ({ parts: [], discontinuity: false, gap: false });

const once = ['EXT-X-VERSION', 'EXT-X-TARGETDURATION', 'EXT-X-MEDIA-SEQUENCE', 'EXT-X-DISCONTINUITY-SEQUENCE', 'EXT-X-SERVER-CONTROL',
    'EXT-X-PART-INF', 'EXT-X-SKIP', 'EXT-X-ENDLIST', 'EXT-X-INDEPENDENT-SEGMENTS', 'EXTM3U'];
const known = new Set([...once, 'EXTINF', 'EXT-X-PART', 'EXT-X-MAP', 'EXT-X-PROGRAM-DATE-TIME', 'EXT-X-DISCONTINUITY', 'EXT-X-GAP',
    'EXT-X-PRELOAD-HINT', 'EXT-X-RENDITION-REPORT', 'EXT-X-STREAM-INF', 'EXT-X-MEDIA']);

/** Lines as [tag, value] or [null, URI]. */
function lines(text, wrong) {
    const all = text.split('\n');
    if (all[0] !== '#EXTM3U') wrong('4.4.1.1', `begins with ${all[0]}`);
    if (all.pop() !== '') wrong('4.1', 'its last line has no end');
    const seen = new Set();
    return all.map((line) => {
        if (/[\u0000-\u001f\u007f]|^\s|\s$/.test(line) || line === '') wrong('4.1', `odd line ${JSON.stringify(line)}`);
        if (!line.startsWith('#')) return [null, line];
        const [, tag, value] = /^#([A-Z0-9-]+)(?::(.*))?$/.exec(line) ?? [];
        if (!known.has(tag)) wrong('4.4', `unknown tag ${line}`);
        if (seen.has(tag) && once.includes(tag)) wrong('4.4', `${tag} twice`);
        seen.add(tag);
        return [tag, value ?? ''];
    });
}

/** wrong(section, text) is called for each breach. */
export function parseMultivariant(text, wrong) {
    const list = { media: [], variants: [], independent: false };
    let variant = null;
    for (const [tag, value] of lines(text, wrong)) {
        if (tag === 'EXT-X-STREAM-INF') variant = attributes(value);
        else if (tag === 'EXT-X-MEDIA') list.media.push(attributes(value));
        else if (tag === 'EXT-X-INDEPENDENT-SEGMENTS') list.independent = true;
        else if (tag === null && variant) {
            list.variants.push({ ...variant, URI: value });
            variant = null;
        } else if (tag === null || /^EXT-X-(TARGET|PART|MAP|MEDIA-SEQ|SERVER)|^EXTINF/.test(tag)) {
            wrong('4.1', `${tag ?? value} in a multivariant playlist`);
        }
    }
    if (variant) wrong('4.4.6.2', 'EXT-X-STREAM-INF without a URI');
    return list;
}

/** Segments carry their msn; the open one, of which there are only parts, is in `open`. */
export function parseMedia(text, wrong) {
    const list = { segments: [], open: null, reports: [], hint: null, ended: false, skipped: 0, first: 0, discontinuities: 0, map: null };
    let segment = emptySegment();
    let map = null;
    for (const [tag, value] of lines(text, wrong)) {
        if (tag === 'EXT-X-VERSION') list.version = Number(value);
        else if (tag === 'EXT-X-TARGETDURATION') list.target = Number(value);
        else if (tag === 'EXT-X-MEDIA-SEQUENCE') list.first = Number(value);
        else if (tag === 'EXT-X-DISCONTINUITY-SEQUENCE') list.discontinuities = Number(value);
        else if (tag === 'EXT-X-SERVER-CONTROL') list.control = attributes(value);
        else if (tag === 'EXT-X-PART-INF') list.partTarget = Number(attributes(value)['PART-TARGET']);
        else if (tag === 'EXT-X-SKIP') list.skipped = Number(attributes(value)['SKIPPED-SEGMENTS']);
        else if (tag === 'EXT-X-ENDLIST') list.ended = true;
        else if (tag === 'EXT-X-PRELOAD-HINT') list.hint = attributes(value);
        else if (tag === 'EXT-X-RENDITION-REPORT') list.reports.push(attributes(value));
        else if (tag === 'EXT-X-MAP') map = attributes(value).URI;
        else if (tag === 'EXT-X-DISCONTINUITY') segment.discontinuity = true;
        else if (tag === 'EXT-X-GAP') segment.gap = true;
        else if (tag === 'EXT-X-PROGRAM-DATE-TIME') segment.wall = Date.parse(value);
        else if (tag === 'EXT-X-PART') {
            const a = attributes(value);
            segment.parts.push({ uri: a.URI, duration: Number(a.DURATION), independent: a.INDEPENDENT === 'YES', gap: a.GAP === 'YES' });
        } else if (tag === 'EXTINF') segment.duration = Number(/^([\d.]+),/.exec(value)?.[1] ?? NaN);
        else if (tag === null) {
            const msn = list.first + list.skipped + list.segments.length;
            list.segments.push({ ...segment, uri: value, map, msn });
            segment = emptySegment();
        }
    }
    list.next = list.first + list.skipped + list.segments.length;
    if (segment.parts.length > 0) list.open = { ...segment, map, msn: list.next };
    checkMedia(list, text, wrong);
    return list;
}

/** The newest part or segment: [msn, part]; part -1: a whole segment. */
export function newest(list) {
    if (list.open) return [list.open.msn, list.open.parts.length - 1];
    const last = list.segments.at(-1);
    return [last.msn, last.parts.length - 1];
}

const DATE_STEP_MS = 100;
const EPSILON = 2e-6; // durations are printed to the microsecond

function checkTiming(list, wrong) {
    if (!Number.isInteger(list.target) || list.target < 1) wrong('4.4.3.1', `EXT-X-TARGETDURATION ${list.target}`);
    for (const s of list.segments) {
        if (!(s.duration > 0)) wrong('4.4.4.1', `EXTINF of ${s.uri} is ${s.duration}`);
        if (Math.round(s.duration) > list.target) wrong('4.4.3.1', `${s.uri} of ${s.duration} s, target ${list.target}`);
        const parts = s.parts.reduce((sum, p) => sum + p.duration, 0);
        if (s.parts.length > 0 && Math.abs(parts - s.duration) > EPSILON * (s.parts.length + 1))
            wrong('4.4.4.9', `parts of ${s.uri} last ${parts}, it ${s.duration}`);
    }
    for (const s of [...list.segments, ...(list.open ? [list.open] : [])]) {
        for (const [i, p] of s.parts.entries()) {
            const final = i === s.parts.length - 1 && s !== list.open;
            if (p.duration > list.partTarget + EPSILON) wrong('4.4.3.7', `${p.uri} of ${p.duration} s, part target ${list.partTarget}`);
            if (!final && !p.gap && p.duration < 0.85 * list.partTarget - EPSILON)
                wrong('4.4.4.9', `${p.uri} of ${p.duration} s is under 85 % of ${list.partTarget}`);
        }
        if (s !== list.open && s.parts.length === 0) continue;
        const end = list.segments.filter((x) => x.msn > s.msn).reduce((sum, x) => sum + x.duration, 0);
        if (end > 3 * list.target + EPSILON) wrong('4.4.4.9', `parts of segment ${s.msn} are ${end} s from the end`);
    }
}

function checkControl(list, wrong) {
    const c = list.control;
    if (list.ended) return;
    if (!c) {
        wrong('4.4.3.8', 'no EXT-X-SERVER-CONTROL');
        return;
    }
    if (c['CAN-BLOCK-RELOAD'] !== 'YES') wrong('4.4.3.8', 'no CAN-BLOCK-RELOAD');
    if (!(Number(c['PART-HOLD-BACK']) >= 3 * list.partTarget - EPSILON)) wrong('4.4.3.8', `PART-HOLD-BACK ${c['PART-HOLD-BACK']}`);
    if (!(Number(c['HOLD-BACK']) >= 3 * list.target)) wrong('4.4.3.8', `HOLD-BACK ${c['HOLD-BACK']}`);
    if (!(Number(c['CAN-SKIP-UNTIL']) >= 6 * list.target)) wrong('4.4.3.8', `CAN-SKIP-UNTIL ${c['CAN-SKIP-UNTIL']}`);
    if (list.hint?.TYPE !== 'PART' || !list.hint.URI) wrong('4.4.5.3', 'no hint of the next part');
    if (!(list.partTarget > 0)) wrong('4.4.3.7', `PART-TARGET ${list.partTarget}`);
    for (const r of list.reports) {
        if (!r.URI || !/^\d+$/.test(r['LAST-MSN']) || !/^\d+$/.test(r['LAST-PART'])) wrong('4.4.5.4', `report ${JSON.stringify(r)}`);
    }
}

function checkMedia(list, text, wrong) {
    if (!(list.version >= 9)) wrong('8', `version ${list.version}`);
    if (text.indexOf('#EXT-X-MEDIA-SEQUENCE') > text.search(/^#EXTINF|^#EXT-X-PART:|^#EXT-X-DISCONTINUITY$/m))
        wrong('4.4.3.2', 'EXT-X-MEDIA-SEQUENCE behind a segment');
    if (list.skipped === 0 && list.segments.some((s) => !s.map)) wrong('4.4.4.5', 'a segment without EXT-X-MAP');
    checkTiming(list, wrong);
    checkControl(list, wrong);
    const all = [...list.segments, ...(list.open ? [list.open] : [])];
    for (let i = 1; i < all.length; i++) {
        const due = all[i - 1].wall + all[i - 1].duration * 1000;
        if (!Number.isFinite(all[i].wall)) wrong('4.4.4.6', `no EXT-X-PROGRAM-DATE-TIME of ${all[i].msn}`);
        // A sender's report corrects the date of what comes after it, by what its way to us had cost.
        if (!all[i].discontinuity && Math.abs(all[i].wall - due) > DATE_STEP_MS)
            wrong('4.4.4.6', `segment ${all[i].msn} is dated ${all[i].wall - due} ms off the one before`);
    }
}

/** A delta update (6.2.5.1) laid over the list before it: the whole list. */
export function applyDelta(before, delta, wrong) {
    const segments = [];
    for (let msn = delta.first; msn < delta.first + delta.skipped; msn++) {
        const s = before.segments[msn - before.first];
        if (!s || s.msn !== msn) wrong('4.4.5.2', `skips segment ${msn}, which was not in the list before`);
        else segments.push(s);
    }
    const tail = delta.segments.reduce((sum, s) => sum + s.duration, 0) + (delta.open?.parts ?? []).reduce((sum, p) => sum + p.duration, 0);
    if (tail < Number(delta.control['CAN-SKIP-UNTIL'])) wrong('4.4.3.8', `skips up to ${tail} s from the end`);
    let map = segments.at(-1)?.map ?? null;
    for (const s of delta.segments) {
        map = s.map ?? map;
        segments.push({ ...s, map });
    }
    return { ...delta, skipped: 0, segments, open: delta.open && { ...delta.open, map: delta.open.map ?? map } };
}

/** What may not change from one load to the next (6.2.1, 6.2.2). */
export function checkReload(before, after, wrong) {
    if (after.first < before.first) wrong('6.2.2', `EXT-X-MEDIA-SEQUENCE went from ${before.first} to ${after.first}`);
    if (after.target !== before.target) wrong('6.2.1', `EXT-X-TARGETDURATION went from ${before.target} to ${after.target}`);
    if (after.next < before.next) wrong('6.2.1', `segments went from the end: ${before.next} to ${after.next}`);
    const gone = before.segments.filter((s) => s.msn < after.first);
    const left = gone.filter((s) => s.discontinuity).length;
    if (after.first <= before.next && after.discontinuities !== before.discontinuities + left)
        wrong('6.2.2', `EXT-X-DISCONTINUITY-SEQUENCE went from ${before.discontinuities} to ${after.discontinuities}, ${left} left`);
    const byMsn = new Map([...before.segments, ...(before.open ? [before.open] : [])].map((s) => [s.msn, s]));
    for (const s of [...after.segments, ...(after.open ? [after.open] : [])]) {
        const was = byMsn.get(s.msn);
        if (!was) continue;
        for (const key of ['discontinuity', 'gap', 'wall']) if (was[key] !== s[key]) wrong('6.2.1', `${key} of segment ${s.msn} changed`);
        if (was.uri && (was.uri !== s.uri || was.duration !== s.duration || was.map !== s.map)) wrong('6.2.1', `segment ${s.msn} changed`);
        for (const [i, p] of was.parts.entries()) {
            if (s.parts.length > 0 && JSON.stringify(s.parts[i]) !== JSON.stringify(p)) wrong('6.2.1', `part ${p.uri} changed`);
        }
    }
}
