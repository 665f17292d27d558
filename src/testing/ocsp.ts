import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TestCertificate } from './certificates.ts';

const run = promisify(execFile);

interface Response {
  readonly certificate: TestCertificate;
  readonly issuer: TestCertificate;
  /** Who signs; the issuer if left out. */
  readonly signer?: TestCertificate;
  /** `unknown` is what a responder says of a certificate that is not in its register. */
  readonly status: 'good' | 'revoked' | 'unknown';
  /** The responder is told by the hash of its key instead of by its name. */
  readonly byKey?: boolean;
  /** Options of `openssl ocsp` for the signature. */
  readonly signature?: readonly string[];
}

let made = 0;

/** The DER of an OCSP response as openssl makes it, valid for an hour from now. */
export async function ocspResponse(folder: string, response: Response): Promise<Buffer> {
  const { certificate, issuer, signer = issuer, status, byKey = false, signature = [] } = response;
  const file = (kind: string): string => join(folder, `ocsp${made}.${kind}`);
  made += 1;
  const { serialNumber } = new X509Certificate(certificate.certificate);
  const entry = {
    good: `V\t350101000000Z\t\t${serialNumber}\tunknown\t/CN=x\n`,
    revoked: `R\t350101000000Z\t260115120000Z\t${serialNumber}\tunknown\t/CN=x\n`,
    unknown: '',
  }[status];
  await writeFile(file('index'), entry);
  const about = ['-issuer', issuer.certificatePath, '-cert', certificate.certificatePath];
  await run('openssl', ['ocsp', ...about, '-no_nonce', '-reqout', file('request')]);
  const register = ['-index', file('index'), '-CA', issuer.certificatePath];
  const signing = [
    '-rsigner',
    signer.certificatePath,
    '-rkey',
    signer.keyPath,
    ...(byKey ? ['-resp_key_id'] : []),
    ...signature,
  ];
  const files = ['-reqin', file('request'), '-respout', file('response'), '-nmin', '60'];
  await run('openssl', ['ocsp', ...register, ...signing, ...files]);
  return await readFile(file('response'));
}
