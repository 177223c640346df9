import { Alert } from '@grafana/ui';

/** Tells what is wrong in place of what should be there. */
export function Problem({ text, title = 'That did not work' }: { text: string; title?: string }) {
  return (
    <Alert severity="error" title={title}>
      {text}
    </Alert>
  );
}
