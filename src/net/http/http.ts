import type { Clock } from '../../core/clock.ts';

/** A complete response, its body decoded. */
export interface HttpResponse {
  readonly version: '1.0' | '1.1' | '2';
  readonly status: number;
  readonly statusText: string;
  /** Lower-case names; a field that came several times is one list. */
  readonly headers: ReadonlyMap<string, string>;
  readonly headerBytes: number;
  /** Fields after the body, as `headers`; of HTTP/2 only. */
  readonly trailers?: ReadonlyMap<string, string>;
  /** Decoded: content codings are undone. */
  readonly body: Buffer;
  /** As transferred, before decoding. */
  readonly bodyBytes: number;
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
  /** Limit of the body, as transferred and decoded. */
  readonly maxBodyBytes: number;
}

/** `200 OK`; a server may send no text. */
export function statusOf({ status, statusText }: Pick<HttpResponse, 'status' | 'statusText'>): string {
  return `${status} ${statusText}`.trim();
}
