/** RFC 9113, section 4.1. */
const headerBytes = 9;
const data = 0x0;
const headers = 0x1;
const endStream = 0x1;

/** Follows the frames that a server sends (RFC 9113 section 4.1) and notes which streams it has ended with END_STREAM. */
export class EndedStreams {
  readonly #ended = new Set<number>();
  readonly #header = new Uint8Array(headerBytes);
  /** Bytes of the next frame's header that came. */
  #filled = 0;
  /** Bytes of the current frame's payload still to come. */
  #payload = 0;

  has(stream: number): boolean {
    return this.#ended.has(stream);
  }

  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      if (this.#payload > 0) {
        const passed = Math.min(this.#payload, bytes.length - at);
        this.#payload -= passed;
        at += passed;
        continue;
      }
      this.#header[this.#filled++] = bytes[at++] ?? 0;
      if (this.#filled === headerBytes) this.#take();
    }
  }

  #take(): void {
    const view = new DataView(this.#header.buffer);
    const [type, flags] = [view.getUint8(3), view.getUint8(4)];
    this.#payload = view.getUint32(0) >>> 8;
    this.#filled = 0;
    // The top bit of the identifier is reserved.
    if ((type === data || type === headers) && (flags & endStream) !== 0)
      this.#ended.add(view.getUint32(5) & 0x7fffffff);
  }
}
