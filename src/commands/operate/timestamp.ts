import { createHash, randomBytes, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { systemClock as clock } from '../../core/clock.ts';
import { AppError } from '../../core/errors.ts';
import { Failure } from '../../core/failure.ts';
import { statusOf } from '../../net/http/http.ts';
import { requestOverHttp } from '../../net/http/request.ts';
import { createNetwork } from '../../net/network.ts';
import { DerError } from '../../net/packets/der.ts';
import { encodeTimestampRequest, readTimestamp, type Timestamp } from '../../net/tls/timestamp.ts';
import type { TimestampFact } from '../../records/verify/verdict.ts';
import { personalPolicy } from '../personal-policy.ts';

const timeoutMs = 30_000;
const maxResponseBytes = 64 * 1024;
const maxCertificates = 10;

/** Asks a time-stamping authority (RFC 3161) for a time stamp of these bytes; returns its response. @throws {AppError} unavailable */
export async function stampedBy(url: URL, bytes: Buffer): Promise<Buffer> {
  const hash = sha256(bytes);
  // Positive as a number in DER, and without a leading zero.
  const nonce = randomBytes(8).with(0, 0x5a);
  const response = await ask(url, encodeTimestampRequest(hash, Buffer.from(nonce)));
  const stamp = readOrSay(response);
  if (typeof stamp === 'string') throw new AppError('unavailable', `${url.host} gave no time stamp: ${stamp}`);
  if (!stamp.hash.equals(hash) || !stamp.nonce?.equals(nonce))
    throw new AppError(
      'unavailable',
      `expected ${url.host} to stamp what it was asked for, got a stamp of something else`,
    );
  return response;
}

async function ask(url: URL, body: Buffer): Promise<Buffer> {
  const net = createNetwork({ clock, policy: personalPolicy() });
  try {
    const { response } = await requestOverHttp(url, {
      net,
      clock,
      signal: AbortSignal.timeout(timeoutMs),
      dial: {},
      tls: { verify: true, minVersion: 'TLSv1.2', ocsp: 'staple', resume: false },
      headers: { 'user-agent': 'Watchkeeper', 'content-type': 'application/timestamp-query' },
      method: 'POST',
      body,
      maxBodyBytes: maxResponseBytes,
    });
    if (response.status === 200) return response.body;
    throw new AppError('unavailable', `expected 200 from ${url.host}, got ${statusOf(response)}`);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw new AppError('unavailable', `${url.host} gave no time stamp: ${error.message}`, { cause: error });
  }
}

/** Reads time stamps for `verify`, with the authorities in this PEM file as trusted. @throws {AppError} usage */
export function timestampReader(authorityFile: string | undefined) {
  const trusted = authorityFile === undefined ? undefined : certificatesIn(authorityFile);
  return (response: Buffer, stamped: Buffer): TimestampFact | string => {
    const stamp = readOrSay(response);
    if (typeof stamp === 'string') return `expected the response of a time-stamping authority: ${stamp}`;
    if (!stamp.hash.equals(sha256(stamped)))
      return 'expected a time stamp of this manifest.json, got one of something else';
    const { atMs, signer } = stamp;
    const isTrusted = trusted && leadsTo(trusted, stamp);
    return { at: new Date(atMs).toISOString(), authority: signer.subject.replaceAll('\n', ', '), isTrusted };
  };
}

function readOrSay(response: Buffer): Timestamp | string {
  try {
    return readTimestamp(response);
  } catch (error) {
    // A certificate in it that is none is OpenSSL's to refuse.
    return error instanceof DerError ? error.message : 'its certificates cannot be read';
  }
}

/** Whether the signer's certificate leads to a trusted one, each of them valid at the time of the stamp. */
function leadsTo(trusted: readonly X509Certificate[], { signer, certificates, atMs }: Timestamp): boolean {
  let current = signer;
  for (let step = 0; step < maxCertificates; step++) {
    if (!isValidAt(current, atMs)) return false;
    if (trusted.some(({ raw }) => raw.equals(current.raw))) return true;
    const issued = current;
    const issuer = [...trusted, ...certificates].find(
      (each) => each.ca && issued.checkIssued(each) && issued.verify(each.publicKey),
    );
    if (!issuer || issuer.raw.equals(current.raw)) return false;
    current = issuer;
  }
  return false;
}

function isValidAt({ validFromDate, validToDate }: X509Certificate, atMs: number): boolean {
  return validFromDate.getTime() <= atMs && atMs <= validToDate.getTime();
}

function certificatesIn(file: string): readonly X509Certificate[] {
  try {
    const pem = readFileSync(file, 'utf8');
    const texts = pem.match(/-----BEGIN CERTIFICATE-----[^-]{1,100000}-----END CERTIFICATE-----/g) ?? [];
    if (texts.length > 0) return texts.map((text) => new X509Certificate(text));
  } catch (error) {
    throw new AppError('usage', `expected certificates (PEM) in ${file}: ${(error as Error).message}`, {
      cause: error,
    });
  }
  throw new AppError('usage', `expected certificates (PEM) in ${file}, got none`);
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}
