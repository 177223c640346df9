import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { Badge, useStyles2 } from '@grafana/ui';
import { PageLink } from '../app/PageLink';
import type { DashboardFile } from '../dashboard/sources';
import type { Rule } from '../prometheus/api';

interface Props {
  file: DashboardFile;
  firing: Rule[] | undefined; // alerts that the dashboard is about; undefined while that is not known
}

/** One dashboard: what it shows, and whether that is well. */
export function DashboardCard({ file, firing }: Props) {
  const styles = useStyles2(getStyles);
  if (file.error !== undefined || !file.uid) {
    return (
      <li className={styles.card}>
        <h2 className={styles.title}>{file.file}</h2>
        <p className={styles.text}>{file.error}</p>
        <Badge color="red" icon="exclamation-triangle" text="cannot be opened" />
      </li>
    );
  }
  return (
    <li className={styles.card}>
      <h2 className={styles.title}>
        <PageLink href={`/d/${file.uid}`} className={styles.link}>
          {file.title ?? file.file}
        </PageLink>
      </h2>
      <p className={styles.text}>{file.description}</p>
      <div className={styles.badges}>
        {firing?.length === 0 && <Badge color="green" icon="check" text="no alert" />}
        {firing?.map((alert) => (
          <Badge
            key={alert.name}
            color={alert.state === 'firing' ? 'red' : 'orange'}
            icon="bell"
            text={`${alert.name} ${alert.state}`}
          />
        ))}
      </div>
    </li>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  card: css({
    position: 'relative',
    display: 'flex',
    flexDirection: 'column',
    gap: theme.spacing(1),
    padding: theme.spacing(2),
    background: theme.colors.background.primary,
    border: `1px solid ${theme.colors.border.weak}`,
    borderRadius: theme.shape.radius.default,
    '&:hover': { background: theme.colors.emphasize(theme.colors.background.primary, 0.03) },
  }),
  title: css({ margin: 0, fontSize: theme.typography.h4.fontSize }),
  // The whole card is the link.
  link: css({ '&::after': { content: '""', position: 'absolute', inset: 0 } }),
  text: css({ flexGrow: 1, margin: 0, color: theme.colors.text.secondary }),
  badges: css({ display: 'flex', flexWrap: 'wrap', gap: theme.spacing(1) }),
});
