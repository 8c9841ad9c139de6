/** Who is live, and the ways in. */
import { useEffect, useState } from 'react';
import { announcedStreams, type Stream } from '../api/streams';
import { followLink, pathTo } from '../app/router';
import { when } from '../streams/when';
import { t } from '../strings';
import { Icon } from '../ui/Icon';
import { Banner, ButtonLink, Spinner } from '../ui/controls';
import { useNow } from '../ui/useNow';
import { useTitle } from '../ui/useTitle';
import { LiveCard } from './LiveCard';
import './home.css';
import { useActiveStreams } from './useActiveStreams';

export default function HomePage() {
  const { streams, down } = useActiveStreams();
  const now = useNow(1000, !!streams?.length);
  useTitle(t.app.name);

  return (
    <div className="home">
      <section className={`hero ${streams?.length ? 'hero-compact' : ''}`}>
        <Water />
        <h1>{t.home.title}</h1>
        <p className="soft">{t.home.lead}</p>
        <div className="row">
          <ButtonLink look="live" icon="live" href="/studio">
            {t.app.goLive}
          </ButtonLink>
          <ButtonLink look="outline" icon="people" href="/room">
            {t.home.startRoom}
          </ButtonLink>
        </div>
      </section>

      <section aria-labelledby="live-now" className="stack">
        <div className="row spread">
          <h2 id="live-now">{t.home.liveNow}</h2>
          {!!streams?.length && (
            <span className="badge nums">{t.home.someLive(streams.length)}</span>
          )}
        </div>
        {down && <Banner tone="warn">{t.home.serverDown}</Banner>}
        {streams === null && !down && (
          <div className="home-empty">
            <Spinner label={t.home.loading} />
          </div>
        )}
        {streams?.length === 0 && !down && <Nobody />}
        {!!streams?.length && (
          <div className="live-grid">
            {streams.map((s) => (
              <LiveCard key={s.id} stream={s} now={now} />
            ))}
          </div>
        )}
      </section>
      <Announced />
    </div>
  );
}

/** What is planned; nothing where nothing is. */
function Announced() {
  const [streams, setStreams] = useState<Stream[]>([]);
  useEffect(() => {
    let gone = false;
    announcedStreams().then(
      (all) => !gone && setStreams(all),
      () => undefined, // who is live says that the server is away
    );
    return () => {
      gone = true;
    };
  }, []);
  if (streams.length === 0) return null;
  return (
    <section aria-labelledby="announced" className="stack">
      <h2 id="announced">{t.home.announced}</h2>
      <ul className="announced">
        {streams.map((s) => (
          <li key={s.id}>
            <a className="card stack-tight" href={pathTo('watch', s.roomId)} onClick={followLink}>
              <strong>{s.title}</strong>
              <span className="soft small nums">{when(s)}</span>
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Water that comes down over steps. */
function Water() {
  return (
    <svg
      className="hero-water"
      viewBox="0 0 560 240"
      preserveAspectRatio="xMaxYMid slice"
      fill="none"
      stroke="currentColor"
      strokeLinecap="round"
      strokeWidth="5"
      aria-hidden="true"
    >
      {[0, 34, 68, 102].map((y, i) => (
        <path
          key={y}
          opacity={0.9 - i * 0.22}
          d={`M${120 - i * 40} ${20 + y}h110c52 0 44 62 96 62h70c52 0 44 62 96 62h200`}
        />
      ))}
    </svg>
  );
}

function Nobody() {
  return (
    <div className="home-empty" data-testid="nobody-live">
      <span className="home-empty-icon">
        <Icon name="live" />
      </span>
      <h3>{t.home.nobody}</h3>
      <p className="soft">{t.home.nobodyHint}</p>
      <ButtonLink look="primary" icon="camera" href="/studio">
        {t.app.goLive}
      </ButtonLink>
    </div>
  );
}
