/** Links to give away, and how the stream is doing. */
import { hlsPath } from '../api/livestreams';
import { bitrate } from '../app/format';
import { pathTo } from '../app/router';
import type { SendReading } from '../media/stats';
import { t } from '../strings';
import { Banner, CopyField } from '../ui/controls';

/** Every stream starts small and grows; only what lasts is worth a warning, ms. */
const LASTING_MS = 12_000;

export function ShareCard({ roomId, hlsUrl }: { roomId: string; hlsUrl: string | null }) {
  const absolute = (path: string) => new URL(path, window.location.href).href;
  return (
    <div className="card stack">
      <h2>{t.studio.share}</h2>
      <CopyField label={t.studio.watchLink} value={absolute(pathTo('watch', roomId))} />
      <CopyField label={t.studio.hlsLink} value={absolute(hlsUrl ?? hlsPath(roomId))} />
    </div>
  );
}

export function HealthCard({ stats }: { stats: SendReading | null }) {
  const lasting = stats !== null && stats.at - stats.limitedSince > LASTING_MS;
  const limit = lasting && stats.limitation ? t.studio.limited[stats.limitation] : undefined;
  return (
    <div className="card stack">
      <h2>{t.studio.health}</h2>
      <StatsGrid stats={stats} />
      {limit && <Banner tone="warn">{limit}</Banner>}
    </div>
  );
}

function StatsGrid({ stats }: { stats: SendReading | null }) {
  const s = t.studio;
  const none = '–';
  const rows: [string, string, string][] = [
    ['bitrate', s.bitrate, bitrate(stats?.bitrate ?? null)],
    ['fps', s.fps, stats?.fps == null ? none : String(Math.round(stats.fps))],
    ['resolution', s.resolution, stats?.width ? `${stats.width}×${stats.height}` : none],
    ['rtt', s.rtt, stats?.rttMs == null ? none : `${Math.round(stats.rttMs)} ms`],
    ['loss', s.loss, stats?.loss == null ? none : `${(stats.loss * 100).toFixed(1)} %`],
    ['codec', s.codecNow, stats?.codec ?? none],
  ];
  return (
    <dl className="stats" data-testid="stats">
      {rows.map(([key, label, value]) => (
        <div key={key} data-testid={`stat-${key}`}>
          <dt className="soft small">{label}</dt>
          <dd className="nums">{value}</dd>
        </div>
      ))}
    </dl>
  );
}
