import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../core/errors.ts';
import { verifyBytes } from '../../protocol/identity.ts';
import type { Finding } from './verdict.ts';

const maxBytes = 64 * 1024 * 1024;

interface SignedFile<List> {
  readonly folder: string;
  readonly names: { readonly list: string; readonly signature: string };
  /** Undefined if the text is not such a list. */
  readonly read: (text: string) => List | undefined;
}

/** A list that a server signed, with the faults of its signature; undefined if it cannot be read. @throws {AppError} usage, unavailable */
export async function readSigned<List extends { readonly serverKey: string }>(
  { folder, names, read }: SignedFile<List>,
  findings: Finding[],
): Promise<List | undefined> {
  const bytes = (await fileContent(folder, names.list)) ?? Buffer.alloc(0);
  const signature = ((await fileContent(folder, names.signature)) ?? Buffer.alloc(0)).toString('latin1');
  const list = read(bytes.toString());
  if (!list) {
    findings.push({ file: names.list, message: 'expected the list that a server signed, got something else' });
    return undefined;
  }
  const bare = signature.slice(0, -1);
  // Base64 has several spellings of the same bytes; the server writes one of them.
  const isSpelled = Buffer.from(bare, 'base64url').toString('base64url') === bare && signature.endsWith('\n');
  if (!isSpelled) findings.push({ file: names.signature, message: 'expected a signature as a server writes it' });
  if (!verifyBytes(list.serverKey, bytes, bare)) {
    const message = `expected bytes that ${names.signature} signs with the key in it: one of the two was changed`;
    findings.push({ file: names.list, message });
  }
  return list;
}

/** Undefined if there is no regular file of that name: a link leads elsewhere, a pipe never ends. @throws {AppError} usage, unavailable */
export async function fileContent(folder: string, name: string): Promise<Buffer | undefined> {
  const file = join(folder, name);
  try {
    const stats = await lstat(file);
    if (!stats.isFile()) return undefined;
    if (stats.size > maxBytes)
      throw new AppError('usage', `expected ${file} to be of at most ${maxBytes} bytes, got ${stats.size}`);
    return await readFile(file);
  } catch (error) {
    if (error instanceof AppError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw new AppError('unavailable', `${file} cannot be read: ${message}`);
  }
}
