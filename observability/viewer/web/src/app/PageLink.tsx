import type { AnchorHTMLAttributes, ReactNode } from 'react';
import { pageLink } from './location';

type Props = AnchorHTMLAttributes<HTMLAnchorElement> & { href: string; children: ReactNode };

/** A link to a page of this app, which takes the time range and the theme along. */
export function PageLink({ href, children, ...rest }: Props) {
  return (
    <a {...rest} href={pageLink(href)}>
      {children}
    </a>
  );
}
