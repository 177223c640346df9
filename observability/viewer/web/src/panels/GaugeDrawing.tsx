import { formattedValueToString, getActiveThreshold, type FieldDisplay, type GrafanaTheme2 } from '@grafana/data';
import type { DrawingProps } from './drawing';
import { ValueRow, type ValueProps } from './ValueRow';
import { valueOptionsOf } from './values';

/** A dial for each value. Grafana's own is not in its components library. */
export function GaugeDrawing(props: DrawingProps) {
  const options = valueOptionsOf(props, { showThresholdMarkers: true });
  return (
    <ValueRow
      drawing={props}
      options={options}
      autoGrid
      draw={(value, theme) => <Dial {...value} theme={theme} markers={options.showThresholdMarkers} />}
    />
  );
}

// The dial begins at the lower left and ends at the lower right, clockwise.
const start = -120;
const sweep = 240;

function Dial({
  value,
  width,
  height,
  count,
  theme,
  markers,
}: ValueProps & { theme: GrafanaTheme2; markers: boolean }) {
  const { display } = value;
  const text = formattedValueToString(display);
  const name = count > 1 ? (display.title ?? value.name) : '';
  const share = shareOf(value, display.numeric);
  return (
    <svg width={width} height={height} viewBox="-60 -55 120 95" role="img" aria-label={`${name} ${text}`.trim()}>
      <path d={arc(0, 1, 44)} fill="none" strokeWidth={11} stroke={theme.colors.background.secondary} />
      {share > 0 && <path d={arc(0, share, 44)} fill="none" strokeWidth={11} stroke={display.color} />}
      {markers &&
        thresholdArcs(value).map(({ from, to, color }) => (
          <path
            key={from}
            d={arc(from, to, 53)}
            fill="none"
            strokeWidth={3}
            stroke={theme.visualization.getColorByName(color)}
          />
        ))}
      <text
        x={0}
        y={6}
        textAnchor="middle"
        fontSize={Math.min(24, 110 / text.length)}
        fontWeight={500}
        fill={display.color}
      >
        {text}
      </text>
      {name && (
        <text x={0} y={36} textAnchor="middle" fontSize={10} fill={theme.colors.text.secondary}>
          {name}
        </text>
      )}
    </svg>
  );
}

/** Where a number stands between the least (0) and the greatest (1). */
function shareOf({ field }: FieldDisplay, number: number): number {
  const [min, max] = [field.min ?? 0, field.max ?? 100];
  return Number.isFinite(number) ? Math.min(1, Math.max(0, (number - min) / (max - min))) : 0;
}

function thresholdArcs(value: FieldDisplay): Array<{ from: number; to: number; color: string }> {
  const steps = value.field.thresholds?.steps ?? [];
  const percentage = value.field.thresholds?.mode === 'percentage';
  const position = (number: number) => (percentage ? number / 100 : shareOf(value, number));
  const bounds = [0, ...steps.slice(1).map((step) => position(step.value)), 1];
  return steps
    .map((step, i) => ({
      from: bounds[i] ?? 0,
      to: bounds[i + 1] ?? 1,
      color: getActiveThreshold(step.value, steps).color,
    }))
    .filter(({ from, to }) => to > from);
}

function arc(from: number, to: number, radius: number): string {
  const [x1, y1] = point(from, radius);
  const [x2, y2] = point(to, radius);
  const large = (to - from) * sweep > 180 ? 1 : 0;
  return `M ${x1} ${y1} A ${radius} ${radius} 0 ${large} 1 ${x2} ${y2}`;
}

function point(share: number, radius: number): [number, number] {
  const angle = ((start + share * sweep) * Math.PI) / 180;
  return [radius * Math.sin(angle), -radius * Math.cos(angle)];
}
