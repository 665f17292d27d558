import { isDeepStrictEqual } from 'node:util';
import { readConfigFile } from '../../config/config-file.ts';
import type { Config } from '../../config/config.ts';
import { formatMistake } from '../../config/mistake.ts';
import type { AgentCalls } from '../../server/fleet/agent-calls.ts';
import type { Server } from '../../server/server.ts';
import { contentsOf } from '../run/validate.ts';

export interface Reloading {
  readonly server: Server;
  readonly calls: AgentCalls;
  /** Shows new connections the certificate of this configuration; false if TLS would begin or end. @throws when it cannot be used */
  readonly renewTls: (config: Config) => boolean;
  /** What the server started with. */
  readonly started: Partial<Pick<Config, 'server' | 'egress'>>;
  readonly say: (text: string) => void;
}

/** The file has changed. One that is wrong changes nothing: the old one stays, and why is said. */
export async function reload(
  file: string | undefined,
  { server, calls, renewTls, started, say }: Reloading,
): Promise<void> {
  if (file === undefined) return;
  try {
    const { config, mistakes } = await readConfigFile(file, process.env, { mayBeEmpty: true });
    for (const mistake of mistakes) say(formatMistake(file, mistake));
    if (!config || mistakes.length > 0) return say(`${file} was not taken over; the configuration stays as it was.`);
    // First, for it is what may still be refused.
    if (!renewTls(config)) say(`${file}: whether to speak TLS changes when the server is started again.`);
    if (!isDeepStrictEqual(config.server.retention, started.server?.retention))
      say(`${file}: retention changes when the server is started again.`);
    if (!isDeepStrictEqual(config.egress, started.egress))
      say(`${file}: what the local agent may reach (egress) changes when the server is started again.`);
    calls.reconcile(config.server.agents);
    server.sensorOrders.reconcile(config.sensors);
    await server.book.replaceFile(config.monitors.map(({ spec }) => spec));
    say(`${file} was taken over: ${contentsOf(config)}.`);
  } catch (error) {
    say(`${file} was not taken over: ${(error as Error).message}`);
  }
}
