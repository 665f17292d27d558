import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto';
import { AppError } from '../../core/errors.ts';
import { ByteSource } from './byte-source.ts';

/**
 * A stream under a passphrase. After a line of text and a salt it is cut into chunks of 64 KiB, each sealed with AES-256-GCM by
 * a key that scrypt makes of passphrase and salt. The nonce holds the chunk's number and whether it is the last, so that chunks
 * can be neither moved, left out nor cut off (Hoang et al., "Online Authenticated-Encryption", STREAM). The header is part of
 * what is authenticated. Another parameter is another version.
 */
const version = 1;
const line = /^watchkeeper backup, encrypted, version (\d{1,9})\n/;
const header = `watchkeeper backup, encrypted, version ${version}\n`;
const saltBytes = 16;
const chunkBytes = 65_536;
const tagBytes = 16;
/** 128 MiB and some tenths of a second for each guess (OWASP Password Storage Cheat Sheet). */
const cost = { N: 2 ** 17, r: 8, p: 1, maxmem: 256 * 2 ** 20 };

export async function* encrypt(bytes: AsyncIterable<Uint8Array>, passphrase: string): AsyncGenerator<Uint8Array> {
  const salt = randomBytes(saltBytes);
  const key = await keyOf(passphrase, salt);
  const beginning = Buffer.concat([Buffer.from(header), salt]);
  yield beginning;
  let number = 0;
  for await (const { chunk, isLast } of new ByteSource(bytes).chunks(chunkBytes)) {
    const cipher = createCipheriv('aes-256-gcm', key, nonceOf(number++, isLast)).setAAD(beginning);
    yield Buffer.concat([cipher.update(chunk), cipher.final(), cipher.getAuthTag()]);
  }
}

/** The version of the encryption; undefined for a file that is not encrypted. Reads nothing. */
export async function encryptionOf(source: ByteSource): Promise<number | undefined> {
  const found = line.exec((await source.peek(header.length + 9)).toString('latin1'));
  return found ? Number(found[1]) : undefined;
}

/** What `encrypt` was given. @throws {AppError} usage, when the passphrase is another, or anything was changed or cut off */
export async function* decrypt(source: ByteSource, passphrase: string): AsyncGenerator<Uint8Array> {
  if ((await encryptionOf(source)) !== version)
    throw new AppError('usage', 'it was encrypted by a newer Watchkeeper: restore it with that version');
  const beginning = Buffer.from(await source.read(header.length + saltBytes));
  const key = await keyOf(passphrase, beginning.subarray(header.length));
  let number = 0;
  for await (const { chunk, isLast } of source.chunks(chunkBytes + tagBytes)) {
    const open = { key, nonce: nonceOf(number, isLast), beginning };
    const plain = opened(chunk, open);
    if (plain === undefined) {
      const why =
        number === 0 ? 'the passphrase is wrong, or it was changed or cut short' : 'it was changed or cut short';
      throw new AppError('usage', why);
    }
    number++;
    yield plain;
  }
}

interface Opening {
  readonly key: Buffer;
  readonly nonce: Buffer;
  readonly beginning: Buffer;
}

/** Undefined if the chunk is not what was sealed. */
function opened(chunk: Buffer, { key, nonce, beginning }: Opening): Buffer | undefined {
  if (chunk.length < tagBytes) return undefined;
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes }).setAAD(beginning);
  decipher.setAuthTag(chunk.subarray(-tagBytes));
  const plain = decipher.update(chunk.subarray(0, -tagBytes));
  try {
    return Buffer.concat([plain, decipher.final()]);
  } catch {
    return undefined;
  }
}

/** Never twice with one key: the salt makes each file's key its own. */
function nonceOf(number: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUIntBE(number, 5, 6);
  nonce.writeUInt8(isLast ? 1 : 0, 11);
  return nonce;
}

function keyOf(passphrase: string, salt: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    // The same letters may be typed in two forms of Unicode.
    scrypt(passphrase.normalize('NFC'), salt, 32, cost, (error, key) => (error ? reject(error) : resolve(key)));
  });
}
