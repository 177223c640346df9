import { dateTime, isDateTime, type RawTimeRange, type TimeRange } from '@grafana/data';
import { useMemo } from 'react';
import { setParams, useAddress } from './location';

const usual: RawTimeRange = { from: 'now-15m', to: 'now' };

/** The range in the address (relative, or milliseconds, or a date), or else the fallback. */
export function useRawRange(fallback: RawTimeRange = usual): RawTimeRange {
  const { params } = useAddress();
  const from = params.get('from');
  const to = params.get('to');
  return useMemo(
    () => ({ from: rawTime(from) ?? fallback.from, to: rawTime(to) ?? fallback.to }),
    [from, to, fallback]
  );
}

function rawTime(text: string | null): RawTimeRange['from'] | undefined {
  if (text === null || text.startsWith('now')) {
    return text ?? undefined;
  }
  const time = dateTime(/^\d+$/.test(text) ? Number(text) : text);
  return time.isValid() ? time : undefined;
}

/** Puts a range into the address. */
export function setRange({ from, to }: RawTimeRange): void {
  setParams({ from: timeText(from), to: timeText(to) });
}

function timeText(time: RawTimeRange['from']): string {
  return isDateTime(time) ? String(time.valueOf()) : time;
}

/** The range of these milliseconds since 1970. */
export function setAbsoluteRange(from: number, to: number): void {
  setRange({ from: dateTime(Math.round(from)), to: dateTime(Math.round(to)) });
}

/** Moves the range by this share of itself, to the past where negative. */
export function moveRange({ from, to }: TimeRange, share: number): void {
  const by = (to.valueOf() - from.valueOf()) * share;
  setAbsoluteRange(from.valueOf() + by, to.valueOf() + by);
}

/** Doubles the range around its middle. */
export function zoomOut({ from, to }: TimeRange): void {
  const half = (to.valueOf() - from.valueOf()) / 2;
  setAbsoluteRange(from.valueOf() - half, Math.min(Date.now(), to.valueOf() + half));
}
