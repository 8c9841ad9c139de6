import { useCallback, useEffect, useState } from 'react';
import { useSubmit } from '../account/useSubmit';
import { ApiError } from '../api/ask';
import { USERS_PAGE, changeUser, fetchUsers, makeUser, type Role, type User } from '../api/admin';
import { followLink, pathTo } from '../app/router';
import { t } from '../strings';
import { Banner, Button, SelectField, TextField } from '../ui/controls';

const ROLES = (['user', 'moderator', 'admin'] as const).map((value) => ({ value, label: t.admin.roles[value] }));

export function Users({ own }: { own: string }) {
  const [prefix, setPrefix] = useState('');
  const [users, setUsers] = useState<User[]>([]);
  const [more, setMore] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const tell = (e: unknown) => setProblem(e instanceof ApiError ? e.message : t.errors.server.unreachable);
  const load = useCallback(async (from: string, offset: number) => {
    const page = await fetchUsers(from, offset);
    setUsers((before) => (offset === 0 ? page : [...before, ...page]));
    setMore(page.length === USERS_PAGE);
    setProblem(null);
  }, []);
  useEffect(() => {
    const timer = setTimeout(() => void load(prefix, 0).catch(tell), 200); // typing pauses
    return () => clearTimeout(timer);
  }, [prefix, load]);
  const change = (id: string, what: { role?: Role; disabled?: boolean }) =>
    void changeUser(id, what)
      .then(() => load(prefix, 0))
      .catch(tell);
  return (
    <section className="card stack" aria-labelledby="admin-users">
      <h2 id="admin-users">{t.admin.users}</h2>
      {problem && <Banner tone="bad">{problem}</Banner>}
      <TextField
        label={t.admin.search}
        value={prefix}
        onChange={(e) => setPrefix(e.target.value)}
        autoCapitalize="none"
        spellCheck={false}
        maxLength={32}
      />
      <ul className="admin-list">
        {users.map((u) => (
          <li key={u.id} data-testid="admin-user">
            <a href={pathTo('users', u.username)} onClick={followLink}>
              {u.username}
            </a>
            {u.disabled && <span className="badge">{t.admin.disabled}</span>}
            <select
              className="select admin-role"
              aria-label={t.admin.roleOf(u.username)}
              value={u.role}
              disabled={u.id === own}
              onChange={(e) => change(u.id, { role: e.target.value as Role })}
            >
              {ROLES.map((r) => (
                <option key={r.value} value={r.value}>
                  {r.label}
                </option>
              ))}
            </select>
            <Button
              small
              look="outline"
              disabled={u.id === own}
              onClick={() => change(u.id, { disabled: !u.disabled })}
            >
              {u.disabled ? t.admin.enable : t.admin.disable}
            </Button>
          </li>
        ))}
      </ul>
      {more && (
        <Button look="outline" onClick={() => void load(prefix, users.length).catch(tell)}>
          {t.admin.more}
        </Button>
      )}
      <NewUser onMade={() => void load(prefix, 0).catch(tell)} />
    </section>
  );
}

function NewUser({ onMade }: { onMade: () => void }) {
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const [role, setRole] = useState<Role>('user');
  const form = useSubmit(['username', 'password'], async () => {
    await makeUser(username, password, role);
    setUsername('');
    setPassword('');
    onMade();
  });
  return (
    <details className="admin-new">
      <summary>{t.admin.newUser}</summary>
      <form className="stack" onSubmit={form.onSubmit} data-testid="new-user-form">
        {form.problem() && <Banner tone="bad">{form.problem()}</Banner>}
        <TextField
          label={t.account.username}
          hint={t.account.usernameHint}
          error={form.problem('username')}
          value={username}
          onChange={(e) => setUsername(e.target.value)}
          autoCapitalize="none"
          spellCheck={false}
          maxLength={32}
          required
        />
        <TextField
          label={t.admin.firstPassword}
          hint={t.admin.firstPasswordHint}
          error={form.problem('password')}
          type="password"
          value={password}
          onChange={(e) => setPassword(e.target.value)}
          autoComplete="new-password"
          minLength={8}
          required
        />
        <SelectField label={t.admin.role} value={role} options={ROLES} onChange={setRole} />
        <Button look="primary" type="submit" disabled={form.busy}>
          {t.admin.newUser}
        </Button>
      </form>
    </details>
  );
}
