import { useLayoutEffect, useState, type RefCallback } from 'react';

/** The size of an element in pixels, and whether it is, or is nearly, in sight. */
export function useSize(): { ref: RefCallback<HTMLElement>; width: number; height: number; inView: boolean } {
  const [element, ref] = useState<HTMLElement | null>(null);
  const [size, setSize] = useState({ width: 0, height: 0 });
  const [inView, setInView] = useState(false);
  useLayoutEffect(() => {
    if (!element) {
      return;
    }
    const sizes = new ResizeObserver(() => setSize({ width: element.clientWidth, height: element.clientHeight }));
    const views = new IntersectionObserver(([entry]) => setInView(entry?.isIntersecting ?? false), {
      rootMargin: '200px',
    });
    sizes.observe(element);
    views.observe(element);
    return () => {
      sizes.disconnect();
      views.disconnect();
    };
  }, [element]);
  return { ref, ...size, inView };
}
