import { folderFiles } from '../../adapters/folder-files.ts';
import { AgentFolder } from '../../agent/agent-file.ts';
import type { Config } from '../../config/config.ts';
import { systemClock as clock } from '../../core/clock.ts';
import { AppError } from '../../core/errors.ts';
import type { Say } from '../../core/say.ts';
import type { KnownAgent } from '../../server/auth/agent-gate.ts';
import type { DataFolder } from '../../server/host/data-folder.ts';
import { LocalAgent } from '../../server/host/local-agent.ts';
import { lineSplitter } from '../../terminal/operator-log.ts';
import { writeEgressPolicy } from '../agent/egress-file.ts';
import { launcher } from '../installation.ts';
import type { Server } from './build-server.ts';

interface LocalParts {
  readonly server: Server;
  readonly folder: DataFolder;
  /** Where it reaches the server. */
  readonly url: string;
  /** Of the key that it trusts once it has joined. */
  readonly pin: string;
  readonly say: Say;
  /** Whether the server has a vantage point of its own. */
  readonly isWanted: boolean;
}

const localName = 'local';
const inviteMs = 600_000;

/**
 * Starts the local agent, unless there is to be none, and ends it with `running`. `names` has its name if it runs; `useEgress` tells
 * it what it may reach, and throws `unavailable` when that cannot be written.
 */
export async function startLocalAgent(
  parts: LocalParts,
  egress: Config['egress'] | undefined,
  running: AsyncDisposableStack,
) {
  const { folder, isWanted } = parts;
  writeEgressPolicy(folder.localEgress, egress);
  const agent = localAgentOf(parts);
  const runs = isWanted && !isShutOut(parts);
  if (runs) await running.adopt(agent, () => agent.stop()).start();
  const useEgress = (changed: Config['egress']): void => {
    try {
      writeEgressPolicy(folder.localEgress, changed);
    } catch (error) {
      const why = `what the local agent may reach cannot be written: ${(error as Error).message}`;
      throw new AppError('unavailable', why, { cause: error });
    }
    agent.reload();
  };
  return { names: runs ? [localName] : [], useEgress };
}

function localAgentOf(parts: LocalParts): LocalAgent {
  const { server, folder, url, say } = parts;
  const agentOptions = ['agent', '--join', url, '--name', localName, '--data', folder.localAgent];
  const egress = ['--egress', folder.localEgress];
  return new LocalAgent({
    clock,
    command: [launcher, ...agentOptions, ...egress],
    async token() {
      if (knownAgent(parts)) return undefined;
      return (await server.administration.invite({ lifetimeMs: inviteMs, numbersNames: true })).token;
    },
    // Its own times are left out: each line gets one here.
    onOutput: lineSplitter((line) => say(`local agent: ${line.replace(/^\d{4}-\d\d-\d\dT[\d:.]+Z /, '')}`)),
  });
}

/** One that an administrator shut out is not invited again by a restart. */
function isShutOut(parts: LocalParts): boolean {
  const { folder, say } = parts;
  if (knownAgent(parts)?.revokedAt === undefined) return false;
  say(
    `The local agent was revoked and does not run. To have a new one, stop the server and remove ${folder.localAgent}.`,
  );
  return true;
}

/** The local agent as the gate knows it; undefined if it never joined. */
function knownAgent({ server, folder, pin }: LocalParts): KnownAgent | undefined {
  const own = new AgentFolder(folderFiles(folder.localAgent)).known();
  return server.gate.agents().find(({ id }) => id === own?.agentId && own.serverPin === pin);
}
