import { css } from '@emotion/css';
import { renderMarkdown, type GrafanaTheme2 } from '@grafana/data';
import { LoadingPlaceholder, useStyles2 } from '@grafana/ui';
import { Frame } from '../app/Frame';
import { useLoaded } from '../app/load';
import { PageLink } from '../app/PageLink';
import { Problem } from '../app/Problem';

/** Shows the runbook of an alert, or of all of them the list. */
export function RunbookPage({ name }: { name: string }) {
  const styles = useStyles2(getStyles);
  const { value, error } = useLoaded(() => fetchRunbook(name || 'README'), [name]);
  return (
    <Frame title={name ? `Runbook: ${name}` : 'Runbooks'}>
      <nav className={styles.nav} aria-label="Around this runbook">
        {name && <PageLink href="/runbooks">All runbooks</PageLink>}
        {name && <PageLink href={`/alerts?open=${name}#${name}`}>The alert</PageLink>}
      </nav>
      {error !== undefined && <Problem text={error} />}
      {value === undefined && error === undefined && <LoadingPlaceholder text="Loading" />}
      {value !== undefined && (
        <article className={`markdown-html ${styles.text}`} dangerouslySetInnerHTML={{ __html: value }} />
      )}
    </Frame>
  );
}

/** The page as HTML; what could run as a script is left out. */
async function fetchRunbook(name: string): Promise<string> {
  const [page, names] = await Promise.all([
    fetchText(`/api/runbooks/${encodeURIComponent(name)}`),
    fetchText('/api/runbooks'),
  ]);
  const body = new DOMParser().parseFromString(renderMarkdown(page), 'text/html').body;
  const known = JSON.parse(names) as string[];
  body.querySelectorAll('a').forEach((link) => resolve(link, known));
  const list =
    name === 'README'
      ? known.filter((one) => one !== name).map((one) => `<li><a href="/runbooks/${one}">${one}</a></li>`)
      : [];
  return body.innerHTML + (list.length > 0 ? `<h2>Alerts</h2><ul>${list.join('')}</ul>` : '');
}

/** Links between runbooks lead to their pages; those to other files of the project lead nowhere here. */
function resolve(link: HTMLAnchorElement, known: string[]): void {
  const [, page] = /^(?:\.\/)?(\w+)\.md$/.exec(link.getAttribute('href') ?? '') ?? [];
  if (page && known.includes(page)) {
    link.href = `/runbooks/${page}`;
  } else if (!/^(https?:|\/runbooks\/)/.test(link.getAttribute('href') ?? '')) {
    link.replaceWith(...link.childNodes);
  }
}

async function fetchText(path: string): Promise<string> {
  const response = await fetch(path);
  const text = await response.text();
  if (!response.ok) {
    throw new Error((JSON.parse(text) as { error: string }).error);
  }
  return text;
}

const getStyles = (theme: GrafanaTheme2) => ({
  nav: css({ display: 'flex', gap: theme.spacing(2), a: { color: theme.colors.text.link } }),
  text: css({
    maxWidth: 860,
    marginTop: theme.spacing(2),
    padding: theme.spacing(3),
    background: theme.colors.background.primary,
    border: `1px solid ${theme.colors.border.weak}`,
    borderRadius: theme.shape.radius.default,
  }),
});
