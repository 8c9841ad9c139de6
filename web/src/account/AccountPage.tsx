/** /account: profile, password, sessions. */
import { useEffect, useState } from 'react';
import { changePassword, changeProfile, type Account } from '../api/account';
import { navigate, pathTo } from '../app/router';
import { t } from '../strings';
import { Banner, Button, ButtonLink, Spinner, TextField } from '../ui/controls';
import { TextArea } from '../ui/TextArea';
import { useTitle } from '../ui/useTitle';
import { logOut, setAccount, useAccount } from './account';
import { useSubmit } from './useSubmit';

export default function AccountPage() {
  const account = useAccount();
  useTitle(t.account.title);
  useEffect(() => {
    if (account === null) navigate('/login?next=/account', 'replace');
  }, [account]);
  if (!account) return <Spinner label={t.app.loading} />;
  return (
    <div className="stack form-page">
      <div className="row spread">
        <h1>{t.account.title}</h1>
        <Button look="outline" small icon="leave" onClick={() => void logOut(false)} data-testid="log-out">
          {t.account.logOut}
        </Button>
      </div>
      {account.mustChangePassword ? (
        <Banner tone="warn">{t.account.mustChange}</Banner>
      ) : (
        <>
          <div className="row">
            <ButtonLink look="primary" small icon="live" href="/streams">
              {t.account.myStreams}
            </ButtonLink>
            <ButtonLink look="outline" small icon="person" href={pathTo('users', account.username)}>
              {t.account.viewProfile}
            </ButtonLink>
            {account.role !== 'user' && (
              <ButtonLink look="outline" small icon="people" href="/admin">
                {t.admin.title}
              </ButtonLink>
            )}
          </div>
          <ProfileForm account={account} />
        </>
      )}
      <PasswordForm />
      <section className="card stack">
        <h2>{t.account.sessions}</h2>
        <p className="soft">{t.account.sessionsHint}</p>
        <Button look="outline" onClick={() => void logOut(true)}>
          {t.account.logOutEverywhere}
        </Button>
      </section>
    </div>
  );
}

function ProfileForm({ account }: { account: Account }) {
  const [displayName, setDisplayName] = useState(account.displayName || account.username);
  const [about, setAbout] = useState(account.about);
  const form = useSubmit(['displayName', 'about'], async () => setAccount(await changeProfile(displayName, about)));
  return (
    <form className="card stack" onSubmit={form.onSubmit} data-testid="profile-form">
      <h2>{t.account.profile}</h2>
      {form.problem() && <Banner tone="bad">{form.problem()}</Banner>}
      <TextField
        label={t.account.displayName}
        hint={t.account.displayNameHint}
        error={form.problem('displayName')}
        value={displayName}
        onChange={(e) => setDisplayName(e.target.value)}
        autoComplete="nickname"
        maxLength={64}
        required
      />
      <TextArea
        label={t.account.about}
        hint={t.account.aboutHint}
        error={form.problem('about')}
        value={about}
        onChange={(e) => setAbout(e.target.value)}
        rows={4}
      />
      <Button look="primary" type="submit" disabled={form.busy} icon={form.done ? 'check' : undefined}>
        {form.done ? t.account.saved : t.account.save}
      </Button>
    </form>
  );
}

function PasswordForm() {
  const [current, setCurrent] = useState('');
  const [next, setNext] = useState('');
  const form = useSubmit(['currentPassword', 'newPassword'], async () => {
    setAccount(await changePassword(current, next));
    setCurrent('');
    setNext('');
  });
  return (
    <form className="card stack" onSubmit={form.onSubmit} data-testid="password-form">
      <h2>{t.account.changePassword}</h2>
      {form.problem() && <Banner tone="bad">{form.problem()}</Banner>}
      {form.done && <Banner>{t.account.passwordChanged}</Banner>}
      <TextField
        label={t.account.currentPassword}
        error={form.problem('currentPassword')}
        type="password"
        value={current}
        onChange={(e) => setCurrent(e.target.value)}
        autoComplete="current-password"
        required
      />
      <TextField
        label={t.account.newPassword}
        hint={t.account.passwordHint}
        error={form.problem('newPassword')}
        type="password"
        value={next}
        onChange={(e) => setNext(e.target.value)}
        autoComplete="new-password"
        minLength={8}
        required
      />
      <Button look="primary" type="submit" disabled={form.busy}>
        {t.account.changePassword}
      </Button>
    </form>
  );
}
