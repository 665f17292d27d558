import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { resolve } from 'node:path';
import { AppError } from '../core/errors.ts';
import { quoted } from '../core/quoted.ts';
import type { WrittenFile } from './mistake.ts';
import { readRegularFile } from './regular-file.ts';

const maxPemBytes = 1024 * 1024;

/** PEM texts that belong together. */
export interface TlsMaterial {
  readonly certificate: string;
  readonly key: string;
  /** Where the two were read from. */
  readonly files: readonly string[];
}

/** What the two files hold; undefined if the server could not use them, and why is reported. Relative paths begin at `folder`. */
export function readTlsFiles(
  { certificate, key }: { readonly certificate: string; readonly key: string },
  folder: string,
  file: WrittenFile,
): TlsMaterial | undefined {
  const files = [resolve(folder, certificate), resolve(folder, key)] as const;
  const text = pemIn(files[0], 'certificate', file);
  const keyText = pemIn(files[1], 'key', file);
  const parsed = text === undefined ? undefined : certificateIn(text, certificate, file);
  const parsedKey = keyText === undefined ? undefined : keyIn(keyText, key, file);
  if (text === undefined || keyText === undefined || !parsed || !parsedKey) return undefined;
  if (!parsed.checkPrivateKey(parsedKey)) {
    file.report(['key'], `expected the key of the certificate in ${quoted(certificate)}, got another`);
    return undefined;
  }
  const now = Date.now();
  if (parsed.validToDate.getTime() < now)
    file.warn(['certificate'], `this certificate expired on ${parsed.validToDate.toISOString()}`);
  else if (parsed.validFromDate.getTime() > now)
    file.warn(['certificate'], `this certificate is valid only from ${parsed.validFromDate.toISOString()}`);
  return { certificate: text, key: keyText, files };
}

function pemIn(path: string, name: 'certificate' | 'key', file: WrittenFile): string | undefined {
  try {
    return readRegularFile(path, maxPemBytes);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    file.report([name], `${quoted(path)} cannot be read: ${error.message}`);
    return undefined;
  }
}

function certificateIn(text: string, name: string, file: WrittenFile): X509Certificate | undefined {
  try {
    // DER would be read here, and not by the listener.
    if (text.includes('-----BEGIN CERTIFICATE-----')) return new X509Certificate(text);
  } catch {
    // Said below.
  }
  file.report(['certificate'], `expected a certificate in PEM (-----BEGIN CERTIFICATE-----) in ${quoted(name)}`);
  return undefined;
}

function keyIn(text: string, name: string, file: WrittenFile): KeyObject | undefined {
  try {
    return createPrivateKey(text);
  } catch (error) {
    const isLocked = /ENCRYPTED/.test(text) || (error as NodeJS.ErrnoException).code === 'ERR_MISSING_PASSPHRASE';
    const why = isLocked ? 'one that is protected by a passphrase, which nobody could type' : 'none';
    file.report(['key'], `expected a private key in PEM (-----BEGIN PRIVATE KEY-----) in ${quoted(name)}, got ${why}`);
    return undefined;
  }
}
