import type { Clock } from '../../core/clock.ts';
import { tokensOf, type HeaderField, type Headers } from '../packets/http-fields.ts';

/** A response with what was read of its body. */
export interface HttpResponse {
  readonly version: '1.0' | '1.1' | '2';
  readonly status: number;
  readonly statusText: string;
  /** In the order in which they came, each value a character a byte. */
  readonly fields: readonly HeaderField[];
  readonly headers: Headers;
  readonly headerBytes: number;
  /** Fields after the body, as `headers`; of HTTP/2 only. */
  readonly trailers?: Headers;
  /** As transferred, its content codings not undone; at most `maxBodyBytes`. */
  readonly body: Buffer;
  /** The body is longer than `maxBodyBytes`: its rest was not read. */
  readonly isCut: boolean;
  /** Codings of the body in the order in which they were applied: content codings, then transfer codings other than chunks. */
  readonly codings: readonly string[];
  /** Deviations from a standard, a sentence each. */
  readonly oddities: readonly string[];
  /** From the request sent to the first byte of the response. */
  readonly firstByteMs: number;
  /** From the first byte to the last. */
  readonly transferMs: number;
}

export interface ExchangeOptions {
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** Who answers, for messages: `example.test:443`. */
  readonly peer: string;
  /** How much of the body to read, as transferred. */
  readonly maxBodyBytes: number;
}

/** Statuses that send a client elsewhere by Location (RFC 9110 section 15.4). */
export const redirectStatuses: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** `200 OK`; a server may send no text. */
export function statusOf({ status, statusText }: Pick<HttpResponse, 'status' | 'statusText'>): string {
  return `${status} ${statusText}`.trim();
}

/** The names in Content-Encoding (RFC 9110 section 8.4), lower case. */
export function contentCodings(headers: Headers): readonly string[] {
  return tokensOf(headers.get('content-encoding')).filter((name) => name !== 'identity');
}
