import {
  getFieldDisplayValues,
  VizOrientation,
  type FieldDisplay,
  type GrafanaTheme2,
  type ReduceDataOptions,
} from '@grafana/data';
import { interpolate, type Values } from '../dashboard/interpolate';
import { optionsOf, type DrawingProps } from './drawing';

/** The options that all panels of single values share. */
export interface ValueOptions {
  reduceOptions: ReduceDataOptions;
  orientation: VizOrientation;
  text?: { titleSize?: number; valueSize?: number };
}

const usual: ValueOptions = { reduceOptions: { calcs: ['lastNotNull'] }, orientation: VizOrientation.Auto };

/** The panel's options, with those of its own kind. */
export function valueOptionsOf<T extends object>(props: DrawingProps, defaults: T): ValueOptions & T {
  return optionsOf(props.panel, { ...usual, ...defaults });
}

/** Reduces each series to one value, as the options say. */
export function displayValues(
  { panel, frames }: DrawingProps,
  reduceOptions: ReduceDataOptions,
  sparkline: boolean,
  values: Values,
  theme: GrafanaTheme2
): FieldDisplay[] {
  return getFieldDisplayValues({
    data: frames,
    reduceOptions,
    fieldConfig: panel.fieldConfig ?? { defaults: {}, overrides: [] },
    replaceVariables: (text) => interpolate(text, values),
    sparkline,
    theme,
    timeZone: 'browser',
  });
}
