import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

const executable = fileURLToPath(new URL('../../bin/watchkeeper', import.meta.url));
const calls = 'read,readv,recvfrom,recvmsg,write,writev,pwrite64,pwritev,sendto,sendmsg,fsync,fdatasync';

/** A system call that succeeded. `begun` and `done` are places in the one order of everything the process did. */
export interface Call {
  readonly name: string;
  /** A path, or a socket with both its ends. */
  readonly file: string;
  readonly bytes: Buffer;
  readonly begun: number;
  readonly done: number;
}

/** The program under strace, which writes down all its threads in one order. */
export class TracedWatchkeeper implements AsyncDisposable {
  stderr = '';
  readonly #trace: string;
  readonly #process: ChildProcess;

  constructor(words: readonly string[], trace: string) {
    this.#trace = trace;
    // -yy names files and sockets, -xx writes every byte as \xNN.
    const options = ['-f', '-yy', '-xx', '-s', '2000000', '-e', `trace=${calls}`, '-e', 'signal=none', '-o', trace];
    this.#process = spawn('strace', [...options, executable, ...words], { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#process.stderr?.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
  }

  /** Ends the program politely and reads what it did. */
  async calls(): Promise<readonly Call[]> {
    await this.#end();
    return await readCalls(await readFile(this.#trace, 'latin1'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end();
  }

  async #end(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = once(this.#process, 'exit');
    // strace itself ignores signals while it writes to a file; it ends with the program.
    const { pid } = this.#process;
    const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'latin1');
    for (const child of children.split(' ').filter(Boolean)) process.kill(Number(child), 'SIGTERM');
    await ended;
  }
}

/** `4711 pwrite64(23</tmp/x>, "\x00", 1, 0) = 1`, where another thread came between in two lines: `… <unfinished ...>` and `… resumed>`. */
async function readCalls(trace: string): Promise<readonly Call[]> {
  const found: Call[] = [];
  const unfinished = new Map<string, { readonly text: string; readonly begun: number }>();
  let at = 0;
  for await (const line of createInterface({ input: Readable.from([trace]) })) {
    at++;
    const [, thread = '', rest = ''] = /^(\d+) +(.*)$/.exec(line) ?? [];
    if (rest.endsWith(' <unfinished ...>')) {
      unfinished.set(thread, { text: rest.slice(0, -' <unfinished ...>'.length), begun: at });
      continue;
    }
    const resumed = /^<\.\.\. \w+ resumed>/.exec(rest);
    const start = resumed ? unfinished.get(thread) : { text: '', begun: at };
    if (!start) continue;
    const call = callOf(start.text + rest.slice(resumed?.[0].length ?? 0), start.begun, at);
    if (call) found.push(call);
  }
  return found;
}

function callOf(text: string, begun: number, done: number): Call | undefined {
  const [, name, , file] = /^(\w+)\((\d+)<(.*?)>[,)]/.exec(text) ?? [];
  const [, result] = /\) += (\d+)$/.exec(text) ?? [];
  if (name === undefined || file === undefined || result === undefined) return undefined;
  const parts = [...text.matchAll(/"((?:\\x[\da-f]{2})*)"/g)].map(([, part = '']) =>
    part.replaceAll(String.raw`\x`, ''),
  );
  // Names within <> are escaped like everything else.
  const path = file.replaceAll(/\\x([\da-f]{2})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
  // What a vector holds beyond the result was not written.
  return { name, file: path, bytes: Buffer.from(parts.join(''), 'hex').subarray(0, Number(result)), begun, done };
}

/** A message of the protocol that passed a socket, and between which places. */
export interface PassedFrame {
  readonly text: string;
  readonly begun: number;
  readonly done: number;
}

/** The text frames (RFC 6455, section 5.2) in what was written to, or read from, each socket. */
export function framesIn(traced: readonly Call[], direction: 'sent' | 'received'): readonly PassedFrame[] {
  const names = direction === 'sent' ? /^(write|writev|sendto|sendmsg)$/ : /^(read|readv|recvfrom|recvmsg)$/;
  const sockets = Map.groupBy(
    traced.filter(({ name, file }) => names.test(name) && file.startsWith('TCP')),
    ({ file }) => file,
  );
  return [...sockets.values()].flatMap((passed) => framesOf(passed));
}

function framesOf(passed: readonly Call[]): readonly PassedFrame[] {
  const frames: PassedFrame[] = [];
  const stream = Buffer.concat(passed.map(({ bytes }) => bytes));
  let at = stream.indexOf('\r\n\r\n') + 4;
  if (!stream.subarray(0, at).includes('Sec-WebSocket')) return [];
  while (at + 2 <= stream.length) {
    const isText = (stream.readUInt8(at) & 0x0f) === 1;
    const masked = stream.readUInt8(at + 1) >= 0x80;
    const short = stream.readUInt8(at + 1) & 0x7f;
    const extra = short === 126 ? 2 : short === 127 ? 8 : 0;
    const length = short === 126 ? stream.readUInt16BE(at + 2) : short === 127 ? stream.readUInt32BE(at + 6) : short;
    const maskAt = at + 2 + extra;
    const start = maskAt + (masked ? 4 : 0);
    if (start + length > stream.length) break;
    const payload = Buffer.from(stream.subarray(start, start + length));
    if (masked) payload.forEach((byte, i) => (payload[i] = byte ^ stream.readUInt8(maskAt + (i % 4))));
    if (isText) frames.push({ text: payload.toString(), ...placeOf(passed, at, start + length) });
    at = start + length;
  }
  return frames;
}

/** From the call with the first byte to the call with the last. */
function placeOf(passed: readonly Call[], from: number, to: number): { readonly begun: number; readonly done: number } {
  let end = 0;
  let begun: number | undefined;
  for (const call of passed) {
    end += call.bytes.length;
    if (end > from) begun ??= call.begun;
    if (end >= to && begun !== undefined) return { begun, done: call.done };
  }
  throw new Error('a frame lies within the calls that passed it');
}

/** Whether the bytes were written to this file and synced, all of it done before a place. */
export function isDurableBefore(traced: readonly Call[], { file, bytes, before }: Durable): boolean {
  return traced.some(
    (write) =>
      /^p?writev?(64)?$/.test(write.name) &&
      file.test(write.file) &&
      write.bytes.includes(bytes) &&
      traced.some(
        (sync) =>
          /^f(data)?sync$/.test(sync.name) && sync.file === write.file && sync.begun > write.done && sync.done < before,
      ),
  );
}

interface Durable {
  readonly file: RegExp;
  readonly bytes: Buffer;
  readonly before: number;
}
