import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AgentIdentity } from '../agent/greeting.ts';
import { createIdentity, keyPin } from '../protocol/identity.ts';
import { DataFolder } from '../server/host/data-folder.ts';
import { openSqliteStore } from '../commands/serve/open-store.ts';
import { closedPort } from './tcp-server.ts';

const executable = fileURLToPath(new URL('../../bin/watchkeeper', import.meta.url));
const startLimitMs = 60_000;

interface ServerProcessParts {
  /** Its data folder; made if it is not there. */
  readonly folder: string;
  /** YAML. */
  readonly configuration: string;
  readonly port: number;
  /** With a vantage point of its own, which is a process beside it. */
  readonly localAgent?: boolean;
  /** For Node itself, such as --cpu-prof. */
  readonly nodeOptions?: string;
}

/** `watchkeeper serve` in a process of its own, watched from outside. Disposing kills it. */
export class ServerProcess implements AsyncDisposable {
  readonly url: string;
  readonly #process: ReturnType<typeof spawn>;
  output = '';

  private constructor({ folder, configuration, port, localAgent = false, nodeOptions = '' }: ServerProcessParts) {
    this.url = `http://127.0.0.1:${port}`;
    const words = ['serve', '--config', configuration, '--data', folder, '--listen', `127.0.0.1:${port}`];
    this.#process = spawn(executable, [...words, ...(localAgent ? [] : ['--no-local-agent'])], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, NODE_OPTIONS: nodeOptions },
    });
    this.#process.stderr?.setEncoding('utf8').on('data', (text: string) => (this.output += text));
  }

  /** Resolves once it answers. */
  static async start(parts: ServerProcessParts): Promise<ServerProcess> {
    const configuration = join(parts.folder, '..', 'serve.yaml');
    await writeFile(configuration, parts.configuration);
    const server = new ServerProcess({ ...parts, configuration });
    const deadline = performance.now() + startLimitMs;
    while (!(await server.answers())) {
      if (performance.now() > deadline || server.#process.exitCode !== null)
        throw new Error(`the server did not start:\n${server.output}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return server;
  }

  static freePort(): Promise<number> {
    return closedPort();
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** The text of /metrics. */
  async metrics(): Promise<string> {
    return await (await fetch(`${this.url}/metrics`)).text();
  }

  /** Whether /healthz says that all is well; false too if nobody answers. */
  async answers(): Promise<boolean> {
    return await fetch(`${this.url}/healthz`).then(
      ({ ok }) => ok,
      () => false,
    );
  }

  /** The process of its own agent. */
  async agentPid(): Promise<number> {
    return Number((await readFile(`/proc/${this.pid}/task/${this.pid}/children`, 'utf8')).trim());
  }

  async residentMiB(): Promise<number> {
    const status = await readFile(`/proc/${this.pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
  }

  /** CPU seconds used so far, of the main thread and of the others. */
  async cpuSeconds(): Promise<{ readonly main: number; readonly others: number }> {
    return await cpuSecondsOf(this.pid);
  }

  /** Ends as on a kill -9, or politely. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = once(this.#process, 'exit');
    this.#process.kill(signal);
    await ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end('SIGKILL');
  }
}

/** Of the main thread of a process and of its others. */
export async function cpuSecondsOf(pid: number): Promise<{ readonly main: number; readonly others: number }> {
  let [main, others] = [0, 0];
  for (const thread of await readdir(`/proc/${pid}/task`)) {
    const stat = await readFile(`/proc/${pid}/task/${thread}/stat`, 'utf8');
    // Fields 14 and 15 of proc_pid_stat(5), in hundredths of a second; counted after the name, which may contain blanks.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const seconds = (Number(fields[11]) + Number(fields[12])) / 100;
    if (thread === String(pid)) main += seconds;
    else others += seconds;
  }
  return { main, others };
}

/** Agents that have joined the server of this data folder, which is not running; and the pin of its key. */
export async function joinAgents(
  folder: string,
  count: number,
): Promise<{ readonly serverPin: string; readonly identities: readonly AgentIdentity[] }> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const serverPin = keyPin(new DataFolder(folder).identity().publicKey);
  const identities = Array.from({ length: count }, (_, index) => ({
    agentId: `0193a0de-0000-7000-8000-${String(index).padStart(12, '0')}`,
    name: `agent-${index}`,
    ...createIdentity(),
  }));
  await using store = await openSqliteStore({ folder });
  await Promise.all(
    identities.map(({ agentId: id, name, publicKey }) =>
      store.saveAgent({ id, name, publicKey, joinedAt: Date.now() }),
    ),
  );
  return { serverPin, identities };
}
