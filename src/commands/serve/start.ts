import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { EchoResponder } from '../../echo/responder.ts';
import { AppError } from '../../core/errors.ts';
import { defaultEchoPort } from '../../core/ports.ts';
import type { Milliseconds } from '../../core/duration.ts';
import { systemClock as clock } from '../../core/clock.ts';
import { OperatorLog } from '../../terminal/operator-log.ts';
import { defaultServerFolder } from '../data-folders.ts';
import { installationFolder, isCheckout } from '../installation.ts';
import { runConsole } from '../operate/console.ts';
import { serve } from './serve.ts';

const starter = join(installationFolder, 'config', 'starter.yaml');
const exitMeaning = 'end the server and all that it runs';
/** Where the starter configuration looks for the responder. */
const echo = { host: '127.0.0.1', tcp: defaultEchoPort, udp: defaultEchoPort };

interface StartOptions {
  readonly data?: string | undefined;
  readonly listen: { readonly host: string; readonly port: number };
  /** Ends by itself after this time. */
  readonly forMs: Milliseconds | undefined;
}

/**
 * A server with its own vantage point on the starter configuration, the echo responder that this watches, and the
 * operator's console on it: results without any network. Ends with the console or, without a terminal, with the signal.
 */
export async function start(options: StartOptions, interruption: AbortSignal): Promise<void> {
  const data = options.data ?? (isCheckout ? join(installationFolder, 'data') : defaultServerFolder());
  await mkdir(data, { recursive: true, mode: 0o700 });
  await using responder = new EchoResponder(echo);
  await responder.start().catch(sayTaken);
  const consoleEnded = new AbortController();
  const signals = [
    interruption,
    consoleEnded.signal,
    ...(options.forMs === undefined ? [] : [AbortSignal.timeout(options.forMs)]),
  ];
  const ended = AbortSignal.any(signals);
  const log = join(data, 'server.log');
  const ready = Promise.withResolvers<readonly [url: string, inBrowser: string]>();
  const serving = serve(
    {
      config: starter,
      data,
      listen: options.listen,
      localAgent: true,
      log: new OperatorLog({ clock, open: () => createWriteStream(log, { flags: 'a' }) }),
      onReady: (url, inBrowser) => ready.resolve([url, inBrowser]),
    },
    ended,
  );
  // A server that cannot start says why here.
  const where = await Promise.race([ready.promise, serving]);
  if (!where) return;
  const [url, inBrowser] = where;
  process.stdout.write(
    `The server at ${url} watches what ${starter} says; its log is ${log}.\nIn a browser: ${inBrowser}\n`,
  );
  const isTerminal = process.stdin.isTTY && process.stdout.isTTY;
  // Where nobody can type, the console shows what happens until the end.
  const input = isTerminal ? process.stdin : new PassThrough();
  await runConsole({ data }, { input, output: process.stdout }, { signal: ended, exitMeaning }).catch(
    (error: unknown) => {
      // The time asked for was over before the server was up.
      if (!ended.aborted) throw error;
    },
  );
  consoleEnded.abort();
  await serving;
}

/** Whatever else listens there is watched as our own responder would be. */
function sayTaken(error: unknown): void {
  if (!(error instanceof AppError)) throw error;
  process.stderr.write(`watchkeeper: ${error.message} What answers there is watched.\n`);
}
