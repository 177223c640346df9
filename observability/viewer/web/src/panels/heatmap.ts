import { FieldType, type DataFrame } from '@grafana/data';

/** How much is in each bucket at each time. */
export interface Heatmap {
  times: number[]; // milliseconds; a column ends at its time
  step: number; // milliseconds that a column is wide
  bounds: string[]; // the upper bound of each bucket, from the lowest
  counts: number[][]; // by bucket, then by time
}

/** What the frame of a heatmap query holds; undefined where there is none. */
export function heatmapOf(frames: DataFrame[]): Heatmap | undefined {
  const [frame] = frames;
  const time = frame?.fields.find((field) => field.type === FieldType.time);
  const buckets = frame?.fields.filter((field) => field.type === FieldType.number) ?? [];
  if (
    frames.length !== 1 ||
    !time ||
    buckets.length === 0 ||
    buckets.some((bucket) => Number.isNaN(bound(bucket.name)))
  ) {
    return undefined;
  }
  return {
    times: time.values,
    step: time.config.interval ?? 60_000,
    bounds: buckets.map((bucket) => bucket.name),
    counts: buckets.map((bucket) => bucket.values),
  };
}

/** "+Inf" is a bound too. */
export function bound(name: string): number {
  return Number(name.replace('Inf', 'Infinity'));
}

/** The least and the greatest count above the limit. */
export function extent({ counts }: Heatmap, above: number): [number, number] {
  let [min, max] = [Infinity, -Infinity];
  for (const count of counts.flat()) {
    if (count > above) {
      min = Math.min(min, count);
      max = Math.max(max, count);
    }
  }
  return max === -Infinity ? [0, 1] : [min, max];
}
