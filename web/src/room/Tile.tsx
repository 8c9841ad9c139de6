/** One picture of the grid: a peer's camera, a screen, or oneself. */
import { hueOf, initials } from '../app/format';
import { TrackVideo } from '../media/TrackVideo';
import { t } from '../strings';
import { Icon } from '../ui/Icon';

interface TileProps {
  peerId: string;
  name: string;
  track: MediaStreamTrack | null;
  muted?: boolean;
  speaking?: boolean;
  kind: 'peer' | 'local' | 'screen';
}

const TEST_IDS = { peer: 'tile', local: 'local-tile', screen: 'screen-tile' };

export function Tile({ peerId, name, track, muted, speaking, kind }: TileProps) {
  return (
    <figure
      className={`tile tile-${kind} ${speaking ? 'tile-speaking' : ''}`}
      data-testid={TEST_IDS[kind]}
      data-peer-id={peerId}
      data-speaking={speaking || undefined}
    >
      <TrackVideo track={track} aria-label={name} className={track ? '' : 'tile-hidden'} />
      {!track && (
        <div
          className="tile-face"
          style={{ '--hue': hueOf(peerId) } as React.CSSProperties}
          aria-hidden="true"
        >
          <span>{initials(name)}</span>
        </div>
      )}
      <figcaption className="tile-name badge badge-shade">
        {muted && kind !== 'screen' && (
          <>
            <Icon name="micOff" />
            <span className="sr-only">{t.room.muted}</span>
          </>
        )}
        <span className="truncate">{name}</span>
        {speaking && <span className="sr-only">{t.room.speaking}</span>}
      </figcaption>
    </figure>
  );
}
