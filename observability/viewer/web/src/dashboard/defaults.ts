import { FieldColorModeId, ThresholdsMode, type FieldConfigSource } from '@grafana/data';
import type { Panel } from './model';

/** The panel with what Grafana's kinds of panels set where the file says nothing. */
export function withDefaults(panel: Panel): Panel {
  const { defaults = {}, overrides = [] } = panel.fieldConfig ?? ({} as Partial<FieldConfigSource>);
  const mode = panel.type === 'timeseries' ? FieldColorModeId.PaletteClassic : FieldColorModeId.Thresholds;
  return {
    ...panel,
    fieldConfig: { overrides, defaults: { color: { mode }, thresholds: usualThresholds(), ...defaults } },
  };
}

function usualThresholds() {
  return {
    mode: ThresholdsMode.Absolute,
    steps: [
      { value: -Infinity, color: 'green' },
      { value: 80, color: 'red' },
    ],
  };
}
