import { labelsOf } from './name.ts';
import { DnsFormatError } from './reader.ts';

export const maxMessageBytes = 65_535;

/** Writes a DNS message from front to back, without compression. */
export class DnsWriter {
  /** Writes what the DNS compares without regard to case in small letters. */
  readonly foldsCase: boolean;
  #bytes = Buffer.allocUnsafe(512);
  #length = 0;

  constructor({ foldsCase = false }: { readonly foldsCase?: boolean } = {}) {
    this.foldsCase = foldsCase;
  }

  u8(value: number): void {
    const at = this.#grow(1);
    this.#bytes[at] = value;
  }

  u16(value: number): void {
    const at = this.#grow(2);
    this.#bytes.writeUInt16BE(value, at);
  }

  u32(value: number): void {
    const at = this.#grow(4);
    this.#bytes.writeUInt32BE(value, at);
  }

  bytes(value: Uint8Array): void {
    const at = this.#grow(value.length);
    this.#bytes.set(value, at);
  }

  /** @throws {DnsFormatError} if the text is not a domain name */
  name(text: string): void {
    const labels = labelsOf(text);
    if (!labels) throw new DnsFormatError(`expected a domain name, got ${JSON.stringify(text.slice(0, 300))}`);
    for (const label of labels) {
      this.u8(label.length);
      this.bytes(this.foldsCase ? inSmallLetters(label) : label);
    }
    this.u8(0);
  }

  /** Writes a part and, before it, its length in 16 bits. */
  counted(write: () => void): void {
    const at = this.#grow(2);
    write();
    const length = this.#length - at - 2;
    if (length > maxMessageBytes) throw new DnsFormatError(`a part of ${length} bytes, more than 16 bits can say`);
    this.#bytes.writeUInt16BE(length, at);
  }

  /** @throws {DnsFormatError} if the message became longer than 65,535 bytes */
  finish(): Buffer {
    if (this.#length > maxMessageBytes) throw new DnsFormatError(`a message of ${this.#length} bytes is too long`);
    return this.#bytes.subarray(0, this.#length);
  }

  /** Makes room and says where; it may replace the buffer, so it comes before any use of that. */
  #grow(length: number): number {
    const start = this.#length;
    this.#length += length;
    if (this.#length > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(this.#length * 2);
      larger.set(this.#bytes.subarray(0, start));
      this.#bytes = larger;
    }
    return start;
  }
}

/** RFC 4343 section 3: only the letters of ASCII have a case. */
function inSmallLetters(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte) => (byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte));
}
