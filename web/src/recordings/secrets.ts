/** Secrets of recordings that were started in this browser: they are how their owner is known. */
import { recall, remember } from '../app/storage';

const key = (id: string) => `recording.${id}`;

export const secretOf = (id: string): string | null => recall(key(id));
export const keepSecret = (id: string, secret: string | null): void => remember(key(id), secret);
