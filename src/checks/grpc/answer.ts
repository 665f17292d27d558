import type { Measurement } from '../../core/check.ts';
import { Failure } from '../../core/failure.ts';
import type { Reason } from '../../core/outcome.ts';
import { quoted } from '../../core/quoted.ts';
import { statusOf, type HttpResponse } from '../../net/http/http.ts';
import { decodeGrpcMessage, decodeHealthResponse, grpcCodes, GrpcError } from '../../net/packets/grpc.ts';

/** Meanings of some status codes in the answer to a health request. */
const meanings: Readonly<Partial<Record<string, string>>> = {
  NOT_FOUND: 'the server does not know this service',
  UNIMPLEMENTED: 'the server has no health service (grpc.health.v1)',
  UNAUTHENTICATED: 'the server wants credentials; headers can hold them',
  PERMISSION_DENIED: 'the server does not allow this caller to ask',
  UNAVAILABLE: 'the server cannot answer now',
};
const reasonOfCode: Readonly<Partial<Record<string, Reason>>> = { DEADLINE_EXCEEDED: 'timeout' };

/** The serving status in a health answer. @throws {Failure} assertion, protocol, timeout */
export function servingStatusOf(
  response: HttpResponse,
  { metrics, detail }: Pick<Measurement, 'metrics' | 'detail'>,
  { service }: { readonly service: string },
): string {
  assertGrpc(response);
  // An answer without a message has its status among the headers.
  const fields = response.trailers?.has('grpc-status') ? response.trailers : response.headers;
  const status = fields.get('grpc-status');
  if (status === undefined || !/^\d{1,9}$/.test(status))
    throw new Failure('protocol', `Expected a grpc-status after the answer, got ${quoted(status ?? '')}.`);
  metrics['grpcStatus'] = Number(status);
  const code = grpcCodes[Number(status)] ?? `code ${status}`;
  detail['grpcStatus'] = code;
  if (code !== 'OK') throw refusal(code, fields.get('grpc-message'), service);
  try {
    return decodeHealthResponse(response.body);
  } catch (error) {
    if (!(error instanceof GrpcError)) throw error;
    throw new Failure('protocol', `The health answer: ${error.message}.`, { cause: error });
  }
}

/** @throws {Failure} assertion, where a proxy or a web server answers; protocol */
function assertGrpc(response: HttpResponse): void {
  const type = response.headers.get('content-type') ?? '';
  const isGrpc = /^application\/grpc(?:$|[+;])/i.test(type);
  if (response.status !== 200 && !isGrpc)
    throw new Failure('assertion', `Expected a gRPC answer, got ${statusOf(response)}.`);
  if (!isGrpc) throw new Failure('protocol', `Expected Content-Type application/grpc, got ${quoted(type)}.`);
}

function refusal(code: string, message: string | undefined, service: string): Failure {
  const said = message ? ` ${quoted(decodeGrpcMessage(message))}` : '';
  const meaning = meanings[code] ? `: ${meanings[code]}` : '';
  const about = service === '' ? '' : ` for service ${quoted(service)}`;
  return new Failure(reasonOfCode[code] ?? 'assertion', `Expected OK${about}, got ${code}${said}${meaning}.`);
}
