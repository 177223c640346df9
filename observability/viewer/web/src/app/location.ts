import { useSyncExternalStore } from 'react';

// All state that is worth sharing is in the address: what one person sees,
// another sees who opens the same link.

const changed = 'viewer:location';

// carried are the parameters that stay when a person goes to another page.
const carried = ['from', 'to', 'theme'];

/** A change of the address: each parameter becomes these values, null takes it away. */
export type Change = Record<string, string | string[] | null>;

/** The address, path and parameters; components that use it are drawn again when it changes. */
export function useAddress(): { path: string; params: URLSearchParams } {
  const href = useSyncExternalStore(subscribe, () => window.location.pathname + window.location.search);
  const url = new URL(href, window.location.origin);
  return { path: decodeURIComponent(url.pathname), params: url.searchParams };
}

function subscribe(onChange: () => void): () => void {
  window.addEventListener('popstate', onChange);
  window.addEventListener(changed, onChange);
  return () => {
    window.removeEventListener('popstate', onChange);
    window.removeEventListener(changed, onChange);
  };
}

/** Changes parameters of this page; Back brings the old ones again. */
export function setParams(change: Change): void {
  const url = new URL(window.location.href);
  apply(url.searchParams, change);
  go(url);
}

/** Opens a page of this app, given as a path with or without parameters. */
export function openPage(href: string): void {
  go(new URL(pageLink(href), window.location.origin));
}

/** Lets plain clicks on links to pages of this app open them without loading the app anew. */
export function followLinks(): void {
  document.addEventListener('click', (event) => {
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    const modified = event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey;
    if (
      !link ||
      modified ||
      event.defaultPrevented ||
      link.target === '_blank' ||
      link.origin !== window.location.origin
    ) {
      return;
    }
    event.preventDefault();
    openPage(link.pathname + link.search + link.hash);
  });
}

/** The address of a page, with those parameters of this one that are carried on. */
export function pageLink(href: string): string {
  const url = new URL(href, window.location.origin);
  const here = new URLSearchParams(window.location.search);
  for (const name of carried) {
    const value = here.get(name);
    if (value !== null && !url.searchParams.has(name)) {
      url.searchParams.set(name, value);
    }
  }
  return url.pathname + url.search + url.hash;
}

function apply(params: URLSearchParams, change: Change): void {
  for (const [name, value] of Object.entries(change)) {
    params.delete(name);
    for (const one of value === null ? [] : [value].flat()) {
      params.append(name, one);
    }
  }
}

function go(url: URL): void {
  if (url.href !== window.location.href) {
    window.history.pushState(null, '', url);
    window.dispatchEvent(new Event(changed));
  }
}
