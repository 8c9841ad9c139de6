// Between a table in flatbuffers and an object in Weir's JSON. The schema drives both ways; SHAPES holds the few tables
// whose shape differs in the two.
'use strict';
const { generatedClass } = require('./schema.cjs');
const { spell, unspell } = require('./spelling.cjs');

// A union of mediasoup's stands for one object in Weir, whose `type` chooses the member.
const LISTEN = { ListenIndividual: 'individual', ListenServer: 'server' };
const TRACE_INFO = {
    keyframe: 'KeyFrameTraceInfo', fir: 'FirTraceInfo', pli: 'PliTraceInfo', rtp: 'RtpTraceInfo', sr: 'SrTraceInfo',
    bwe: 'BweTraceInfo',
};
const PARAMETER = {
    Boolean: (v) => v.value !== 0, Integer32: (v) => v.value, Double: (v) => v.value, String: (v) => v.value,
    Integer32Array: (v) => v.value.join(','),
};
const RUSAGE = /^ru([A-Z])/;

function memberOfParameter(value) {
    if (typeof value === 'boolean') return ['Boolean', { value: value ? 1 : 0 }];
    if (typeof value === 'string') return ['String', { value }];
    return Number.isInteger(value) ? ['Integer32', { value }] : ['Double', { value }];
}

// JSON from what the plain reading gave.
const SHAPES_IN = {
    'FBS.RtpParameters.RtpCodecParameters': (o) => {
        if (!o.channels) delete o.channels; // mediasoup's library writes 0 for "not given"
    },
    'FBS.RtpParameters.RtcpFeedback': (o) => {
        if (!o.parameter) delete o.parameter;
    },
    'FBS.RtpParameters.RtpParameters': (o) => {
        for (const key of ['mid', 'msid']) if (!o[key]) delete o[key];
    },
    'FBS.RtpParameters.RtpEncodingParameters': (o) => {
        if (!o.rid) delete o.rid;
    },
    // mediasoup's worker takes any interval, and moves it into its bounds.
    'FBS.ActiveSpeakerObserver.ActiveSpeakerObserverOptions': (o) => {
        o.interval = Math.max(o.interval, 100);
    },
    'FBS.AudioLevelObserver.AudioLevelObserverOptions': (o) => {
        o.interval = Math.max(o.interval, 100);
    },
    'FBS.Transport.Options': (o) => {
        delete o.direct;
    },
};

// What the plain writing takes, from JSON.
const SHAPES_OUT = {
    'FBS.Transport.Dump': (o) => ({
        ...o,
        direct: o.type === 'direct',
        // Weir leaves them out as long as nothing is negotiated.
        sctpNegotiatedCapabilities: o.sctpNegotiatedCapabilities ?? (o.sctpParameters &&
            { negotiatedMaxOutboundStreams: 0, negotiatedMaxInboundStreams: 0 }),
    }),
    // Read without asking whether they are there.
    'FBS.RtpStream.Params': (o) => ({ ...o, rid: o.rid ?? '' }),
    'FBS.RtxStream.Params': (o) => ({ ...o, rrid: o.rrid ?? '' }),
    'FBS.RtpStream.RecvStats': (o) => ({
        ...o, bitrateByLayer: Object.entries(o.bitrateByLayer ?? {}).map(([layer, bitrate]) => ({ layer, bitrate })),
    }),
};

class Codec {
    constructor(packageDir, types) {
        this.packageDir = packageDir;
        this.types = types;
        this.classes = new Map();
    }

    classOf(type, suffix = '') {
        const key = type.full + suffix;
        let found = this.classes.get(key);
        if (!found) this.classes.set(key, found = generatedClass(this.packageDir, type, suffix));
        return found;
    }

    // ---- flatbuffers → JSON ----

