import { LoadingPlaceholder } from '@grafana/ui';
import { useMemo } from 'react';
import { Frame } from '../app/Frame';
import { useLoaded } from '../app/load';
import { setParams, useAddress } from '../app/location';
import { Problem } from '../app/Problem';
import { TimeControls } from '../app/TimeControls';
import { useRawRange } from '../app/timeRange';
import { loadMarks, prometheusAnnotations } from './annotations';
import { AnnotationSwitches, useShownAnnotations } from './AnnotationSwitches';
import { DashboardContext, type OpenDashboard } from './context';
import { useCycle, type Cycle } from './cycle';
import { DashboardLinks } from './DashboardLinks';
import { Grid } from './Grid';
import { seconds } from './interval';
import { sections, type Annotation, type Dashboard } from './model';
import { fetchDashboard, fetchScrapeInterval } from './sources';
import { VariableBar } from './VariableBar';
import { resolveVariables, valuesOf, type Variable } from './variables';

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
  return <LoadedDashboard dashboard={file.value[0]} scrape={seconds(file.value[1])} />;
}

function LoadedDashboard({ dashboard, scrape }: { dashboard: Dashboard; scrape: number }) {
  const { params } = useAddress();
  const interval = params.get('refresh') ?? (dashboard.refresh || '');
  const { cycle, refresh } = useCycle(useRawRange(dashboard.time), interval);
  const variables = useVariables(dashboard, cycle);
  const annotations = useMemo(() => prometheusAnnotations(dashboard.annotations?.list), [dashboard]);
  const open = useOpenDashboard(dashboard, cycle, scrape, variables, useShownAnnotations(annotations));
  const parts = useMemo(() => sections(dashboard), [dashboard]);
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
      bar={
        <>
          <VariableBar variables={variables ?? []} />
          <AnnotationSwitches annotations={annotations} />
          <DashboardLinks dashboard={dashboard} />
        </>
      }
    >
      {open && (
        <DashboardContext value={open}>
          <Grid sections={parts} />
        </DashboardContext>
      )}
    </Frame>
  );
}

/** The variables as the address has them; resolved anew when another value or range is chosen. */
function useVariables(dashboard: Dashboard, cycle: Cycle): Variable[] | undefined {
  const { params } = useAddress();
  const wanted = [...params].filter(([name]) => /^(var-.*|from|to)$/.test(name)).join('&');
  return useLoaded(() => resolveVariables(dashboard.templating?.list ?? [], params, cycle.range), [dashboard, wanted])
    .value;
}

function useOpenDashboard(
  dashboard: Dashboard,
  cycle: Cycle,
  scrape: number,
  variables: Variable[] | undefined,
  annotations: Annotation[]
): OpenDashboard | undefined {
  const values = useMemo(() => variables && valuesOf(variables), [variables]);
  const { value: marks } = useLoaded(
    async () =>
      (await Promise.all(annotations.map((one) => loadMarks(one, cycle, values ?? new Map(), scrape)))).flat(),
    [annotations, cycle, values]
  );
  return useMemo(
    () => (variables && values ? { dashboard, cycle, scrape, variables, values, marks: marks ?? [] } : undefined),
    [dashboard, cycle, scrape, variables, values, marks]
  );
}
