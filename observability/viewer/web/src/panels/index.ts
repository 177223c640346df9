import type { ComponentType } from 'react';
import type { DrawingProps } from './drawing';
import { TimeSeriesDrawing } from './TimeSeriesDrawing';

/** What can be drawn, by the type of the panel. */
export const drawings: Record<string, ComponentType<DrawingProps>> = {
  timeseries: TimeSeriesDrawing,
};
