// A stream of an account, that may be broadcast with its key.
import { call, register } from './account.mjs';

/** {id, key, room, owner} of a new stream; `ended`: one that is over. The service is to have cheap passwords (account.mjs). */
export async function streamWithKey(service, { ended = false } = {}) {
    const owner = service.streamer ??= await register(service, 'streamer');
    const { status, body } = await call(service, 'POST', '/api/livestream/create', { title: 'By WHIP' }, owner.headers);
    if (status !== 201) throw new Error(`create: ${status} ${JSON.stringify(body)}`);
    if (ended) await call(service, 'POST', `/api/livestream/${body.streamId}/end`, {}, owner.headers);
    return { id: body.streamId, key: body.streamKey, room: body.streamId, owner };
}
