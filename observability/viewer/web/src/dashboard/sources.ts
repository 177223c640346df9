import { fetchJSON } from '../app/load';
import type { Dashboard, DataSourceRef } from './model';

/** Fetches the dashboard file with this uid. */
export function fetchDashboard(uid: string): Promise<Dashboard> {
  return fetchJSON(`/api/dashboards/${encodeURIComponent(uid)}`);
}

/** What the server tells of a dashboard's file. */
export interface DashboardFile {
  file: string;
  uid?: string;
  title?: string;
  description?: string;
  tags?: string[];
  error?: string; // why it cannot be opened
}

/** Lists the files, those too that cannot be opened. */
export function listDashboards(): Promise<DashboardFile[]> {
  return fetchJSON('/api/dashboards');
}

interface DataSource {
  uid: string;
  type: string;
  timeInterval?: string;
}

/** Fetches what Grafana's provisioning says of the data source: the seconds between two scrapes. */
export async function fetchScrapeInterval(): Promise<string> {
  const sources = await fetchJSON<DataSource[]>('/api/datasources');
  return sources.find((source) => source.type === 'prometheus')?.timeInterval ?? '15s';
}

/** Whether Prometheus is meant, which is the only source there is here. */
export function isPrometheus(source: DataSourceRef | undefined): boolean {
  return source?.type === undefined || source.type === 'prometheus' || source.type === 'datasource';
}

/** The alerts that a dashboard is about: those whose runbooks its panels link to. */
export function alertsOf({ panels = [] }: Dashboard): string[] {
  const links = panels.flatMap((panel) => [panel, ...(panel.panels ?? [])]).flatMap((panel) => panel.links ?? []);
  return links.flatMap(({ url }) => /runbooks\/(\w+)/.exec(url)?.[1] ?? []);
}
