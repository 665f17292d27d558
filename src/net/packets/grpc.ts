/** gRPC over HTTP/2 (grpc.io, PROTOCOL-HTTP2.md) and the two messages of its health protocol (grpc.health.v1), as bytes. */

export const healthMethod = '/grpc.health.v1.Health/Check';

/** google.rpc.Code, by number. */
export const grpcCodes = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
] as const;

/** grpc.health.v1.HealthCheckResponse.ServingStatus, by number. */
const servingStatuses = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'] as const;

/** Bytes that are not what they should be; the message says what was expected and what came. */
export class GrpcError extends Error {
  override readonly name = 'GrpcError';
}

const wireTypes = { varint: 0, fixed64: 1, length: 2, fixed32: 5 } as const;
const prefixBytes = 5;

/** The body of a health request: `message HealthCheckRequest { string service = 1; }`; the empty name is the whole server. */
export function encodeHealthRequest(service: string): Buffer {
  const name = Buffer.from(service);
  const field = name.length === 0 ? [] : [Buffer.of((1 << 3) | wireTypes.length), varint(name.length), name];
  return withPrefix(Buffer.concat(field));
}

/** A message as a body carries it: not compressed, its length before it. */
function withPrefix(message: Buffer): Buffer {
  const prefix = Buffer.alloc(prefixBytes);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** Reads the body of a health response. @throws {GrpcError} */
export function decodeHealthResponse(body: Buffer): string {
  const message = onlyMessage(body);
  let status = 0;
  let at = 0;
  while (at < message.length) {
    const [tag, afterTag] = readVarint(message, at);
    const field = tag >>> 3;
    const wire = tag & 7;
    if (field === 1 && wire === wireTypes.varint) [status, at] = readVarint(message, afterTag);
    else at = skipField(message, afterTag, wire);
  }
  return servingStatuses[status] ?? `status ${status}`;
}

/** A unary answer is one message. */
function onlyMessage(body: Buffer): Buffer {
  if (body.length < prefixBytes) throw new GrpcError(`expected a message, got ${body.length} bytes`);
  if (body[0] !== 0) throw new GrpcError(`expected a message without compression, got flag ${body[0]}`);
  const length = body.readUInt32BE(1);
  if (body.length !== prefixBytes + length)
    throw new GrpcError(`expected one message of ${length} bytes, got ${body.length - prefixBytes}`);
  return body.subarray(prefixBytes);
}

/** Fields that we do not know are read over, as protobuf asks of every reader. */
function skipField(message: Buffer, at: number, wire: number): number {
  const end = endOfField(message, at, wire);
  if (end > message.length) throw new GrpcError('expected a whole field, got a part of one');
  return end;
}

function endOfField(message: Buffer, at: number, wire: number): number {
  switch (wire) {
    case wireTypes.varint:
      return readVarint(message, at)[1];
    case wireTypes.fixed64:
      return at + 8;
    case wireTypes.fixed32:
      return at + 4;
    case wireTypes.length: {
      const [length, start] = readVarint(message, at);
      return start + length;
    }
    default:
      throw new GrpcError(`expected a protobuf field, got wire type ${wire}`);
  }
}

const maxVarintBytes = 10;

/** The lower 32 bits of a number, and where it ends. */
function readVarint(message: Buffer, start: number): readonly [value: number, end: number] {
  let value = 0;
  for (let at = start; at < Math.min(message.length, start + maxVarintBytes); at++) {
    const byte = message[at] ?? 0;
    const shift = 7 * (at - start);
    if (shift < 32) value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return [value >>> 0, at + 1];
  }
  throw new GrpcError('expected a whole number, got a part of one');
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.from([...bytes, rest]);
}

/** The text of a `grpc-message` header: percent-encoded UTF-8. A text that is not encoded stays as it is. */
export function decodeGrpcMessage(text: string): string {
  const bytes = text.replaceAll(/%([0-9a-f]{2})/gi, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
