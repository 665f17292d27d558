import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';

interface Props<Item> {
  readonly items: readonly Item[];
  readonly keyOf: (item: Item) => string;
  readonly children: (item: Item) => ComponentChildren;
}

/** The height of a row in style.css. */
const rowPx = 44;
/** Rows beside those in view, so that a fast scroll shows no gap. */
const extraRows = 20;

/** Rows of one height, of which only those near the view are there: ten thousand scroll like fifty. */
export function LongList<Item>({ items, keyOf, children }: Props<Item>) {
  const list = useRef<HTMLDivElement>(null);
  const [first, setFirst] = useState(0);
  useEffect(() => {
    const look = (): void => {
      const above = -(list.current?.getBoundingClientRect().top ?? 0);
      setFirst(Math.max(0, Math.floor(above / rowPx / extraRows) * extraRows - extraRows));
    };
    look();
    addEventListener('scroll', look, { passive: true });
    addEventListener('resize', look);
    return () => {
      removeEventListener('scroll', look);
      removeEventListener('resize', look);
    };
  }, []);
  const rows = Math.ceil(innerHeight / rowPx) + 3 * extraRows;
  const from = Math.min(first, Math.max(0, items.length - rows));
  return (
    <div ref={list} class="rows" role="list" style={{ height: `${items.length * rowPx}px` }}>
      <div style={{ transform: `translateY(${from * rowPx}px)` }}>
        {items.slice(from, from + rows).map((item) => (
          <div key={keyOf(item)} role="listitem">
            {children(item)}
          </div>
        ))}
      </div>
    </div>
  );
}
