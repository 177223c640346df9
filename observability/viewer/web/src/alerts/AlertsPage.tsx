import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { FilterPill, LoadingPlaceholder, useStyles2 } from '@grafana/ui';
import { Frame } from '../app/Frame';
import { useLoaded } from '../app/load';
import { setParams, useAddress } from '../app/location';
import { Problem } from '../app/Problem';
import { useCycle } from '../dashboard/cycle';
import { ruleGroups, type Rule, type RuleGroup } from '../prometheus/api';
import { AlertItem } from './AlertItem';

const now = { from: 'now-5m', to: 'now' };
const states = ['firing', 'pending', 'inactive'] as const;

/** Lists the alerts, those that fire first. */
export function AlertsPage() {
  const styles = useStyles2(getStyles);
  const { cycle } = useCycle(now, '5s');
  const { value: groups, error } = useLoaded(() => ruleGroups(), [cycle]);
  const wanted = useAddress().params.get('state');
  const alerts = sortedAlerts(groups ?? []);
  const shown = alerts.filter(({ rule }) => wanted === null || rule.state === wanted);
  return (
    <Frame title="Alerts">
      {error !== undefined && <Problem text={error} />}
      {!groups && error === undefined && <LoadingPlaceholder text="Loading" />}
      <div className={styles.pills}>
        <FilterPill
          label={`all ${alerts.length}`}
          selected={wanted === null}
          onClick={() => setParams({ state: null })}
        />
        {states.map((state) => (
          <FilterPill
            key={state}
            label={`${state} ${alerts.filter(({ rule }) => rule.state === state).length}`}
            selected={wanted === state}
            onClick={() => setParams({ state })}
          />
        ))}
      </div>
      <ul className={styles.list}>
        {shown.map(({ rule, group }) => (
          <AlertItem key={`${group} ${rule.name} ${rule.query}`} rule={rule} group={group} />
        ))}
      </ul>
      {groups && shown.length === 0 && <p>No alert is {wanted}.</p>}
    </Frame>
  );
}

function sortedAlerts(groups: RuleGroup[]): Array<{ rule: Rule; group: string }> {
  return groups
    .flatMap((group) => group.rules.map((rule) => ({ rule, group: group.name })))
    .filter(({ rule }) => rule.type === 'alerting')
    .sort((a, b) => rank(a.rule) - rank(b.rule) || a.rule.name.localeCompare(b.rule.name));
}

function rank({ state = 'inactive' }: Rule): number {
  return states.indexOf(state);
}

const getStyles = (theme: GrafanaTheme2) => ({
  pills: css({ display: 'flex', flexWrap: 'wrap', gap: theme.spacing(1) }),
  list: css({
    margin: theme.spacing(2, 0),
    padding: 0,
    listStyle: 'none',
    background: theme.colors.background.primary,
    border: `1px solid ${theme.colors.border.weak}`,
    borderRadius: theme.shape.radius.default,
    'li + li': { borderTop: `1px solid ${theme.colors.border.weak}` },
  }),
});
