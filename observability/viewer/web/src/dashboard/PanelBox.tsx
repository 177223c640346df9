import { LoadingState } from '@grafana/data';
import { PanelChrome, useTheme2 } from '@grafana/ui';
import { useMemo } from 'react';
import { useLoaded } from '../app/load';
import { drawings } from '../panels';
import { useDashboard } from './context';
import { interpolate } from './interpolate';
import type { Panel } from './model';
import { decorate, loadPanel } from './panelData';
import { useSize } from './useSize';

/** One panel with its frame: its picture, or why there is none. */
export function PanelBox({ panel }: { panel: Panel }) {
  const { ref, width, height, inView } = useSize();
  const { cycle, values, scrape } = useDashboard();
  const theme = useTheme2();
  const loaded = useLoaded(
    async () =>
      inView && width > 0
        ? { cycle, frames: await loadPanel(panel, { cycle, values, scrape, points: width }) }
        : undefined,
    [panel, cycle, values, inView, width > 0]
  );
  const data = loaded.value;
  const frames = useMemo(() => data && decorate(panel, data.frames, values, theme), [panel, data, values, theme]);
  const Drawing = drawings[panel.type];
  return (
    <div ref={ref} style={{ height: '100%' }}>
      {width > 0 && (
        <PanelChrome
          width={width}
          height={height}
          title={interpolate(panel.title ?? '', values)}
          description={interpolate(panel.description ?? '', values)}
          displayMode={panel.transparent ? 'transparent' : 'default'}
          loadingState={data?.cycle === cycle ? LoadingState.Done : LoadingState.Loading}
          statusMessage={loaded.error ?? ''}
        >
          {(innerWidth, innerHeight) =>
            !Drawing ? (
              <p>cannot draw a panel of type “{panel.type}” here</p>
            ) : loaded.error !== undefined ? (
              <p role="alert">{loaded.error}</p>
            ) : (
              frames &&
              data && (
                <Drawing
                  panel={panel}
                  frames={frames}
                  range={data.cycle.range}
                  width={innerWidth}
                  height={innerHeight}
                />
              )
            )
          }
        </PanelChrome>
      )}
    </div>
  );
}
