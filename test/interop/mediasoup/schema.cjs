// Reads mediasoup's message schemas (worker/fbs in its npm package): which fields a table has, of which type.
// Only the part of the schema language that these files use: namespace, table, enum, union.
'use strict';
const fs = require('node:fs');
const path = require('node:path');

const SCALARS = new Set(['bool', 'byte', 'ubyte', 'double', 'float',
    'int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32', 'uint64', 'float64']);

const camel = (name) => name.replace(/_([a-z0-9])/g, (_, c) => c.toUpperCase());
const kebab = (name) => name.replace(/([a-z])([A-Z])/g, '$1-$2').toLowerCase();

function parseField(text) {
    const m = /^(\w+)\s*:\s*(\[?)([\w.]+)\]?\s*(?:=\s*(\w+))?/.exec(text);
    if (!m) throw new Error(`cannot read the field "${text}"`);
    return { name: camel(m[1]), vector: m[2] === '[', typeName: m[3], nullable: m[4] === 'null' };
}

function parseBlock(kind, namespace, name, body, types) {
    const entries = body.split(kind === 'table' ? ';' : ',').map((s) => s.trim()).filter(Boolean);
    const type = { kind, name, namespace, full: `${namespace}.${name}` };
    if (kind === 'table') type.fields = entries.map(parseField);
    if (kind === 'enum') {
        type.values = new Map();
        let next = 0;
        for (const e of entries) {
            const [key, value] = e.split('=').map((s) => s.trim());
            if (value !== undefined) next = Number(value);
            type.values.set(next++, key);
        }
    }
    // A union's tag 0 is NONE.
    if (kind === 'union') {
        type.members = entries.map((e) => {
            const [tag, member] = e.split(':').map((s) => s.trim());
            return { tag, typeName: member ?? tag };
        });
    }
    types.set(type.full, type);
}

/* Types by full name, such as FBS.Transport.ListenInfo; fields and members refer to their types. */
function load(packageDir) {
    const folder = path.join(packageDir, 'worker', 'fbs');
    const types = new Map();
    for (const file of fs.readdirSync(folder).filter((f) => f.endsWith('.fbs'))) {
        const text = fs.readFileSync(path.join(folder, file), 'utf8').replace(/\/\/.*$/gm, '');
        const namespace = /namespace\s+([\w.]+)\s*;/.exec(text)?.[1] ?? '';
        for (const m of text.matchAll(/\b(table|enum|union)\s+(\w+)\s*(?::\s*\w+)?\s*\{([^}]*)\}/g)) {
            parseBlock(m[1], namespace, m[2], m[3], types);
        }
    }
    const resolve = (name, namespace) =>
        SCALARS.has(name) || name === 'string' ? { kind: 'scalar', name } : types.get(name) ?? types.get(`${namespace}.${name}`);
    for (const type of types.values()) {
        for (const part of type.fields ?? type.members ?? []) {
            part.type = resolve(part.typeName, type.namespace);
            if (!part.type) throw new Error(`${type.full} refers to ${part.typeName}, which is unknown`);
        }
    }
    return types;
}

/* The generated class of a table: for reading, or (with T) for building. */
function generatedClass(packageDir, type, suffix = '') {
    const module = kebab(type.namespace.replace(/^FBS\./, ''));
    return require(path.join(packageDir, 'node', 'lib', 'fbs', `${module}.js`))[type.name + suffix];
}

module.exports = { load, generatedClass, camel };
