import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { Icon, useStyles2 } from '@grafana/ui';
import { useLoaded } from '../app/load';
import { hrefOf } from '../app/links';
import { PageLink } from '../app/PageLink';
import type { Dashboard, DashboardLink } from './model';
import { listDashboards, type DashboardFile } from './sources';

/** The links that the file has to other dashboards and pages. */
export function DashboardLinks({ dashboard }: { dashboard: Dashboard }) {
  const styles = useStyles2(getStyles);
  const { links = [] } = dashboard;
  const { value: files = [] } = useLoaded(async () => (links.length > 0 ? listDashboards() : []), [dashboard]);
  const targets = links.flatMap((link) => targetsOf(link, dashboard, files));
  return (
    targets.length > 0 && (
      <nav aria-label="Linked dashboards" className={styles.links}>
        {targets.map(({ href, title }) => (
          <PageLink key={href} href={href}>
            <Icon name="apps" size="sm" /> {title}
          </PageLink>
        ))}
      </nav>
    )
  );
}

function targetsOf(
  link: DashboardLink,
  here: Dashboard,
  files: DashboardFile[]
): Array<{ href: string; title: string }> {
  if (link.type === 'link') {
    return link.url ? [{ href: hrefOf(link.url), title: link.title ?? link.url }] : [];
  }
  return files
    .filter((file) => file.uid && file.uid !== here.uid && link.tags?.every((tag) => file.tags?.includes(tag)))
    .map((file) => ({ href: `/d/${file.uid}`, title: file.title ?? file.file }));
}

const getStyles = (theme: GrafanaTheme2) => ({
  links: css({
    display: 'flex',
    flexWrap: 'wrap',
    gap: theme.spacing(0.5, 2),
    marginLeft: 'auto',
    a: { color: theme.colors.text.secondary },
    'a:hover': { color: theme.colors.text.maxContrast },
  }),
});
