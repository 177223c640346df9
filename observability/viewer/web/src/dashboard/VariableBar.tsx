import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { AutoSizeInput, Combobox, Icon, InlineLabel, MultiCombobox, Tooltip, useStyles2 } from '@grafana/ui';
import { setParams } from '../app/location';
import { all, type Variable } from './variables';

/** Chooses the values of the dashboard's variables. */
export function VariableBar({ variables }: { variables: Variable[] }) {
  const styles = useStyles2(getStyles);
  return variables
    .filter(({ model }) => model.hide !== 2 && model.type !== 'constant' && model.type !== 'datasource')
    .map((variable) => {
      const { model, error } = variable;
      const id = `var-${model.name}`;
      return (
        <div key={model.name} className={styles.variable}>
          {model.hide !== 1 && (
            <InlineLabel htmlFor={id} width="auto" {...(model.description && { tooltip: model.description })}>
              {model.label || model.name}
            </InlineLabel>
          )}
          <Chooser variable={variable} id={id} />
          {error !== undefined && (
            <Tooltip content={error} theme="error">
              <Icon name="exclamation-triangle" aria-label={error} />
            </Tooltip>
          )}
        </div>
      );
    });
}

function Chooser({ variable: { model, options, chosen }, id }: { variable: Variable; id: string }) {
  const set = (values: string[]) => setParams({ [`var-${model.name}`]: values });
  if (model.type === 'textbox') {
    return (
      <AutoSizeInput
        id={id}
        minWidth={12}
        defaultValue={chosen[0]}
        onCommitChange={(event) => set([event.currentTarget.value])}
      />
    );
  }
  const choices = (model.includeAll ? [all, ...options] : options).map((value) => ({ value, label: labelOf(value) }));
  if (!model.multi) {
    return (
      <Combobox
        id={id}
        width="auto"
        minWidth={12}
        options={choices}
        value={chosen[0] ?? null}
        onChange={({ value }) => set([value])}
      />
    );
  }
  return (
    <MultiCombobox
      id={id}
      width="auto"
      minWidth={12}
      maxWidth={60}
      options={choices}
      value={chosen}
      onChange={(now) =>
        set(
          withoutAll(
            now.map(({ value }) => value),
            chosen
          )
        )
      }
    />
  );
}

function labelOf(value: string): string {
  return value === all ? 'All' : value.replace('$__', '');
}

/** All and others exclude one another: the one that was chosen last stays. */
function withoutAll(now: string[], before: string[]): string[] {
  if (!now.includes(all)) {
    return now;
  }
  return before.includes(all) && now.length > 1 ? now.filter((value) => value !== all) : [all];
}

const getStyles = (theme: GrafanaTheme2) => ({
  variable: css({ display: 'flex', alignItems: 'center', '& > label': { marginRight: 0 }, gap: theme.spacing(0.25) }),
});
