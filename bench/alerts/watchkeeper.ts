import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { closedPort } from '../../src/testing/tcp-server.ts';
import type { Parts } from './alertmanager.ts';
import { children, intervalMs, monitors, type Contender } from './outages.ts';
import type { Resolver } from './resolver.ts';
import { Daemon, wait, type Told } from './stage.ts';

const executable = fileURLToPath(new URL('../../bin/watchkeeper', import.meta.url));

/** `watchkeeper serve` with its local agent; three failures in a row, as the others have it. */
export class WatchkeeperSide implements Contender, AsyncDisposable {
  readonly #daemon: Daemon;
  readonly #url: string;
  readonly #data: string;
  readonly #resolver: Resolver | undefined;

  private constructor(
    daemon: Daemon,
    place: { readonly url: string; readonly data: string },
    resolver: Resolver | undefined,
  ) {
    this.#daemon = daemon;
    this.#url = place.url;
    this.#data = place.data;
    this.#resolver = resolver;
  }

  static async start({ folder, hook, targetPort, resolver }: Parts): Promise<WatchkeeperSide> {
    const data = join(folder, 'data');
    await mkdir(folder, { recursive: true });
    const host = resolver ? 'web.test' : '127.0.0.1';
    const config = {
      monitors: monitors.map((name) => monitorOf(name, `http://${host}:${targetPort}/${name}`)),
      notifiers: [{ name: 'hook', kind: 'webhook', options: { url: hook } }],
    };
    const file = join(folder, 'watchkeeper.yaml');
    await writeFile(file, JSON.stringify(config));
    const port = await closedPort();
    const words = [executable, 'serve', '--config', file, '--data', data, '--listen', `127.0.0.1:${port}`];
    const daemon = new Daemon(resolver ? resolver.wrap(words) : words);
    daemon.start();
    await wait(20_000);
    return new WatchkeeperSide(daemon, { url: `http://127.0.0.1:${port}/api/v1`, data }, resolver);
  }

  async restart(): Promise<void> {
    await this.#daemon.stop();
    await wait(2000);
    this.#daemon.start();
  }

  async silence(ms: number): Promise<void> {
    const token = (await readFile(join(this.#data, 'api-token'), 'utf8')).trim();
    const response = await fetch(`${this.#url}/silences`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ monitors: ['web'], by: 'bench', for: `${ms}ms` }),
    });
    if (!response.ok) throw new Error(`no silence: ${response.status} ${await response.text()}`);
  }

  async killResolver(): Promise<void> {
    await this.#resolver?.stop();
  }

  async startResolver(): Promise<void> {
    this.#resolver?.start();
    await wait(0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#daemon.stop();
    if (process.env['ALERTS_LOG']) console.error(this.#daemon.said);
  }
}

function monitorOf(name: string, target: string): object {
  const times = { interval: `${intervalMs}ms`, timeout: '1s', confirmations: 3 };
  const isChild = children.some((child) => child === name);
  return { name, type: 'http', target, ...times, ...(isChild ? { dependsOn: ['parent'] } : {}) };
}

interface Body {
  readonly type: string;
  readonly data: { readonly state: string; readonly subject: string; readonly verdict?: string };
}

/** That an agent is unwell is said of the agent, and of no target. */
export function readWatchkeeper(body: string): readonly Omit<Told, 'at'>[] {
  // What our webhook sends.
  const { type, data } = JSON.parse(body) as Body;
  const isOfTarget = /\.(?:problem|update|recovery)$/.test(type) && data.verdict !== 'observer';
  const state = !isOfTarget ? 'other' : data.state === 'up' ? 'up' : data.state === 'down' ? 'down' : 'other';
  return [{ monitor: isOfTarget ? data.subject : `${type.replace('incident.', '')} ${data.subject}`, state }];
}
