import { existsSync } from 'node:fs';
import type { Milliseconds } from '../../core/duration.ts';
import { AppError } from '../../core/errors.ts';
import { quoted } from '../../core/quoted.ts';
import type { LogFormat } from '../../terminal/operator-log.ts';
import type { ServerPlace } from '../operate/server-line.ts';

export interface RunFlags extends ServerPlace {
  readonly for?: Milliseconds;
  readonly agent?: string;
  readonly json?: true;
  readonly logFormat: LogFormat;
}

/** Runs a configuration if there is such a file, or the word looks like one; else a monitor of a server. Returns the exit code. */
export async function runWhat(what: string, flags: RunFlags, output: NodeJS.WriteStream): Promise<number> {
  const { for: forMs, json, logFormat, ...ofServer } = flags;
  const isOfServer = Object.keys(ofServer).length > 0;
  if (isOfServer && forMs !== undefined)
    throw new AppError('usage', 'expected --for, of a configuration, or options of a server, got both');
  if (isOfServer || (forMs === undefined && !isFile(what))) {
    const { runOnServer } = await import('../operate/monitor-commands.ts');
    const running = runOnServer(what, { ...ofServer, json }, output);
    return await (isOfServer ? running : running.catch((error: unknown) => throwWithFile(what, error)));
  }
  const { runMonitors } = await import('./run.ts');
  await runMonitors({ file: what, json: json ?? false, forMs, logFormat });
  return 0;
}

/** A mistyped name of a file is taken for a monitor. @throws {AppError} */
function throwWithFile(what: string, error: unknown): never {
  if (!(error instanceof AppError) || error.code === 'internal') throw error;
  throw new AppError(error.code, `${quoted(what)} is no file, and as a monitor: ${error.message}`, { cause: error });
}

function isFile(what: string): boolean {
  return what === '-' || /\.(?:ya?ml|json)$/i.test(what) || existsSync(what);
}
