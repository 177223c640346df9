import type { AnchorHTMLAttributes, MouseEvent, ReactNode } from 'react';
import { openPage, pageLink } from './location';

type Props = AnchorHTMLAttributes<HTMLAnchorElement> & { href: string; children: ReactNode };

/** A link to a page of this app; a plain click does not load the app anew. */
export function PageLink({ href, children, ...rest }: Props) {
  const onClick = (event: MouseEvent) => {
    if (event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey) {
      event.preventDefault();
      openPage(href);
    }
  };
  return (
    <a {...rest} href={pageLink(href)} onClick={onClick}>
      {children}
    </a>
  );
}
