import { useSyncExternalStore } from 'react';
import type { RoomSession, Snapshot } from './session';

const nothing = () => () => {};
const none = () => null;

/** The snapshot of a session, or null while there is none. */
export function useSession(session: RoomSession | null): Snapshot | null {
  return useSyncExternalStore(session?.subscribe ?? nothing, session?.getSnapshot ?? none);
}
