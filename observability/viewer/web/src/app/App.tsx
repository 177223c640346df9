import { createTheme, ThemeContext } from '@grafana/data';
import { GlobalStyles, PortalContainer } from '@grafana/ui';
import { lazy, Suspense, useEffect, useMemo, type ReactNode } from 'react';
import { AlertsPage } from '../alerts/AlertsPage';
import { DashboardPage } from '../dashboard/DashboardPage';
import { HomePage } from '../home/HomePage';
import { RunbookPage } from '../runbooks/RunbookPage';
import { Guard } from './Guard';
import { useAddress } from './location';

// Its editor is a large part of the app, which most people never open.
const ExplorePage = lazy(() => import('../explore/ExplorePage'));

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
      <Guard on={[path]}>
        <Suspense>{page(path)}</Suspense>
      </Guard>
      <PortalContainer />
    </ThemeContext.Provider>
  );
}

function page(path: string): ReactNode {
  const [, first = '', second = ''] = path.split('/');
  switch (first) {
    case 'd':
      return <DashboardPage key={second} uid={second} />;
    case 'explore':
      return <ExplorePage />;
    case 'alerts':
      return <AlertsPage />;
    case 'runbooks':
      return <RunbookPage name={second} />;
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
