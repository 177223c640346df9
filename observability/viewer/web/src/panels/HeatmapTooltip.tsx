import { css } from '@emotion/css';
import { dateTimeFormat, formattedValueToString, getValueFormat, type GrafanaTheme2 } from '@grafana/data';
import { useStyles2, VizTooltipContent, VizTooltipHeader, type UPlotConfigBuilder } from '@grafana/ui';
import { useLayoutEffect, useState } from 'react';
import type { HeatmapOptions } from './HeatmapDrawing';
import type { Heatmap } from './heatmap';
import { boundText } from './heatmapPlot';

interface Props {
  config: UPlotConfigBuilder;
  heatmap: Heatmap;
  options: HeatmapOptions;
}

/** Where the pointer is: pixels in the panel, and what they mean. */
interface Pointer {
  left: number;
  top: number;
  time: number;
  bucket: number;
  rightHalf: boolean;
}

/** The cell under the pointer. */
export function HeatmapTooltip({ config, heatmap, options }: Props) {
  const styles = useStyles2(getStyles);
  const pointer = usePointer(config);
  const column = pointer
    ? heatmap.times.findIndex((time) => pointer.time <= time && pointer.time > time - heatmap.step)
    : -1;
  if (!pointer || column < 0) {
    return null;
  }
  const { left, top, bucket, rightHalf } = pointer;
  const { unit } = options.yAxis;
  const lower = bucket === 0 ? '0' : boundText(heatmap.bounds[bucket - 1], unit);
  const count = heatmap.counts[bucket]?.[column] ?? 0;
  const value = formattedValueToString(getValueFormat(options.cellValues.unit)(count));
  return (
    <div
      className={styles.tooltip}
      style={{ top, left, transform: rightHalf ? 'translate(calc(-100% - 12px))' : 'translate(12px)' }}
    >
      <VizTooltipHeader item={{ label: '', value: dateTimeFormat(heatmap.times[column] ?? 0) }} />
      <VizTooltipContent items={[{ label: `${lower} to ${boundText(heatmap.bounds[bucket], unit)}`, value }]} />
    </div>
  );
}

function usePointer(config: UPlotConfigBuilder): Pointer | undefined {
  const [pointer, setPointer] = useState<Pointer>();
  useLayoutEffect(() => {
    config.addHook('init', (plot) => {
      plot.over.addEventListener('pointerleave', () => setPointer(undefined));
      plot.over.addEventListener('pointermove', ({ offsetX, offsetY }) =>
        setPointer({
          left: plot.over.offsetLeft + offsetX,
          top: plot.over.offsetTop + offsetY,
          time: plot.posToVal(offsetX, 'x'),
          bucket: Math.floor(plot.posToVal(offsetY, 'y')),
          rightHalf: offsetX > plot.over.clientWidth / 2,
        })
      );
    });
  }, [config]);
  return pointer;
}

const getStyles = (theme: GrafanaTheme2) => ({
  tooltip: css({
    position: 'absolute',
    zIndex: theme.zIndex.tooltip,
    pointerEvents: 'none',
    whiteSpace: 'nowrap',
    background: theme.colors.background.elevated,
    border: `1px solid ${theme.colors.border.weak}`,
    borderRadius: theme.shape.radius.default,
    boxShadow: theme.shadows.z2,
  }),
});
