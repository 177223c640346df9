import { DashboardCursorSync, EventBusSrv, type DataFrame } from '@grafana/data';
import { LegendDisplayMode, SortOrder, TooltipDisplayMode, type VizLegendOptions } from '@grafana/schema';
import { PanelContextProvider, TimeSeries } from '@grafana/ui';
import { useMemo } from 'react';
import { useDashboard } from '../dashboard/context';
import { optionsOf, type DrawingProps } from './drawing';
import { useVisibleSeries } from './legend';
import { Marks } from './Marks';
import { SeriesTooltip } from './SeriesTooltip';
import { useStructureRev } from './structure';

const usual = {
  legend: { showLegend: true, displayMode: LegendDisplayMode.List, placement: 'bottom', calcs: [] } as VizLegendOptions,
  tooltip: { mode: TooltipDisplayMode.Single, sort: SortOrder.None },
};

/** Lines, bars and points over time. */
export function TimeSeriesDrawing({ panel, frames, range, marks, width, height }: DrawingProps) {
  const { legend, tooltip } = optionsOf(panel, usual);
  const { dashboard } = useDashboard();
  const finite = useMemo(() => frames.map(withGaps), [frames]);
  const { frames: visible, toggle } = useVisibleSeries(panel.id, finite);
  const structureRev = useStructureRev(visible);
  const sync = dashboard.graphTooltip ? DashboardCursorSync.Crosshair : DashboardCursorSync.Off;
  const eventBus = useMemo(() => new EventBusSrv(), []);
  return (
    <PanelContextProvider
      value={{ eventsScope: 'dashboard', eventBus, sync: () => sync, onToggleSeriesVisibility: toggle }}
    >
      <TimeSeries
        frames={visible}
        structureRev={structureRev}
        timeRange={range}
        timeZone="browser"
        legend={legend}
        options={panel.options ?? {}}
        width={width}
        height={height}
      >
        {(config, aligned) => (
          <>
            <SeriesTooltip config={config} frame={aligned} tooltip={tooltip} sync={sync} />
            <Marks config={config} marks={marks} />
          </>
        )}
      </TimeSeries>
    </PanelContextProvider>
  );
}

/** NaN and the infinities are where a line has a gap. */
function withGaps(frame: DataFrame): DataFrame {
  const fields = frame.fields.map((field) =>
    field.type === 'number'
      ? { ...field, values: field.values.map((value: number) => (Number.isFinite(value) ? value : null)) }
      : field
  );
  return { ...frame, fields };
}
