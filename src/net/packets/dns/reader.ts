import { labelText, maxNameBytes } from './name.ts';

/** The bytes are not what the protocol says; the message says which part of them. */
export class DnsFormatError extends Error {
  override readonly name = 'DnsFormatError';
}

const maxLabelBytes = 63;
const pointerMark = 0xc0;
/** A name has at most 127 labels, and a pointer without a label before it has no use. */
const maxPointers = 127;

interface ReadName {
  /** Empty for the root. */
  readonly text: string;
  readonly nameBytes: number;
  readonly pointers: number;
  /** Where reading goes on after it. */
  readonly next: number;
}

/** Reads a DNS message from front to back; every length is checked against the part being read. */
export class DnsReader {
  readonly #bytes: Buffer;
  readonly #names = new Map<number, ReadName>();
  #offset = 0;
  #end: number;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#end = bytes.byteLength;
  }

  get remaining(): number {
    return this.#end - this.#offset;
  }

  u8(): number {
    return this.#bytes.readUInt8(this.#advance(1));
  }

  u16(): number {
    return this.#bytes.readUInt16BE(this.#advance(2));
  }

  u32(): number {
    return this.#bytes.readUInt32BE(this.#advance(4));
  }

  bytes(length: number): Buffer {
    const start = this.#advance(length);
    return this.#bytes.subarray(start, start + length);
  }

  rest(): Buffer {
    return this.bytes(this.remaining);
  }

  /** The bytes that were read last. */
  last(length: number): Buffer {
    return this.#bytes.subarray(this.#offset - length, this.#offset);
  }

  /** Reads a part of a stated length, which must hold exactly what `read` takes from it. Reading goes on behind it, also after an error. */
  within<T>(length: number, read: () => T): T {
    const outerEnd = this.#end;
    const start = this.#advance(length);
    const end = start + length;
    this.#offset = start;
    this.#end = end;
    try {
      const value = read();
      if (this.remaining > 0)
        throw new DnsFormatError(`a part of ${length} bytes that are ${this.remaining} more than are needed`);
      return value;
    } finally {
      this.#offset = end;
      this.#end = outerEnd;
    }
  }

  /**
   * A domain name as text without the final dot; the root is a single dot. A compression pointer (RFC 1035 section
   * 4.1.4) must point before the part of the name that holds it, so that no chain of pointers can loop (RFC 9267).
   */
  name(): string {
    const { text, next } = this.#nameAt(this.#offset, { end: this.#end, depth: 0 });
    this.#offset = next;
    return text || '.';
  }

  /** `depth` pointers have led here. */
  #nameAt(start: number, { end, depth }: { readonly end: number; readonly depth: number }): ReadName {
    const bytes = this.#bytes;
    const labels: string[] = [];
    let nameBytes = 1;
    for (let at = start; ;) {
      const length = byteAt(bytes, at, end);
      if (length >= pointerMark) {
        const target = (length - pointerMark) * 256 + byteAt(bytes, at + 1, end);
        if (target >= start) throw new DnsFormatError(`the name at byte ${start} points on to byte ${target}`);
        const rest = this.#pointedTo(target, depth + 1);
        assertNameFits(nameBytes + rest.nameBytes - 1, rest.pointers + 1);
        if (rest.text) labels.push(rest.text);
        return {
          text: labels.join('.'),
          nameBytes: nameBytes + rest.nameBytes - 1,
          pointers: rest.pointers + 1,
          next: at + 2,
        };
      }
      if (length === 0) return { text: labels.join('.'), nameBytes, pointers: 0, next: at + 1 };
      if (length > maxLabelBytes) throw new DnsFormatError(`a label of unknown type at byte ${at}`);
      assertNameFits((nameBytes += length + 1), 0);
      byteAt(bytes, at + length, end);
      labels.push(labelText(bytes.subarray(at + 1, at + 1 + length)));
      at += length + 1;
    }
  }

  /** Read once for each target: many pointers to one long name would else cost the product of both. */
  #pointedTo(target: number, depth: number): ReadName {
    const known = this.#names.get(target);
    if (known) return known;
    assertNameFits(0, depth);
    const name = this.#nameAt(target, { end: this.#bytes.length, depth });
    this.#names.set(target, name);
    return name;
  }

  /** @throws {DnsFormatError} if fewer bytes are left */
  expect(length: number): void {
    if (length > this.remaining)
      throw new DnsFormatError(
        `expected ${length} bytes at byte ${this.#offset}, but the part ends at byte ${this.#end}`,
      );
  }

  #advance(length: number): number {
    this.expect(length);
    const start = this.#offset;
    this.#offset += length;
    return start;
  }
}

function assertNameFits(nameBytes: number, pointers: number): void {
  if (nameBytes > maxNameBytes) throw new DnsFormatError(`a name is longer than ${maxNameBytes} bytes`);
  if (pointers > maxPointers) throw new DnsFormatError(`a name has more than ${maxPointers} pointers`);
}

function byteAt(bytes: Buffer, at: number, end: number): number {
  const byte = at < end ? bytes[at] : undefined;
  if (byte === undefined) throw new DnsFormatError(`a name runs past byte ${end}, where its part ends`);
  return byte;
}
