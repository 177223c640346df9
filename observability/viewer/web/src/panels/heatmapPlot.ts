import { formattedValueToString, getValueFormat, type GrafanaTheme2, type TimeRange } from '@grafana/data';
import { AxisPlacement, ScaleDirection, ScaleOrientation } from '@grafana/schema';
import { UPlotConfigBuilder } from '@grafana/ui';
import type uPlot from 'uplot';
import { bound, type Heatmap } from './heatmap';
import type { ColorScale } from './heatmapColors';
import type { HeatmapOptions } from './HeatmapDrawing';

/** A plot with time below, the buckets' bounds at the left, and a cell for each count. */
export function heatmapPlot(
  heatmap: Heatmap,
  colors: ColorScale,
  range: TimeRange,
  { cellGap, yAxis }: HeatmapOptions,
  theme: GrafanaTheme2
): UPlotConfigBuilder {
  const { bounds } = heatmap;
  const builder = new UPlotConfigBuilder('browser');
  builder.addScale({
    scaleKey: 'x',
    isTime: true,
    orientation: ScaleOrientation.Horizontal,
    direction: ScaleDirection.Right,
    range: () => [range.from.valueOf(), range.to.valueOf()],
  });
  builder.addScale({
    scaleKey: 'y',
    orientation: ScaleOrientation.Vertical,
    direction: ScaleDirection.Up,
    range: () => [0, bounds.length],
  });
  builder.addAxis({
    scaleKey: 'x',
    isTime: true,
    placement: AxisPlacement.Bottom,
    timeZone: 'browser',
    theme,
    grid: { show: false },
  });
  builder.addAxis({
    scaleKey: 'y',
    placement: AxisPlacement.Left,
    theme,
    grid: { show: false },
    splits: (plot) => legible(plot, bounds.length),
    values: (_, splits) => splits.map((split) => boundText(bounds[split - 1], yAxis.unit)),
  });
  builder.addSeries({ scaleKey: 'y', theme, pathBuilder: () => null, pointsBuilder: () => undefined });
  builder.addHook('drawClear', (plot) => drawCells(plot, heatmap, colors, cellGap));
  return builder;
}

/** The upper bound of a bucket as a person reads it. */
export function boundText(name: string | undefined, unit: string): string {
  if (name === undefined) {
    return '';
  }
  const value = bound(name);
  return value === Infinity ? '∞' : formattedValueToString(getValueFormat(unit)(value));
}

/** Every bound, or every second, third … where they would touch. */
function legible(plot: uPlot, bounds: number): number[] {
  const room = plot.bbox.height / devicePixelRatio / bounds;
  const stride = Math.max(1, Math.ceil(16 / room));
  return Array.from({ length: Math.floor(bounds / stride) }, (_, i) => (i + 1) * stride);
}

function drawCells(plot: uPlot, heatmap: Heatmap, colors: ColorScale, gap: number): void {
  const { ctx, bbox } = plot;
  const between = gap * devicePixelRatio;
  const row = bbox.height / heatmap.bounds.length;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  heatmap.times.forEach((time, column) => {
    const right = plot.valToPos(time, 'x', true);
    const left = plot.valToPos(time - heatmap.step, 'x', true);
    heatmap.counts.forEach((counts, bucket) => {
      const color = colors.color(counts[column] ?? 0);
      if (color !== undefined) {
        ctx.fillStyle = color;
        const top = bbox.top + bbox.height - (bucket + 1) * row;
        ctx.fillRect(left, top, Math.max(1, right - left - between), Math.max(1, row - between));
      }
    });
  });
  ctx.restore();
}
