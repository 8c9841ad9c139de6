/** /login: log in, or make an account; then on to ?next=, a path of this site. */
import { useState } from 'react';
import { logIn, register } from '../api/account';
import { navigate, useQuery } from '../app/router';
import { t } from '../strings';
import { Banner, Button, TextField } from '../ui/controls';
import { useTitle } from '../ui/useTitle';
import { setAccount } from './account';
import { useSubmit } from './useSubmit';

/** Only a path of this site: anything else would be a way to lead people elsewhere. */
export function nextPath(next: string | null): string {
  return next && /^\/(?![/\\])/.test(next) ? next : '/streams';
}

export default function LoginPage() {
  const query = useQuery();
  const [isNew, setIsNew] = useState(query.has('new'));
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const title = isNew ? t.account.register : t.account.logIn;
  useTitle(title);
  const form = useSubmit(['username', 'password'], async () => {
    const account = await (isNew ? register : logIn)(username, password);
    setAccount(account);
    navigate(account.mustChangePassword ? '/account' : nextPath(query.get('next')), 'replace');
  });
  return (
    <form className="card stack form-page" onSubmit={form.onSubmit} data-testid="login-form">
      <div className="stack-tight">
        <h1>{title}</h1>
        <p className="soft">{t.account.loginLead}</p>
      </div>
      {form.problem() && <Banner tone="bad">{form.problem()}</Banner>}
      <TextField
        label={t.account.username}
        hint={isNew ? t.account.usernameHint : undefined}
        error={form.problem('username')}
        value={username}
        onChange={(e) => setUsername(e.target.value)}
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        maxLength={32}
        required
        name="username"
      />
      <TextField
        label={t.account.password}
        hint={isNew ? t.account.passwordHint : undefined}
        error={form.problem('password')}
        type="password"
        value={password}
        onChange={(e) => setPassword(e.target.value)}
        autoComplete={isNew ? 'new-password' : 'current-password'}
        minLength={isNew ? 8 : undefined}
        required
        name="password"
      />
      <Button look="primary" type="submit" disabled={form.busy}>
        {title}
      </Button>
      <Button look="ghost" onClick={() => setIsNew(!isNew)}>
        {isNew ? t.account.haveOne : t.account.haveNone}
      </Button>
    </form>
  );
}
