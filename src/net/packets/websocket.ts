/** RFC 6455 section 5.2. */
const opcodeNumbers = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;
export type Opcode = keyof typeof opcodeNumbers;

const maxControlBytes = 125;

/** A frame: a message may come in several of them. */
export interface Frame {
  readonly opcode: Opcode;
  /** The last of its message. */
  readonly final: boolean;
  readonly payload: Buffer;
}

/** Thrown for a frame that breaks the standard, or is larger than our limit. */
export class FrameError extends Error {
  override readonly name = 'FrameError';
  readonly fault: 'malformed' | 'too-large';

  constructor(fault: FrameError['fault'], message: string) {
    super(message);
    this.fault = fault;
  }
}

/** A whole message as a client sends it; `mask` is four random bytes. */
export function encodeFrame(opcode: Opcode, payload: Buffer, mask: Buffer): Buffer {
  const masked = Buffer.from(payload);
  for (const [at, byte] of masked.entries()) masked[at] = byte ^ (mask[at % 4] ?? 0);
  return Buffer.concat([Buffer.of(0x80 | opcodeNumbers[opcode]), lengthField(payload.length), mask, masked]);
}

function lengthField(length: number): Buffer {
  if (length <= maxControlBytes) return Buffer.of(0x80 | length);
  const field = Buffer.alloc(length <= 0xffff ? 3 : 9);
  field[0] = length <= 0xffff ? 0x80 | 126 : 0x80 | 127;
  field.writeUIntBE(length, field.length === 3 ? 1 : 3, field.length === 3 ? 2 : 6);
  return field;
}

/**
 * The first frame in what a server sent, and how many bytes it took; undefined while it is not all there.
 * @throws {FrameError} as soon as the first bytes show that the frame is wrong
 */
export function readFrame(
  bytes: Buffer,
  maxPayloadBytes: number,
): { readonly frame: Frame; readonly length: number } | undefined {
  const [first, second] = bytes;
  if (first === undefined || second === undefined) return undefined;
  const opcode = opcodeOf(first & 0x0f);
  const final = (first & 0x80) !== 0;
  if ((first & 0x70) !== 0) throw malformed('frames without reserved bits', `${hex(first)} as a first byte`);
  if ((second & 0x80) !== 0) throw malformed('frames without a mask', 'a masked one');
  const head = lengthOf(bytes, second);
  if (!head) return undefined;
  const { payloadBytes, payloadAt } = head;
  if (isControl(opcode) && (!final || payloadBytes > maxControlBytes))
    throw malformed(`a whole ${opcode} frame of at most ${maxControlBytes} bytes`, `${payloadBytes} bytes`);
  if (payloadBytes > maxPayloadBytes)
    throw new FrameError('too-large', `expected frames of at most ${maxPayloadBytes} bytes, got ${payloadBytes}`);
  const length = payloadAt + payloadBytes;
  if (bytes.length < length) return undefined;
  return { frame: { opcode, final, payload: bytes.subarray(payloadAt, length) }, length };
}

function opcodeOf(number: number): Opcode {
  const found = Object.entries(opcodeNumbers).find(([, known]) => known === number);
  if (!found) throw malformed('a known kind of frame', `opcode ${number}`);
  // Found among the names.
  return found[0] as Opcode;
}

function isControl(opcode: Opcode): boolean {
  return opcodeNumbers[opcode] >= opcodeNumbers.close;
}

/** Undefined while the length is not all there. The shortest form is required (RFC 6455 section 5.2). */
function lengthOf(
  bytes: Buffer,
  second: number,
): { readonly payloadBytes: number; readonly payloadAt: number } | undefined {
  const short = second & 0x7f;
  if (short < 126) return { payloadBytes: short, payloadAt: 2 };
  const payloadAt = short === 126 ? 4 : 10;
  if (bytes.length < payloadAt) return undefined;
  const payloadBytes = short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  if (payloadBytes <= (short === 126 ? maxControlBytes : 0xffff))
    throw malformed('a length in its shortest form', `${payloadBytes} in ${payloadAt - 2} bytes`);
  return { payloadBytes, payloadAt };
}

export interface CloseStatus {
  /** Undefined where the frame gives none. */
  readonly code: number | undefined;
  readonly reason: string;
}

/** Reads the payload of a Close frame (RFC 6455 section 5.5.1). */
export function closeStatusOf(payload: Buffer): CloseStatus {
  if (payload.length < 2) return { code: undefined, reason: '' };
  return { code: payload.readUInt16BE(0), reason: payload.toString('utf8', 2) };
}

/** The payload of a Close frame: 1000 is a normal end. */
export function closePayload(code: number): Buffer {
  const payload = Buffer.alloc(2);
  payload.writeUInt16BE(code);
  return payload;
}

function malformed(expected: string, found: string): FrameError {
  return new FrameError('malformed', `expected ${expected}, got ${found}`);
}

function hex(byte: number): string {
  return `0x${byte.toString(16).padStart(2, '0')}`;
}
