// Prometheus' HTTP API, as the server passes it on.

const root = '/api/prometheus/api/v1/';

export type Labels = Record<string, string>;

/** A point: seconds since 1970, and the value as text ("NaN" and "+Inf" are no JSON numbers). */
export type Sample = [time: number, value: string];

export interface Series {
  metric: Labels;
  values?: Sample[]; // of a range
  value?: Sample; // of an instant
}

export interface QueryResult {
  resultType: 'matrix' | 'vector' | 'scalar' | 'string';
  result: Series[] | Sample;
}

/** start and end in seconds since 1970, step in seconds. */
export interface Range {
  start: number;
  end: number;
  step: number;
}

export interface Rule {
  type: 'alerting' | 'recording';
  name: string;
  query: string;
  duration?: number;
  labels: Labels;
  annotations?: Labels;
  state?: 'firing' | 'pending' | 'inactive';
  health: string;
  lastError?: string;
  alerts?: Array<{ labels: Labels; annotations: Labels; state: string; activeAt: string; value: string }>;
}

export interface RuleGroup {
  name: string;
  file: string;
  rules: Rule[];
}

export interface Target {
  labels: Labels;
  scrapePool: string;
  scrapeUrl: string;
  health: 'up' | 'down' | 'unknown';
  lastError: string;
}

type Params = Record<string, string | string[]>;

export function queryInstant(query: string, time: number, signal?: AbortSignal): Promise<QueryResult> {
  return call('query', { query, time: String(time) }, signal);
}

export function queryRange(query: string, range: Range, signal?: AbortSignal): Promise<QueryResult> {
  const { start, end, step } = range;
  return call('query_range', { query, start: String(start), end: String(end), step: String(step) }, signal);
}

export function findSeries(match: string, start: number, end: number): Promise<Labels[]> {
  return call('series', { 'match[]': match, start: String(start), end: String(end) });
}

export function labelNames(match?: string): Promise<string[]> {
  return call('labels', match ? { 'match[]': match } : {});
}

export function labelValues(name: string, match?: string): Promise<string[]> {
  return read(
    `label/${encodeURIComponent(name)}/values${match ? '?' + new URLSearchParams({ 'match[]': match }) : ''}`
  );
}

export async function ruleGroups(signal?: AbortSignal): Promise<RuleGroup[]> {
  return (await read<{ groups: RuleGroup[] }>('rules', signal)).groups;
}

export async function activeTargets(signal?: AbortSignal): Promise<Target[]> {
  return (await read<{ activeTargets: Target[] }>('targets?state=active', signal)).activeTargets;
}

/** A POST, since a query may be longer than an address can be. */
function call<T>(endpoint: string, params: Params, signal?: AbortSignal): Promise<T> {
  const body = new URLSearchParams();
  for (const [name, values] of Object.entries(params)) {
    [values].flat().forEach((value) => body.append(name, value));
  }
  return answer<T>(fetch(root + endpoint, { method: 'POST', body, signal: signal ?? null }));
}

function read<T>(path: string, signal?: AbortSignal): Promise<T> {
  return answer<T>(fetch(root + path, { signal: signal ?? null }));
}

/** The data of an answer; an Error with Prometheus' own words otherwise. */
async function answer<T>(asked: Promise<Response>): Promise<T> {
  const response = await asked;
  const body = await response.json().catch(() => undefined);
  if (body?.status !== 'success') {
    throw new Error(body?.error ?? `${response.status} ${response.statusText}`);
  }
  return body.data;
}
