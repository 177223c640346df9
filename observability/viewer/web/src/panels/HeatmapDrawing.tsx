import { DashboardCursorSync } from '@grafana/data';
import { TooltipPlugin2, UPlotChart, useTheme2, VizLayout } from '@grafana/ui';
import { useMemo } from 'react';
import { setAbsoluteRange } from '../app/timeRange';
import { optionsOf, type DrawingProps } from './drawing';
import { HeatmapLegend } from './HeatmapLegend';
import { HeatmapTooltip } from './HeatmapTooltip';
import { colorScale } from './heatmapColors';
import { heatmapOf } from './heatmap';
import { heatmapPlot } from './heatmapPlot';
import { Marks } from './Marks';

const usual = {
  legend: { show: true },
  color: {
    scheme: 'Oranges',
    exponent: 0.5,
    reverse: false,
    min: undefined as number | undefined,
    max: undefined as number | undefined,
  },
  filterValues: { le: 1e-9 },
  cellGap: 1,
  cellValues: { unit: 'short' },
  yAxis: { unit: 'short' },
};

export type HeatmapOptions = typeof usual;

const legendHeight = 34;

/** Cells over time, coloured by how much is in a bucket: grid lines of the upper bounds at the left. */
export function HeatmapDrawing({ panel, frames, range, marks, width, height }: DrawingProps) {
  const theme = useTheme2();
  const options = useMemo(() => optionsOf(panel, usual), [panel]);
  const heatmap = useMemo(() => heatmapOf(frames), [frames]);
  const colors = useMemo(() => heatmap && colorScale(heatmap, options, theme), [heatmap, options, theme]);
  const config = useMemo(
    () => heatmap && colors && heatmapPlot(heatmap, colors, range, options, theme),
    [heatmap, colors, range, options, theme]
  );
  const data = useMemo(
    (): [number[], null[]] => [heatmap?.times ?? [], (heatmap?.times ?? []).map(() => null)],
    [heatmap]
  );
  if (!heatmap || !colors || !config) {
    return (
      <p>
        cannot draw this as a heatmap here: the query yields no buckets (series with the label le, as the format
        heatmap)
      </p>
    );
  }
  const plotHeight = options.legend.show ? height - legendHeight : height;
  return (
    <VizLayout width={width} height={height}>
      {() => (
        <div>
          <UPlotChart config={config} data={data} width={width} height={plotHeight}>
            <TooltipPlugin2
              config={config}
              hoverMode={0}
              clientZoom
              queryZoom={({ from, to }) => setAbsoluteRange(from, to)}
              syncMode={DashboardCursorSync.Crosshair}
              syncScope="dashboard"
              render={() => null}
            />
            <HeatmapTooltip config={config} heatmap={heatmap} options={options} />
            <Marks config={config} marks={marks} />
          </UPlotChart>
          {options.legend.show && <HeatmapLegend colors={colors} unit={options.cellValues.unit} />}
        </div>
      )}
    </VizLayout>
  );
}
