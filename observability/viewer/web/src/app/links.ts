/** Where a link of a file leads here: Grafana serves the runbooks as files, the viewer as pages. */
export function hrefOf(url: string): string {
  const [, runbook] = /^(?:\/public\/|\/|)(?:docs\/)?(runbooks\/\w+)\.md$/.exec(url) ?? [];
  return runbook ? `/${runbook}` : url;
}
