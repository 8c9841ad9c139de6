/** The few routes there are, and links between them without a reload. */
import { useSyncExternalStore, type MouseEvent } from 'react';

export type Route =
  | { page: 'home' }
  | { page: 'studio'; roomId: string | null }
  | { page: 'watch'; roomId: string | null }
  | { page: 'room'; roomId: string | null }
  | { page: 'recordings'; id: string | null }
  | { page: 'users'; name: string }
  | { page: 'login' | 'account' | 'streams' | 'admin' }
  | { page: 'unknown' };

export function parseRoute(pathname: string): Route {
  const parts = pathname.split('/').filter(Boolean);
  const [page, id, ...rest] = parts;
  if (page === undefined) return { page: 'home' };
  if (rest.length > 0) return { page: 'unknown' };
  if (id === undefined && (page === 'login' || page === 'account' || page === 'streams' || page === 'admin')) return { page };
  if (page !== 'studio' && page !== 'watch' && page !== 'room' && page !== 'recordings' && page !== 'users')
    return { page: 'unknown' };
  let roomId: string | null = null;
  try {
    roomId = id === undefined ? null : decodeURIComponent(id);
  } catch {
    return { page: 'unknown' };
  }
  if (page === 'users') return roomId ? { page, name: roomId } : { page: 'unknown' };
  return page === 'recordings' ? { page, id: roomId } : { page, roomId };
}

export function pathTo(page: 'studio' | 'watch' | 'room' | 'recordings' | 'users', roomId?: string): string {
  return roomId ? `/${page}/${encodeURIComponent(roomId)}` : `/${page}`;
}

const NAVIGATED = 'weir:navigated';

export function navigate(path: string, how: 'push' | 'replace' = 'push'): void {
  if (how === 'push') history.pushState(null, '', path);
  else history.replaceState(history.state, '', path);
  window.dispatchEvent(new Event(NAVIGATED));
  if (how === 'push') window.scrollTo(0, 0);
}

function subscribe(listener: () => void): () => void {
  window.addEventListener('popstate', listener);
  window.addEventListener(NAVIGATED, listener);
  return () => {
    window.removeEventListener('popstate', listener);
    window.removeEventListener(NAVIGATED, listener);
  };
}

const pathname = () => window.location.pathname;
const search = () => window.location.search;

export function usePathname(): string {
  return useSyncExternalStore(subscribe, pathname);
}

export function useQuery(): URLSearchParams {
  return new URLSearchParams(useSyncExternalStore(subscribe, search));
}

/** For <a onClick>: plain clicks stay in the app; new tabs and the like stay the browser's. */
export function followLink(event: MouseEvent<HTMLAnchorElement>): void {
  const { button, metaKey, ctrlKey, shiftKey, altKey } = event;
  if (event.defaultPrevented || button !== 0 || metaKey || ctrlKey || shiftKey || altKey) return;
  const link = event.currentTarget;
  if (link.target || link.origin !== window.location.origin) return;
  event.preventDefault();
  navigate(link.pathname + link.search);
}
