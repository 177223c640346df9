import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { useStyles2, useTheme2 } from '@grafana/ui';
import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import { createEditor, type Editor } from './editor';

interface Props {
  value: string;
  onChange: (value: string) => void;
  onRun: (value: string) => void;
}

/** A field for PromQL, with colours, completion and complaints. */
export function PromQLField({ value, onChange, onRun }: Props) {
  const [parent, setParent] = useState<HTMLElement | null>(null);
  const handlers = useRef({ onChange, onRun });
  useLayoutEffect(() => {
    handlers.current = { onChange, onRun };
  });
  const [editor, setEditor] = useState<Editor>();
  const theme = useTheme2();
  const styles = useStyles2(getStyles);
  useEffect(() => {
    if (!parent) {
      return;
    }
    const made = createEditor(parent, theme, {
      change: (text) => handlers.current.onChange(text),
      run: (text) => handlers.current.onRun(text),
    });
    setEditor(made);
    return () => made.destroy();
  }, [parent, theme]);
  useEffect(() => editor?.show(value), [editor, value]);
  return <div ref={setParent} className={styles.field} />;
}

const getStyles = (theme: GrafanaTheme2) => ({
  field: css({
    flexGrow: 1,
    minWidth: 0,
    border: `1px solid ${theme.components.input.borderColor}`,
    borderRadius: theme.shape.radius.default,
    background: theme.components.input.background,
    '&:focus-within': { outline: `2px solid ${theme.colors.primary.main}`, outlineOffset: 1 },
    '.cm-editor.cm-focused': { outline: 'none' },
  }),
});
