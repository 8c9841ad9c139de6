/** The frame, and which page stands in it. Each page's code comes when it is first shown. */
import { Suspense, lazy, useEffect, useRef } from 'react';
import { t } from '../strings';
import { Icon, Logo, type IconName } from '../ui/Icon';
import { Button, ButtonLink, Spinner } from '../ui/controls';
import { ErrorBoundary } from './ErrorBoundary';
import { followLink, parseRoute, usePathname, type Route } from './router';
import { useAccount } from '../account/account';
import { useTheme, type Theme } from './theme';

const HomePage = lazy(() => import('../home/HomePage'));
const StudioPage = lazy(() => import('../studio/StudioPage'));
const WatchPage = lazy(() => import('../watch/WatchPage'));
const RoomPage = lazy(() => import('../room/RoomPage'));
const LoginPage = lazy(() => import('../account/LoginPage'));
const AccountPage = lazy(() => import('../account/AccountPage'));
const StreamsPage = lazy(() => import('../streams/StreamsPage'));
const ProfilePage = lazy(() => import('../profile/ProfilePage'));
const AdminPage = lazy(() => import('../admin/AdminPage'));
const RecordingsPage = lazy(() => import('../recordings/RecordingsPage'));

const NAV: { page: Route['page']; href: string; label: string; icon: IconName }[] = [
  { page: 'home', href: '/', label: t.app.home, icon: 'live' },
  { page: 'watch', href: '/watch', label: t.app.watch, icon: 'play' },
  { page: 'room', href: '/room', label: t.app.room, icon: 'people' },
  { page: 'recordings', href: '/recordings', label: t.app.recordings, icon: 'clock' },
  { page: 'studio', href: '/studio', label: t.app.studio, icon: 'camera' },
];

const THEME_ICON: Record<Theme, IconName> = { system: 'auto', light: 'sun', dark: 'moon' };

export function App() {
  const pathname = usePathname();
  const route = parseRoute(pathname);
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);

  /* A new page starts at its beginning for keyboard and screen reader too. */
  useEffect(() => {
    if (first.current) first.current = false;
    else main.current?.focus();
  }, [route.page]);

  return (
    <div className={route.page === 'room' && route.roomId ? 'bare' : undefined}>
      <a className="btn btn-primary skip" href="#main">
        {t.app.skip}
      </a>
      <TopBar page={route.page} />
      <main id="main" className="main" ref={main} tabIndex={-1}>
        <ErrorBoundary key={route.page}>
          <Suspense fallback={<Loading />}>
            <Page route={route} />
          </Suspense>
        </ErrorBoundary>
      </main>
    </div>
  );
}

function TopBar({ page }: { page: Route['page'] }) {
  const [theme, nextTheme] = useTheme();
  return (
    <header className="topbar">
      <div className="topbar-inner">
        <a className="logo" href="/" onClick={followLink}>
          <Logo />
          {t.app.name}
        </a>
        <nav className="topnav" aria-label={t.app.nav}>
          {NAV.map((item) => (
            <a
              key={item.page}
              href={item.href}
              onClick={followLink}
              aria-current={item.page === page ? 'page' : undefined}
            >
              <Icon name={item.icon} />
              {item.label}
            </a>
          ))}
        </nav>
        <Button look="ghost" icon={THEME_ICON[theme]} label={t.app.theme[theme]} onClick={nextTheme} />
        <AccountLink page={page} />
        {page !== 'studio' && (
          <ButtonLink look="live" small icon="live" href="/studio">
            {t.app.goLive}
          </ButtonLink>
        )}
      </div>
    </header>
  );
}

function AccountLink({ page }: { page: Route['page'] }) {
  const account = useAccount();
  if (account === undefined) return null;
  const href = account ? '/account' : '/login';
  return (
    <ButtonLink
      look="ghost"
      small
      icon="person"
      href={href}
      className="account-link"
      label={account ? t.account.mine(account.displayName || account.username) : t.account.logIn}
      aria-current={page === 'account' || page === 'login' ? 'page' : undefined}
      data-testid="account-link"
    >
      <span className="account-name">{account ? account.displayName || account.username : t.account.logIn}</span>
    </ButtonLink>
  );
}

function Page({ route }: { route: Route }) {
  switch (route.page) {
    case 'home':
      return <HomePage />;
    case 'studio':
      return <StudioPage roomId={route.roomId} />;
    case 'watch':
      return <WatchPage key={route.roomId} roomId={route.roomId} />;
    case 'room':
      return <RoomPage roomId={route.roomId} />;
    case 'recordings':
      return <RecordingsPage key={route.id} id={route.id} />;
    case 'login':
      return <LoginPage />;
    case 'account':
      return <AccountPage />;
    case 'streams':
      return <StreamsPage />;
    case 'admin':
      return <AdminPage />;
    case 'users':
      return <ProfilePage key={route.name} name={route.name} />;
    case 'unknown':
      return (
        <div className="centered">
          <h1>{t.app.notFound}</h1>
          <p className="soft">{t.app.notFoundHint}</p>
          <ButtonLink look="primary" href="/">
            {t.app.backHome}
          </ButtonLink>
        </div>
      );
  }
}

function Loading() {
  return (
    <div className="centered">
      <Spinner label={t.app.loading} />
    </div>
  );
}
