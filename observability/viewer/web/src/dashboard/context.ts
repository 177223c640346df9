import { createContext, use } from 'react';
import type { Mark } from './annotations';
import type { Cycle } from './cycle';
import type { Values } from './interpolate';
import type { Dashboard } from './model';
import type { Variable } from './variables';

/** What the panels of an open dashboard have in common. */
export interface OpenDashboard {
  dashboard: Dashboard;
  cycle: Cycle;
  scrape: number; // seconds between two scrapes
  variables: Variable[];
  values: Values;
  marks: Mark[]; // the annotations of the range
}

export const DashboardContext = createContext<OpenDashboard | undefined>(undefined);

/** The dashboard around a component, which must have one. */
export function useDashboard(): OpenDashboard {
  const open = use(DashboardContext);
  if (!open) {
    throw new Error('no dashboard is open here');
  }
  return open;
}
