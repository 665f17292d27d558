import { homedir, hostname } from 'node:os';
import { join } from 'node:path';
import { Agent } from '../agent/agent.ts';
import { AgentFolder, type AgentFile } from '../agent/agent-file.ts';
import { gatewayCheck, resolverCheck } from '../agent/health-checks.ts';
import { SelfTest } from '../agent/self-test.ts';
import { openSpool } from '../agent/spool/spool.ts';
import type { LinkState } from '../agent/uplink.ts';
import { systemClock as clock } from '../core/clock.ts';
import { AppError } from '../core/errors.ts';
import { createNetwork } from '../net/network.ts';
import { parseJoinToken } from '../protocol/join-token.ts';
import { version } from './version.ts';

export interface AgentOptions {
  /** The server's http: or https: address; the one of the last join if absent. */
  readonly join?: string;
  /** A join token, needed once. */
  readonly token?: string;
  readonly name?: string;
  /** The agent's folder. */
  readonly data?: string;
}

export function defaultAgentFolder(): string {
  return join(process.env['XDG_STATE_HOME'] ?? join(homedir(), '.local', 'state'), 'watchkeeper', 'agent');
}

/** Runs an agent until it is told to stop. */
export async function runAgent(options: AgentOptions, output: NodeJS.WritableStream): Promise<void> {
  const folder = new AgentFolder(options.data ?? defaultAgentFolder());
  const { file, url } = joined(folder, options);
  const net = createNetwork({ clock });
  const selfTest = new SelfTest({ clock, checks: { resolver: resolverCheck(net), gateway: gatewayCheck(net) } });
  let agent: Agent | undefined;
  const spool = await openSpool(join(folder.path, 'spool'), { onChange: () => agent?.onSpoolChange() });
  for (const name of spool.recovered.quarantined)
    say(output, `The spool file ${name} was damaged and is kept aside; a gap record says what is missing.`);
  agent = new Agent({
    clock,
    net,
    folder,
    file,
    spool,
    selfTest,
    version: version(),
    random: Math.random,
    onLink: announcer(output),
  });
  agent.start();
  agent.uplink.dial(url);
  say(output, `Agent ${file.name} (${file.agentId}) serves ${url.href}; its data is in ${folder.path}.`);
  await stopSignal();
  await agent.stop();
}

/** Who this agent is and whom it serves, after what the command line says. @throws {AppError} usage */
function joined(folder: AgentFolder, { join: address, token, name }: AgentOptions): { file: AgentFile; url: URL } {
  let file = folder.identity(name ?? hostname());
  if (token !== undefined) {
    const parsed = parseJoinToken(token);
    if (!parsed)
      throw new AppError('usage', "expected a join token like wk1.….…; 'watchkeeper invite' on the server prints one");
    file = { ...file, serverPin: parsed.pin, secret: parsed.secret };
  }
  if (name !== undefined) file = { ...file, name };
  if (address !== undefined) file = { ...file, serverUrl: serverUrl(address).href };
  if (file.serverUrl === undefined || file.serverPin === undefined) {
    throw new AppError(
      'usage',
      "this agent has joined no server yet; 'watchkeeper invite' on the server prints the line that joins it",
    );
  }
  folder.saveIdentity(file);
  return { file, url: new URL(file.serverUrl) };
}

function serverUrl(text: string): URL {
  const url = URL.parse(text.includes('://') ? text : `https://${text}`);
  if (url && (url.protocol === 'http:' || url.protocol === 'https:')) return url;
  throw new AppError(
    'usage',
    `expected the server's address like https://server.example:7411, got ${JSON.stringify(text)}`,
  );
}

/** One line whenever the line to the server changes, not one a try. */
function announcer(output: NodeJS.WritableStream): (link: LinkState) => void {
  let last = '';
  return (link) => {
    const text =
      link.state === 'connected' ? `Connected to ${link.server}.` : `Not connected to ${link.server}: ${link.message}`;
    if (text !== last) say(output, text);
    last = text;
  };
}

function say(output: NodeJS.WritableStream, text: string): void {
  output.write(`${new Date().toISOString()} ${text}\n`);
}

function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
}
