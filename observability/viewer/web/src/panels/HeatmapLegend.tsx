import { css } from '@emotion/css';
import { formattedValueToString, getValueFormat, type GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import type { ColorScale } from './heatmapColors';

const samples = 24;

/** What the colours of a heatmap mean. */
export function HeatmapLegend({ colors: { min, max, color }, unit }: { colors: ColorScale; unit: string }) {
  const styles = useStyles2(getStyles);
  const text = (value: number) => formattedValueToString(getValueFormat(unit)(value));
  const shades = Array.from(
    { length: samples },
    (_, i) => color(min + ((max - min) * i) / (samples - 1)) ?? 'transparent'
  );
  return (
    <div className={styles.legend}>
      <span>{text(min)}</span>
      <span className={styles.bar} style={{ background: `linear-gradient(to right, ${shades.join(', ')})` }} />
      <span>{text(max)}</span>
    </div>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  legend: css({
    display: 'flex',
    alignItems: 'center',
    gap: theme.spacing(1),
    padding: theme.spacing(1, 2),
    fontSize: theme.typography.bodySmall.fontSize,
  }),
  bar: css({ width: 240, height: 8, borderRadius: theme.shape.radius.default }),
});
