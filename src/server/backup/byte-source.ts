/** Bytes that arrive in pieces of any size, read in the sizes that a format has. */
export class ByteSource {
  readonly #pieces: AsyncIterator<Uint8Array>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(bytes: AsyncIterable<Uint8Array>) {
    this.#pieces = bytes[Symbol.asyncIterator]();
  }

  /** The next `size` bytes; fewer only at the end. */
  async read(size: number): Promise<Buffer> {
    const found = await this.peek(size);
    this.#rest = this.#rest.subarray(found.length);
    return found;
  }

  /** As `read`, and the bytes come again. */
  async peek(size: number): Promise<Buffer> {
    const found = [this.#rest];
    let length = this.#rest.length;
    while (length < size) {
      const piece = await this.#nextPiece();
      if (piece === undefined) break;
      found.push(piece);
      length += piece.length;
    }
    if (found.length > 1) this.#rest = Buffer.concat(found);
    return this.#rest.subarray(0, size);
  }

  /** The next `size` bytes in pieces; fewer only at the end. */
  async *take(size: number): AsyncGenerator<Buffer> {
    let left = size;
    while (left > 0) {
      const piece = await this.read(Math.min(left, this.#rest.length || pieceBytes));
      if (piece.length === 0) return;
      left -= piece.length;
      yield piece;
    }
  }

  /** All that is left, in pieces of `size` bytes with a shorter one, perhaps an empty one, at the end. */
  async *chunks(size: number): AsyncGenerator<{ readonly chunk: Buffer; readonly isLast: boolean }> {
    for (;;) {
      const chunk = await this.read(size);
      const isLast = (await this.peek(1)).length === 0;
      yield { chunk, isLast };
      if (isLast) return;
    }
  }

  async #nextPiece(): Promise<Buffer | undefined> {
    const next = await this.#pieces.next();
    if (next.done === true) return undefined;
    const { buffer, byteOffset, byteLength } = next.value;
    return Buffer.from(buffer, byteOffset, byteLength);
  }
}

const pieceBytes = 65_536;
