import type { DataFrame, TimeRange } from '@grafana/data';
import type { Panel } from '../dashboard/model';

/** What a panel is drawn from: frames with units, thresholds and so on applied, and the room for it. */
export interface DrawingProps {
  panel: Panel;
  frames: DataFrame[];
  range: TimeRange;
  width: number;
  height: number;
}
