import type { X509Certificate } from 'node:crypto';
import { isIP, type Socket } from 'node:net';
import {
  connect,
  createSecureContext,
  type ConnectionOptions,
  type SecureContext,
  type SecureContextOptions,
  type TLSSocket,
} from 'node:tls';
import type { Clock } from '../../core/clock.ts';
import { abortError, Failure } from '../../core/failure.ts';
import type { SecureConnection, TlsOptions } from '../../core/network.ts';
import { factsOf } from './certificate.ts';
import { certificateFailure, streamFailure } from './failure.ts';

type StartOptions = TlsOptions & { readonly signal: AbortSignal };

/**
 * Does the TLS handshake on a connected socket, and checks the certificate if `verify`.
 * @throws {Failure} tls-…, reset, closed, timeout, unsupported; or the signal's reason
 */
export async function startTls(socket: Socket, options: StartOptions, clock: Clock): Promise<SecureConnection> {
  const { signal, serverName, verify } = options;
  const doing = `TLS with ${serverName}`;
  const { promise, resolve, reject } = Promise.withResolvers<SecureConnection>();
  const context = contextFor(options);
  const startedMs = clock.monotonic();
  const secure = connect(connectionOptions(socket, options, context));
  // Node translates the whole chain for its own check of the name, which costs a fifth of the handshake; ours asks OpenSSL.
  secure.getPeerCertificate = noCertificate;

  const onAbort = (): void => reject(abortError(signal, doing));
  const onError = (error: Error): void => reject(streamFailure(error, doing));
  const onClose = (): void => reject(new Failure('closed', `${doing}: the connection was closed.`));
  const onSecure = (): void => {
    const handshakeMs = clock.monotonic() - startedMs;
    // Once only: making this object takes longer than anything else of ours in a handshake.
    const certificate = secure.getPeerX509Certificate() ?? (secure.isSessionReused() ? context.certificate : undefined);
    if (options.resume) context.certificate = certificate;
    const facts = certificate && factsOf(certificate);
    const failure = certificateFailure({ serverName, certificate, facts, verdict: verdictOn(secure) });
    if (verify && failure) return reject(failure);
    resolve({ ...describe(secure), handshakeMs, certificate: facts });
  };
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  secure.once('secureConnect', onSecure).on('error', onError).once('close', onClose);
  if (options.resume) secure.on('session', (session) => (context.session = session));
  return promise
    .catch((error: unknown) => {
      secure.destroy();
      throw error;
    })
    .finally(() => signal.removeEventListener('abort', onAbort));
}

// The type promises a certificate; nothing of ours asks.
const noCertificate = (() => undefined) as unknown as TLSSocket['getPeerCertificate'];

function connectionOptions(socket: Socket, options: StartOptions, context: Context): ConnectionOptions {
  const { serverName, alpn, resume } = options;
  return {
    socket,
    host: serverName,
    secureContext: context.secureContext,
    // The certificate is checked after the handshake, where it can still be read for the message.
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
    // An address is no server name (RFC 6066 section 3).
    ...(isIP(serverName) === 0 && { servername: serverName }),
    ...(alpn && { ALPNProtocols: [...alpn] }),
    ...(resume && context.session && { session: context.session }),
  };
}

interface Context {
  readonly secureContext: SecureContext;
  /** The last session, for `resume`, and the server's certificate, which a resumed session does not bring. */
  session?: Buffer;
  certificate?: X509Certificate | undefined;
}

const maxContexts = 1000;
const contexts = new Map<string, Context>();

/**
 * Elliptic first: the hybrid with ML-KEM doubles the cost of a handshake and its secrecy for decades is worth little to a
 * check. A server that insists on it still gets it, one round trip later.
 */
const ecdhCurve = 'X25519:P-256:P-384:X25519MLKEM768';

/** One context per option set: making one parses every trusted root, which costs more than a handshake. */
function contextFor({ minVersion, ca, certificate, key, resume, serverName }: TlsOptions): Context {
  const id = JSON.stringify([minVersion, ca, certificate, key, resume && serverName]);
  const known = contexts.get(id);
  if (known) return known;
  const [oldest] = contexts.keys();
  if (contexts.size >= maxContexts && oldest !== undefined) contexts.delete(oldest);
  const context = { secureContext: createContext({ minVersion, ca, cert: certificate, key, ecdhCurve }) };
  contexts.set(id, context);
  return context;
}

function createContext(options: SecureContextOptions): SecureContext {
  try {
    return createSecureContext(options);
  } catch (error) {
    // Good PEM texts that do not fit: a key of another certificate, or too weak a one.
    const why = error instanceof Error ? error.message : String(error);
    throw new Failure('unsupported', `OpenSSL cannot use the certificates of these options: ${why}.`, { cause: error });
  }
}

/** The verdict's code; empty if OpenSSL found nothing wrong. */
function verdictOn({ authorizationError }: TLSSocket): string {
  // Its type says Error; what Node stores is the code.
  return (authorizationError as unknown as string | null | undefined) ?? '';
}

function describe(socket: TLSSocket): Omit<SecureConnection, 'handshakeMs' | 'certificate'> {
  return {
    socket,
    protocol: socket.getProtocol() ?? 'unknown',
    cipher: socket.getCipher().name,
    alpn: socket.alpnProtocol || undefined,
    resumed: socket.isSessionReused(),
  };
}
