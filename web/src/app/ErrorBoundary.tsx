/** Keeps the frame alive when a page breaks, or when its code cannot be fetched. */
import { Component, type ReactNode } from 'react';
import { t } from '../strings';
import { Button } from '../ui/controls';

interface State {
  error: Error | null;
}

export class ErrorBoundary extends Component<{ children: ReactNode }, State> {
  override state: State = { error: null };

  static getDerivedStateFromError(error: Error): State {
    return { error };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (!error) return this.props.children;
    /* Browsers word it differently, but all say that it was about fetching or importing a module. */
    const stale = /import|module|fetch/i.test(error.message);
    return (
      <div className="centered" role="alert">
        <h1>{t.app.crashed}</h1>
        <p className="soft">{stale ? t.app.newVersion : t.app.crashedHint}</p>
        <Button look="primary" icon="refresh" onClick={() => window.location.reload()}>
          {t.app.reload}
        </Button>
      </div>
    );
  }
}
