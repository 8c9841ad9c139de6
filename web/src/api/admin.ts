/** REST: what moderators and admins see and do. */
import { ask } from './ask';
import type { Account } from './account';

export type Role = Account['role'];

export interface User extends Account {
  disabled: boolean;
}

export interface Health {
  status: string;
  database: string;
  workers: { running: boolean; routers: number; load: number }[];
}

/** Answers also while the service is not well, which is no error here. */
export async function fetchHealth(): Promise<Health> {
  const response = await fetch('/healthz', { cache: 'no-store', signal: AbortSignal.timeout(5000) });
  const body = (await response.json()) as { status: string; database: string; perWorker?: Health['workers'] };
  return { status: body.status, database: body.database, workers: body.perWorker ?? [] };
}

export const USERS_PAGE = 50;

export const fetchUsers = async (prefix: string, offset: number) =>
  (
    await ask<{ users: User[] }>(
      'GET',
      `/api/admin/users?limit=${USERS_PAGE}&offset=${offset}${prefix ? `&prefix=${encodeURIComponent(prefix)}` : ''}`,
    )
  ).users;
export const makeUser = (username: string, password: string, role: Role) =>
  ask<unknown>('POST', '/api/admin/users', { username, password, role });
export const changeUser = (id: string, change: { role?: Role; disabled?: boolean }) =>
  ask<unknown>('PATCH', `/api/admin/users/${encodeURIComponent(id)}`, change);
