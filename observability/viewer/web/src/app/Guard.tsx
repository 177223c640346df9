import { ErrorBoundary } from '@grafana/ui';
import type { ReactNode } from 'react';
import { Problem } from './Problem';

/** Keeps a fault of the drawing itself inside: it is told in place of what it was to draw. */
export function Guard({ children, on }: { children: ReactNode; on: unknown[] }) {
  return (
    <ErrorBoundary boundaryName="viewer" dependencies={on}>
      {({ error }) => (error ? <Problem text={error.message} title="This could not be drawn" /> : children)}
    </ErrorBoundary>
  );
}
