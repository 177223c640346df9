import type { GrafanaTheme2 } from '@grafana/data';
import * as schemes from 'd3-scale-chromatic';
import type { HeatmapOptions } from './HeatmapDrawing';
import { extent, type Heatmap } from './heatmap';

/** Colours for counts from min to max. */
export interface ColorScale {
  min: number;
  max: number;
  /** Undefined for a count that is left out. */
  color: (count: number) => string | undefined;
}

const steps = 64;

/** The colours of Grafana's heatmaps: a scheme of d3, whose dark end is for few on dark pages. */
export function colorScale(
  heatmap: Heatmap,
  { color, filterValues }: HeatmapOptions,
  theme: GrafanaTheme2
): ColorScale {
  const [least, greatest] = extent(heatmap, filterValues.le);
  const min = color.min ?? least;
  const max = color.max ?? greatest;
  const palette = Array.from({ length: steps }, (_, i) => paint(color, theme)(i / (steps - 1)));
  return {
    min,
    max,
    color: (count) => {
      if (!(count > filterValues.le)) {
        return undefined;
      }
      const share = max > min ? Math.min(1, Math.max(0, (count - min) / (max - min))) : 1;
      return palette[Math.round(share ** color.exponent * (steps - 1))];
    },
  };
}

function paint({ scheme, reverse }: HeatmapOptions['color'], theme: GrafanaTheme2): (share: number) => string {
  const named = (schemes as unknown as Record<string, (share: number) => string>)[`interpolate${scheme}`];
  const interpolate = named ?? schemes.interpolateOranges;
  const inverted = theme.isDark !== reverse;
  return (share) => interpolate(inverted ? 1 - share : share);
}
