import { ToolbarButton, useTheme2 } from '@grafana/ui';
import { setParams } from './location';

/** Switches between light and dark. */
export function ThemeSwitch() {
  const other = useTheme2().isDark ? 'light' : 'dark';
  const title = `Switch to ${other}`;
  return (
    <ToolbarButton
      icon="adjust-circle"
      tooltip={title}
      aria-label={title}
      onClick={() => setParams({ theme: other })}
    />
  );
}
