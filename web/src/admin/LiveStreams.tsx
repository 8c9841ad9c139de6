import { useState } from 'react';
import { ApiError } from '../api/ask';
import { endStream } from '../api/streams';
import type { ActiveStream } from '../api/livestreams';
import { count } from '../app/format';
import { followLink, pathTo } from '../app/router';
import { useActiveStreams } from '../home/useActiveStreams';
import { t } from '../strings';
import { Banner, Button } from '../ui/controls';

export function LiveStreams() {
  const { streams } = useActiveStreams();
  const [problem, setProblem] = useState<string | null>(null);
  const end = async (s: ActiveStream) => {
    if (!confirm(t.admin.endSure(s.title))) return;
    try {
      await endStream(s.id);
      setProblem(null);
    } catch (e) {
      setProblem(e instanceof ApiError ? e.message : t.errors.server.unreachable);
    }
  };
  return (
    <section className="card stack" aria-labelledby="admin-streams">
      <h2 id="admin-streams">{t.admin.streams}</h2>
      {problem && <Banner tone="bad">{problem}</Banner>}
      {streams?.length === 0 && <p className="soft">{t.admin.noStreams}</p>}
      <ul className="admin-list">
        {streams?.map((s) => (
          <li key={s.id} data-testid="admin-stream">
            <a href={pathTo('watch', s.roomId)} onClick={followLink}>
              {s.title}
            </a>
            <span className="soft small nums">{t.home.viewers(count(s.viewerCount))}</span>
            <Button small look="outline" icon="stop" onClick={() => void end(s)}>
              {t.admin.end}
            </Button>
          </li>
        ))}
      </ul>
    </section>
  );
}
