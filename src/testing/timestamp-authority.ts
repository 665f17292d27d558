import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** OpenSSL as a time-stamping authority (RFC 3161) on loopback. */
export interface TimestampAuthority extends AsyncDisposable {
  readonly url: URL;
  /** Of its root certificate (PEM). */
  readonly root: string;
}

const configuration = (folder: string): string => `
[tsa]
default_tsa = lab
[lab]
serial = ${folder}/serial
signer_cert = ${folder}/signer.pem
signer_key = ${folder}/signer.key
certs = ${folder}/root.pem
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ordering = yes
ess_cert_id_alg = sha256
[signer]
extendedKeyUsage = critical, timeStamping
keyUsage = critical, digitalSignature
[other]
extendedKeyUsage = critical, serverAuth
`;

interface AuthorityOptions {
  /** Changes the responses. */
  readonly change?: (response: Buffer) => Buffer;
  readonly key?: readonly string[];
}

export async function openTimestampAuthority({
  change = (response) => response,
  key = ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
}: AuthorityOptions = {}): Promise<TimestampAuthority> {
  const folder = await mkdtemp(join(tmpdir(), 'watchkeeper-tsa-'));
  const at = (name: string): string => join(folder, name);
  const openssl = (...words: readonly string[]): Promise<unknown> => run('openssl', words, { cwd: folder });
  await writeFile(at('tsa.cnf'), configuration(folder));
  await writeFile(at('serial'), '01\n');
  const newKey = ['-newkey', ...key, '-nodes'];
  await openssl('req', '-x509', ...newKey, '-keyout', at('root.key'), '-out', at('root.pem'), '-subj', '/CN=Lab root');
  await openssl('req', ...newKey, '-keyout', at('signer.key'), '-out', at('signer.csr'), '-subj', '/CN=Lab clock');
  const signed = ['-CA', at('root.pem'), '-CAkey', at('root.key'), '-CAcreateserial', '-days', '30'];
  const extensions = ['-extfile', at('tsa.cnf'), '-extensions', 'signer'];
  await openssl('x509', '-req', '-in', at('signer.csr'), '-out', at('signer.pem'), ...signed, ...extensions);
  const server = createServer((request, response) => {
    void (async () => {
      const query = Buffer.concat(await Array.fromAsync(request as AsyncIterable<Buffer>));
      await writeFile(at('query.tsq'), query);
      const words = ['ts', '-reply', '-config', at('tsa.cnf'), '-section', 'lab', '-queryfile', at('query.tsq')];
      const { stdout } = await run('openssl', words, { encoding: 'buffer' });
      response.writeHead(200, { 'content-type': 'application/timestamp-reply' }).end(change(stdout));
    })().catch((error: Error) => response.writeHead(500).end(error.message));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  // A server that listens on a port has such an address.
  const { port } = server.address() as AddressInfo;
  return {
    url: new URL(`http://127.0.0.1:${port}/`),
    root: at('root.pem'),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true, maxRetries: 5 });
    },
  };
}
