import { labelText, maxNameBytes } from './name.ts';

/** The bytes are not what the protocol says; the message says which part of them. */
export class DnsFormatError extends Error {
  override readonly name = 'DnsFormatError';
}

const maxLabelBytes = 63;
const pointerMark = 0xc0;
/** A name has at most 127 labels, and a pointer without a label before it has no use. */
const maxPointers = 127;

/** Reads a DNS message from front to back; every length is checked against the part being read. */
export class DnsReader {
  readonly #bytes: Buffer;
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

  /** Reads a part of a stated length, which must hold exactly what `read` takes from it. */
  within<T>(length: number, read: () => T): T {
    const outerEnd = this.#end;
    const start = this.#advance(length);
    this.#offset = start;
    this.#end = start + length;
    const value = read();
    if (this.remaining > 0) throw new DnsFormatError(`${this.remaining} bytes too many in a part of ${length} bytes`);
    this.#end = outerEnd;
    return value;
  }

  /**
   * A domain name as text without the final dot; the root is a single dot. A compression pointer (RFC 1035 section
   * 4.1.4) must point before the part of the name that holds it, so that no chain of pointers can loop (RFC 9267).
   */
  name(): string {
    const bytes = this.#bytes;
    const labels: string[] = [];
    let nameBytes = 1;
    let pointers = 0;
    let partStart = this.#offset;
    let at = partStart;
    let end = this.#end;
    while (true) {
      const length = byteAt(bytes, at, end);
      if (length >= pointerMark) {
        const target = (length - pointerMark) * 256 + byteAt(bytes, at + 1, end);
        if (target >= partStart) throw new DnsFormatError(`the name at byte ${partStart} points on to byte ${target}`);
        if (++pointers > maxPointers) throw new DnsFormatError(`a name has more than ${maxPointers} pointers`);
        if (pointers === 1) this.#offset = at + 2;
        at = partStart = target;
        end = bytes.length;
        continue;
      }
      if (length === 0) break;
      if (length > maxLabelBytes) throw new DnsFormatError(`a label of unknown type at byte ${at}`);
      nameBytes += length + 1;
      if (nameBytes > maxNameBytes) throw new DnsFormatError(`a name is longer than ${maxNameBytes} bytes`);
      byteAt(bytes, at + length, end);
      labels.push(labelText(bytes.subarray(at + 1, at + 1 + length)));
      at += length + 1;
    }
    if (pointers === 0) this.#offset = at + 1;
    return labels.join('.') || '.';
  }

  #advance(length: number): number {
    const start = this.#offset;
    if (start + length > this.#end)
      throw new DnsFormatError(`expected ${length} bytes at byte ${start}, but the part ends at byte ${this.#end}`);
    this.#offset = start + length;
    return start;
  }
}

function byteAt(bytes: Buffer, at: number, end: number): number {
  const byte = at < end ? bytes[at] : undefined;
  if (byte === undefined) throw new DnsFormatError(`a name runs past byte ${end}, where its part ends`);
  return byte;
}
