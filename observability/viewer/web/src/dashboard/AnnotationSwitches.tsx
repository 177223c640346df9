import { InlineSwitch } from '@grafana/ui';
import { useMemo } from 'react';
import { setParams, useAddress } from '../app/location';
import type { Annotation } from './model';

const param = 'hide-annotation';

/** Those of the annotations that a person wants to see; the address names the others. */
export function useShownAnnotations(annotations: Annotation[]): Annotation[] {
  const hidden = useAddress().params.getAll(param).join('\n');
  return useMemo(
    () => annotations.filter(({ name, enable }) => (enable ?? true) !== hidden.split('\n').includes(name)),
    [annotations, hidden]
  );
}

/** Shows and hides annotations. */
export function AnnotationSwitches({ annotations }: { annotations: Annotation[] }) {
  const shown = useShownAnnotations(annotations);
  const toggled = useAddress().params.getAll(param);
  return annotations
    .filter((annotation) => !annotation.hide)
    .map((annotation) => {
      const { name } = annotation;
      const toggle = () =>
        setParams({ [param]: toggled.includes(name) ? toggled.filter((one) => one !== name) : [...toggled, name] });
      return (
        <InlineSwitch
          key={name}
          id={`annotation-${name}`}
          label={name}
          showLabel
          value={shown.includes(annotation)}
          onChange={toggle}
        />
      );
    });
}
