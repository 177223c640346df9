import { LegendDisplayMode, type VizLegendOptions } from '@grafana/schema';
import { TimeSeries } from '@grafana/ui';
import type { DrawingProps } from './drawing';

const noLegend: VizLegendOptions = {
  showLegend: false,
  displayMode: LegendDisplayMode.Hidden,
  placement: 'bottom',
  calcs: [],
};

/** Lines, bars and points over time. */
export function TimeSeriesDrawing({ panel, frames, range, width, height }: DrawingProps) {
  const legend = (panel.options?.['legend'] as VizLegendOptions | undefined) ?? noLegend;
  return (
    <TimeSeries frames={frames} timeRange={range} timeZone="browser" width={width} height={height} legend={legend} />
  );
}