    readTable(type, table) {
        const out = {};
        for (const field of type.fields) {
            const value = this.readField(field, table);
            if (value === null || value === undefined) continue;
            if (field.name === 'base') Object.assign(out, value);
            else out[field.name] = value;
        }
        SHAPES_IN[type.full]?.(out);
        return out;
    }

    readField({ name, type, vector }, table) {
        if (type.kind === 'union') return this.readUnion(name, type, table);
        if (!vector) return this.readValue(type, table[name]());
        if (name === 'data') return Buffer.from(table.dataArray()).toString('base64');
        const items = Array.from({ length: table[`${name}Length`]() }, (_, i) => this.readValue(type, table[name](i)));
        if (type.full !== 'FBS.RtpParameters.Parameter') return items;
        return Object.fromEntries(items.map((p) => [p.name, p.value]));
    }

    readValue(type, value) {
        if (value === null) return null;
        if (type.kind === 'enum') return spell(type, value);
        if (type.kind === 'table') return this.readTable(type, value);
        return typeof value === 'bigint' ? Number(value) : value;
    }

    readUnion(name, union, table) {
        const tag = table[`${name}Type`]();
        if (tag === 0) return null;
        const { type } = union.members[tag - 1];
        const value = this.readTable(type, table[name](new (this.classOf(type))()));
        if (union.full === 'FBS.RtpParameters.Value') return PARAMETER[type.name](value);
        if (union.full === 'FBS.WebRtcTransport.Listen') return { type: LISTEN[type.name], ...value };
        return value;
    }

    // ---- JSON → flatbuffers: an object of the generated T class, which packs itself ----

    build(type, json) {
        const from = SHAPES_OUT[type.full]?.(json) ?? json;
        const out = new (this.classOf(type, 'T'))();
        for (const field of type.fields) this.buildField(out, field, from, type);
        return out;
    }

    buildField(out, field, from, parent) {
        const { name, type, vector } = field;
        if (name === 'base') {
            out.base = this.build(type, from);
        } else if (type.kind === 'union') {
            this.buildUnion(out, name, type, from, parent);
        } else if (parent.full === 'FBS.Consumer.DumpResponse') {
            out.data = this.build(type, from);
        } else {
            const value = from[name] ?? from[name.replace(RUSAGE, (_, c) => `ru_${c.toLowerCase()}`)];
            if (value === undefined || value === null) return;
            out[name] = vector ? this.buildVector(name, type, value) : this.buildValue(type, value);
        }
    }

    buildVector(name, type, value) {
        if (name === 'data') return Buffer.from(value, 'base64');
        if (type.full === 'FBS.RtpParameters.Parameter') {
            return Object.entries(value).map(([key, v]) => this.build(type, { name: key, value: v }));
        }
        return value.map((item) => this.buildValue(type, item));
    }

    buildValue(type, value) {
        if (type.kind === 'enum') return unspell(type, value);
        if (type.kind === 'table') return this.build(type, value);
        return /int64$/.test(type.name) ? BigInt(Math.trunc(value)) : value;
    }

    buildUnion(out, name, union, from, parent) {
        const [member, value] = this.chooseMember(union, from, parent);
        const index = union.members.findIndex((m) => m.tag === member);
        if (index < 0) return;
        out[`${name}Type`] = index + 1;
        out[name] = this.build(union.members[index].type, value);
    }

    chooseMember(union, from, parent) {
        if (union.full === 'FBS.RtpParameters.Value') return memberOfParameter(from.value);
        if (union.name === 'TraceInfo') return [from.info ? TRACE_INFO[from.type] : '', from.info];
        if (union.full === 'FBS.RtpStream.StatsData') {
            // Stats within RecvStats or SendStats are the base; marked, since they have the same type as the whole.
            if (from.asBase) return ['BaseStats', from];
            return [from.type === 'inbound-rtp' ? 'RecvStats' : 'SendStats', { ...from, asBase: true }];
        }
        throw new Error(`no rule for ${union.full} in ${parent.full}`);
    }
}

module.exports = { Codec };
