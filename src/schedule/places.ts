/** How many runs of one check type may be under way; the rest wait their turn, each item once. */
export class Places<Item> {
  readonly limit: number;
  #busy = 0;
  // A set keeps the order of arrival and lets an item leave the middle at no cost.
  readonly #waiting = new Set<Item>();
  readonly #start: (item: Item) => void;

  constructor(limit: number, start: (item: Item) => void) {
    this.limit = limit;
    this.#start = start;
  }

  /** Starts the item now if there is a place, else when there is one. */
  enter(item: Item): void {
    if (this.#busy >= this.limit) {
      this.#waiting.add(item);
      return;
    }
    this.#busy++;
    this.#start(item);
  }

  /** An item that waits no longer wants a place. */
  withdraw(item: Item): void {
    this.#waiting.delete(item);
  }

  /** A run ended: its place goes to who has waited longest. */
  leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#busy--;
      return;
    }
    this.#waiting.delete(next);
    this.#start(next);
  }
}
