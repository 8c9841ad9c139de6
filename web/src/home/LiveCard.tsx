import type { ActiveStream } from '../api/livestreams';
import { count, duration, hueOf, initials } from '../app/format';
import { followLink, pathTo } from '../app/router';
import { t } from '../strings';
import { Icon } from '../ui/Icon';

export function LiveCard({ stream, now }: { stream: ActiveStream; now: number }) {
  const { roomId, title, startedAt, viewerCount } = stream;
  const href = pathTo('watch', roomId);
  const age = now - startedAt;
  return (
    <article className="live-card" data-testid="live-card" data-room-id={roomId}>
      <a className="live-card-main" href={href} onClick={followLink}>
        <div
          className="live-card-poster"
          style={{ '--hue': hueOf(roomId) } as React.CSSProperties}
          aria-hidden="true"
        >
          <span className="live-card-initials">{initials(title)}</span>
          <span className="badge badge-live live-card-live">{t.live}</span>
          <span className="badge badge-shade live-card-viewers nums">
            <Icon name="eye" />
            {count(viewerCount)}
          </span>
          <span className="live-card-play">
            <Icon name="play" />
          </span>
        </div>
        <h3 className="live-card-title">{title}</h3>
      </a>
      <div className="live-card-meta soft small">
        <span className="nums">
          {t.home.viewers(count(viewerCount))}
          {startedAt > 0 && ` · ${age < 60_000 ? t.home.justStarted : t.home.liveFor(duration(age))}`}
        </span>
        <a
          className="live-card-hls"
          href={`${href}?mode=hls`}
          onClick={followLink}
          aria-label={t.home.overHlsLabel(title)}
        >
          {t.home.overHls}
        </a>
      </div>
    </article>
  );
}
