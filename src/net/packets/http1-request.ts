/** An HTTP request as any version of the protocol carries it; names and values are valid where they come from. */
export interface HttpRequest {
  readonly method: string;
  /** Origin form, absolute form for a proxy, or `host:port` for CONNECT (RFC 9112 section 3.2). */
  readonly target: string;
  /** Includes `host`; lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
}

/** The bytes of a request that is the only one on its connection (RFC 9112 section 9.6). */
export function encodeRequest({ method, target, headers, body }: HttpRequest): string {
  let head = `${method} ${target} HTTP/1.1\r\n`;
  for (const name in headers) head += `${name}: ${headers[name]}\r\n`;
  if (body !== undefined) head += `content-length: ${Buffer.byteLength(body)}\r\n`;
  if (method !== 'CONNECT') head += 'connection: close\r\n';
  return `${head}\r\n${body ?? ''}`;
}
