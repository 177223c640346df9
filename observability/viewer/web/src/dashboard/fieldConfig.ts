import {
  dataLinksOverrideProcessor,
  displayNameOverrideProcessor,
  FieldConfigOptionsRegistry,
  FieldType,
  identityOverrideProcessor,
  thresholdsOverrideProcessor,
  unitOverrideProcessor,
  type FieldConfigPropertyItem,
  type FieldConfigSource,
} from '@grafana/data';

const processors: Record<string, FieldConfigPropertyItem['process']> = {
  displayName: displayNameOverrideProcessor,
  links: dataLinksOverrideProcessor,
  thresholds: thresholdsOverrideProcessor,
  unit: unitOverrideProcessor,
};

const ofNumbers = new Set(['min', 'max', 'decimals']);

/**
 * A registry of the properties that a panel's field config sets. Grafana has one
 * for each kind of panel, with an editor for each property; here nobody edits, and
 * what the file says is passed on to the components.
 */
export function fieldConfigRegistry({ defaults, overrides }: FieldConfigSource): FieldConfigOptionsRegistry {
  const { custom, ...standard } = defaults;
  const ids = new Set([
    ...Object.keys(standard),
    ...Object.keys(custom ?? {}).map((name) => `custom.${name}`),
    ...overrides.flatMap((override) => override.properties.map((property) => property.id)),
  ]);
  return new FieldConfigOptionsRegistry(() => [...ids].map(propertyItem));
}

function propertyItem(id: string): FieldConfigPropertyItem {
  const isCustom = id.startsWith('custom.');
  return {
    id,
    path: isCustom ? id.slice('custom.'.length) : id,
    isCustom,
    name: id,
    override: () => null,
    editor: () => null,
    process: processors[id] ?? identityOverrideProcessor,
    shouldApply: (field) => !ofNumbers.has(id) || field.type === FieldType.number,
  };
}
