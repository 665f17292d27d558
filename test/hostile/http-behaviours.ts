import type { Socket } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import type { Reason } from '../../src/core/outcome.ts';

export interface Behaviour {
  /** Work of the server that takes long; done before any run. */
  readonly prepare?: () => void;
  /** What the server does once it has the request. */
  readonly act: (socket: Socket) => void;
  /** The reason the check must give, or up. */
  readonly expect: Reason | 'up';
  readonly message?: RegExp;
  readonly options?: Readonly<Record<string, unknown>>;
}

const ok = 'HTTP/1.1 200 OK\r\n';
const chunked = `${ok}Transfer-Encoding: chunked\r\n\r\n`;

const say =
  (text: string | Buffer): Behaviour['act'] =>
  (socket) =>
    void socket.end(text);

/** Sends, and keeps the connection open. */
const sayAndStay =
  (text: string): Behaviour['act'] =>
  (socket) =>
    void socket.write(text);

const sayAndReset =
  (text: string): Behaviour['act'] =>
  (socket) =>
    void socket.write(text, () => socket.resetAndDestroy());

/** Sends `start`, then `piece` for as long as the other side takes it. */
const flood =
  (start: string, piece: string): Behaviour['act'] =>
  (socket) => {
    const block = Buffer.from(piece.repeat(Math.ceil(16_384 / piece.length)));
    const more = (): void => {
      while (!socket.destroyed && socket.write(block));
    };
    socket.on('drain', more).write(start);
    more();
  };

const drip =
  (start: string, piece: string): Behaviour['act'] =>
  (socket) => {
    socket.write(start);
    const timer = setInterval(() => socket.write(piece), 20);
    socket.once('close', () => clearInterval(timer));
  };

const encoded = (codings: string, body: Buffer): Behaviour['act'] =>
  say(
    Buffer.concat([Buffer.from(`${ok}Content-Encoding: ${codings}\r\nContent-Length: ${body.length}\r\n\r\n`), body]),
  );

const bombBytes = 300 * 1024 * 1024;
const bomb = (codings: string, compress: (bytes: Buffer) => Buffer): Behaviour => {
  let body: Buffer = Buffer.alloc(0);
  return {
    prepare: () => void (body = compress(Buffer.alloc(bombBytes))),
    act: (socket) => encoded(codings, body)(socket),
    expect: 'too-large',
    message: /only its first 1048576 characters/,
    options: reading,
  };
};

/** The body is decoded only where an option reads it. */
const reading = { contains: ['hello'] } as const;
const strict = { strict: true } as const;

/** RFC 8878 section 3.1.1: a frame that asks for a window of 128 MiB, then one repeated byte. */
const wideZstd = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x88, 0x0b, 0x00, 0x04, 0x61]);

const redirect = (location: string): Behaviour['act'] =>
  say(`HTTP/1.1 302 Found\r\nLocation: ${location}\r\nContent-Length: 0\r\n\r\n`);

const deepJson = '['.repeat(200_000) + ']'.repeat(200_000);

