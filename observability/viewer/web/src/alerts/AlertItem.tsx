import { css } from '@emotion/css';
import { dateTime, type GrafanaTheme2 } from '@grafana/data';
import { Badge, Icon, Tag, useStyles2, type BadgeColor } from '@grafana/ui';
import { useEffect, useRef } from 'react';
import { hrefOf } from '../app/links';
import { setParams, useAddress } from '../app/location';
import { PageLink } from '../app/PageLink';
import type { Rule } from '../prometheus/api';

const colors: Record<string, BadgeColor> = { firing: 'red', pending: 'orange', inactive: 'green' };
const severities: Record<string, BadgeColor> = { page: 'purple', ticket: 'blue' };

/** One alert: its state at once, all of it when it is opened. */
export function AlertItem({ rule, group }: { rule: Rule; group: string }) {
  const styles = useStyles2(getStyles);
  const opened = useAddress().params.getAll('open');
  const open = opened.includes(rule.name);
  const toggle = () => setParams({ open: open ? opened.filter((name) => name !== rule.name) : [...opened, rule.name] });
  const { state = 'inactive', annotations = {}, alerts = [] } = rule;
  const severity = rule.labels['severity'];
  const item = useScrolledTo(open);
  const heartbeat = severity === 'none';
  return (
    <li ref={item} className={styles.item} data-alert={rule.name}>
      <button type="button" className={styles.head} aria-expanded={open} onClick={toggle}>
        <Icon name={open ? 'angle-down' : 'angle-right'} />
        <Badge
          color={heartbeat && state === 'firing' ? 'blue' : (colors[state] ?? 'orange')}
          text={state}
          className={styles.state}
        />
        <strong>{rule.name}</strong>
        {severity && <Badge color={severities[severity] ?? 'darkgrey'} text={severity} />}
        <span className={styles.summary}>
          {alerts[0]?.annotations['summary'] ?? withoutTemplates(annotations['summary'])}
        </span>
      </button>
      {open && <Details rule={rule} group={group} />}
      {rule.health !== 'ok' && rule.lastError && <p role="alert">{rule.lastError}</p>}
    </li>
  );
}

/** Scrolls to an item that is wanted when the page is opened, as a link to one alert wants it. */
function useScrolledTo(wanted: boolean) {
  const item = useRef<HTMLLIElement>(null);
  const atFirst = useRef(wanted);
  useEffect(() => {
    if (atFirst.current) {
      item.current?.scrollIntoView({ block: 'center' });
    }
  }, []);
  return item;
}

function Details({ rule, group }: { rule: Rule; group: string }) {
  const styles = useStyles2(getStyles);
  const runbook = rule.annotations?.['runbook_url'];
  return (
    <div className={styles.details}>
      {rule.alerts?.map((alert) => (
        <div key={JSON.stringify(alert.labels)} className={styles.instance}>
          <p>{alert.annotations['description']}</p>
          <p className={styles.fact}>
            {alert.state} for {dateTime(alert.activeAt).fromNow(true)}, value {Number(alert.value).toPrecision(4)}
          </p>
          <Labels labels={alert.labels} />
        </div>
      ))}
      <pre>{rule.query}</pre>
      <p className={styles.fact}>
        Group {group}, fires after {rule.duration ?? 0} s.
      </p>
      <p className={styles.links}>
        {runbook && <PageLink href={hrefOf(runbook)}>Runbook</PageLink>}
        <PageLink href={`/explore?${new URLSearchParams({ expr: rule.query })}`}>Explore its query</PageLink>
      </p>
    </div>
  );
}

function Labels({ labels }: { labels: Rule['labels'] }) {
  return Object.entries(labels)
    .filter(([name]) => name !== 'alertname')
    .map(([name, value]) => <Tag key={name} name={`${name}=${value}`} colorIndex={9} />);
}

/** What a template would fill in is known only when the alert fires. */
function withoutTemplates(text = ''): string {
  return text.replace(/\{\{.*?\}\}/g, '…');
}

const getStyles = (theme: GrafanaTheme2) => ({
  item: css({ padding: theme.spacing(0.5, 1) }),
  head: css({
    display: 'flex',
    flexWrap: 'wrap',
    alignItems: 'center',
    gap: theme.spacing(1),
    width: '100%',
    padding: theme.spacing(0.75, 0),
    border: 0,
    background: 'none',
    textAlign: 'left',
  }),
  state: css({ minWidth: 68, justifyContent: 'center' }),
  summary: css({ color: theme.colors.text.secondary }),
  details: css({ padding: theme.spacing(0, 3, 1) }),
  instance: css({ marginBottom: theme.spacing(2), '& > p': { marginBottom: theme.spacing(0.5) } }),
  fact: css({ color: theme.colors.text.secondary }),
  links: css({ display: 'flex', gap: theme.spacing(2), margin: 0, a: { color: theme.colors.text.link } }),
});
