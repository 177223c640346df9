import { dateTimeFormat, type DashboardCursorSync, type DataFrame } from '@grafana/data';
import { TooltipDisplayMode, type SortOrder } from '@grafana/schema';
import {
  getFieldDisplayItems,
  TooltipPlugin2,
  VizTooltipContent,
  VizTooltipHeader,
  VizTooltipWrapper,
  type UPlotConfigBuilder,
} from '@grafana/ui';
import { setAbsoluteRange } from '../app/timeRange';

// Grafana's TooltipHoverMode, which its library does not export.
const oneSeries = 0;
const allSeries = 1;

interface Props {
  config: UPlotConfigBuilder;
  frame: DataFrame;
  tooltip: { mode: TooltipDisplayMode; sort: SortOrder };
  sync: DashboardCursorSync;
}

/** The values under the pointer; dragging over a stretch of time opens it. */
export function SeriesTooltip({ config, frame, tooltip: { mode, sort }, sync }: Props) {
  const [time] = frame.fields;
  return (
    <TooltipPlugin2
      config={config}
      hoverMode={mode === TooltipDisplayMode.Multi ? allSeries : oneSeries}
      clientZoom
      queryZoom={({ from, to }) => setAbsoluteRange(from, to)}
      syncMode={sync}
      syncScope="dashboard"
      render={(_plot, dataIndexes, seriesIndex, isPinned) => {
        const at = time?.values[dataIndexes[0] ?? -1];
        if (!time || at === undefined || mode === TooltipDisplayMode.None) {
          return null;
        }
        const items = getFieldDisplayItems(frame.fields, time, dataIndexes, seriesIndex, mode, sort);
        return (
          <VizTooltipWrapper>
            <VizTooltipHeader item={{ label: '', value: dateTimeFormat(at) }} isPinned={isPinned} />
            <VizTooltipContent items={items} isPinned={isPinned} scrollable maxHeight={300} />
          </VizTooltipWrapper>
        );
      }}
    />
  );
}
