import { css } from '@emotion/css';
import type { DataFrame, GrafanaTheme2, TimeRange } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import { Guard } from '../app/Guard';
import { drawings } from '../panels';
import { useDashboard } from './context';
import type { Panel } from './model';

interface Props {
  panel: Panel;
  limits: string[]; // what cannot be drawn
  error: string | undefined;
  data: { frames: DataFrame[]; range: TimeRange } | undefined; // not yet, at first
  width: number;
  height: number;
}

/** What is inside the frame of a panel; it is never empty once its data have been asked for. */
export function PanelPicture({ panel, limits, error, data, width, height }: Props) {
  const { marks } = useDashboard();
  const Drawing = drawings[panel.type];
  if (limits.length > 0 || !Drawing) {
    return <Message kind="limit">cannot draw {limits.join(', ')} here</Message>;
  }
  if (error !== undefined) {
    return <Message kind="error">{error}</Message>;
  }
  if (!data) {
    return null;
  }
  if (panel.type !== 'text' && data.frames.every((frame) => frame.length === 0)) {
    return <Message kind="empty">{panel.fieldConfig?.defaults.noValue ?? 'No data'}</Message>;
  }
  return (
    <Guard on={[data]}>
      <Drawing panel={panel} frames={data.frames} range={data.range} marks={marks} width={width} height={height} />
    </Guard>
  );
}

function Message({ kind, children }: { kind: 'limit' | 'error' | 'empty'; children: React.ReactNode }) {
  const styles = useStyles2(getStyles);
  return (
    <p
      className={kind === 'error' ? styles.error : styles.message}
      role={kind === 'error' ? 'alert' : undefined}
      data-message={kind}
    >
      {children}
    </p>
  );
}

const getStyles = (theme: GrafanaTheme2) => {
  const message = {
    display: 'grid',
    placeItems: 'center',
    height: '100%',
    margin: 0,
    padding: theme.spacing(0, 1),
    overflow: 'auto',
    textAlign: 'center' as const,
    color: theme.colors.text.secondary,
  };
  return { message: css(message), error: css({ ...message, color: theme.colors.error.text }) };
};
