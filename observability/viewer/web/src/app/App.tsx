import { createTheme, ThemeContext } from '@grafana/data';
import { GlobalStyles, PortalContainer } from '@grafana/ui';
import { useEffect, useMemo, type ReactNode } from 'react';
import { DashboardPage } from '../dashboard/DashboardPage';
import { HomePage } from '../home/HomePage';
import { Guard } from './Guard';
import { useAddress } from './location';

/** The whole app: a theme, and the page that the path names. */
export function App() {
  const { path, params } = useAddress();
  const mode = themeMode(params.get('theme'));
  const theme = useMemo(() => createTheme({ colors: { mode } }), [mode]);
  useEffect(() => {
    document.documentElement.style.colorScheme = mode;
  }, [mode]);
  return (
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <Guard on={[path]}>{page(path)}</Guard>
      <PortalContainer />
    </ThemeContext.Provider>
  );
}

function page(path: string): ReactNode {
  const [, first = '', second = ''] = path.split('/');
  switch (first) {
    case 'd':
      return <DashboardPage key={second} uid={second} />;
    default:
      return <HomePage />;
  }
}

/** What the address says, otherwise what the person's system prefers. */
export function themeMode(wanted: string | null): 'light' | 'dark' {
  if (wanted === 'light' || wanted === 'dark') {
    return wanted;
  }
  return window.matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark';
}
