import { getFieldDisplayName, type DataFrame } from '@grafana/data';
import { SeriesVisibilityChangeMode } from '@grafana/ui';
import { useMemo } from 'react';
import { setParams, useAddress } from '../app/location';

type Toggle = (label: string | string[] | null, mode: SeriesVisibilityChangeMode) => void;

/**
 * Which series of a panel are shown: the frames with the others hidden, and what a
 * click on the legend does. The address has the names of those that are shown.
 */
export function useVisibleSeries(panel: number, frames: DataFrame[]): { frames: DataFrame[]; toggle: Toggle } {
  const param = `only-${panel}`;
  const shown = useAddress().params.getAll(param);
  const key = JSON.stringify(shown);
  // The panel draws anew whenever its frames are others: they must not be, at each drawing.
  const visible = useMemo(() => {
    const names = JSON.parse(key) as string[];
    return names.length === 0 ? frames : frames.map((frame) => hideOthers(frame, frames, names));
  }, [frames, key]);
  return {
    frames: visible,
    toggle: (label, mode) => setParams({ [param]: nextShown(shown, label, mode, allNames(frames)) }),
  };
}

function allNames(frames: DataFrame[]): string[] {
  return frames.flatMap((frame) =>
    frame.fields.filter((field) => field.type === 'number').map((field) => getFieldDisplayName(field, frame, frames))
  );
}

function hideOthers(frame: DataFrame, frames: DataFrame[], shown: string[]): DataFrame {
  const fields = frame.fields.map((field) => {
    if (field.type !== 'number' || shown.includes(getFieldDisplayName(field, frame, frames))) {
      return field;
    }
    const hideFrom = { viz: true, tooltip: true, legend: false };
    return { ...field, config: { ...field.config, custom: { ...field.config.custom, hideFrom } } };
  });
  return { ...frame, fields };
}

/** None shown means all: a click shows one alone, or all again; with Ctrl it adds or takes away. */
function nextShown(
  shown: string[],
  label: string | string[] | null,
  mode: SeriesVisibilityChangeMode,
  all: string[]
): string[] {
  const labels = [label ?? []].flat();
  if (mode === SeriesVisibilityChangeMode.SetExactly) {
    return labels;
  }
  const [one = ''] = labels;
  if (mode === SeriesVisibilityChangeMode.ToggleSelection) {
    return shown.length === 1 && shown[0] === one ? [] : [one];
  }
  const before = shown.length === 0 ? all : shown;
  const after = before.includes(one) ? before.filter((name) => name !== one) : [...before, one];
  return after.length === all.length ? [] : after;
}
