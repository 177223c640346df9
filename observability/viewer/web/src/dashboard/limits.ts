import { standardTransformersRegistry } from '@grafana/data';
import { drawings } from '../panels';
import type { Panel } from './model';
import { isPrometheus } from './sources';

/** What of a panel cannot be drawn here, in words; nothing when all can. */
export function limitsOf(panel: Panel): string[] {
  const foreign = [panel, ...(panel.targets ?? [])]
    .map((from) => from.datasource)
    .filter((source) => !isPrometheus(source));
  const unknown = (panel.transformations ?? []).filter((step) => !standardTransformersRegistry.getIfExists(step.id));
  return [
    ...(drawings[panel.type] ? [] : [`a panel of the type ${panel.type}`]),
    ...foreign.map((source) => `data of the source ${source?.type ?? source?.uid}`),
    ...unknown.map((step) => `the transformation ${step.id}`),
    ...(panel.repeat ? [`a panel repeated for each ${panel.repeat}`] : []),
    ...(panel.timeFrom || panel.timeShift ? ['a time range of the panel itself'] : []),
  ];
}
