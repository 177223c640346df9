import type { DataFrame, TimeRange } from '@grafana/data';
import type { Mark } from '../dashboard/annotations';
import type { Panel } from '../dashboard/model';

/** What a panel is drawn from: frames with units, thresholds and so on applied, and the room for it. */
export interface DrawingProps {
  panel: Panel;
  frames: DataFrame[];
  range: TimeRange;
  marks: Mark[]; // the annotations of the range
  width: number;
  height: number;
}

/** The panel's options; what the file leaves out is as in defaults. */
export function optionsOf<T extends object>(panel: Panel, defaults: T): T {
  return { ...defaults, ...(panel.options as Partial<T> | undefined) };
}
