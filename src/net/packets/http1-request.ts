/** An HTTP request as any version of the protocol carries it; names and values are valid where they come from. */
export interface HttpRequest {
  readonly method: string;
  /** Origin form, absolute form for a proxy, or `host:port` for CONNECT (RFC 9112 section 3.2). */
  readonly target: string;
  /** Includes `host`; lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Buffer | undefined;
}

/** A request of HTTP/2, whose scheme is a field of its own. */
export interface Http2Request extends HttpRequest {
  /** `https` if undefined; `http` is HTTP/2 in plain text with prior knowledge (RFC 9113 section 3.3). */
  readonly scheme?: 'http' | 'https';
}

/** The bytes of a request that is the only one on its connection (RFC 9112 section 9.6). */
export function encodeRequest(request: HttpRequest & { readonly body?: string | undefined }): string;
export function encodeRequest(request: HttpRequest): string | Buffer;
export function encodeRequest({ method, target, headers, body }: HttpRequest): string | Buffer {
  let head = `${method} ${target} HTTP/1.1\r\n`;
  for (const name in headers) head += `${inTitleCase(name)}: ${headers[name]}\r\n`;
  const length = contentLength({ method, body });
  if (length !== undefined) head += `Content-Length: ${length}\r\n`;
  if (method !== 'CONNECT') head += 'Connection: close\r\n';
  return typeof body === 'object' ? Buffer.concat([Buffer.from(`${head}\r\n`), body]) : `${head}\r\n${body ?? ''}`;
}

/** As curl and browsers write it: small devices look for `Host` and `Sec-WebSocket-Key`, although case has no meaning. */
function inTitleCase(name: string): string {
  return name.replaceAll(/(?:^|-)[a-z]/g, (begin) => begin.toUpperCase()).replace(/^Sec-Websocket/, 'Sec-WebSocket');
}

const methodsWithBody: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);

/** The value of Content-Length. Methods that usually have a body send it for an empty one too (RFC 9110 section 8.6). */
export function contentLength({ method, body }: Pick<Http2Request, 'method' | 'body'>): number | undefined {
  if (body !== undefined) return Buffer.byteLength(body);
  return methodsWithBody.has(method) ? 0 : undefined;
}
