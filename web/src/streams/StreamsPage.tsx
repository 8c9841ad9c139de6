/** /streams: one's own: made, planned, their keys, ended. */
import { useCallback, useEffect, useState } from 'react';
import { streamsOf, type Stream } from '../api/streams';
import { useAccount } from '../account/account';
import { navigate } from '../app/router';
import { t } from '../strings';
import { Banner, Button, Spinner } from '../ui/controls';
import { useTitle } from '../ui/useTitle';
import { NewStreamForm } from './NewStreamForm';
import { StreamCard } from './StreamCard';
import './streams.css';

export default function StreamsPage() {
  const account = useAccount();
  const [streams, setStreams] = useState<Stream[] | null>(null);
  const [down, setDown] = useState(false);
  const [making, setMaking] = useState(false);
  useTitle(t.streams.title);
  const userId = account?.id;
  const load = useCallback(async () => {
    if (!userId) return;
    try {
      setStreams(await streamsOf(userId));
      setDown(false);
    } catch {
      setDown(true);
    }
  }, [userId]);
  useEffect(() => {
    if (account === null) navigate('/login?next=/streams', 'replace');
    else void load();
  }, [account, load]);
  if (!account) return <Spinner label={t.app.loading} />;
  const made = async () => {
    setMaking(false);
    await load();
  };
  return (
    <div className="stack streams">
      <div className="row spread">
        <h1>{t.streams.title}</h1>
        {!making && (
          <Button look="primary" icon="plus" onClick={() => setMaking(true)} data-testid="new-stream">
            {t.streams.create}
          </Button>
        )}
      </div>
      <p className="soft">{t.streams.lead}</p>
      {making && <NewStreamForm onMade={() => void made()} onCancel={() => setMaking(false)} />}
      {down && <Banner tone="warn">{t.home.serverDown}</Banner>}
      {streams === null && !down && <Spinner label={t.app.loading} />}
      {streams?.length === 0 && !making && <p className="soft">{t.streams.none}</p>}
      {streams?.map((s) => (
        <StreamCard key={s.id} stream={s} onChanged={() => void load()} />
      ))}
    </div>
  );
}
