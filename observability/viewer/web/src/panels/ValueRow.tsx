import {
  getDisplayValueAlignmentFactors,
  type DisplayValueAlignmentFactors,
  type FieldDisplay,
  type GrafanaTheme2,
} from '@grafana/data';
import { useTheme2, VizRepeater, type VizRepeaterRenderValueProps } from '@grafana/ui';
import type { ReactElement } from 'react';
import { useDashboard } from '../dashboard/context';
import type { DrawingProps } from './drawing';
import { displayValues, type ValueOptions } from './values';

/** One value and the room for it. */
export type ValueProps = VizRepeaterRenderValueProps<FieldDisplay, DisplayValueAlignmentFactors>;

interface Props {
  drawing: DrawingProps;
  options: ValueOptions;
  sparkline?: boolean;
  autoGrid?: boolean;
  minHeight?: number;
  draw: (value: ValueProps, theme: GrafanaTheme2) => ReactElement;
}

/** Draws each value of the panel, side by side or below one another. */
export function ValueRow({ drawing, options, sparkline = false, autoGrid = false, minHeight = 0, draw }: Props) {
  const theme = useTheme2();
  const { values } = useDashboard();
  return (
    <VizRepeater<FieldDisplay, DisplayValueAlignmentFactors>
      source={drawing.frames}
      renderCounter={0}
      getValues={() => displayValues(drawing, options.reduceOptions, sparkline, values, theme)}
      getAlignmentFactors={getDisplayValueAlignmentFactors}
      renderValue={(value) => draw(value, theme)}
      orientation={options.orientation}
      width={drawing.width}
      height={drawing.height}
      autoGrid={autoGrid}
      minVizHeight={minHeight}
    />
  );
}
