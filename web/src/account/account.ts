/** Who is logged in, for the whole app: undefined while that is being asked, null: nobody. */
import { useSyncExternalStore } from 'react';
import { fetchOwn, logOut as askToLogOut, type Account } from '../api/account';
import { ApiError } from '../api/ask';

/* That there is a session. Without it nobody asks, since browsers note each refusal as an error. */
const HINT = 'weir:logged-in';

let account: Account | null | undefined;
let asked = false;
const listeners = new Set<() => void>();

function hint(on?: boolean): boolean {
  try {
    if (on === true) localStorage.setItem(HINT, '1');
    if (on === false) localStorage.removeItem(HINT);
    return localStorage.getItem(HINT) !== null;
  } catch {
    return false;
  }
}

export function setAccount(next: Account | null): void {
  account = next;
  asked = true;
  hint(next !== null);
  for (const listener of listeners) listener();
}

async function load(): Promise<void> {
  asked = true;
  if (!hint()) {
    setAccount(null);
    return;
  }
  try {
    setAccount(await fetchOwn());
  } catch (e) {
    if (e instanceof ApiError && e.status === 401) setAccount(null);
    else setTimeout(() => void load(), 3000);
  }
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  if (!asked) void load();
  return () => listeners.delete(listener);
}

export function useAccount(): Account | null | undefined {
  return useSyncExternalStore(subscribe, () => account);
}

export async function logOut(everywhere: boolean): Promise<void> {
  try {
    await askToLogOut(everywhere);
  } catch (e) {
    /* A session that ended elsewhere is what was wanted. */
    if (!(e instanceof ApiError) || e.status !== 401) throw e;
  }
  setAccount(null);
}
