/** /admin: how the service is, who is live, accounts. */
import { useEffect } from 'react';
import { useAccount } from '../account/account';
import { navigate } from '../app/router';
import { t } from '../strings';
import { Banner, Spinner } from '../ui/controls';
import { useTitle } from '../ui/useTitle';
import { LiveStreams } from './LiveStreams';
import { ServiceHealth } from './ServiceHealth';
import { Users } from './Users';
import './admin.css';

export default function AdminPage() {
  const account = useAccount();
  useTitle(t.admin.title);
  useEffect(() => {
    if (account === null) navigate('/login?next=/admin', 'replace');
  }, [account]);
  if (!account) return <Spinner label={t.app.loading} />;
  if (account.role === 'user') return <Banner tone="warn">{t.admin.onlyStaff}</Banner>;
  return (
    <div className="stack admin">
      <h1>{t.admin.title}</h1>
      <ServiceHealth />
      <LiveStreams />
      {account.role === 'admin' && <Users own={account.id} />}
    </div>
  );
}
