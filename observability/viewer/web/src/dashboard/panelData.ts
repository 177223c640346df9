import {
  applyFieldOverrides,
  cacheFieldDisplayNames,
  transformDataFrame,
  type DataFrame,
  type GrafanaTheme2,
  type InterpolateFunction,
} from '@grafana/data';
import { lastValueFrom } from 'rxjs';
import { bucketFrame, seriesFrames, tableFrame } from '../prometheus/frames';
import type { Cycle } from './cycle';
import { fieldConfigRegistry } from './fieldConfig';
import { interpolate, type Values } from './interpolate';
import { chooseInterval, type Interval } from './interval';
import type { Panel, Target } from './model';

/** What the queries of a panel depend on besides the panel itself. */
export interface Surroundings {
  cycle: Cycle;
  values: Values;
  scrape: number; // seconds between two scrapes
  points: number; // that the panel has room for
}

/** The frames that a panel's queries and transformations yield; each fault of a query is named. */
export async function loadPanel(panel: Panel, around: Surroundings): Promise<DataFrame[]> {
  const targets = (panel.targets ?? []).filter((target) => !target.hide && target.expr);
  const several = targets.length > 1;
  const answers = await Promise.all(targets.map((target) => load(panel, target, around, several)));
  const frames = answers.flat();
  if (!panel.transformations?.length) {
    return frames;
  }
  const put: InterpolateFunction = (text) => interpolate(text ?? '', around.values);
  const steps = panel.transformations.filter((step) => !step.disabled);
  return lastValueFrom(transformDataFrame(steps, frames, { interpolate: put }));
}

async function load(panel: Panel, target: Target, around: Surroundings, several: boolean): Promise<DataFrame[]> {
  const { cycle, values, scrape } = around;
  const interval = chooseInterval(
    cycle.range,
    panel.maxDataPoints ?? around.points,
    target.interval || panel.interval,
    scrape
  );
  const expr = interpolate(target.expr ?? '', withBuiltins(values, cycle, interval), 'query');
  const shape = {
    refId: target.refId,
    expr,
    step: interval.step,
    legendFormat: interpolate(target.legendFormat ?? '', values),
  };
  const answer = await (target.instant
    ? cycle.queries.instant(expr, Math.floor(cycle.range.to.valueOf() / 1000))
    : cycle.queries.range(expr, aligned(cycle, interval.step)));
  switch (target.format) {
    case 'table':
      return [tableFrame(answer, shape, several ? `Value #${target.refId}` : 'Value')];
    case 'heatmap':
      return bucketFrame(answer, shape);
    default:
      return seriesFrames(answer, shape);
  }
}

/** On multiples of the step, so that a refresh asks for the same points again. */
function aligned({ range }: Cycle, step: number) {
  const down = (ms: number) => Math.floor(ms / 1000 / step) * step;
  return { start: down(range.from.valueOf()), end: down(range.to.valueOf()), step };
}

function withBuiltins(values: Values, { range }: Cycle, { step, rate }: Interval): Values {
  const span = Math.max(1, Math.round((range.to.valueOf() - range.from.valueOf()) / 1000));
  const builtins = {
    __interval: `${step}s`,
    __interval_ms: String(step * 1000),
    __rate_interval: `${rate}s`,
    __rate_interval_ms: String(rate * 1000),
    __range: `${span}s`,
    __range_s: String(span),
    __range_ms: String(span * 1000),
    __from: String(range.from.valueOf()),
    __to: String(range.to.valueOf()),
  };
  const all = new Map(values);
  for (const [name, value] of Object.entries(builtins)) {
    all.set(name, { value, text: value, multi: false });
  }
  return all;
}

/** Applies the panel's units, thresholds, mappings, overrides and so on. */
export function decorate(panel: Panel, frames: DataFrame[], values: Values, theme: GrafanaTheme2): DataFrame[] {
  const fieldConfig = panel.fieldConfig ?? { defaults: {}, overrides: [] };
  const decorated = applyFieldOverrides({
    data: frames,
    fieldConfig,
    fieldConfigRegistry: fieldConfigRegistry(fieldConfig),
    replaceVariables: (text) => interpolate(text, values),
    theme,
    timeZone: 'browser',
  });
  // Tables read no other names than these.
  cacheFieldDisplayNames(decorated);
  return decorated;
}
