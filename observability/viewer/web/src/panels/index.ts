import type { ComponentType } from 'react';
import { BarGaugeDrawing } from './BarGaugeDrawing';
import type { DrawingProps } from './drawing';
import { GaugeDrawing } from './GaugeDrawing';
import { HeatmapDrawing } from './HeatmapDrawing';
import { StatDrawing } from './StatDrawing';
import { TableDrawing } from './TableDrawing';
import { TextDrawing } from './TextDrawing';
import { TimeSeriesDrawing } from './TimeSeriesDrawing';

/** What can be drawn, by the type of the panel. */
export const drawings: Readonly<Record<string, ComponentType<DrawingProps>>> = {
  bargauge: BarGaugeDrawing,
  gauge: GaugeDrawing,
  heatmap: HeatmapDrawing,
  stat: StatDrawing,
  table: TableDrawing,
  text: TextDrawing,
  timeseries: TimeSeriesDrawing,
};
