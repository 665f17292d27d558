import { fileURLToPath } from 'node:url';
import { EchoResponder } from '../checks/echo/responder.ts';
import type { Milliseconds } from '../core/duration.ts';
import { AppError } from '../core/errors.ts';
import { runMonitors } from './run.ts';
import { runShell } from './shell.ts';

const starter = fileURLToPath(new URL('../../config/starter.yaml', import.meta.url));
/** Where the starter configuration looks for the responder. */
const echo = { host: '127.0.0.1', tcp: 12_345, udp: 12_345 };

/**
 * The interactive shell on a terminal. Elsewhere the starter configuration beside the echo responder that it watches, so
 * that there are results with no network at all; until it is told to stop, or for a time.
 */
export async function start({ forMs }: { readonly forMs: Milliseconds | undefined }): Promise<void> {
  const { stdin: input, stdout: output } = process;
  if (input.isTTY && output.isTTY) return await runShell({ input, output });
  await using responder = new EchoResponder(echo);
  await responder.start().catch(sayTaken);
  process.stdout.write(`Watching what ${starter} says; Ctrl-C ends it.\n`);
  await runMonitors({ file: starter, json: false, forMs });
}

/** Whatever else listens there is watched as our own responder would be. */
function sayTaken(error: unknown): void {
  if (!(error instanceof AppError)) throw error;
  process.stderr.write(`watchkeeper: ${error.message} What answers there is watched.\n`);
}
