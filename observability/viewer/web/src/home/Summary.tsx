import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { Icon, useStyles2, type IconName } from '@grafana/ui';
import { PageLink } from '../app/PageLink';
import { down, type State } from './state';

/** Whether all is well, in one look. */
export function Summary({ state: { alerts, targets, blind } }: { state: State }) {
  const firing = alerts.filter((alert) => alert.state === 'firing');
  const lost = down(targets);
  return (
    <section aria-label="State" aria-live="polite" style={{ display: 'flex', flexWrap: 'wrap', gap: 16 }}>
      <Tile
        icon="bell"
        bad={firing.length > 0}
        href="/alerts"
        number={String(firing.length)}
        text={firing.length === 1 ? 'alert fires' : 'alerts fire'}
        detail={firing.map((alert) => alert.name).join(', ')}
      />
      <Tile
        icon="signal"
        bad={lost.length > 0}
        href="/d/telemetry-pipeline"
        number={`${targets.length - lost.length}/${targets.length}`}
        text="targets are up"
        detail={lost.map((target) => `${target.labels['job']}: ${target.lastError}`).join(', ')}
      />
      {blind && (
        <Tile
          icon="eye-slash"
          bad
          href="/alerts"
          number="0"
          text="heartbeats"
          detail="Watchdog does not fire: rules are not evaluated"
        />
      )}
    </section>
  );
}

interface TileProps {
  icon: IconName;
  bad: boolean;
  href: string;
  number: string;
  text: string;
  detail: string;
}

function Tile({ icon, bad, href, number, text, detail }: TileProps) {
  const styles = useStyles2(getStyles);
  return (
    <PageLink href={href} className={`${styles.tile} ${bad ? styles.bad : styles.good}`}>
      <Icon name={icon} size="xl" />
      <span className={styles.number}>{number}</span> {text}
      {detail && <span className={styles.detail}>{detail}</span>}
    </PageLink>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  tile: css({
    display: 'flex',
    flexWrap: 'wrap',
    alignItems: 'center',
    gap: theme.spacing(1),
    padding: theme.spacing(1.5, 2),
    background: theme.colors.background.primary,
    border: `1px solid ${theme.colors.border.weak}`,
    borderLeftWidth: 4,
    borderRadius: theme.shape.radius.default,
  }),
  good: css({ borderLeftColor: theme.colors.success.main, svg: { color: theme.colors.success.text } }),
  bad: css({ borderLeftColor: theme.colors.error.main, svg: { color: theme.colors.error.text } }),
  number: css({ fontSize: theme.typography.h3.fontSize }),
  detail: css({ color: theme.colors.text.secondary }),
});
