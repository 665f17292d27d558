import { AppError } from '../../../core/errors.ts';

/** Whole numbers up to this survive the way through a signed varint exactly. */
export const maxSigned = 2 ** 51;
export const maxUnsigned = 2 ** 52;

/** Appends numbers to a growing buffer. */
export class ByteWriter {
  #bytes = Buffer.allocUnsafe(4096);
  #length = 0;

  /** A whole number from 0 to 2^52, seven bits a byte, lowest first. @throws {RangeError} */
  unsigned(value: number): void {
    if (!(value <= maxUnsigned)) throw new RangeError(`Expected a number up to ${maxUnsigned} to store, got ${value}.`);
    this.#reserve(8);
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest % 0x80) + 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#length++] = rest;
  }

  /** A whole number of either sign; small ones take one byte. */
  signed(value: number): void {
    this.unsigned(value < 0 ? -2 * value - 1 : 2 * value);
  }

  float(value: number): void {
    this.#reserve(8);
    this.#length = this.#bytes.writeDoubleLE(value, this.#length);
  }

  text(value: string): void {
    const bytes = Buffer.from(value);
    this.unsigned(bytes.length);
    this.#reserve(bytes.length);
    this.#length += bytes.copy(this.#bytes, this.#length);
  }

  finish(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  #reserve(size: number): void {
    if (this.#length + size <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#length + size));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}

/** Reads what a ByteWriter wrote; bytes that end too early are an error, never zeros. */
export class ByteReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  unsigned(): number {
    let value = 0;
    for (let factor = 1; factor <= 2 ** 49; factor *= 0x80) {
      const byte = this.#take(1)[0] ?? 0;
      value += (byte % 0x80) * factor;
      if (byte < 0x80) return value;
    }
    throw new AppError('internal', `Expected a number of at most 8 bytes at byte ${this.#at} of stored data.`);
  }

  signed(): number {
    const value = this.unsigned();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  float(): number {
    return this.#take(8).readDoubleLE();
  }

  text(): string {
    return this.#take(this.unsigned()).toString();
  }

  #take(size: number): Buffer {
    const end = this.#at + size;
    if (end > this.#bytes.length) {
      throw new AppError(
        'internal',
        `Expected ${size} more bytes at byte ${this.#at} of stored data, which ends there.`,
      );
    }
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }
}
