export interface Due {
  /** Epoch milliseconds. */
  readonly dueAt: number;
}

/** Items by the time they are due, the earliest first: a binary heap. An item's `dueAt` must not change while it is inside. */
export class DueHeap<Item extends Due> {
  #items: Item[] = [];

  get first(): Item | undefined {
    return this.#items[0];
  }

  /** Starts anew with these items. */
  fill(items: Iterable<Item>): void {
    // A sorted array is a heap.
    this.#items = Array.from(items).toSorted((a, b) => a.dueAt - b.dueAt);
  }

  push(item: Item): void {
    const items = this.#items;
    let index = items.length;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = items[parentIndex];
      if (!parent || parent.dueAt <= item.dueAt) break;
      items[index] = parent;
      index = parentIndex;
    }
    items[index] = item;
  }

  pop(): Item | undefined {
    const items = this.#items;
    const first = items[0];
    const last = items.pop();
    if (last && items.length > 0) this.#sink(last);
    return first;
  }

  /** Lets an item fall from the top to its place. */
  #sink(item: Item): void {
    const items = this.#items;
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      const child = (items[left + 1]?.dueAt ?? Infinity) < (items[left]?.dueAt ?? Infinity) ? left + 1 : left;
      const next = items[child];
      if (!next || next.dueAt >= item.dueAt) break;
      items[index] = next;
      index = child;
    }
    items[index] = item;
  }
}
