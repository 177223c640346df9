import { TableCellHeight } from '@grafana/schema';
import { TableNG } from '@grafana/ui/unstable';
import { optionsOf, type DrawingProps } from './drawing';

/** Rows and columns, as Grafana's own table. */
export function TableDrawing({ panel, frames, range, width, height }: DrawingProps) {
  const { cellHeight, showHeader, sortBy } = optionsOf(panel, {
    cellHeight: TableCellHeight.Sm,
    showHeader: true,
    sortBy: [] as Array<{ displayName: string; desc?: boolean }>,
  });
  const [frame] = frames;
  return (
    frame && (
      <TableNG
        ariaLabel={panel.title ?? 'Table'}
        data={frame}
        timeRange={range}
        noHeader={!showHeader}
        {...{ width, height, cellHeight, sortBy }}
        {...(panel.fieldConfig && { fieldConfig: panel.fieldConfig })}
      />
    )
  );
}
