/** Connections that have not greeted yet, so that strangers cannot use up the server's sockets and memory. */
const maxStrangers = 1000;
/** Of them from one address: a whole site behind one may come back at once, and still leaves room for the others. */
const maxFromOneAddress = 500;

/** Counts who is at the door. How many agents share an address is nobody's business: each was let in with a token. */
export class Strangers {
  readonly #byAddress = new Map<string, number>();
  #count = 0;

  hasRoomFor(address: string): boolean {
    return this.#count < maxStrangers && (this.#byAddress.get(address) ?? 0) < maxFromOneAddress;
  }

  /** Returns what to call, once or more, when this one is a stranger no longer. */
  enter(address: string): () => void {
    this.#add(address, 1);
    let isIn = true;
    return () => {
      if (isIn) this.#add(address, -1);
      isIn = false;
    };
  }

  #add(address: string, change: 1 | -1): void {
    this.#count += change;
    const here = (this.#byAddress.get(address) ?? 0) + change;
    if (here === 0) this.#byAddress.delete(address);
    else this.#byAddress.set(address, here);
  }
}
