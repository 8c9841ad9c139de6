import { useEffect } from 'react';
import { t } from '../strings';

/** The tab's title. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = title === t.app.name ? title : `${title} · ${t.app.name}`;
  }, [title]);
}
