import { createHash, randomBytes } from 'node:crypto';
import { Failure } from '../../core/failure.ts';
import { quoted } from '../../core/quoted.ts';
import type { Incoming, Waiting } from '../../net/dialogue/incoming.ts';
import { statusOf } from '../../net/http/http.ts';
import { responseFailure } from '../../net/http/http1.ts';
import type { ResponseHead } from '../../net/packets/http1-framing.ts';
import { encodeRequest } from '../../net/packets/http1-request.ts';
import { ResponseParser } from '../../net/packets/http1-response.ts';

/** RFC 6455 section 1.3: what a server appends to the key before it hashes it. */
const acceptSuffix = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

export interface Offer {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly subprotocols: readonly string[];
}

export interface Upgrade {
  /** The request as it is sent. */
  readonly request: string;
  /** The proof that the server has understood the upgrade: `Sec-WebSocket-Accept` (RFC 6455 section 4.2.2). */
  readonly accept: string;
}

/** The opening handshake's request (RFC 6455 section 4.1). */
export function upgradeRequest({ url, headers, subprotocols }: Offer): Upgrade {
  const key = randomBytes(16).toString('base64');
  const request = encodeRequest({
    method: 'GET',
    target: `${url.pathname}${url.search}`,
    headers: {
      host: url.host,
      'user-agent': 'watchkeeper',
      ...headers,
      upgrade: 'websocket',
      connection: 'Upgrade',
      'sec-websocket-key': key,
      'sec-websocket-version': '13',
      ...(subprotocols.length > 0 && { 'sec-websocket-protocol': subprotocols.join(', ') }),
    },
  });
  return { request, accept: createHash('sha1').update(`${key}${acceptSuffix}`).digest('base64') };
}

/** Reads the response to an upgrade; what came after it stays in `incoming`. @throws {Failure} protocol, too-large, closed */
export async function readUpgradeResponse(incoming: Incoming, peer: string, waiting: Waiting): Promise<ResponseHead> {
  const parser = new ResponseParser({ method: 'GET', maxBodyBytes: Infinity, mayUpgrade: true });
  return await incoming.until((bytes) => {
    try {
      parser.push(bytes);
    } catch (error) {
      throw responseFailure(error, peer);
    }
    // A server that refuses may send a body; it is not read.
    incoming.drop(bytes.length - parser.rest.length);
    return parser.head;
  }, waiting);
}

/** The subprotocol that the server chose; undefined if none. @throws {Failure} assertion, protocol */
export function acceptUpgrade(head: ResponseHead, offer: Offer, { accept }: Upgrade): string | undefined {
  const { status, headers } = head;
  if (status !== 101) {
    const to = status >= 300 && status < 400 ? headers.get('location') : undefined;
    const where = to === undefined ? '' : `, which leads to ${quoted(to)}; WebSocket clients follow no redirects`;
    throw new Failure('assertion', `Expected 101 Switching Protocols, got ${quotedStatus(head)}${where}.`);
  }
  assertField(headers.get('upgrade'), (value) => value.toLowerCase() === 'websocket', 'Upgrade: websocket');
  assertField(headers.get('connection'), (value) => tokensOf(value).includes('upgrade'), 'Connection: Upgrade');
  assertField(headers.get('sec-websocket-accept'), (value) => value === accept, `Sec-WebSocket-Accept: ${accept}`);
  const extensions = headers.get('sec-websocket-extensions');
  if (extensions !== undefined)
    throw new Failure('protocol', `Expected no WebSocket extension, for none was offered; got ${quoted(extensions)}.`);
  return chosenSubprotocol(headers.get('sec-websocket-protocol'), offer.subprotocols);
}

function chosenSubprotocol(chosen: string | undefined, offered: readonly string[]): string | undefined {
  if (chosen === undefined && offered.length === 0) return undefined;
  const what = offered.length === 0 ? 'no subprotocol' : `one of the subprotocols ${offered.join(', ')}`;
  if (chosen === undefined) throw new Failure('assertion', `Expected ${what}, the server chose none.`);
  if (!offered.includes(chosen)) throw new Failure('protocol', `Expected ${what}, the server chose ${quoted(chosen)}.`);
  return chosen;
}

function assertField(value: string | undefined, isRight: (value: string) => boolean, expected: string): void {
  if (value !== undefined && isRight(value)) return;
  const came = value === undefined ? 'no such header' : quoted(value);
  throw new Failure('protocol', `Expected ${expected} in the answer to the upgrade, got ${came}.`);
}

function tokensOf(value: string): readonly string[] {
  return value.split(',').map((token) => token.trim().toLowerCase());
}

function quotedStatus(head: ResponseHead): string {
  return quoted(statusOf(head)).slice(1, -1);
}
