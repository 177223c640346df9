import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { LoadingPlaceholder, useStyles2 } from '@grafana/ui';
import { Frame } from '../app/Frame';
import { useLoaded } from '../app/load';
import { Problem } from '../app/Problem';
import { useCycle } from '../dashboard/cycle';
import { alertsOf, fetchDashboard, listDashboards, type DashboardFile } from '../dashboard/sources';
import { DashboardCard } from './DashboardCard';
import { fetchState } from './state';
import { Summary } from './Summary';

const now = { from: 'now-5m', to: 'now' };

/** Lists the dashboards, each with the state of what it shows. */
export function HomePage() {
  const styles = useStyles2(getStyles);
  const { cycle } = useCycle(now, '5s');
  const files = useLoaded(listWithAlerts, []);
  const state = useLoaded(fetchState, [cycle]);
  return (
    <Frame title="Dashboards">
      {state.error !== undefined && <Problem text={state.error} title="The state is not known" />}
      {state.value && <Summary state={state.value} />}
      {files.error !== undefined && <Problem text={files.error} />}
      {!files.value && files.error === undefined && <LoadingPlaceholder text="Loading" />}
      <ul className={styles.cards}>
        {files.value?.map(({ file, alerts }) => (
          <DashboardCard
            key={file.file}
            file={file}
            firing={state.value?.alerts.filter(({ name }) => alerts.includes(name))}
          />
        ))}
      </ul>
    </Frame>
  );
}

/** A dashboard is about the alerts whose runbooks its panels link to. */
async function listWithAlerts(): Promise<Array<{ file: DashboardFile; alerts: string[] }>> {
  const files = await listDashboards();
  return Promise.all(
    files.map(async (file) => ({
      file,
      alerts: file.uid && !file.error ? alertsOf(await fetchDashboard(file.uid)) : [],
    }))
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  cards: css({
    display: 'grid',
    gridTemplateColumns: 'repeat(auto-fill, minmax(min(100%, 340px), 1fr))',
    gap: theme.spacing(2),
    margin: theme.spacing(2, 0),
    padding: 0,
    listStyle: 'none',
  }),
});
