import { statSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import type { Config } from '../../config/config.ts';
import { systemClock as clock, type Cancel } from '../../core/clock.ts';
import { AppError } from '../../core/errors.ts';
import type { AgentCalls } from '../../server/fleet/agent-calls.ts';
import { contentsOf } from '../run/validate.ts';
import type { Server } from './build-server.ts';
import { loadServerConfig } from './serve-config.ts';

export interface Reloading {
  readonly server: Server;
  readonly calls: AgentCalls;
  /** Shows new connections the certificate of this configuration; false if TLS would begin or end. @throws when it cannot be used */
  readonly renewTls: (config: Config) => boolean;
  /** What the server started with. */
  readonly started: Partial<Pick<Config, 'server' | 'egress'>>;
  readonly say: (text: string) => void;
  /** Of a file that could not be loaded. */
  readonly retry: { cancel: Cancel };
}

const retryMs = 30_000;

/**
 * The file has changed. What cannot be used changes nothing: the configuration before stays in force, and why is said. What passes
 * by itself, such as a full disk, is tried again.
 */
export async function reload(file: string, reloading: Reloading): Promise<void> {
  const { say } = reloading;
  reloading.retry.cancel();
  try {
    await takeOver(file, reloading);
  } catch (error) {
    const isPassing = error instanceof AppError && error.code === 'unavailable';
    const next = isPassing ? `; it is tried again in ${retryMs / 1000} s` : '';
    say(`Not loaded: ${(error as Error).message}${next}. The previous configuration stays in force.`);
    if (isPassing) reloading.retry.cancel = clock.after(retryMs, () => void reload(file, reloading));
  }
}

async function takeOver(file: string, { server, calls, renewTls, started, say }: Reloading): Promise<void> {
  refuseIfPipe(file);
  const { config, leftOut } = await loadServerConfig(file, say);
  // First what may still be refused.
  if (!renewTls(config)) say(`${file}: whether to speak TLS changes when the server is started again.`);
  if (!isDeepStrictEqual(config.server.retention, started.server?.retention))
    say(`${file}: retention changes when the server is started again.`);
  if (!isDeepStrictEqual(config.egress, started.egress))
    say(`${file}: what the local agent may reach (egress) changes when the server is started again.`);
  await server.book.replaceFile(config.monitors.map(({ spec }) => spec));
  calls.reconcile(config.server.agents);
  server.sensorOrders.reconcile(config.sensors);
  server.health.noteConfig(leftOut);
  say(`Loaded ${file}: ${contentsOf(config)}${leftOut === undefined ? '' : `. ${leftOut}`}.`);
}

/** A pipe was read to its end at the start; to open it again would wait for somebody to write. */
function refuseIfPipe(file: string): void {
  const status = file === '-' ? undefined : statSync(file, { throwIfNoEntry: false });
  if (file === '-' || (status && !status.isFile() && !status.isDirectory()))
    throw new AppError('invalid-config', `${file} is a pipe, and can be read only once; give a file to --config`);
}
