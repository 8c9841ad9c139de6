import { useEffect, useState } from 'react';
import { fetchHealth, type Health } from '../api/admin';
import { fetchActive } from '../api/livestreams';
import { t } from '../strings';
import { Banner, Spinner } from '../ui/controls';
import { Graph } from './Graph';

const EVERY_MS = 3000;
const SAMPLES = 100; // five minutes

interface Sample {
  load: number;
  viewers: number;
}

/** The newest state and the last samples, asked for while the page is there. */
function useHealth(): { health: Health | null; samples: Sample[]; down: boolean } {
  const [health, setHealth] = useState<Health | null>(null);
  const [samples, setSamples] = useState<Sample[]>([]);
  const [down, setDown] = useState(false);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    let gone = false;
    const look = async () => {
      try {
        const [now, streams] = await Promise.all([fetchHealth(), fetchActive()]);
        if (gone) return;
        const load = now.workers.reduce((sum, w) => sum + w.load, 0);
        const viewers = streams.reduce((sum, s) => sum + s.viewerCount, 0);
        setHealth(now);
        setSamples((before) => [...before.slice(1 - SAMPLES), { load, viewers }]);
        setDown(false);
      } catch {
        if (!gone) setDown(true);
      }
      if (!gone) timer = setTimeout(() => void look(), EVERY_MS);
    };
    void look();
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, []);
  return { health, samples, down };
}

export function ServiceHealth() {
  const { health, samples, down } = useHealth();
  if (!health) return down ? <Banner tone="bad">{t.home.serverDown}</Banner> : <Spinner label={t.app.loading} />;
  return (
    <section className="card stack" aria-labelledby="admin-service">
      <div className="row spread">
        <h2 id="admin-service">{t.admin.service}</h2>
        <span className="badge" data-testid="service-status">
          {t.admin.states[health.status] ?? health.status}
        </span>
      </div>
      {down && <Banner tone="bad">{t.home.serverDown}</Banner>}
      <dl className="admin-facts">
        <div>
          <dt>{t.admin.database}</dt>
          <dd>{health.database}</dd>
        </div>
        {health.workers.map((w, i) => (
          <div key={i} data-testid="worker">
            <dt>{t.admin.worker(i)}</dt>
            <dd className="nums">{w.running ? t.admin.workerLoad(w.load, w.routers) : t.admin.notRunning}</dd>
          </div>
        ))}
      </dl>
      <div className="admin-graphs">
        <Graph
          label={`${t.admin.load}, ${t.admin.lastMinutes}`}
          values={samples.map((s) => s.load)}
          capacity={SAMPLES}
        />
        <Graph
          label={`${t.admin.viewers}, ${t.admin.lastMinutes}`}
          values={samples.map((s) => s.viewers)}
          capacity={SAMPLES}
        />
      </div>
    </section>
  );
}
