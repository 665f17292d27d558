import { isDeepStrictEqual } from 'node:util';
import { assertRereadable } from '../../config/config-file.ts';
import type { Config } from '../../config/config.ts';
import { systemClock as clock, type Cancel } from '../../core/clock.ts';
import { AppError } from '../../core/errors.ts';
import type { Say } from '../../core/say.ts';
import type { AgentCalls } from '../../server/fleet/agent-calls.ts';
import { contentsOf } from '../run/validate.ts';
import type { Server } from './build-server.ts';
import { alertPlansOf } from './build-states.ts';
import { loadServerConfig } from './serve-config.ts';
import { unknownAgentLines } from './unknown-agents.ts';

export interface Reloading {
  readonly server: Server;
  readonly deadMan: { follow(config: Config): void };
  readonly notifiers: { follow(config: Config): void };
  readonly calls: AgentCalls;
  /** Shows new connections the certificate of this configuration; false if TLS would begin or end. @throws when it cannot be used */
  readonly renewTls: (config: Config) => boolean;
  /** Tells the local agent what it may reach. */
  readonly useEgress: (egress: Config['egress']) => void;
  /** Name of the local agent, if there is one. */
  readonly own: readonly string[];
  /** What the server started with. */
  readonly started: Partial<Pick<Config, 'server'>>;
  readonly say: Say;
  /** The server ends. */
  readonly signal: AbortSignal;
  /** Of a file that could not be loaded. */
  readonly retry: { cancel: Cancel };
}

const retryMs = 30_000;

/**
 * The file has changed. What cannot be used changes nothing: the configuration before stays in force, and why is said. What passes
 * by itself, such as a full disk, is tried again.
 */
export async function reload(file: string, reloading: Reloading): Promise<void> {
  const { say, signal } = reloading;
  reloading.retry.cancel();
  try {
    await takeOver(file, reloading);
  } catch (error) {
    // Its rooms are closed: that is no fault of the file.
    if (signal.aborted) return;
    const isPassing = error instanceof AppError && error.code === 'unavailable';
    const next = isPassing ? `; it is tried again in ${retryMs / 1000} s` : '';
    say(`Not loaded: ${(error as Error).message}${next}. The previous configuration stays in force.`, {
      event: 'config-refused',
      level: 'warning',
      fields: { file },
    });
    if (isPassing) reloading.retry.cancel = clock.after(retryMs, () => void reload(file, reloading));
  }
}

async function takeOver(
  file: string,
  { server, deadMan, notifiers, calls, renewTls, useEgress, own, started, say }: Reloading,
): Promise<void> {
  assertRereadable(file);
  const { config, leftOut } = await loadServerConfig(file, say);
  // First what may still be refused.
  if (!renewTls(config)) say(`${file}: whether to speak TLS changes when the server is started again.`);
  if (!isDeepStrictEqual(config.server.retention, started.server?.retention))
    say(`${file}: retention changes when the server is started again.`);
  for (const key of ['publicUrl', 'trustedProxies'] as const)
    if (!isDeepStrictEqual(config.server[key], started.server?.[key]))
      say(`${file}: ${key} changes when the server is started again.`);
  await server.book.replaceFile(config.monitors.map(({ spec }) => spec));
  useEgress(config.egress);
  deadMan.follow(config);
  notifiers.follow(config);
  server.alerts.follow(alertPlansOf(config));
  calls.reconcile(config.server.agents);
  server.sensorOrders.reconcile(config.sensors);
  await server.rooms.replaceFile(config.rooms);
  server.health.noteConfig(leftOut);
  sayUnknownAgents(server, config, { own, say });
  say(`Loaded ${file}: ${contentsOf(config)}${leftOut === undefined ? '' : `. ${leftOut}`}.`, {
    event: 'config-loaded',
    fields: { file, monitors: config.monitors.length },
  });
}

/** Says which agents that monitors name nobody knows: none that has joined, is called by this configuration, or is the server's own. */
export function sayUnknownAgents(
  { tasks, fleet }: Server,
  { server }: Partial<Pick<Config, 'server'>>,
  { own, say }: { readonly own: readonly string[]; readonly say: (text: string) => void },
): void {
  const joined = fleet.views().filter(({ status }) => status !== 'revoked');
  const known = [...own, ...[...joined, ...(server?.agents ?? [])].map(({ name }) => name)];
  for (const line of unknownAgentLines(tasks.monitors, known)) say(line);
}
