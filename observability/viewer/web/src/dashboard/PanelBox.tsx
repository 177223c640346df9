import { LoadingState } from '@grafana/data';
import { PanelChrome, useTheme2 } from '@grafana/ui';
import { useMemo } from 'react';
import { useLoaded } from '../app/load';
import { useDashboard } from './context';
import { withDefaults } from './defaults';
import { interpolate } from './interpolate';
import { limitsOf } from './limits';
import type { Panel } from './model';
import { decorate, loadPanel } from './panelData';
import { PanelPicture } from './PanelPicture';
import { PanelTitleItems } from './PanelTitleItems';
import { useSize } from './useSize';

/** One panel with its frame: its picture, or why there is none. */
export function PanelBox({ panel }: { panel: Panel }) {
  const { ref, width, height, inView } = useSize();
  const { values } = useDashboard();
  const complete = useMemo(() => withDefaults(panel), [panel]);
  const limits = useMemo(() => limitsOf(panel), [panel]);
  const { data, error, loading } = usePanelData(complete, inView && width > 0 && limits.length === 0, width);
  return (
    <div ref={ref} style={{ height: '100%' }} data-panel={panel.id}>
      {width > 0 && (
        <PanelChrome
          width={width}
          height={height}
          title={interpolate(panel.title ?? '', values)}
          description={interpolate(panel.description ?? '', values)}
          displayMode={panel.transparent ? 'transparent' : 'default'}
          titleItems={<PanelTitleItems panel={panel} />}
          loadingState={loading ? LoadingState.Loading : LoadingState.Done}
          statusMessage={error ?? ''}
        >
          {(innerWidth, innerHeight) => (
            <PanelPicture
              panel={complete}
              limits={limits}
              error={error}
              data={data}
              width={innerWidth}
              height={innerHeight}
            />
          )}
        </PanelChrome>
      )}
    </div>
  );
}

/** The panel's data, asked for again in each cycle while wanted. */
function usePanelData(panel: Panel, wanted: boolean, width: number) {
  const { cycle, values, scrape } = useDashboard();
  const theme = useTheme2();
  const loaded = useLoaded(
    async () =>
      wanted ? { cycle, frames: await loadPanel(panel, { cycle, values, scrape, points: width }) } : undefined,
    [panel, cycle, values, wanted]
  );
  const { value, error } = loaded;
  const data = useMemo(
    () => value && { frames: decorate(panel, value.frames, values, theme), range: value.cycle.range },
    [panel, value, values, theme]
  );
  return { data, error, loading: wanted && value?.cycle !== cycle && error === undefined };
}
