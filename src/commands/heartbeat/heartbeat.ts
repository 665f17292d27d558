import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { sleep, systemClock as clock } from '../../core/clock.ts';
import { AppError } from '../../core/errors.ts';

interface Streams {
  readonly output: Writable;
  readonly errors: Writable;
}

const tailBytes = 8 * 1024;
const requestLimitMs = 10_000;
/** A server that is being restarted is back by then. */
const retryDelaysMs = [1000, 2000, 5000, 10_000, 20_000, 30_000];
const notFound = 127;
const notStarted = 126;

/**
 * Runs a command, and tells a server its start, its exit code and the end of what it wrote. What it writes is passed on, and its exit
 * code is returned, also where the server cannot be told. @throws {AppError} usage
 */
export async function runWithHeartbeat(place: string, command: readonly string[], streams: Streams): Promise<number> {
  const url = urlOf(place);
  const say = (text: string): void => void streams.errors.write(`watchkeeper: ${text}\n`);
  await send(`${url}/start`, '').catch((error: Error) => say(`the server was not told of the start: ${error.message}`));
  const { exitCode, tail } = await runToEnd(command, streams);
  await tellEnd(`${url}/${exitCode}`, tail).catch((error: Error) =>
    say(`the server was not told of the end: ${error.message}`),
  );
  return exitCode;
}

/** `@FILE`: the first line of a file, so that the key stands in no list of processes. */
function urlOf(place: string): string {
  const text = place.startsWith('@') ? firstLineOf(place.slice(1)) : place;
  const url = URL.parse(text);
  if (url && /^https?:$/.test(url.protocol) && /^\/(?:.*\/)?hb\/[\w-]+$/.test(url.pathname) && url.search === '')
    return url.href;
  throw new AppError(
    'usage',
    'expected the URL of a heartbeat, like https://watch.example.org/hb/KEY, or @FILE with it',
  );
}

function firstLineOf(file: string): string {
  try {
    return readFileSync(file, 'utf8').split('\n', 1)[0]?.trim() ?? '';
  } catch (error) {
    throw new AppError('usage', `the file with the URL cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

async function runToEnd(
  [program = '', ...words]: readonly string[],
  { output, errors }: Streams,
): Promise<{ readonly exitCode: number; readonly tail: Buffer }> {
  let tail = Buffer.alloc(0);
  const pass = (from: Readable, to: Writable): void =>
    void from.on('data', (piece: Buffer) => {
      tail = Buffer.concat([tail, piece.subarray(-tailBytes)]).subarray(-tailBytes);
      to.write(piece);
    });
  const child = spawn(program, words, { stdio: ['inherit', 'pipe', 'pipe'] });
  pass(child.stdout, output);
  pass(child.stderr, errors);
  const forward = (signal: NodeJS.Signals): void => void child.kill(signal);
  process.on('SIGINT', forward).on('SIGTERM', forward).on('SIGHUP', forward);
  return await new Promise((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      const text = `${program} cannot be run: ${error.message}\n`;
      errors.write(text);
      resolve({ exitCode: error.code === 'ENOENT' ? notFound : notStarted, tail: Buffer.from(text) });
    });
    child.once('close', (code, signal) => {
      // As a shell has it.
      resolve({ exitCode: code ?? 128 + (signal ? constants.signals[signal] : 0), tail });
    });
  });
}

async function tellEnd(url: string, tail: Buffer): Promise<void> {
  for (const delayMs of retryDelaysMs) {
    try {
      return await send(url, tail);
    } catch (error) {
      if (error instanceof AppError) throw error;
      await sleep(clock, delayMs, new AbortController().signal);
    }
  }
  await send(url, tail);
}

/** Rejects with an AppError where asking again helps nothing. */
async function send(url: string, body: string | Buffer): Promise<void> {
  const signal = AbortSignal.timeout(requestLimitMs);
  const { status } = await fetch(url, { method: 'POST', body: new Uint8Array(Buffer.from(body)), signal }).catch(
    (error: Error) => Promise.reject(new Error(error.cause instanceof Error ? error.cause.message : error.message)),
  );
  if (status === 404) throw new AppError('not-found', 'it has no heartbeat with this key');
  if (status !== 200) throw new Error(`it answered ${status}`);
}
