/** One form: what it does when submitted, whether that is under way, and what the server said against it. */
import { useState, type FormEvent } from 'react';
import { ApiError } from '../api/ask';
import { t } from '../strings';

export interface Submit {
  busy: boolean;
  done: boolean;
  /** What is wrong with a field, or with the whole ('') */
  problem: (field?: string) => string | null;
  onSubmit: (e: FormEvent) => void;
}

/** fields: those that the form shows a problem at; all others are shown for the whole. */
export function useSubmit(fields: string[], action: () => Promise<void>): Submit {
  const [state, setState] = useState<'idle' | 'busy' | 'done'>('idle');
  const [error, setError] = useState<{ field: string; reason: string } | null>(null);
  const run = async () => {
    setState('busy');
    setError(null);
    try {
      await action();
      setState('done');
    } catch (e) {
      const field = e instanceof ApiError && e.field && fields.includes(e.field) ? e.field : '';
      const reason = e instanceof ApiError ? e.message : t.errors.server.unreachable;
      setError({ field, reason });
      setState('idle');
    }
  };
  return {
    busy: state === 'busy',
    done: state === 'done',
    problem: (field = '') => (error?.field === field ? error.reason : null),
    onSubmit: (e) => {
      e.preventDefault();
      if (state !== 'busy') void run();
    },
  };
}
