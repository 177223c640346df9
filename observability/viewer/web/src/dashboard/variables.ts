import { rangeUtil, type TimeRange } from '@grafana/data';
import { labelNames, labelValues, queryInstant, type Labels, type Series } from '../prometheus/api';
import { seriesName } from '../prometheus/frames';
import type { Value, Values } from './interpolate';
import { interpolate } from './interpolate';
import type { VariableModel } from './model';

export const all = '$__all';

/** A variable with what can be chosen and what is. */
export interface Variable {
  model: VariableModel;
  options: string[];
  value: Value;
  chosen: string[]; // [all] when everything is
  error?: string; // why there are no options
}

/** Resolves variables one after the other: a later one may refer to those before it. */
export async function resolveVariables(
  models: VariableModel[],
  params: URLSearchParams,
  range: TimeRange
): Promise<Variable[]> {
  const resolved: Variable[] = [];
  for (const model of models) {
    resolved.push(await resolve(model, params.getAll(`var-${model.name}`), valuesOf(resolved), range));
  }
  return resolved;
}

export function valuesOf(variables: Variable[]): Values {
  return new Map(variables.map((variable) => [variable.model.name, variable.value]));
}

async function resolve(model: VariableModel, wanted: string[], before: Values, range: TimeRange): Promise<Variable> {
  let options: string[] = [];
  let error: string | undefined;
  try {
    options = await findOptions(model, before, range);
  } catch (fault) {
    error = String(fault instanceof Error ? fault.message : fault);
  }
  const chosen = choose(model, options, wanted.length > 0 ? wanted : [model.current?.value ?? []].flat());
  const variable: Variable = { model, options, chosen, value: valueOf(model, options, chosen, range) };
  return error === undefined ? variable : { ...variable, error };
}

async function findOptions(model: VariableModel, before: Values, range: TimeRange): Promise<string[]> {
  const query = queryOf(model);
  switch (model.type) {
    case 'query':
      return sorted(filtered(await ask(interpolate(query, before, 'query'), range), model.regex), model.sort);
    case 'custom':
      return splitList(query);
    case 'interval':
      return [...(model.auto ? [auto] : []), ...splitList(query)];
    case 'datasource':
      return ['prometheus'];
    case 'constant':
    case 'textbox':
      return [query];
    default:
      throw new Error(`a variable of type "${model.type}" is not known here`);
  }
}

function queryOf(model: VariableModel): string {
  return (typeof model.query === 'object' ? model.query.query : model.query) ?? model.definition ?? '';
}

/** Commas separate, unless escaped; "text : value" gives the value. */
function splitList(list: string): string[] {
  return (list.match(/(?:\\,|[^,])+/g) ?? []).map((item) =>
    item
      .replaceAll('\\,', ',')
      .trim()
      .replace(/^.*\S\s+:\s+/, '')
  );
}

/** The functions that Grafana's Prometheus data source has for variables. */
async function ask(query: string, range: TimeRange): Promise<string[]> {
  const [, name, inside = ''] = /^\s*(\w+)\s*\(([\s\S]*)\)\s*$/.exec(query) ?? [];
  switch (name) {
    case 'label_values': {
      const [, match, label = inside] = /^([\s\S]*),\s*(\w+)\s*$/.exec(inside) ?? [];
      return labelValues(label.trim(), match?.trim());
    }
    case 'label_names':
      return labelNames(inside.trim() || undefined);
    case 'metrics':
      return (await labelValues('__name__')).filter((metric) => new RegExp(inside).test(metric));
    case 'query_result': {
      const answer = await queryInstant(inside, range.to.valueOf() / 1000);
      return (answer.result as Series[]).map(
        ({ metric, value }) => `${seriesName(metric as Labels)} ${value?.[1]} ${value?.[0]}`
      );
    }
    default:
      throw new Error(`"${query}" is no query for a variable; label_values(…) is one`);
  }
}

/** Keeps what matches; the first group, or the one called value, is what is kept of it. */
function filtered(options: string[], regex: string | undefined): string[] {
  if (!regex) {
    return options;
  }
  const [, pattern = regex, flags] = /^\/(.*)\/(\w*)$/s.exec(regex) ?? [];
  const matcher = new RegExp(pattern, flags?.replace('g', ''));
  const kept = options.flatMap((option) => {
    const match = matcher.exec(option);
    return match ? [match.groups?.['value'] ?? match[1] ?? option] : [];
  });
  return [...new Set(kept)];
}

/** The numbers are the file's: odd ones ascend; 3 and 4 are numerical, from 5 on case does not matter. */
function sorted(options: string[], sort = 0): string[] {
  if (sort === 0) {
    return options;
  }
  const numerical = sort === 3 || sort === 4 || sort >= 7;
  const collator = new Intl.Collator('en', { numeric: numerical, sensitivity: sort >= 5 ? 'base' : 'variant' });
  const ascending = [...options].sort(collator.compare);
  return sort % 2 === 1 ? ascending : ascending.reverse();
}

/** What is wanted and can be had; otherwise the first that can. */
function choose(model: VariableModel, options: string[], wanted: string[]): string[] {
  if (model.type === 'textbox') {
    return [wanted[0] ?? options[0] ?? ''];
  }
  if (model.includeAll && (wanted.includes(all) || wanted.length === 0)) {
    return [all];
  }
  const possible = wanted.filter((value) => options.includes(value));
  if (possible.length > 0) {
    return model.multi ? possible : possible.slice(0, 1);
  }
  return model.includeAll ? [all] : options.slice(0, 1);
}

const auto = '$__auto';

function valueOf(model: VariableModel, options: string[], chosen: string[], range: TimeRange): Value {
  if (chosen[0] === auto) {
    const { interval } = rangeUtil.calculateInterval(range, model.auto_count ?? 30, model.auto_min ?? '10s');
    return { value: interval, text: interval, multi: false };
  }
  const multi = Boolean(model.multi || model.includeAll);
  if (chosen[0] !== all) {
    return { value: multi ? chosen : (chosen[0] ?? ''), text: chosen.join(' + '), multi };
  }
  const everything: Value = { value: options, text: 'All', multi };
  return model.allValue ? { ...everything, pattern: model.allValue } : everything;
}
