import type { Series } from '../prometheus/api';
import type { Cycle } from './cycle';
import { interpolate, type Values } from './interpolate';
import { chooseInterval } from './interval';
import type { Annotation } from './model';

/** A stretch of time, or a moment, that the panels mark; in milliseconds since 1970. */
export interface Mark {
  name: string; // of the annotation
  color: string;
  title: string;
  text: string;
  from: number;
  to: number;
}

/** Those of a dashboard's annotations that ask Prometheus. */
export function prometheusAnnotations(list: Annotation[] = []): Annotation[] {
  return list.filter((annotation) => annotation.expr && annotation.datasource?.type === 'prometheus');
}

/** Asks for the marks of one annotation. */
export async function loadMarks(annotation: Annotation, cycle: Cycle, values: Values, scrape: number): Promise<Mark[]> {
  const { step } = chooseInterval(cycle.range, 500, annotation.step, scrape);
  const down = (ms: number) => Math.floor(ms / 1000 / step) * step;
  const range = { start: down(cycle.range.from.valueOf()), end: down(cycle.range.to.valueOf()), step };
  const answer = await cycle.queries.range(interpolate(annotation.expr ?? '', values, 'query'), range);
  return (answer.result as Series[]).flatMap((series) => marksOf(annotation, series, step));
}

/** As in Grafana: a series is a mark for as long as it has samples other than 0. */
function marksOf(annotation: Annotation, { metric, values = [] }: Series, step: number): Mark[] {
  const fill = (format = '') => format.replace(/\{\{\s*([^\s}]+)\s*\}\}/g, (_, label: string) => metric[label] ?? '');
  const marks: Mark[] = [];
  for (const [seconds, value] of values) {
    const last = marks.at(-1);
    if (Number(value) === 0) {
      continue;
    }
    if (last && seconds * 1000 - last.to <= step * 1000) {
      last.to = seconds * 1000;
      continue;
    }
    marks.push({
      name: annotation.name,
      color: annotation.iconColor ?? 'red',
      title: fill(annotation.titleFormat) || annotation.name,
      text: fill(annotation.textFormat),
      from: seconds * 1000,
      to: seconds * 1000,
    });
  }
  return marks;
}
