import type { DataTransformerConfig, FieldConfigSource, RawTimeRange } from '@grafana/data';

// What is read of Grafana's dashboard files (schema version 39). Everything in
// them may be missing.

export interface DataSourceRef {
  type?: string;
  uid?: string;
}

export interface Target {
  refId: string;
  expr?: string;
  legendFormat?: string;
  format?: 'time_series' | 'table' | 'heatmap';
  instant?: boolean;
  range?: boolean;
  interval?: string;
  hide?: boolean;
  datasource?: DataSourceRef;
}

export interface PanelLink {
  title: string;
  url: string;
  targetBlank?: boolean;
}

export interface Panel {
  id: number;
  type: string;
  title?: string;
  description?: string;
  gridPos: { x: number; y: number; w: number; h: number };
  targets?: Target[];
  datasource?: DataSourceRef;
  fieldConfig?: FieldConfigSource;
  options?: Record<string, unknown>;
  transformations?: DataTransformerConfig[];
  links?: PanelLink[];
  interval?: string;
  maxDataPoints?: number;
  transparent?: boolean;
  repeat?: string;
  timeFrom?: string;
  timeShift?: string;
  collapsed?: boolean; // of a row
  panels?: Panel[]; // of a collapsed row
}

export interface VariableModel {
  name: string;
  type: string;
  label?: string;
  description?: string;
  hide?: 0 | 1 | 2; // 1 hides the label, 2 everything
  query?: string | { query?: string };
  definition?: string;
  regex?: string;
  sort?: number;
  multi?: boolean;
  includeAll?: boolean;
  allValue?: string | null;
  auto?: boolean;
  auto_count?: number;
  auto_min?: string;
  current?: { value?: string | string[] };
}

export interface Annotation {
  name: string;
  enable?: boolean;
  hide?: boolean;
  iconColor?: string;
  datasource?: DataSourceRef;
  expr?: string;
  step?: string;
  titleFormat?: string;
  textFormat?: string;
  useValueForTime?: boolean;
}

export interface DashboardLink {
  type: 'link' | 'dashboards';
  title?: string;
  url?: string;
  tags?: string[];
  targetBlank?: boolean;
  keepTime?: boolean;
  includeVars?: boolean;
}

export interface Dashboard {
  uid: string;
  title: string;
  description?: string;
  time?: RawTimeRange;
  refresh?: string | false;
  timezone?: string;
  panels?: Panel[];
  templating?: { list?: VariableModel[] };
  annotations?: { list?: Annotation[] };
  links?: DashboardLink[];
  graphTooltip?: 0 | 1 | 2; // 1 shares the crosshair, 2 the tooltip too
}

/** A row and what is in it; the panels above the first row have none. */
export interface Section {
  row: Panel | undefined;
  panels: Panel[];
}

/** The panels in the order of the page. A row ends where the next one begins. */
export function sections(dashboard: Dashboard): Section[] {
  const found: Section[] = [{ row: undefined, panels: [] }];
  const inOrder = [...(dashboard.panels ?? [])].sort((a, b) => a.gridPos.y - b.gridPos.y || a.gridPos.x - b.gridPos.x);
  for (const panel of inOrder) {
    if (panel.type === 'row') {
      found.push({ row: panel, panels: [...(panel.panels ?? [])] });
    } else {
      found.at(-1)?.panels.push(panel);
    }
  }
  return found.filter((section) => section.row || section.panels.length > 0);
}
