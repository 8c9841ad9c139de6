// The OpenAPI document of a running service: operations, examples by schema, and whether an answer is what it says.
import assert from 'node:assert/strict';

export class OpenApi {
    static async load(url) {
        const api = new OpenApi();
        api.url = url;
        const response = await fetch(`${url}/api/openapi.json`);
        assert.equal(response.status, 200);
        api.document = await response.json();
        return api;
    }

    /** Every operation: {method, path, op}. */
    operations() {
        return Object.entries(this.document.paths).flatMap(([path, item]) =>
            Object.entries(item).map(([method, op]) => ({ method: method.toUpperCase(), path, op })));
    }

    resolve(schema) {
        if (!schema?.$ref) return schema;
        const found = this.document.components.schemas[schema.$ref.split('/').at(-1)];
        assert.ok(found, `${schema.$ref} is in the document`);
        return found;
    }

    bodySchema(op) {
        return this.resolve(op.requestBody?.content?.['application/json']?.schema);
    }

    /** The smallest thing that fits. */
    example(schema) {
        const s = this.resolve(schema);
        if (s.enum) return s.enum[0];
        if (s.type === 'object') return Object.fromEntries((s.required ?? []).map((k) => [k, this.example(s.properties[k])]));
        if (s.type === 'array') return Array.from({ length: s.minItems ?? 0 }, () => this.example(s.items));
        if (s.type === 'integer') return Math.max(s.minimum ?? 0, 0);
        if (s.type === 'number') return 0;
        if (s.type === 'boolean') return false;
        if (s.type === 'string') return 'a'.repeat(Math.max(s.minLength ?? 0, Math.min(12, s.maxLength ?? 12)));
        return {};
    }

    /** Problems of a value, as sentences. */
    problems(schema, value, at = 'answer') {
        const s = this.resolve(schema);
        if (!s || Object.keys(s).length === 0) return [];
        const types = s.type === undefined ? null : [s.type].flat();
        const type = value === null ? 'null' : Array.isArray(value) ? 'array' : Number.isInteger(value) ? 'integer' : typeof value;
        if (types && !types.includes(type) && !(type === 'integer' && types.includes('number'))) return [`${at} is ${type}, not ${types}`];
        if (s.enum && !s.enum.includes(value)) return [`${at} is ${value}`];
        const found = [];
        if (type === 'integer' && (value < (s.minimum ?? -Infinity) || value > (s.maximum ?? Infinity))) found.push(`${at} is ${value}`);
        if (type === 'array') value.forEach((v, i) => found.push(...this.problems(s.items, v, `${at}[${i}]`)));
        if (type === 'object') {
            for (const k of s.required ?? []) if (!(k in value)) found.push(`${at}.${k} is missing`);
            for (const [k, v] of Object.entries(value)) {
                if (s.properties && !(k in s.properties)) found.push(`${at}.${k} is not documented`);
                else if (s.properties) found.push(...this.problems(s.properties[k], v, `${at}.${k}`));
            }
        }
        return found;
    }

    /** Asks, and holds the answer against the document. params: of the path; body: text or a value. */
    async ask({ method, path, op }, { params = {}, query = '', body, headers = {} } = {}) {
        const url = this.url + path.replace(/\{(\w+)\}/g, (_, name) => params[name] ?? 'nothing') + query;
        const text = body === undefined || typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body);
        const response = await fetch(url, { method, body: text, redirect: 'manual',
            headers: { ...(text === undefined ? {} : { 'Content-Type': 'application/json' }), ...headers } });
        const what = `${method} ${path}${query}: ${response.status}`;
        const documented = op.responses[response.status];
        /* What has no end is not waited for. */
        const endless = response.headers.get('content-type')?.startsWith('text/event-stream');
        const answer = endless ? '' : await response.text();
        if (endless) await response.body.cancel();
        assert.ok(documented, `${what} is documented: ${answer.slice(0, 300)}`);
        const type = response.headers.get('content-type')?.split(';')[0];
        const json = documented.content?.['application/json'];
        let value;
        if (json && answer) {
            assert.equal(type, 'application/json', what);
            value = JSON.parse(answer);
            assert.deepEqual(this.problems(json.schema, value), [], what);
        } else if (!documented.content) {
            assert.equal(answer, '', `${what} has no body`);
        }
        if (response.status === 429 || response.status === 503 && !path.startsWith('/healthz'))
            assert.ok(Number(response.headers.get('retry-after')) > 0, `${what} says when to come again`);
        return { status: response.status, value, headers: response.headers };
    }
}
