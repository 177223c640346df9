import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { bracketMatching, HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import { EditorState, Prec } from '@codemirror/state';
import { EditorView, keymap, placeholder } from '@codemirror/view';
import type { GrafanaTheme2 } from '@grafana/data';
import { tags } from '@lezer/highlight';
import { PromQLExtension } from '@prometheus-io/codemirror-promql';

/** An editor of PromQL in the page. */
export interface Editor {
  show: (text: string) => void;
  destroy: () => void;
}

/** What is called with the text: at each change, and at Enter. */
interface Calls {
  change: (text: string) => void;
  run: (text: string) => void;
}

/** Puts an editor into parent. It completes from what Prometheus knows. */
export function createEditor(parent: HTMLElement, theme: GrafanaTheme2, calls: Calls): Editor {
  const promQL = new PromQLExtension().setComplete({
    remote: { apiPrefix: '/api/prometheus/api/v1', httpMethod: 'GET' },
  });
  const run = (view: EditorView) => {
    calls.run(view.state.doc.toString());
    return true;
  };
  const view = new EditorView({
    parent,
    state: EditorState.create({
      extensions: [
        history(),
        bracketMatching(),
        closeBrackets(),
        autocompletion(),
        promQL.asExtension(),
        appearance(theme),
        placeholder('PromQL'),
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({ 'aria-label': 'PromQL' }),
        EditorView.updateListener.of((update) => update.docChanged && calls.change(update.state.doc.toString())),
        keymap.of([...completionKeymap, ...closeBracketsKeymap]),
        Prec.high(keymap.of([{ key: 'Mod-Enter', run }])),
        // After the completion, which takes Enter for what is chosen in its list.
        keymap.of([{ key: 'Enter', run, shift: () => false }, ...defaultKeymap, ...historyKeymap]),
      ],
    }),
  });
  return {
    show: (text) => {
      if (text !== view.state.doc.toString()) {
        view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
      }
    },
    destroy: () => view.destroy(),
  };
}

function appearance(theme: GrafanaTheme2) {
  const { visualization: colors, typography } = theme;
  const look = EditorView.theme(
    {
      '&': { color: theme.colors.text.primary },
      '.cm-content': {
        fontFamily: typography.fontFamilyMonospace,
        fontSize: typography.bodySmall.fontSize,
        padding: '7px 8px',
        caretColor: 'currentColor',
      },
      '.cm-placeholder': { color: theme.colors.text.disabled },
      '.cm-tooltip': {
        background: theme.colors.background.elevated,
        border: `1px solid ${theme.colors.border.medium}`,
        color: theme.colors.text.primary,
      },
    },
    { dark: theme.isDark }
  );
  const highlight = HighlightStyle.define([
    { tag: [tags.keyword, tags.modifier], color: colors.getColorByName('blue') },
    { tag: tags.function(tags.variableName), color: colors.getColorByName('purple') },
    { tag: tags.labelName, color: colors.getColorByName('dark-orange') },
    { tag: tags.string, color: colors.getColorByName('green') },
    { tag: tags.number, color: colors.getColorByName('orange') },
    { tag: tags.comment, color: theme.colors.text.secondary },
  ]);
  return [look, syntaxHighlighting(highlight)];
}
