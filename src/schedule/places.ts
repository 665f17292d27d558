/** Limits the concurrent runs of one check type; other items wait in order of arrival, each at most once. */
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

  /** Starts the item as soon as there is a place. */
  enter(item: Item): void {
    if (this.#busy >= this.limit) {
      this.#waiting.add(item);
      return;
    }
    this.#busy++;
    this.#start(item);
  }

  /** Removes a waiting item. */
  withdraw(item: Item): void {
    this.#waiting.delete(item);
  }

  /** Called when a run ends: its place goes to the item that has waited longest. */
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
