import { isIP, type Socket } from 'node:net';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { BoundedMap } from '../../core/bounded-map.ts';
import type { Clock } from '../../core/clock.ts';
import { abortError, Failure } from '../../core/failure.ts';
import type { SecureConnection, TlsOptions } from '../../core/network.ts';
import { withoutFinalDot } from './certificate.ts';
import { contextFor, optionSetOf, type TlsContext } from './contexts.ts';
import { streamFailure } from './failure.ts';
import type { KeyShares } from './groups.ts';
import { judgeChain, type Shown } from './judge-chain.ts';

export type StartOptions = TlsOptions & { readonly signal: AbortSignal };

/**
 * Does the TLS handshake on a connected socket, and checks the certificate if `verify`.
 * @throws {Failure} tls-…, reset, closed, timeout, unsupported; or the signal's reason
 */
export async function startTls(socket: Socket, options: StartOptions, clock: Clock): Promise<SecureConnection> {
  const { signal, serverName } = options;
  const doing = `TLS with ${serverName}`;
  const { promise, resolve, reject } = Promise.withResolvers<SecureConnection>();
  const server = serverId(socket);
  const context = contextFor(options, sharesFor.get(server) ?? 'X25519 and ML-KEM');
  const session = options.resume ? new Session(sessionId(server, options), clock.now()) : undefined;
  const startedMs = clock.monotonic();
  const secure = connect(connectionOptions(socket, options, { context, session }));
  // Node translates the whole chain for its own check of the name, which costs a fifth of the handshake; ours asks OpenSSL.
  secure.getPeerCertificate = noCertificate;
  let staple: Buffer | undefined;

  const onAbort = (): void => reject(abortError(signal, doing));
  const onError = (error: Error): void => reject(streamFailure(error, doing));
  const onClose = (): void => reject(new Failure('closed', `${doing}: the connection was closed.`));
  const onSecure = (): void => {
    const handshakeMs = clock.monotonic() - startedMs;
    const nowMs = clock.now();
    const shown = secure.isSessionReused() ? session?.offered?.shown : shownBy(secure, { context, staple, nowMs });
    if (!shown) return reject(new Failure('tls-untrusted', `Expected a certificate of ${serverName}, got none.`));
    const { failure, ...verdict } = judgeChain(shown, options, nowMs);
    if (failure && options.verify) return reject(failure);
    if (!failure) session?.keep({ shown });
    const { certificates, expiresFirst } = shown.chain;
    const connection = describe(secure);
    sharesFor.set(server, connection.group?.includes('MLKEM') ? 'X25519 and ML-KEM' : 'X25519');
    resolve({ ...connection, ...verdict, handshakeMs, certificates, expiresFirst });
  };
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  secure.once('secureConnect', onSecure).on('error', onError).once('close', onClose);
  secure.once('OCSPResponse', (response: Buffer | null) => (staple = response ?? undefined));
  if (session) secure.on('session', (ticket) => session.keep({ ticket }));
  try {
    return await promise;
  } catch (error) {
    secure.destroy();
    throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
    // The error listener stays: what happens from here on is of no interest, and must not be thrown.
    secure.removeListener('close', onClose);
  }
}

/** The key shares to send to a server, by the group it chose the last time: the first handshake brings both. */
const sharesFor = new BoundedMap<string, KeyShares>(5000);

function serverId({ remoteAddress = '', remotePort = 0 }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

// The type promises a certificate; nothing of ours asks.
const noCertificate = (() => undefined) as unknown as TLSSocket['getPeerCertificate'];

interface Means {
  readonly context: TlsContext;
  readonly session: Session | undefined;
}

function connectionOptions(socket: Socket, options: StartOptions, { context, session }: Means): ConnectionOptions {
  const { serverName, alpn } = options;
  const ticket = session?.offered?.ticket;
  return {
    socket,
    host: serverName,
    secureContext: context.secureContext,
    // The certificate is checked after the handshake, where it can still be read for the message.
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
    requestOCSP: true,
    // An address is no server name (RFC 6066 section 3).
    ...(isIP(serverName) === 0 && { servername: withoutFinalDot(serverName) }),
    ...(alpn && { ALPNProtocols: [...alpn] }),
    ...(ticket && { session: ticket }),
  };
}

function shownBy(
  secure: TLSSocket,
  { context, staple, nowMs }: { context: TlsContext; staple: Buffer | undefined; nowMs: number },
): Shown | undefined {
  // Once only: it takes longer than anything else of ours in a handshake, and Node gives the whole chain only at the first call.
  const own = secure.getPeerX509Certificate();
  return own && { chain: context.chains.of(own, nowMs), verdict: verdictOn(secure), staple };
}

/** The verdict's code; empty if OpenSSL found nothing wrong. */
function verdictOn({ authorizationError }: TLSSocket): string {
  // Its type says Error; what Node stores is the code.
  return (authorizationError as unknown as string | null | undefined) ?? '';
}

/** A session that a server can resume, and what it showed in the full handshake: resuming brings no certificate. */
interface Resumable {
  readonly ticket: Buffer;
  readonly shown: Shown;
}

const resumables = new BoundedMap<string, Resumable>(1000);

/** Sessions are one server's: of a name, an address and a port, under the same options. */
function sessionId(server: string, options: TlsOptions): string {
  return `${server} ${options.serverName} ${optionSetOf(options)}`;
}

/** The part of a handshake that resumes an earlier session, and keeps its own for later ones. */
class Session {
  readonly #id: string;
  /** The earlier one, while the certificates it was made with are valid: after that the server has to show itself anew. */
  readonly offered: Resumable | undefined;
  #kept: Partial<Resumable> = {};

  constructor(id: string, nowMs: number) {
    this.#id = id;
    const earlier = resumables.get(id);
    if (nowMs <= (earlier?.shown.chain.expiresFirst?.validToMs ?? Infinity)) this.offered = earlier;
  }

  /** The ticket comes before or after the end of the handshake; only both together are of use. */
  keep(part: Partial<Resumable>): void {
    this.#kept = { ...this.#kept, ...part };
    const { ticket, shown } = this.#kept;
    if (ticket && shown) resumables.set(this.#id, { ticket, shown });
  }
}

function describe(
  socket: TLSSocket,
): Pick<SecureConnection, 'socket' | 'protocol' | 'cipher' | 'group' | 'alpn' | 'resumed'> {
  return {
    socket,
    protocol: socket.getProtocol() ?? 'unknown',
    cipher: socket.getCipher().name,
    group: groupOf(socket),
    alpn: socket.alpnProtocol || undefined,
    resumed: socket.isSessionReused(),
  };
}

/** The key exchange group; undefined where the key was exchanged in another way. */
function groupOf(socket: TLSSocket): string | undefined {
  // Its type says object; an elliptic or hybrid group has a name.
  const { name } = socket.getEphemeralKeyInfo() as { readonly name?: string };
  return name;
}
