import { GrowingBuffer } from './growing-buffer.ts';
import type { HeaderField } from './http-fields.ts';
import {
  framingOf,
  headOf,
  Http1Error,
  parseChunkSize,
  parseField,
  parseStatusLine,
  quotedLine,
  type ResponseHead,
  type StatusLine,
} from './http1-framing.ts';

/** All header blocks of a response together, also of interim responses and trailers. */
export const maxHeaderBytes = 65_536;
export const maxInterimResponses = 8;
const maxChunkLineBytes = 1024;

type State =
  | 'status'
  | 'fields'
  | 'length'
  | 'chunk-size'
  | 'chunk'
  | 'chunk-end'
  | 'trailers'
  | 'until-close'
  | 'done';

interface ResponseLimits {
  readonly method: string;
  /** Of the body as it is transferred: reading ends there. */
  readonly maxBodyBytes: number;
  /** The request asked for another protocol: 101 is a final response, and what follows it is kept as `rest`. */
  readonly mayUpgrade?: boolean;
}

const newline = 10;
const nothing = Buffer.alloc(0);

/** Reads one response from bytes as they come (RFC 9112), as leniently as curl; keeps no more than the limits allow. */
export class ResponseParser {
  /** The final response's; undefined until its header block is complete. */
  head: ResponseHead | undefined;
  readonly body = new GrowingBuffer();
  /** Bytes of the header blocks, without trailers. */
  headerBytes = 0;
  /** The body is longer than the limit, and its rest was not read. */
  isCut = false;
  /** Deviations from the standard, a sentence each. */
  readonly oddities = new Set<string>();
  /** Bytes after the response. */
  rest: Buffer = nothing;
  #state: State = 'status';
  #line = '';
  #status: StatusLine | undefined;
  #fields: HeaderField[] = [];
  #trailerBytes = 0;
  #interimResponses = 0;
  /** Bytes still to come of a body with a length, or of a chunk. */
  #remaining = 0;
  readonly #limits: ResponseLimits;
  readonly #note = (text: string): void => void this.oddities.add(text);

  constructor(limits: ResponseLimits) {
    this.#limits = limits;
  }

