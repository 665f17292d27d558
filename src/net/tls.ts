import { isIP, type Socket } from 'node:net';
import { connect, createSecureContext, type ConnectionOptions, type SecureContext, type TLSSocket } from 'node:tls';
import type { Clock } from '../core/clock.ts';
import { Failure } from '../core/failure.ts';
import type { SecureConnection, TlsOptions } from '../core/network.ts';
import type { Reason } from '../core/outcome.ts';
import { socketFailure } from './dial.ts';

const reasonOfCode: Readonly<Record<string, Reason>> = {
  CERT_HAS_EXPIRED: 'tls-expired',
  CERT_NOT_YET_VALID: 'tls-not-yet-valid',
  ERR_TLS_CERT_ALTNAME_INVALID: 'tls-wrong-name',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'tls-untrusted',
  SELF_SIGNED_CERT_IN_CHAIN: 'tls-untrusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'tls-untrusted',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'tls-untrusted',
  CERT_REVOKED: 'tls-revoked',
};

/** Does the TLS handshake on a connected socket. @throws {Failure} tls-…, reset, closed; or the signal's reason */
export function startTls(
  socket: Socket,
  options: TlsOptions & { readonly signal: AbortSignal },
  clock: Clock,
): Promise<SecureConnection> {
  const startedMs = clock.monotonic();
  const { signal, serverName } = options;
  return new Promise((resolve, reject) => {
    const secure = connect(connectionOptions(socket, options));
    const settle = (error?: Error): void => {
      signal.removeEventListener('abort', onAbort);
      secure.removeListener('error', onError).removeListener('close', onClose);
      if (!error) return resolve(describe(secure, clock.monotonic() - startedMs));
      secure.on('error', () => {}).destroy();
      reject(error);
    };
    const onAbort = (): void => settle(signal.reason as Error);
    const onError = (error: Error): void => settle(handshakeFailure(error, serverName));
    const onClose = (): void =>
      settle(new Failure('closed', `${serverName} closed the connection during the TLS handshake.`));
    signal.addEventListener('abort', onAbort, { once: true });
    secure
      .once('secureConnect', () => settle())
      .once('error', onError)
      .once('close', onClose);
  });
}

function connectionOptions(socket: Socket, options: TlsOptions): ConnectionOptions {
  const { serverName, verify, alpn } = options;
  return {
    socket,
    host: serverName,
    secureContext: contextFor(options),
    rejectUnauthorized: verify,
    ...(isIP(serverName) === 0 && { servername: serverName }),
    ...(alpn && { ALPNProtocols: [...alpn] }),
  };
}

const maxContexts = 1000;
const contexts = new Map<string, SecureContext>();

/** One context per option set: making one parses every trusted root, which costs more than a handshake. */
function contextFor({ minVersion, ca, certificate, key }: TlsOptions): SecureContext {
  const id = JSON.stringify([minVersion, ca, certificate, key]);
  let context = contexts.get(id);
  if (!context) {
    if (contexts.size >= maxContexts) contexts.clear();
    context = createSecureContext({ minVersion, ca, cert: certificate, key });
    contexts.set(id, context);
  }
  return context;
}

function handshakeFailure(error: Error, serverName: string): Error {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  const reason = reasonOfCode[code] ?? (code.startsWith('ERR_SSL') ? 'tls-handshake' : undefined);
  if (reason) return new Failure(reason, `TLS with ${serverName} failed: ${error.message}`, { cause: error });
  return socketFailure(error, `TLS with ${serverName} failed`);
}

function describe(socket: TLSSocket, handshakeMs: number): SecureConnection {
  const validTo = socket.getPeerX509Certificate()?.validToDate.getTime();
  return {
    socket,
    handshakeMs,
    protocol: socket.getProtocol() ?? 'unknown',
    cipher: socket.getCipher().name,
    alpn: socket.alpnProtocol || undefined,
    resumed: socket.isSessionReused(),
    expiresAtMs: validTo,
    certificate: () => socket.getPeerCertificate(true),
  };
}
