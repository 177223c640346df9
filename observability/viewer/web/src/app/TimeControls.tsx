import type { TimeRange } from '@grafana/data';
import { RefreshPicker, TimeRangePicker } from '@grafana/ui';
import { moveRange, setRange, zoomOut } from './timeRange';

interface Props {
  range: TimeRange;
  interval: string; // "" for no refresh
  onRefresh: () => void;
  onInterval: (interval: string) => void;
}

const intervals = ['5s', '10s', '30s', '1m', '5m'];
const nothing = () => undefined;

/** Chooses the time range and how often it is looked at anew. */
export function TimeControls({ range, interval, onRefresh, onInterval }: Props) {
  return (
    <>
      <TimeRangePicker
        value={range}
        timeZone="browser"
        onChange={(chosen) => setRange(chosen.raw)}
        onChangeTimeZone={nothing}
        onMoveBackward={() => moveRange(range, -0.5)}
        onMoveForward={() => moveRange(range, 0.5)}
        onZoom={() => zoomOut(range)}
      />
      <RefreshPicker
        intervals={intervals}
        value={interval}
        tooltip="Refresh"
        onRefresh={onRefresh}
        onIntervalChanged={onInterval}
      />
    </>
  );
}