/** Every way of answering badly that we know of, by name. */
export const behaviours: Readonly<Record<string, Behaviour>> = {
  'says nothing': { act: () => {}, expect: 'timeout', message: /Waiting for the response/ },
  'drips its header': { act: drip(ok, 'X'), expect: 'timeout' },
  'drips header fields': { act: drip(ok, 'X: y\r\n'), expect: 'timeout' },
  'drips its body': {
    act: drip(`${ok}Content-Length: 1000000\r\n\r\n`, 'x'),
    expect: 'timeout',
    message: /Reading the response/,
  },
  'drips chunks': { act: drip(chunked, '1\r\nx\r\n'), expect: 'timeout' },
  'sends fields without end': { act: flood(ok, 'X-Flood: again\r\n'), expect: 'too-large' },
  'sends one header line without end': { act: flood(`${ok}X: `, 'x'), expect: 'too-large' },
  'sends a status line without end': { act: flood('HTTP/1.1 200 ', 'x'), expect: 'too-large' },
  'sends interim responses without end': {
    act: flood('', 'HTTP/1.1 103 Early Hints\r\n\r\n'),
    expect: 'too-large',
    message: /interim/,
  },
  'sends interim responses with large headers': {
    act: flood('', `HTTP/1.1 103 Hi\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`),
    expect: 'too-large',
  },
  'sends a few interim responses first': {
    act: say(`${'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(8)}${ok}Content-Length: 0\r\n\r\n`),
    expect: 'up',
  },
  'switches protocols unasked': {
    act: sayAndStay('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n'),
    expect: 'protocol',
  },
  'sends a body without end': { act: flood(`${ok}\r\n`, 'x'), expect: 'up' },
  'sends a body without end that is read': { act: flood(`${ok}\r\n`, 'x'), expect: 'too-large', options: reading },
  'sends chunks without end': { act: flood(chunked, '400\r\n' + 'x'.repeat(1024) + '\r\n'), expect: 'up' },
  'sends chunks of one byte without end': {
    act: flood(chunked, '1\r\nx\r\n'),
    expect: 'too-large',
    options: { ...reading, maxBodyBytes: 100_000 },
  },
  'sends trailers without end': { act: flood(`${chunked}0\r\n`, 'X: y\r\n'), expect: 'too-large' },
  'sends a chunk extension without end': { act: flood(`${chunked}5;x=`, 'x'), expect: 'too-large' },
  'claims a body of 100 TB': { act: sayAndStay(`${ok}Content-Length: 100000000000000\r\n\r\n`), expect: 'timeout' },
  'claims more than it sends': {
    act: say(`${ok}Content-Length: 100\r\n\r\nshort`),
    expect: 'closed',
    message: /after 5 of 100 bytes/,
  },
  'claims more than it sends and stays': {
    act: sayAndStay(`${ok}Content-Length: 100\r\n\r\nshort`),
    expect: 'timeout',
  },
  'claims less than it sends': { act: say(`${ok}Content-Length: 2\r\n\r\nlong`), expect: 'up' },
  'claims a negative length': { act: say(`${ok}Content-Length: -1\r\n\r\n`), expect: 'protocol' },
  'claims a length in hex': { act: say(`${ok}Content-Length: 0x5\r\n\r\nhello`), expect: 'protocol' },
  'claims two lengths': { act: say(`${ok}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello`), expect: 'closed' },
  'claims two lengths, the last one rightly': {
    act: say(`${ok}Content-Length: 6\r\nContent-Length: 5\r\n\r\nhello`),
    expect: 'protocol',
    options: strict,
  },
  'claims the same length twice': {
    act: say(`${ok}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello`),
    expect: 'up',
  },
  'claims a length and chunks': {
    act: say(`${ok}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`),
    expect: 'protocol',
    options: strict,
  },
  'uses another transfer coding': { act: say(`${ok}Transfer-Encoding: chunked;q=1\r\n\r\n`), expect: 'protocol' },
  'sends chunks over HTTP/1.0': {
    act: say('HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'),
    expect: 'protocol',
    options: strict,
  },
  'sends a chunk size that is none': { act: say(`${chunked}xyz\r\n`), expect: 'protocol' },
  'sends a negative chunk size': { act: say(`${chunked}-1\r\n`), expect: 'protocol' },
  'sends a chunk size beyond numbers': { act: say(`${chunked}${'F'.repeat(32)}\r\n`), expect: 'protocol' },
  'sends more than the chunk holds': { act: say(`${chunked}2\r\nlong\r\n0\r\n\r\n`), expect: 'protocol' },
  'closes within a chunk': { act: say(`${chunked}5\r\nhe`), expect: 'closed' },
  'closes before the last chunk': { act: say(`${chunked}5\r\nhello\r\n`), expect: 'closed' },
  'sends a field without a colon': { act: say(`${ok}nonsense\r\n\r\n`), expect: 'protocol' },
  'sends a space before the colon': {
    act: say(`${ok}Content-Length : 5\r\n\r\nhello`),
    expect: 'protocol',
    options: strict,
  },
  'sends a NUL in a field': { act: say(`${ok}X: a\0b\r\n\r\n`), expect: 'protocol' },
  'ends lines without a carriage return': { act: say('HTTP/1.1 200 OK\n\nhello'), expect: 'protocol', options: strict },
  'folds a field': {
    act: say(`${ok}X: a\r\n b\r\nContent-Length: 0\r\n\r\n`),
    expect: 'up',
    options: { responseHeaders: { x: 'a b' } },
  },
  'sends 5,000 fields': { act: say(`${ok}${'X: y\r\n'.repeat(5000)}Content-Length: 0\r\n\r\n`), expect: 'up' },
  'sends a body with 204': { act: say('HTTP/1.1 204 No Content\r\n\r\nhello'), expect: 'up' },
  'sends a body to HEAD': {
    act: say(`${ok}Content-Length: 5\r\n\r\nhello`),
    expect: 'up',
    options: { method: 'HEAD' },
  },
  'closes at once': { act: (socket) => void socket.end(), expect: 'closed', message: /before it answered/ },
  'closes within the header': { act: say(`${ok}X: y\r\n`), expect: 'closed', message: /middle of the header/ },
  'resets at once': { act: (socket) => void socket.resetAndDestroy(), expect: 'reset' },
  'resets within the body': { act: sayAndReset(`${ok}Content-Length: 100\r\n\r\nshort`), expect: 'reset' },
  'speaks SSH': { act: say('SSH-2.0-OpenSSH_9.2p1\r\n'), expect: 'protocol', message: /got "SSH-2\.0-OpenSSH_9\.2p1"/ },
  'speaks HTTP/2': { act: sayAndStay('\0\0\u0006\u0004\0\0\0\0\0\0\u0003\0\0\0d\n'), expect: 'protocol' },
  'speaks HTTP/0.9': { act: say('<html>hello</html>\r\n'), expect: 'protocol' },
  'sends a status of four digits': { act: say('HTTP/1.1 2000 OK\r\n\r\n'), expect: 'protocol' },
  'sends garbage': { act: flood('', '\u0001\u0002\u0003\u0004'), expect: 'too-large' },
  'bombs with gzip': bomb('gzip', (bytes) => gzipSync(bytes)),
  'bombs with deflate': bomb('deflate', (bytes) => deflateSync(bytes)),
  'bombs with brotli': bomb('br', (bytes) => brotliCompressSync(bytes, { params: { 1: 1 } })),
  'bombs with zstd': bomb('zstd', (bytes) => zstdCompressSync(bytes)),
  'bombs with gzip in gzip': bomb('gzip, gzip', (bytes) => gzipSync(gzipSync(bytes))),
  'claims a zstd window of 128 MiB': { act: encoded('zstd', wideZstd), expect: 'protocol', options: reading },
  'nests six codings': {
    act: encoded('gzip, gzip, gzip, gzip, gzip, gzip', Buffer.from('x')),
    expect: 'protocol',
    options: reading,
  },
  'uses an unknown coding': { act: encoded('constructor', Buffer.from('hello')), expect: 'up', options: reading },
  'sends gzip that is none': { act: encoded('gzip', Buffer.from('hello')), expect: 'protocol', options: reading },
  'sends half of a gzip': {
    act: encoded('gzip', gzipSync('hello'.repeat(100)).subarray(0, 20)),
    expect: 'protocol',
    message: /^The body in gzip is cut off\. \(strict\)$/,
    options: { ...reading, ...strict },
  },
  'sends the beginning of a gzip header': {
    act: encoded('gzip', gzipSync('hello').subarray(0, 5)),
    expect: 'protocol',
    options: reading,
  },
  'redirects to itself': { act: redirect('?again'), expect: 'too-many-redirects' },
  'redirects to the cloud metadata': { act: redirect('http://169.254.169.254/latest/meta-data/'), expect: 'denied' },
  'redirects to the cloud metadata as a number': { act: redirect('http://2852039166/'), expect: 'denied' },
  'redirects to a file': { act: redirect('file:///etc/passwd'), expect: 'denied', message: /file:\/\/\/etc\/passwd/ },
  'redirects to a script': { act: redirect('javascript:alert(1)'), expect: 'denied' },
  'redirects to no URL': { act: redirect('http://['), expect: 'denied' },
  'redirects with a body elsewhere': {
    act: say('HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n'),
    expect: 'denied',
    options: { method: 'POST', body: 'password=secret' },
  },
  'redirects nowhere': { act: say('HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n'), expect: 'assertion' },
  'sends JSON nested 200,000 deep': {
    act: say(`${ok}Content-Length: ${deepJson.length}\r\n\r\n${deepJson}`),
    expect: 'assertion',
    options: { jsonPath: ['count($..a) == 1'] },
  },
  'compares JSON nested 200,000 deep': {
    act: say(`${ok}\r\n{"a":${deepJson},"b":${deepJson}}`),
    expect: 'assertion',
    options: { jsonPath: ['$.a == $.b'] },
  },
  'sends what makes a regular expression explode': {
    act: say(`${ok}\r\n${'a'.repeat(200_000)}!`),
    expect: 'too-large',
    message: /only its first \d+ characters were searched/,
    options: { matches: ['^(a+)+!$', '(?:a?){200}!', '[ab]*a[ab]{200}[cd]'] },
  },
};
