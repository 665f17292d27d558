import { promisify } from 'node:util';
import { brotliDecompress, constants, gunzip, inflate, inflateRaw, zstdDecompress } from 'node:zlib';
import { Failure } from '../core/failure.ts';

type Decode = (bytes: Buffer, limits: { readonly maxOutputLength: number }) => Promise<Buffer>;

const inflateZlib = promisify(inflate);
const inflateBare = promisify(inflateRaw);
const decompressZstd = promisify(zstdDecompress);

/** "deflate" is the zlib format (RFC 9110 section 8.4.1.2), yet some servers send bare deflate; zlib's first byte tells. */
const inflateEither: Decode = (bytes, limits) =>
  ((bytes[0] ?? 0) & 0x0f) === 8 ? inflateZlib(bytes, limits) : inflateBare(bytes, limits);

// A window of more than 8 MiB is not allowed in HTTP (RFC 9659 section 3); without this a frame may claim 128 MiB.
const zstdParameters = { [constants.ZSTD_d_windowLogMax]: 23 };

const decoders: Readonly<Record<string, Decode>> = {
  gzip: promisify(gunzip),
  'x-gzip': promisify(gunzip),
  deflate: inflateEither,
  br: promisify(brotliDecompress),
  zstd: (bytes, limits) => decompressZstd(bytes, { ...limits, params: zstdParameters }),
};

const maxCodings = 5;

/**
 * Undoes content codings, last applied first (RFC 9110 section 8.4); no step gives more than `maxBytes`.
 * @throws {Failure} protocol, too-large
 */
export async function decodeContent(body: Buffer, codings: string, maxBytes: number): Promise<Buffer> {
  const names = codings
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '' && name !== 'identity');
  if (names.length > maxCodings)
    throw new Failure('protocol', `Expected at most ${maxCodings} content codings, got ${names.length}`);
  let decoded = body;
  for (const name of names.toReversed()) decoded = await decode(decoded, name, maxBytes);
  return decoded;
}

async function decode(bytes: Buffer, name: string, maxBytes: number): Promise<Buffer> {
  const decoder = Object.hasOwn(decoders, name) ? decoders[name] : undefined;
  if (!decoder)
    throw new Failure('protocol', `Expected gzip, deflate, br or zstd as content coding, got ${JSON.stringify(name)}`);
  if (bytes.length === 0) return bytes;
  try {
    return await decoder(bytes, { maxOutputLength: maxBytes });
  } catch (error) {
    const isTooLarge = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
    if (isTooLarge)
      throw new Failure('too-large', `Expected a body of at most ${maxBytes} bytes, got more once ${name} was decoded`);
    throw new Failure('protocol', `Expected a body in ${name}, got bytes that are not`, { cause: error });
  }
}