  /** True once the response is complete; what comes after it is ignored. @throws {Http1Error} malformed, too-large */
  push(bytes: Buffer): boolean {
    let at = 0;
    while (at < bytes.length && this.#state !== 'done')
      at = this.#isInBody() ? this.#take(bytes, at) : this.#read(bytes, at);
    this.rest = bytes.subarray(at);
    return this.#state === 'done';
  }

  /** The peer has closed. @throws {Http1Error} truncated, unless that is how the response ends */
  end(): void {
    if (this.#state === 'until-close' || this.#state === 'done') return;
    throw new Http1Error('truncated', this.#whatIsMissing());
  }

  #whatIsMissing(): string {
    if (!this.head) return this.headerBytes === 0 ? 'before it answered' : 'in the middle of the header';
    if (this.#state === 'length')
      return `after ${this.body.length} of ${this.body.length + this.#remaining} bytes of the body`;
    return `after ${this.body.length} bytes of a chunked body without its last chunk`;
  }

  #isInBody(): boolean {
    return this.#state === 'length' || this.#state === 'chunk' || this.#state === 'until-close';
  }

  #take(bytes: Buffer, at: number): number {
    const available = bytes.length - at;
    const offered = this.#state === 'until-close' ? available : Math.min(this.#remaining, available);
    const room = this.#limits.maxBodyBytes - this.body.length;
    const taken = Math.min(offered, room);
    this.body.append(bytes.subarray(at, at + taken));
    if (offered > room) {
      this.isCut = true;
      this.#state = 'done';
    } else if (this.#state !== 'until-close') {
      this.#remaining -= taken;
      if (this.#remaining === 0) this.#state = this.#state === 'chunk' ? 'chunk-end' : 'done';
    }
    return at + taken;
  }

  /** Takes a line, or what there is of one. Only new bytes are searched, so that a line that drips costs no more. */
  #read(bytes: Buffer, at: number): number {
    const end = bytes.indexOf(newline, at);
    const next = end < 0 ? bytes.length : end + 1;
    this.#line += bytes.toString('latin1', at, end < 0 ? next : end);
    this.#assertLineFits(next - at);
    if (end < 0) return next;
    const line = this.#line;
    this.#line = '';
    if (!line.endsWith('\r')) this.#note('A line ends in LF alone, expected CR LF (RFC 9112 section 2.2).');
    this.#accept(line.endsWith('\r') ? line.slice(0, -1) : line);
    return next;
  }

  #assertLineFits(bytes: number): void {
    if (this.#state === 'chunk-size' || this.#state === 'chunk-end') {
      if (this.#line.length > maxChunkLineBytes)
        throw new Http1Error('too-large', `expected a chunk's first line of at most ${maxChunkLineBytes} bytes`);
      return;
    }
    if (this.#state === 'trailers') this.#trailerBytes += bytes;
    else this.headerBytes += bytes;
    if (this.headerBytes + this.#trailerBytes > maxHeaderBytes)
      throw new Http1Error('too-large', `expected headers of at most ${maxHeaderBytes} bytes together, got more`);
  }

  #accept(line: string): void {
    switch (this.#state) {
      case 'status':
        this.#status = parseStatusLine(line, this.#note);
        this.#state = 'fields';
        return;
      case 'fields':
        return line === '' ? this.#endHeader() : this.#acceptField(line);
      case 'chunk-size':
        return this.#startChunk(parseChunkSize(line));
      case 'chunk-end':
        if (line !== '') throw new Http1Error('malformed', `expected the end of a chunk, got ${quotedLine(line)}`);
        this.#state = 'chunk-size';
        return;
      default:
        // Trailers are counted and checked, and not kept: nothing asks for them.
        if (line === '') this.#state = 'done';
        else parseField(line, this.#note);
    }
  }

  #acceptField(line: string): void {
    const last = this.#fields.at(-1);
    const isFolded = line.startsWith(' ') || line.startsWith('\t');
    if (!isFolded || !last) {
      this.#fields.push(parseField(line, this.#note));
      return;
    }
    // An obsolete folded line continues the field before it (RFC 9112 section 5.2).
    this.#note(`The header ${last[0]} is folded over several lines (RFC 9112 section 5.2).`);
    this.#fields[this.#fields.length - 1] = [last[0], `${last[1]} ${line.trim()}`];
  }

  #startChunk(bytes: number): void {
    this.#remaining = bytes;
    this.#state = bytes === 0 ? 'trailers' : 'chunk';
  }

  #endHeader(): void {
    // A status line always comes before the fields.
    const head = headOf(this.#status!, this.#fields);
    if (head.status === 101 && this.#limits.mayUpgrade) {
      this.head = head;
      this.#state = 'done';
      return;
    }
    if (head.status < 200) return this.#skipInterim(head);
    this.head = head;
    const framing = framingOf(head, this.#limits.method, this.#note);
    if (framing.kind === 'length') this.#remaining = framing.bytes;
    const isEmpty = framing.kind === 'none' || (framing.kind === 'length' && framing.bytes === 0);
    this.#state = isEmpty ? 'done' : stateOfFraming[framing.kind];
  }

  #skipInterim({ status }: ResponseHead): void {
    if (status === 101) throw new Http1Error('malformed', 'expected a response, got 101 Switching Protocols unasked');
    this.#interimResponses += 1;
    if (this.#interimResponses > maxInterimResponses)
      throw new Http1Error('too-large', `expected at most ${maxInterimResponses} interim (1xx) responses, got more`);
    this.#fields = [];
    this.#state = 'status';
  }
}

const stateOfFraming = { none: 'done', length: 'length', chunked: 'chunk-size', 'until-close': 'until-close' } as const;
