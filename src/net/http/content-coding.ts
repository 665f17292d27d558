import type { Transform } from 'node:stream';
import {
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  createZstdDecompress,
} from 'node:zlib';
import { Failure } from '../../core/failure.ts';
import type { Reason } from '../../core/outcome.ts';
import { quoted } from '../../core/quoted.ts';
import { GrowingBuffer } from '../packets/growing-buffer.ts';
import type { ExchangeOptions, HttpResponse } from './http.ts';

/** A body, or its beginning. */
export interface Content {
  readonly bytes: Buffer;
  /** False if there is more than these bytes. */
  readonly isWhole: boolean;
}

export interface DecodedContent extends Content {
  /** Faults of the codings, a sentence each. */
  readonly oddities: readonly string[];
}

type Limits = Pick<ExchangeOptions, 'peer' | 'maxBodyBytes'>;
type CreateDecoder = (content: Content) => Transform;

// Without these a decoder takes a beginning for a body that was damaged.
const { Z_SYNC_FLUSH, Z_FINISH, BROTLI_OPERATION_FLUSH, BROTLI_OPERATION_FINISH, ZSTD_e_flush, ZSTD_e_end } = constants;
const zlibOptions = ({ isWhole }: Content) => ({ finishFlush: isWhole ? Z_FINISH : Z_SYNC_FLUSH });

const gunzip: CreateDecoder = (content) => createGunzip(zlibOptions(content));

/** "deflate" is the zlib format (RFC 9110 section 8.4.1.2), yet some servers send bare deflate; zlib's first byte tells. */
const inflate: CreateDecoder = (content) => {
  const isZlib = ((content.bytes[0] ?? 0) & 0x0f) === 8;
  return isZlib ? createInflate(zlibOptions(content)) : createInflateRaw(zlibOptions(content));
};

// A window of more than 8 MiB is not allowed in HTTP (RFC 9659 section 3); without this a frame may claim 128 MiB.
const zstdParameters = { [constants.ZSTD_d_windowLogMax]: 23 };

const decoders: Readonly<Record<string, CreateDecoder>> = {
  gzip: gunzip,
  'x-gzip': gunzip,
  deflate: inflate,
  br: ({ isWhole }) =>
    createBrotliDecompress({ finishFlush: isWhole ? BROTLI_OPERATION_FINISH : BROTLI_OPERATION_FLUSH }),
  zstd: ({ isWhole }) =>
    createZstdDecompress({ params: zstdParameters, finishFlush: isWhole ? ZSTD_e_end : ZSTD_e_flush }),
};

/** Codings that are registered with IANA and not known here: their bodies cannot be searched. */
const unsupported: ReadonlySet<string> = new Set([
  'aes128gcm',
  'compress',
  'x-compress',
  'dcb',
  'dcz',
  'exi',
  'pack200-gzip',
]);

const maxCodings = 5;

/**
 * Undoes the codings of a body, last applied first (RFC 9110 section 8.4). No step gives more than `maxBodyBytes`; a name
 * that stands for no coding leaves the body as it is, as in curl and browsers, and is an oddity.
 * @throws {Failure} protocol, unsupported
 */
export async function decodeContent(response: HttpResponse, limits: Limits): Promise<DecodedContent> {
  const { codings } = response;
  if (codings.length > maxCodings)
    throw unexpected('protocol', limits, `at most ${maxCodings} content codings, got ${codings.length}`);
  let content: Content = { bytes: response.body, isWhole: !response.isCut };
  const oddities: string[] = [];
  const note = (text: string): void => void oddities.push(text);
  for (const name of codings.toReversed()) {
    if (unsupported.has(name))
      throw unexpected('unsupported', limits, `gzip, deflate, br or zstd as content coding, got ${name}`);
    const create = Object.hasOwn(decoders, name) ? decoders[name] : undefined;
    if (!create) note(`Content-Encoding names ${quoted(name, 60)}, which is no coding; the body is read as it came.`);
    else if (content.bytes.length > 0) content = await decode(content, { create, name, note, ...limits });
  }
  return { ...content, oddities };
}

interface Step extends Limits {
  readonly create: CreateDecoder;
  readonly name: string;
  readonly note: (text: string) => void;
}

function decode(content: Content, { create, name, note, ...limits }: Step): Promise<Content> {
  const { promise, resolve, reject } = Promise.withResolvers<Content>();
  const output = new GrowingBuffer();
  const decoder = create(content);
  const end = (isWhole: boolean): void => resolve({ bytes: output.bytes(), isWhole });
  decoder
    .on('data', (chunk: Buffer) => {
      const room = limits.maxBodyBytes - output.length;
      output.append(chunk.subarray(0, room));
      if (chunk.length <= room) return;
      decoder.destroy();
      end(false);
    })
    .once('end', () => end(content.isWhole))
    .once('error', (error) => {
      const oddity = oddityOf(error, name);
      if (oddity === undefined || output.length === 0)
        return reject(unexpected('protocol', limits, `a body in ${name}, got bytes that are not`));
      note(oddity);
      end(content.isWhole);
    });
  decoder.end(content.bytes);
  return promise;
}

/** What is wrong with a body that clients take as far as it could be read. */
function oddityOf({ message }: Error, name: string): string | undefined {
  if (message === 'unexpected end of file') return `The body in ${name} is cut off.`;
  // After a complete gzip member, zlib looks for another one (RFC 1952 section 2.2); these say that there is none.
  const isTrailing = ['incorrect header check', 'unknown compression method', 'unknown header flags set'];
  return isTrailing.includes(message) ? `Bytes follow the body in ${name}.` : undefined;
}

function unexpected(reason: Reason, { peer }: Limits, what: string): Failure {
  return new Failure(reason, `The response of ${peer}: expected ${what}.`);
}
