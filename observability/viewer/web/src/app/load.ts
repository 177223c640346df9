import { useEffect, useState } from 'react';

/** What is being fetched: neither value nor error yet, or one of them. */
export interface Loaded<T> {
  value?: T;
  error?: string;
}

/**
 * Fetches when the key changes. Until the new value is there the old one stays,
 * so that nothing flickers; what comes late for an old key is dropped.
 */
export function useLoaded<T>(fetchIt: () => Promise<T>, key: unknown[]): Loaded<T> {
  const [loaded, setLoaded] = useState<Loaded<T>>({});
  useEffect(() => {
    let current = true;
    fetchIt().then(
      (value) => current && setLoaded({ value }),
      (fault: unknown) => current && setLoaded((old) => ({ ...old, error: errorText(fault) }))
    );
    return () => {
      current = false;
    };
    // The key stands for what fetchIt closes over.
  }, key);
  return loaded;
}

export function errorText(fault: unknown): string {
  return fault instanceof Error ? fault.message : String(fault);
}

/** Fetches JSON from the viewer's own API; its error tells what is wrong. */
export async function fetchJSON<T>(path: string): Promise<T> {
  const response = await fetch(path);
  const body = await response.json().catch(() => undefined);
  if (!response.ok || body === undefined) {
    throw new Error(body?.error ?? `${path}: ${response.status} ${response.statusText}`);
  }
  return body as T;
}
