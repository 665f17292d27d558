import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where a server keeps its data unless told otherwise (XDG Base Directory Specification). */
export function defaultServerFolder(): string {
  return join(stateFolder(), 'server');
}

/** Where an agent keeps its data unless told otherwise. */
export function defaultAgentFolder(): string {
  return join(stateFolder(), 'agent');
}

/** Where the unit in deploy/ lets an agent keep its data. */
export const installedAgentFolder = '/var/lib/watchkeeper-agent';

function stateFolder(): string {
  return join(process.env['XDG_STATE_HOME'] ?? join(homedir(), '.local', 'state'), 'watchkeeper');
}
