import { VizOrientation } from '@grafana/data';
import { BarGaugeDisplayMode, BarGaugeNamePlacement, BarGaugeValueMode } from '@grafana/schema';
import { BarGauge } from '@grafana/ui';
import type { DrawingProps } from './drawing';
import { ValueRow } from './ValueRow';
import { valueOptionsOf } from './values';

const usual = {
  displayMode: BarGaugeDisplayMode.Gradient,
  showUnfilled: true,
  valueMode: BarGaugeValueMode.Color,
  namePlacement: BarGaugeNamePlacement.Auto,
};

/** A bar for each value. */
export function BarGaugeDrawing(props: DrawingProps) {
  const options = valueOptionsOf(props, usual);
  const { displayMode, showUnfilled, valueMode, namePlacement, text } = options;
  return (
    <ValueRow
      drawing={props}
      options={options}
      minHeight={options.orientation === VizOrientation.Horizontal ? 16 : 75}
      draw={({ value: { display, field, view, colIndex }, width, height, orientation, alignmentFactors }, theme) => {
        const processor = colIndex === undefined ? undefined : view?.getFieldDisplayProcessor(colIndex);
        return (
          <BarGauge
            value={display}
            {...{ field, width, height, orientation, alignmentFactors, theme }}
            {...{ displayMode, showUnfilled, namePlacement, valueDisplayMode: valueMode }}
            {...(processor && { display: processor })}
            {...(text && { text })}
          />
        );
      }}
    />
  );
}
