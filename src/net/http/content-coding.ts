import { promisify } from 'node:util';
import { brotliDecompress, constants, gunzip, inflate, inflateRaw, zstdDecompress } from 'node:zlib';
import { Failure } from '../../core/failure.ts';
import type { Reason } from '../../core/outcome.ts';
import type { ExchangeOptions } from './http.ts';

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

type Limits = Pick<ExchangeOptions, 'peer' | 'maxBodyBytes'>;

/**
 * Undoes content codings, last applied first (RFC 9110 section 8.4); no step gives more than `maxBodyBytes`.
 * @throws {Failure} protocol, too-large
 */
export async function decodeContent(body: Buffer, codings: string, limits: Limits): Promise<Buffer> {
  const names = codings
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '' && name !== 'identity');
  if (names.length > maxCodings)
    throw unexpected('protocol', limits, `at most ${maxCodings} content codings, got ${names.length}`);
  let decoded = body;
  for (const name of names.toReversed()) decoded = await decode(decoded, name, limits);
  return decoded;
}

async function decode(bytes: Buffer, name: string, limits: Limits): Promise<Buffer> {
  const decoder = Object.hasOwn(decoders, name) ? decoders[name] : undefined;
  if (!decoder)
    throw unexpected('protocol', limits, `gzip, deflate, br or zstd as content coding, got ${JSON.stringify(name)}`);
  const { maxBodyBytes } = limits;
  if (bytes.length === 0) return bytes;
  try {
    return await decoder(bytes, { maxOutputLength: maxBodyBytes });
  } catch (error) {
    const isTooLarge = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
    throw isTooLarge
      ? unexpected(
          'too-large',
          limits,
          `a body of at most ${maxBodyBytes} bytes (maxBodyBytes), got more once ${name} was decoded`,
        )
      : unexpected('protocol', limits, `a body in ${name}, got bytes that are not`);
  }
}

function unexpected(reason: Reason, { peer }: Limits, what: string): Failure {
  return new Failure(reason, `The response of ${peer}: expected ${what}.`);
}
