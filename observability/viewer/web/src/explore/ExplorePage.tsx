import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { Button, useStyles2 } from '@grafana/ui';
import { useMemo, useState } from 'react';
import { Frame } from '../app/Frame';
import { useLoaded } from '../app/load';
import { setParams, useAddress } from '../app/location';
import { TimeControls } from '../app/TimeControls';
import { useRawRange } from '../app/timeRange';
import { DashboardContext, type OpenDashboard } from '../dashboard/context';
import { useCycle } from '../dashboard/cycle';
import { seconds } from '../dashboard/interval';
import type { Panel } from '../dashboard/model';
import { PanelBox } from '../dashboard/PanelBox';
import { fetchScrapeInterval } from '../dashboard/sources';
import { PromQLField } from './PromQLField';

/** Asks Prometheus whatever a person wants to know: as a graph and as a table. */
export default function ExplorePage() {
  const styles = useStyles2(getStyles);
  const { params } = useAddress();
  const asked = params.get('expr') ?? '';
  const [draft, setDraft] = useState(asked);
  const [known, setKnown] = useState(asked);
  if (asked !== known) {
    setKnown(asked); // another question came with the address, as by Back
    setDraft(asked);
  }
  const interval = params.get('refresh') ?? '';
  const { cycle, refresh } = useCycle(useRawRange(), interval);
  const { value: scrape } = useLoaded(fetchScrapeInterval, []);
  const open = useMemo(
    (): OpenDashboard => ({
      dashboard,
      cycle,
      scrape: seconds(scrape ?? '15s'),
      variables: [],
      values: new Map(),
      marks: [],
    }),
    [cycle, scrape]
  );
  const panels = useMemo(() => panelsOf(asked), [asked]);
  const run = (expr: string) => (expr === asked ? refresh() : setParams({ expr }));
  return (
    <Frame
      title="Explore"
      controls={
        <TimeControls
          range={cycle.range}
          interval={interval}
          onRefresh={refresh}
          onInterval={(chosen) => setParams({ refresh: chosen })}
        />
      }
    >
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          run(draft);
        }}
      >
        <PromQLField value={draft} onChange={setDraft} onRun={run} />
        <Button type="submit">Run query</Button>
      </form>
      {asked.trim() === '' ? (
        <p className={styles.hint}>
          Write a question in PromQL, such as <code>{example}</code>. Ctrl-Space lists what can stand here, Enter asks.
        </p>
      ) : (
        <DashboardContext value={open}>
          {panels.map((panel) => (
            <div key={panel.id} className={styles.panel}>
              <PanelBox panel={panel} />
            </div>
          ))}
        </DashboardContext>
      )}
    </Frame>
  );
}

const example = 'sum by (http_route) (rate(http_server_request_duration_seconds_count{via="direct"}[1m]))';
const dashboard = { uid: 'explore', title: 'Explore' };

function panelsOf(expr: string): Panel[] {
  const place = {
    gridPos: { x: 0, y: 0, w: 24, h: 12 },
    fieldConfig: { defaults: { custom: { fillOpacity: 5 } }, overrides: [] },
  };
  const legend = {
    showLegend: true,
    displayMode: 'table',
    placement: 'bottom',
    calcs: ['lastNotNull', 'min', 'max', 'mean'],
  };
  const organize = { id: 'organize', options: { excludeByName: { Time: true } } };
  return [
    {
      ...place,
      id: 1,
      type: 'timeseries',
      title: 'Graph',
      targets: [{ refId: 'A', expr }],
      options: { legend, tooltip: { mode: 'multi', sort: 'desc' } },
    },
    {
      ...place,
      id: 2,
      type: 'table',
      title: 'At the end of the range',
      targets: [{ refId: 'A', expr, format: 'table', instant: true }],
      transformations: [organize],
    },
  ];
}

const getStyles = (theme: GrafanaTheme2) => ({
  form: css({ display: 'flex', alignItems: 'flex-start', gap: theme.spacing(1) }),
  hint: css({ margin: theme.spacing(2, 0), color: theme.colors.text.secondary }),
  panel: css({ height: 420, marginTop: theme.spacing(1) }),
});
