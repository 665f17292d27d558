import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import type { TlsOptions } from 'node:tls';
import type { Reason } from '../../src/core/outcome.ts';
import { testCertificates, type TestCertificate, type TestCertificates } from '../../src/testing/certificates.ts';
import { httpServer } from '../../src/testing/http-server.ts';
import { tcpServer } from '../../src/testing/tcp-server.ts';
import { missing } from '../peers/daemon.ts';
import { graceMs, maxExtraBytes, measure, type HostileRun } from './measure.ts';

const skip = missing('openssl');

interface Case {
  readonly expect: Reason | 'up';
  readonly message?: RegExp;
  readonly options?: Readonly<Record<string, unknown>>;
}

type Serve = (certificates: TestCertificates) => TlsOptions;

const as =
  (name: keyof TestCertificates, more: TlsOptions = {}): Serve =>
  (certificates) => ({ cert: certificates[name].certificate, key: certificates[name].key, ...more });

const wantsCertificate =
  (more: TlsOptions = {}): Serve =>
  (certificates) => ({
    ...as('good')(certificates),
    requestCert: true,
    rejectUnauthorized: true,
    ca: certificates.ca.certificate,
    ...more,
  });

/** TLS servers, good and bad, that answer 200 once the handshake is done. */
const servers: Readonly<Record<string, Case & { readonly serve: Serve }>> = {
  'is good': { serve: as('good'), expect: 'up' },
  'sends its intermediate': {
    serve: (all) => ({
      cert: all.incompleteChain.certificate + all.intermediate.certificate,
      key: all.incompleteChain.key,
    }),
    expect: 'up',
  },
  expired: { serve: as('expired'), expect: 'tls-expired', message: /it expired on \d{4}-\d\d-\d\d/ },
  'is signed by what expired': {
    serve: (all) => ({
      cert: all.expiredChain.certificate + all.expiredIntermediate.certificate,
      key: all.expiredChain.key,
    }),
    expect: 'tls-expired',
    message: /"CN=Expired test intermediate", which its chain needs, expired on/,
  },
  'is not yet valid': { serve: as('notYetValid'), expect: 'tls-not-yet-valid', message: /valid only from/ },
  'has another name': {
    serve: as('wrongName'),
    expect: 'tls-wrong-name',
    message: /is for other\.test, not for localhost/,
  },
  'is self-signed': { serve: as('selfSigned'), expect: 'tls-untrusted', message: /self-signed/ },
  'is signed by an unknown CA': {
    serve: as('untrusted'),
    expect: 'tls-untrusted',
    message: /signed by "CN=Another test CA"/,
  },
  'leaves its intermediate out': {
    serve: as('incompleteChain'),
    expect: 'tls-untrusted',
    message: /left out an intermediate/,
  },
  'has a key of 1024 bits': {
    serve: as('weakKey', { ciphers: 'DEFAULT@SECLEVEL=0' }),
    expect: 'tls-untrusted',
    message: /weak key: RSA with 1024 bits/,
  },
  'names itself only in its subject': {
    serve: as('withoutNames'),
    expect: 'tls-wrong-name',
    message: /names no host \(none in a subjectAltName; its CN is localhost\)/,
  },
  'expires in three days': {
    serve: as('expiringSoon'),
    expect: 'threshold',
    message: /at least 14 days left, got 3\.\d days left/,
  },
  'wants a client certificate (TLS 1.3)': {
    serve: wantsCertificate(),
    expect: 'tls-client-certificate',
    message: /asks for a client certificate/,
  },
  'wants a client certificate (TLS 1.2)': {
    serve: wantsCertificate({ maxVersion: 'TLSv1.2' }),
    expect: 'tls-handshake',
    message: /wants a client certificate/,
  },
  'speaks TLS 1.1 at most': {
    serve: as('good', { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }),
    expect: 'tls-handshake',
    message: /no TLS version that is at least tls\.minVersion/,
  },
  'speaks TLS 1.2 where 1.3 is asked for': {
    serve: as('good', { maxVersion: 'TLSv1.2' }),
    options: { minVersion: 'TLSv1.3' },
    expect: 'tls-handshake',
    message: /tls\.minVersion/,
  },
  'shares no cipher': {
    serve: as('good', { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' }),
    expect: 'tls-handshake',
  },
  'insists on a key exchange with ML-KEM': { serve: as('good', { ecdhCurve: 'X25519MLKEM768' }), expect: 'up' },
  'sends a chain of 400 certificates': {
    serve: (all) => ({ cert: all.good.certificate + all.intermediate.certificate.repeat(400), key: all.good.key }),
    expect: 'tls-handshake',
  },
};

const serverHelloStart = Buffer.from([0x16, 0x03, 0x03, 0x00, 0x7a, 0x02, 0x00]);

const forever =
  (piece: Buffer): ((socket: Socket) => void) =>
  (socket) => {
    const block = Buffer.alloc(16_384, piece);
    const more = (): void => {
      while (!socket.destroyed && socket.write(block));
    };
    socket.on('drain', more);
    more();
  };

/** What raw servers do once they have the ClientHello. */
const rawServers: Readonly<Record<string, Case & { readonly act: (socket: Socket) => void }>> = {
  'says nothing': { act: () => {}, expect: 'timeout', message: /TLS with localhost: No answer/ },
  'stops within its hello': { act: (socket) => void socket.write(serverHelloStart), expect: 'timeout' },
  'closes at once': {
    act: (socket) => void socket.end(),
    expect: 'closed',
    message: /closed the connection during the handshake/,
  },
  'closes within its hello': { act: (socket) => void socket.end(serverHelloStart), expect: 'closed' },
  resets: { act: (socket) => void socket.resetAndDestroy(), expect: 'reset' },
  'speaks plain HTTP': {
    act: (socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'),
    expect: 'tls-handshake',
    message: /not TLS; does the port speak plain text/,
  },
  'speaks SSH': {
    act: (socket) => void socket.end('SSH-2.0-OpenSSH_9.2p1\r\n'),
    expect: 'tls-handshake',
    message: /not TLS/,
  },
  'sends garbage without end': { act: forever(Buffer.from([0x17, 0x03, 0x03, 0xff, 0xff])), expect: 'tls-handshake' },
  'sends empty handshake records without end': {
    act: forever(Buffer.from([0x16, 0x03, 0x03, 0x00, 0x00])),
    expect: 'tls-handshake',
  },
  'refuses by an alert': {
    act: (socket) => void socket.end(Buffer.from([0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x28])),
    expect: 'tls-handshake',
    message: /the server refused/,
  },
  'does not know the name': {
    act: (socket) => void socket.end(Buffer.from([0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x70])),
    expect: 'tls-wrong-name',
    message: /knows no such name/,
  },
};

const timeoutOf = ({ expect }: Case): number => (expect === 'timeout' ? 500 : 5000);

const runOf = (port: number, ca: TestCertificate, given: Case): HostileRun => ({
  type: 'http',
  options: { url: `https://localhost:${port}/`, tls: { ca: ca.certificate, ...given.options } },
  timeoutMs: timeoutOf(given),
});

test(
  'a TLS server that is wrong in some way is an outcome with its reason, in time and in little memory',
  { skip },
  async (t) => {
    await using stack = new AsyncDisposableStack();
    const certificates = await testCertificates();
    const cases: [string, Case, number][] = [];
    for (const [name, given] of Object.entries(servers)) {
      const server = stack.use(await httpServer((_, response) => response.end('hello'), given.serve(certificates)));
      cases.push([name, given, server.port]);
    }
    for (const [name, given] of Object.entries(rawServers)) {
      const server = stack.use(await tcpServer((socket) => socket.once('data', () => given.act(socket))));
      cases.push([name, given, server.port]);
    }
    const runs = cases.map(([, given, port]) => runOf(port, certificates.ca, given));
    const measured = await measure(runs[0]!, runs);
    for (const [index, { result, lateMs, extraBytes }] of measured.entries()) {
      const [name, given] = cases[index]!;
      await t.test(name, () => {
        t.diagnostic(
          `${name}: ${result.message} (${lateMs.toFixed(0)} ms late, ${(extraBytes / 1_048_576).toFixed(1)} MiB)`,
        );
        assert.equal(result.reason ?? result.status, given.expect, result.message);
        if (given.message) assert.match(result.message, given.message);
        assert.ok(lateMs <= graceMs, `ended ${lateMs} ms late`);
        assert.ok(extraBytes <= maxExtraBytes, `took ${(extraBytes / 1_048_576).toFixed(1)} MiB`);
      });
    }
  },
);
