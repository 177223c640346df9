import { createDataFrame, FieldType, type DataFrame, type Field } from '@grafana/data';
import type { Labels, QueryResult, Sample, Series } from './api';

/** How a query wants its answer, in the words of Grafana's dashboard files. */
export interface Shape {
  refId: string;
  expr: string;
  legendFormat?: string;
  step: number; // seconds
}

/** One frame for each series. */
export function seriesFrames(answer: QueryResult, shape: Shape): DataFrame[] {
  return seriesOf(answer).map((series) => {
    const samples = samplesOf(series);
    const value = numberField('Value', samples.map(numberOf), series.metric);
    value.config.displayNameFromDS = displayName(series.metric, shape);
    return createDataFrame({
      refId: shape.refId,
      name: value.config.displayNameFromDS,
      fields: [timeField(samples, shape.step), value],
    });
  });
}

/** One frame with a row for each sample and a column for each label. */
export function tableFrame(answer: QueryResult, shape: Shape, valueName: string): DataFrame {
  const rows = seriesOf(answer).flatMap((series) =>
    samplesOf(series).map((sample) => ({ labels: series.metric, sample }))
  );
  const names = [...new Set(rows.flatMap((row) => Object.keys(row.labels)))].sort();
  return createDataFrame({
    refId: shape.refId,
    fields: [
      timeField(
        rows.map((row) => row.sample),
        shape.step
      ),
      ...names.map((name) => ({
        name,
        type: FieldType.string,
        config: { filterable: true },
        values: rows.map((row) => row.labels[name] ?? ''),
      })),
      numberField(
        valueName,
        rows.map((row) => numberOf(row.sample)),
        {}
      ),
    ],
  });
}

/** One frame with a field for each bucket of a classic histogram, from the lowest, no longer cumulative. */
export function bucketFrame(answer: QueryResult, shape: Shape): DataFrame[] {
  const series = seriesOf(answer)
    .filter((one) => one.metric['le'] !== undefined)
    .sort((a, b) => Number(a.metric['le']) - Number(b.metric['le']) || 0);
  if (series.length === 0) {
    return seriesFrames(answer, shape);
  }
  const times = [...new Set(series.flatMap((one) => samplesOf(one).map(([time]) => time)))].sort((a, b) => a - b);
  let below = times.map(() => 0);
  const fields = series.map((one) => {
    const counts = new Map(samplesOf(one).map((sample) => [sample[0], numberOf(sample)]));
    const upTo = times.map((time) => counts.get(time) ?? 0);
    const values = upTo.map((count, i) => Math.max(0, count - (below[i] ?? 0)));
    below = upTo;
    return numberField(one.metric['le'] ?? '', values, {});
  });
  return [
    createDataFrame({
      refId: shape.refId,
      fields: [
        timeField(
          times.map((t) => [t, '']),
          shape.step
        ),
        ...fields,
      ],
    }),
  ];
}

function seriesOf(answer: QueryResult): Series[] {
  switch (answer.resultType) {
    case 'matrix':
    case 'vector':
      return answer.result as Series[];
    default:
      return [{ metric: {}, value: answer.result as Sample }];
  }
}

function samplesOf(series: Series): Sample[] {
  return series.values ?? (series.value ? [series.value] : []);
}

/** Prometheus writes infinities as "+Inf" and "-Inf". */
function numberOf([, text]: Sample): number {
  return Number(text.replace('Inf', 'Infinity'));
}

/** The interval lets the panels show a gap where a sample is missing. */
function timeField(samples: Sample[], step: number): Field<number> {
  const values = samples.map(([seconds]) => seconds * 1000);
  return { name: 'Time', type: FieldType.time, config: { interval: step * 1000 }, values };
}

function numberField(name: string, values: number[], labels: Labels): Field<number> {
  return { name, type: FieldType.number, config: {}, values, labels };
}

/** Undefined where Grafana's components find a name themselves, from the labels that differ. */
function displayName(labels: Labels, shape: Shape): string | undefined {
  const { legendFormat, expr } = shape;
  if (legendFormat && legendFormat !== '__auto') {
    return legendFormat.replace(/\{\{\s*([^\s}]+)\s*\}\}/g, (_, label: string) => labels[label] ?? label);
  }
  if (Object.keys(labels).length === 0) {
    return expr;
  }
  return legendFormat === '__auto' ? undefined : seriesName(labels);
}

/** The name of a series as Prometheus writes it. */
export function seriesName(labels: Labels): string {
  const { __name__: name = '', ...rest } = labels;
  const pairs = Object.entries(rest).map(([label, value]) => `${label}="${value}"`);
  return pairs.length > 0 ? `${name}{${pairs.join(', ')}}` : name;
}
