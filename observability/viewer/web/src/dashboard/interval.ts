import { rangeUtil, type TimeRange } from '@grafana/data';

/** The distance of the points of a query, and how long a rate must look back to see every scrape. */
export interface Interval {
  step: number; // seconds
  rate: number; // seconds
}

/** How Grafana's Prometheus data source chooses them; at least is a duration, scrape seconds. */
export function chooseInterval(
  range: TimeRange,
  points: number,
  atLeast: string | undefined,
  scrape: number
): Interval {
  const least = atLeast ? seconds(atLeast) : scrape;
  const wanted = rangeUtil.calculateInterval(range, Math.max(1, points), `${least}s`).intervalMs / 1000;
  const span = (range.to.valueOf() - range.from.valueOf()) / 1000;
  const step = Math.max(wanted, least, Math.ceil(span / mostPoints));
  return { step, rate: Math.max(step + scrape, 4 * scrape) };
}

// Prometheus refuses a range of more than 11,000 points.
const mostPoints = 11000;

/** "1m30s" and also ">15s", as the files write a least interval. */
export function seconds(duration: string): number {
  return rangeUtil.intervalToMs(duration.replace(/^>/, '')) / 1000;
}
