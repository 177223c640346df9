import type { RawTimeRange } from '@grafana/data';
import { LoadingPlaceholder } from '@grafana/ui';
import { useMemo } from 'react';
import { Frame } from '../app/Frame';
import { useLoaded } from '../app/load';
import { setParams, useAddress } from '../app/location';
import { Problem } from '../app/Problem';
import { TimeControls } from '../app/TimeControls';
import { rawRange } from '../app/timeRange';
import { useCycle } from './cycle';
import { DashboardContext } from './context';
import { Grid } from './Grid';
import { seconds } from './interval';
import { sections, type Dashboard } from './model';
import { fetchDashboard, fetchScrapeInterval } from './sources';
import { resolveVariables, valuesOf } from './variables';

/** Shows the dashboard with this uid. */
export function DashboardPage({ uid }: { uid: string }) {
  const file = useLoaded(() => Promise.all([fetchDashboard(uid), fetchScrapeInterval()]), [uid]);
  if (file.error !== undefined) {
    return (
      <Frame title="No such dashboard">
        <Problem text={file.error} />
      </Frame>
    );
  }
  if (!file.value) {
    return (
      <Frame title="Dashboard">
        <LoadingPlaceholder text="Loading" />
      </Frame>
    );
  }
  return <OpenDashboard dashboard={file.value[0]} scrape={seconds(file.value[1])} />;
}

function OpenDashboard({ dashboard, scrape }: { dashboard: Dashboard; scrape: number }) {
  const { params } = useAddress();
  const raw: RawTimeRange = rawRange(params, dashboard.time);
  const interval = params.get('refresh') ?? (dashboard.refresh || '');
  const { cycle, refresh } = useCycle(raw, interval);
  const wanted = [...params].filter(([name]) => name.startsWith('var-')).join('&');
  const variables = useLoaded(
    () => resolveVariables(dashboard.templating?.list ?? [], params, cycle.range),
    [dashboard, wanted, String(raw.from), String(raw.to)]
  );
  const context = useMemo(
    () =>
      variables.value && { dashboard, cycle, scrape, variables: variables.value, values: valuesOf(variables.value) },
    [dashboard, cycle, scrape, variables.value]
  );
  return (
    <Frame
      title={dashboard.title}
      controls={
        <TimeControls
          range={cycle.range}
          interval={interval}
          onRefresh={refresh}
          onInterval={(chosen) => setParams({ refresh: chosen })}
        />
      }
    >
      {context && (
        <DashboardContext value={context}>
          <Grid sections={sections(dashboard)} />
        </DashboardContext>
      )}
    </Frame>
  );
}
