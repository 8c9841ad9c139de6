/** Light, dark, or as the system says. public/theme.js applies the choice before the first paint. */
import { useState } from 'react';
import { recall, remember } from './storage';

export type Theme = 'system' | 'light' | 'dark';

const NEXT: Record<Theme, Theme> = { system: 'light', light: 'dark', dark: 'system' };

function stored(): Theme {
  const value = recall('theme');
  return value === 'light' || value === 'dark' ? value : 'system';
}

function apply(theme: Theme): void {
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  remember('theme', theme === 'system' ? null : theme);
}

export function useTheme(): [Theme, () => void] {
  const [theme, setTheme] = useState<Theme>(stored);
  return [
    theme,
    () => {
      const next = NEXT[theme];
      apply(next);
      setTheme(next);
    },
  ];
}
