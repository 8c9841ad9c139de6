/** /users/:name: who somebody is, and what they show. */
import { useEffect, useState } from 'react';
import { fetchProfile, type Profile } from '../api/account';
import { ApiError } from '../api/ask';
import { streamsOf, type Stream } from '../api/streams';
import { hueOf, initials } from '../app/format';
import { followLink, pathTo } from '../app/router';
import { when } from '../streams/when';
import { t } from '../strings';
import { Banner, Spinner } from '../ui/controls';
import { useTitle } from '../ui/useTitle';
import './profile.css';

interface Shown {
  profile: Profile;
  streams: Stream[];
}

export default function ProfilePage({ name }: { name: string }) {
  const [shown, setShown] = useState<Shown | null>(null);
  const [problem, setProblem] = useState<'none' | 'down' | null>(null);
  useTitle(shown?.profile.displayName || name);
  useEffect(() => {
    let gone = false;
    const load = async () => {
      const profile = await fetchProfile(name);
      const streams = await streamsOf(profile.id);
      if (!gone) setShown({ profile, streams });
    };
    load().catch((e: unknown) => !gone && setProblem(e instanceof ApiError && e.status < 500 ? 'none' : 'down'));
    return () => {
      gone = true;
    };
  }, [name]);
  if (problem === 'down') return <Banner tone="warn">{t.home.serverDown}</Banner>;
  if (problem === 'none')
    return (
      <div className="centered">
        <h1>{t.profile.noSuch}</h1>
      </div>
    );
  if (!shown) return <Spinner label={t.app.loading} />;
  const { profile, streams } = shown;
  const title = profile.displayName || profile.username;
  return (
    <div className="stack profile">
      <header className="profile-head">
        <span
          className="profile-picture"
          style={{ '--hue': hueOf(profile.id) } as React.CSSProperties}
          aria-hidden="true"
        >
          {initials(title)}
        </span>
        <div className="stack-tight">
          <h1>{title}</h1>
          <span className="soft small">
            @{profile.username} · {t.profile.since(new Date(profile.createdAt).toLocaleDateString())}
          </span>
        </div>
      </header>
      {profile.about && <p className="profile-about">{profile.about}</p>}
      <Streams title={t.profile.live} streams={streams.filter((s) => s.status === 'live')} />
      <Streams
        title={t.profile.announced}
        streams={streams.filter((s) => s.status === 'scheduled' && s.scheduledAt)}
      />
      <Streams title={t.profile.past} streams={streams.filter((s) => s.status === 'ended')} />
      {streams.length === 0 && <p className="soft">{t.profile.nothing}</p>}
    </div>
  );
}

function Streams({ title, streams }: { title: string; streams: Stream[] }) {
  if (streams.length === 0) return null;
  return (
    <section className="stack-tight">
      <h2>{title}</h2>
      <ul className="profile-streams">
        {streams.map((s) => {
          const href = s.status === 'ended' ? s.recordingUrl : pathTo('watch', s.roomId);
          return (
            <li key={s.id} className="card">
              {href ? (
                <a href={href} onClick={followLink}>
                  <strong>{s.title}</strong>
                </a>
              ) : (
                <strong>{s.title}</strong>
              )}
              <span className="soft small nums">{when(s)}</span>
              {s.description && <p className="soft small">{s.description}</p>}
            </li>
          );
        })}
      </ul>
    </section>
  );
}
