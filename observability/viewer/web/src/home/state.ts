import { activeTargets, ruleGroups, type Rule, type Target } from '../prometheus/api';

/** What is known of the whole at a moment. */
export interface State {
  alerts: Rule[]; // those that fire or are about to, without those of severity none
  targets: Target[];
  blind: boolean; // no alert fires that always should: rules are not evaluated
}

/** Asks Prometheus for alerts and targets. */
export async function fetchState(): Promise<State> {
  const [groups, targets] = await Promise.all([ruleGroups(), activeTargets()]);
  const alerting = groups.flatMap((group) => group.rules).filter((rule) => rule.type === 'alerting');
  const heartbeats = alerting.filter((rule) => rule.labels['severity'] === 'none');
  return {
    alerts: alerting.filter((rule) => rule.state !== 'inactive' && !heartbeats.includes(rule)),
    targets,
    blind: heartbeats.length > 0 && heartbeats.every((rule) => rule.state !== 'firing'),
  };
}

/** The targets that cannot be read. */
export function down(targets: Target[]): Target[] {
  return targets.filter((target) => target.health === 'down');
}
