import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import { useEffect, type ReactNode } from 'react';
import { PageLink } from './PageLink';
import { ThemeSwitch } from './ThemeSwitch';

interface Props {
  title: string;
  controls?: ReactNode; // beside the title
  bar?: ReactNode; // below it
  children: ReactNode;
}

const pages = [
  ['/', 'Dashboards'],
  ['/explore', 'Explore'],
  ['/alerts', 'Alerts'],
] as const;

/** What every page has around it: the way to the other pages, its title and its controls. */
export function Frame({ title, controls, bar, children }: Props) {
  const styles = useStyles2(getStyles);
  useEffect(() => {
    document.title = title;
  }, [title]);
  return (
    <>
      <header className={styles.header}>
        <nav aria-label="Pages" className={styles.pages}>
          {pages.map(([href, name]) => (
            <PageLink key={href} href={href} aria-current={window.location.pathname === href ? 'page' : undefined}>
              {name}
            </PageLink>
          ))}
        </nav>
        <h1 className={pages.some(([, name]) => name === title) ? styles.spoken : styles.title}>{title}</h1>
        <div className={styles.gap} />
        <div className={styles.controls}>{controls}</div>
        <ThemeSwitch />
      </header>
      {bar && <div className={styles.bar}>{bar}</div>}
      <main className={styles.main}>{children}</main>
    </>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  header: css({
    position: 'sticky',
    top: 0,
    zIndex: theme.zIndex.navbarFixed,
    display: 'flex',
    flexWrap: 'wrap',
    alignItems: 'center',
    gap: theme.spacing(1, 2),
    padding: theme.spacing(1, 2),
    background: theme.colors.background.primary,
    borderBottom: `1px solid ${theme.colors.border.weak}`,
  }),
  pages: css({
    display: 'flex',
    gap: theme.spacing(2),
    a: { color: theme.colors.text.secondary, padding: theme.spacing(0.5, 0) },
    'a[aria-current], a:hover': { color: theme.colors.text.maxContrast },
    'a[aria-current]': { boxShadow: `0 2px 0 ${theme.colors.warning.main}` },
  }),
  title: css({
    margin: 0,
    fontSize: theme.typography.h4.fontSize,
    lineHeight: theme.typography.h4.lineHeight,
  }),
  // The way to the page says it already to those who see.
  spoken: css({ position: 'absolute', width: 1, height: 1, margin: 0, overflow: 'hidden', clipPath: 'inset(50%)' }),
  gap: css({ flexGrow: 1 }),
  controls: css({ display: 'flex', flexWrap: 'wrap', alignItems: 'center', gap: theme.spacing(1) }),
  bar: css({
    display: 'flex',
    flexWrap: 'wrap',
    alignItems: 'center',
    gap: theme.spacing(1, 2),
    padding: theme.spacing(1, 2, 0),
  }),
  main: css({ padding: theme.spacing(2) }),
});
