import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { AppError } from '../../core/errors.ts';
import { printable } from '../../core/printable.ts';
import { isLoopback } from '../../core/target.ts';
import { defaultServerFolder } from '../data-folders.ts';

/** Which server is meant: the one of a data folder on this machine, or one by its address. */
export interface ServerPlace {
  readonly data?: string;
  readonly server?: string;
  /** A file with the API token; else the environment has it. */
  readonly tokenFile?: string;
  /** What the server's certificate must be: the hash of its key, as `curl --pinnedpubkey` writes it. */
  readonly pin?: string;
}

/** How to reach a server, and what to show it. */
export interface ServerLine {
  /** As people call the server. */
  readonly name: string;
  /** For the Host header. */
  readonly host: string;
  /** Absent on the admin socket, where opening it is the proof. */
  readonly token?: string;
  /** A connection that is ready, and sure to lead to that server. @throws {AppError} unavailable, usage */
  open(): Promise<Socket>;
}

/** @throws {AppError} usage */
export function lineTo(place: ServerPlace): ServerLine {
  if (place.server === undefined) return lineToFolder(place.data ?? defaultServerFolder());
  if (place.data !== undefined) throw new AppError('usage', 'expected --data or --server, got both');
  return lineToUrl(urlOf(place.server), place);
}

function lineToFolder(folder: string): ServerLine {
  const path = join(folder, 'admin.sock');
  const noServer = `no server runs with its data in ${folder}; start one with 'watchkeeper serve --data ${folder}', or say which with --data or --server`;
  const explain: Explain = ({ code, message }) => {
    if (code === 'ENOENT' || code === 'ECONNREFUSED') return noServer;
    if (code === 'EACCES') return `${path} is open only to the user who runs the server; be that user, or use --server`;
    return `${path} cannot be opened: ${message}`;
  };
  return { name: folder, host: 'localhost', open: () => opened(connect(path), { event: 'connect', explain }) };
}

function lineToUrl(url: URL, { tokenFile, pin }: ServerPlace): ServerLine {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const isTls = url.protocol === 'https:';
  if (!isTls && !isLoopback(host))
    throw new AppError('usage', `expected https for ${url.host}: over http anyone on the way could read the token`);
  const port = Number(url.port) || (isTls ? 443 : 80);
  const explain: Explain = (error) => whyNot(url, error);
  return {
    name: url.origin,
    host: url.host,
    token: tokenOf(tokenFile),
    async open() {
      if (!isTls) return await opened(connect({ host, port }), { event: 'connect', explain });
      const servername = /^[\d.]+$|:/.test(host) ? {} : { servername: host };
      const socket = connectTls({ host, port, ...servername, rejectUnauthorized: pin === undefined });
      await opened(socket, { event: 'secureConnect', explain });
      if (pin !== undefined) assertPinned(socket, pin);
      return socket;
    },
  };
}

type Explain = (error: NodeJS.ErrnoException) => string;

function opened<S extends Socket>(
  socket: S,
  { event, explain }: { readonly event: string; readonly explain: Explain },
): Promise<S> {
  return new Promise((resolve, reject) => {
    socket.setTimeout(openLimitMs, () => socket.destroy(new Error(`no answer within ${openLimitMs} ms`)));
    socket.once(event, () => {
      socket.setTimeout(0);
      resolve(socket);
    });
    socket.once('error', (error) => reject(new AppError('unavailable', explain(error), { cause: error })));
  });
}

const openLimitMs = 10_000;

function whyNot({ origin }: URL, { code = '', message }: NodeJS.ErrnoException): string {
  if (code === 'ECONNREFUSED') return `nothing listens at ${origin}; is the server running?`;
  if (isCertificateFault(code)) {
    return `the certificate of ${origin} cannot be trusted (${code}); if the server made it itself, give the pin that it printed at its start: --pin sha256//…`;
  }
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG') {
    const next = 'a server that listens on loopback alone is reached at http://127.0.0.1:PORT';
    return `${origin} speaks no TLS: ${next}`;
  }
  if (code.startsWith('ERR_SSL_')) return `${origin} and this program agree on no TLS: ${sslReason(message)}`;
  return `${origin} cannot be reached: ${message}`;
}

/** OpenSSL's own words, without its numbers and places. */
function sslReason(message: string): string {
  return printable(/:SSL routines:[^:]*:([^:\n]+)/.exec(message)?.[1] ?? message);
}

/** The codes of X509_verify_cert_error_string(3) have no prefix of their own; those of Node do. */
function isCertificateFault(code: string): boolean {
  return /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ALTNAME|LEAF_SIGNATURE/.test(code);
}

/** The hash of a certificate's key (RFC 7469, section 2.4), as curl writes it. */
export function publicKeyPin(certificate: {
  readonly publicKey: { export(options: { type: 'spki'; format: 'der' }): Buffer };
}): string {
  const key = certificate.publicKey.export({ type: 'spki', format: 'der' });
  return `sha256//${createHash('sha256').update(key).digest('base64')}`;
}

function assertPinned(socket: TLSSocket, pin: string): void {
  const certificate = socket.getPeerX509Certificate();
  const actual = certificate && publicKeyPin(certificate);
  if (actual === pin) return;
  socket.destroy();
  throw new AppError('unavailable', `the server's key is not the pinned one: expected ${pin}, got ${actual}`);
}

function urlOf(text: string): URL {
  const url = URL.parse(text.includes('://') ? text : `https://${text}`);
  const isBare = url?.pathname === '/' && url.search === '' && url.hash === '' && url.username === '';
  if (url && isBare && /^https?:$/.test(url.protocol)) return url;
  throw new AppError(
    'usage',
    `expected the server's address like https://server.example:7411, got ${JSON.stringify(text)}`,
  );
}

function tokenOf(file: string | undefined): string {
  const token = file === undefined ? process.env['WATCHKEEPER_API_TOKEN'] : readToken(file);
  if (token !== undefined && /^[!-~]+$/.test(token)) return token;
  const next =
    'give the token of the file api-token in the data folder of the server, with --token-file or WATCHKEEPER_API_TOKEN';
  throw new AppError('usage', `${token === undefined ? 'the server asks for a token' : 'that is no token'}: ${next}`);
}

function readToken(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new AppError('usage', `the token cannot be read: ${(error as Error).message}`, { cause: error });
  }
}
