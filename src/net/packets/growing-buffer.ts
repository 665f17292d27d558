const empty = Buffer.alloc(0);

/** Bytes that come in pieces, kept as one: a list of a million pieces of one byte would take a hundred times their size. */
export class GrowingBuffer {
  #store: Buffer = empty;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  append(piece: Buffer): void {
    const length = this.#length + piece.length;
    if (length > this.#store.length) {
      const grown = Buffer.allocUnsafe(this.#length === 0 ? length : 2 * length);
      this.#store.copy(grown, 0, 0, this.#length);
      this.#store = grown;
    }
    piece.copy(this.#store, this.#length);
    this.#length = length;
  }

  /** The bytes so far; valid until the next `append`. */
  bytes(): Buffer {
    return this.#store.subarray(0, this.#length);
  }
}
