import { BigValue, BigValueColorMode, BigValueGraphMode, BigValueJustifyMode, BigValueTextMode } from '@grafana/ui';
import type { DrawingProps } from './drawing';
import { ValueRow } from './ValueRow';
import { valueOptionsOf } from './values';

const usual = {
  colorMode: BigValueColorMode.Value,
  graphMode: BigValueGraphMode.Area,
  justifyMode: BigValueJustifyMode.Auto,
  textMode: BigValueTextMode.Auto,
};

/** Big numbers, with a small graph behind where wanted. */
export function StatDrawing(props: DrawingProps) {
  const options = valueOptionsOf(props, usual);
  const { colorMode, graphMode, justifyMode, textMode, text } = options;
  return (
    <ValueRow
      drawing={props}
      options={options}
      autoGrid
      sparkline={graphMode !== BigValueGraphMode.None}
      draw={({ value: { display, sparkline }, width, height, alignmentFactors, count }, theme) => (
        <BigValue
          value={display}
          {...(sparkline && { sparkline })}
          {...{ colorMode, graphMode, justifyMode, textMode, width, height, alignmentFactors, count, theme }}
          {...(text && { text })}
        />
      )}
    />
  );
}
