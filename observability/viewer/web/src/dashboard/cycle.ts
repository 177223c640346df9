import { dateMath, rangeUtil, type RawTimeRange, type TimeRange } from '@grafana/data';
import { useCallback, useEffect, useMemo, useState } from 'react';
import { SharedQueries } from '../prometheus/shared';

/** One refresh of a page: the time range at that moment, and the queries that its panels share. */
export interface Cycle {
  turn: number; // counts the refreshes
  range: TimeRange;
  queries: SharedQueries;
}

/**
 * The cycle of now. A new one begins when the range is changed, when refresh is
 * called, and every interval ("10s"; "" for never), but not while the page is
 * hidden, nor before the last one has its answers.
 */
export function useCycle(raw: RawTimeRange, interval: string): { cycle: Cycle; refresh: () => void } {
  const { from, to } = raw;
  const [turn, setTurn] = useState(0);
  const refresh = useCallback(() => setTurn((n) => n + 1), []);
  const cycle = useMemo(() => newCycle({ from, to }, turn), [from, to, turn]);
  useEffect(() => () => cycle.queries.abort(), [cycle]);
  useEffect(() => every(interval, cycle, refresh), [interval, cycle, refresh]);
  return { cycle, refresh };
}

function newCycle(raw: RawTimeRange, turn: number): Cycle {
  return { turn, range: rangeUtil.convertRawToRange(raw), queries: new SharedQueries() };
}

/** Calls refresh once, when the interval is over, the cycle has its answers and somebody looks. */
function every(interval: string, cycle: Cycle, refresh: () => void): () => void {
  const pause = interval && dateMath.isMathString(`now-${interval}`) ? rangeUtil.intervalToMs(interval) : 0;
  if (pause === 0) {
    return () => undefined;
  }
  const controller = new AbortController();
  const due = async () => {
    await cycle.queries.settled();
    await visible(controller.signal);
    if (!controller.signal.aborted) {
      refresh();
    }
  };
  const timer = setTimeout(due, pause);
  return () => {
    clearTimeout(timer);
    controller.abort();
  };
}

function visible(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (!document.hidden) {
      resolve();
      return;
    }
    document.addEventListener('visibilitychange', () => document.hidden || resolve(), { signal });
  });
}
