import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { Icon, useStyles2 } from '@grafana/ui';
import type { CSSProperties } from 'react';
import { setParams, useAddress } from '../app/location';
import { interpolate } from './interpolate';
import type { Panel, Section } from './model';
import { PanelBox } from './PanelBox';
import { useDashboard } from './context';

/** Lays the panels out as the file says; a row opens and closes what is in it. */
export function Grid({ sections }: { sections: Section[] }) {
  return sections.map((section) => <SectionGrid key={section.row?.id ?? 'top'} section={section} />);
}

function SectionGrid({ section: { row, panels } }: { section: Section }) {
  const styles = useStyles2(getStyles);
  const { values } = useDashboard();
  const { open, toggle } = useOpen(row);
  const title = interpolate(row?.title ?? '', values);
  const top = Math.min(...panels.map((panel) => panel.gridPos.y));
  return (
    <section aria-label={title || undefined}>
      {row && (
        <h2 className={styles.row}>
          <button type="button" className={styles.toggle} aria-expanded={open} onClick={toggle}>
            <Icon name={open ? 'angle-down' : 'angle-right'} /> {title}
            {!open && <span className={styles.count}>({panels.length} panels)</span>}
          </button>
        </h2>
      )}
      {open && (
        <div className={styles.grid}>
          {panels.map((panel) => (
            <div key={panel.id} className={styles.cell} style={place(panel, top)}>
              <PanelBox panel={panel} />
            </div>
          ))}
        </div>
      )}
    </section>
  );
}

/** Rows that are not as the file has them are in the address. */
function useOpen(row: Panel | undefined): { open: boolean; toggle: () => void } {
  const toggled = useAddress().params.getAll('row');
  const id = String(row?.id);
  const isToggled = toggled.includes(id);
  return {
    open: Boolean(row?.collapsed) === isToggled,
    toggle: () => setParams({ row: isToggled ? toggled.filter((one) => one !== id) : [...toggled, id] }),
  };
}

const cellHeight = 30;

function place({ gridPos: { x, y, w, h } }: Panel, top: number): CSSProperties {
  const properties: Record<`--${string}`, string> = {
    '--column': `${x + 1} / span ${w}`,
    '--row': `${y - top + 1} / span ${h}`,
    '--height': `${h * cellHeight}px`,
  };
  return properties;
}

const getStyles = (theme: GrafanaTheme2) => ({
  row: css({ margin: theme.spacing(1, 0), fontSize: theme.typography.h5.fontSize }),
  toggle: css({
    display: 'flex',
    alignItems: 'center',
    gap: theme.spacing(1),
    width: '100%',
    padding: theme.spacing(0.5, 0),
    border: 0,
    background: 'none',
    fontWeight: theme.typography.fontWeightMedium,
  }),
  count: css({ color: theme.colors.text.secondary, fontWeight: theme.typography.fontWeightRegular }),
  grid: css({
    display: 'grid',
    gap: theme.spacing(1),
    [theme.breakpoints.up('md')]: { gridTemplateColumns: 'repeat(24, 1fr)', gridAutoRows: cellHeight },
  }),
  cell: css({
    minWidth: 0,
    height: 'var(--height)',
    [theme.breakpoints.up('md')]: { gridColumn: 'var(--column)', gridRow: 'var(--row)', height: 'auto' },
  }),
});
