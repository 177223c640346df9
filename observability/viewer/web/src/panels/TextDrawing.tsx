import { renderTextPanelMarkdown, textUtil } from '@grafana/data';
import { ScrollContainer } from '@grafana/ui';
import { useDashboard } from '../dashboard/context';
import { interpolate } from '../dashboard/interpolate';
import { optionsOf, type DrawingProps } from './drawing';

/** Text, written as Markdown or HTML; what could run as a script is shown as the text that it is, as in Grafana. */
export function TextDrawing({ panel }: DrawingProps) {
  const { mode, content } = optionsOf(panel, { mode: 'markdown', content: '' });
  const text = interpolate(content, useDashboard().values);
  const html = mode === 'html' ? textUtil.sanitizeTextPanelContent(text) : renderTextPanelMarkdown(text);
  return (
    <ScrollContainer>
      {mode === 'code' ? (
        <pre>{text}</pre>
      ) : (
        <div className="markdown-html" dangerouslySetInnerHTML={{ __html: html }} />
      )}
    </ScrollContainer>
  );
}
