import { css } from '@emotion/css';
import { dateTimeFormat, type GrafanaTheme2 } from '@grafana/data';
import { Tooltip, useStyles2, useTheme2, type UPlotConfigBuilder } from '@grafana/ui';
import { useLayoutEffect, useState, type CSSProperties } from 'react';
import type uPlot from 'uplot';
import type { Mark } from '../dashboard/annotations';

const handle = 7; // pixels below the graph, where the pointer finds out what is marked

/** Annotations over a graph: a line at a moment, a band over a stretch of time. */
export function Marks({ config, marks }: { config: UPlotConfigBuilder; marks: Mark[] }) {
  const plot = usePlot(config);
  const styles = useStyles2(getStyles);
  const theme = useTheme2();
  const min = plot?.scales['x']?.min;
  const max = plot?.scales['x']?.max;
  if (!plot || min === undefined || max === undefined || marks.length === 0) {
    return null;
  }
  const { offsetLeft, offsetTop, clientWidth, clientHeight } = plot.over;
  const pixels = (time: number) => plot.valToPos(Math.min(max, Math.max(min, time)), 'x');
  const box: CSSProperties = { left: offsetLeft, top: offsetTop, width: clientWidth, height: clientHeight + handle };
  return (
    <div className={styles.layer} style={box}>
      {marks
        .filter((mark) => mark.to >= min && mark.from <= max)
        .map((mark) => {
          const left = pixels(mark.from);
          const color = theme.visualization.getColorByName(mark.color);
          const place: CSSProperties = { left, width: pixels(mark.to) - left, borderColor: color, color };
          return (
            <div
              key={`${mark.name} ${mark.from} ${mark.title} ${mark.text}`}
              className={styles.mark}
              style={place}
              data-mark={mark.name}
            >
              <Tooltip content={<MarkText mark={mark} />}>
                <button type="button" className={styles.handle} aria-label={`${mark.title} ${mark.text}`} />
              </Tooltip>
            </div>
          );
        })}
    </div>
  );
}

function MarkText({ mark: { title, text, from, to } }: { mark: Mark }) {
  return (
    <>
      <strong>{title}</strong>
      <div>{text}</div>
      <div>
        {dateTimeFormat(from)}
        {to > from && ` to ${dateTimeFormat(to)}`}
      </div>
    </>
  );
}

/** The plot, with a new drawing of the component whenever its scales or its size change. */
function usePlot(config: UPlotConfigBuilder): uPlot | undefined {
  const [state, setState] = useState<{ plot: uPlot; view: string }>();
  useLayoutEffect(() => {
    config.addHook('draw', (plot) => {
      const { x } = plot.scales;
      const view = `${x?.min} ${x?.max} ${plot.over.clientWidth} ${plot.over.clientHeight} ${plot.over.offsetLeft}`;
      queueMicrotask(() => setState((old) => (old?.plot === plot && old.view === view ? old : { plot, view })));
    });
  }, [config]);
  return state?.plot;
}

const getStyles = (theme: GrafanaTheme2) => ({
  layer: css({ position: 'absolute', pointerEvents: 'none', overflow: 'hidden' }),
  mark: css({
    position: 'absolute',
    top: 0,
    bottom: handle,
    borderLeft: '1px dashed',
    '&::before': { content: '""', position: 'absolute', inset: 0, background: 'currentColor', opacity: 0.12 },
  }),
  handle: css({
    position: 'absolute',
    top: '100%',
    left: -5,
    width: 'calc(100% + 10px)',
    height: handle,
    padding: 0,
    border: 0,
    pointerEvents: 'auto',
    background: 'currentColor',
    clipPath: 'polygon(5px 0, calc(100% - 5px) 0, 100% 100%, 0 100%)',
    '&:focus-visible': { outline: `2px solid ${theme.colors.primary.main}` },
  }),
});
