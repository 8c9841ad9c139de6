/** REST: who one is. The session is a cookie that scripts cannot read. */
import { ask } from './ask';

export interface Profile {
  id: string;
  username: string;
  displayName: string;
  about: string;
  role: 'user' | 'moderator' | 'admin';
  /** ms since the epoch */
  createdAt: number;
}

export interface Account extends Profile {
  mustChangePassword: boolean;
}

type Answer = { user: Account };

export const logIn = async (username: string, password: string) =>
  (await ask<Answer>('POST', '/api/account/login', { username, password })).user;
export const register = async (username: string, password: string) =>
  (await ask<Answer>('POST', '/api/account/register', { username, password })).user;
export const logOut = (everywhere: boolean) => ask<unknown>('POST', '/api/account/logout', { everywhere });
export const changePassword = async (currentPassword: string, newPassword: string) =>
  (await ask<Answer>('POST', '/api/account/password', { currentPassword, newPassword })).user;
export const fetchOwn = async () => (await ask<Answer>('GET', '/api/account')).user;
export const changeProfile = async (displayName: string, about: string) =>
  (await ask<Answer>('PATCH', '/api/account', { displayName, about })).user;
export const fetchProfile = async (name: string) =>
  (await ask<{ user: Profile }>('GET', `/api/users/${encodeURIComponent(name)}`)).user;
