// Accounts of a running service: JSON calls, log-ins, the first admin.
import { until } from './service.mjs';

/** Scrypt as cheap as it gets: what is tested is not its cost. */
export const cheap = { WEIR_ACCOUNTS_SCRYPT_COST: '10' };

/** One JSON request; answers {status, body, headers}. */
export async function call(service, method, path, body, headers = {}) {
    const response = await fetch(service.url + path, { method, redirect: 'manual', body: body === undefined ? undefined : JSON.stringify(body),
        headers: { ...(body === undefined ? {} : { 'Content-Type': 'application/json' }), ...headers } });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text && response.headers.get('content-type')?.startsWith('application/json') ? JSON.parse(text) : text };
}

export const bearer = (token) => ({ Authorization: `Bearer ${token}` });

/** A user of one's own: {id, token, username, password, headers}. */
export async function register(service, username, password = `${username} has a password`) {
    const { status, body, headers } = await call(service, 'POST', '/api/account/register', { username, password });
    if (status !== 201) throw new Error(`register ${username}: ${status} ${JSON.stringify(body)}`);
    return { id: body.user.id, token: body.token, username, password, headers: bearer(body.token), cookie: headers.get('set-cookie').split(';')[0] };
}

/** The admin of a fresh database, with another password than the one that was printed. */
export async function firstAdmin(service) {
    const printed = await until('the first admin', 10000, () => /Name\s+(\S+)\s+Password\s+(\S+)/.exec(service.log));
    const [, username, first] = printed;
    const login = await call(service, 'POST', '/api/account/login', { username, password: first });
    const password = 'another password of the admin';
    const changed = await call(service, 'POST', '/api/account/password', { currentPassword: first, newPassword: password }, bearer(login.body.token));
    if (changed.status !== 200) throw new Error(`the admin's password: ${changed.status} ${JSON.stringify(changed.body)}`);
    return { id: changed.body.user.id, token: changed.body.token, username, password, first, headers: bearer(changed.body.token), login };
}
