import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What people were told: of which monitor, what, and when. */
export interface Told {
  readonly monitor: string;
  readonly state: 'down' | 'up' | 'other';
  readonly at: number;
}

/** Targets that can be broken one by one, on one port: `/NAME` answers 200 or 500. */
export class Targets implements AsyncDisposable {
  readonly #server: Server;
  readonly broken = new Set<string>();

  private constructor() {
    this.#server = createServer((request, response) => {
      const name = (request.url ?? '').slice(1);
      response.writeHead(this.broken.has(name) ? 500 : 200).end(name);
    });
  }

  static async open(): Promise<Targets> {
    const targets = new Targets();
    targets.#server.listen(0, '127.0.0.1');
    await once(targets.#server, 'listening');
    return targets;
  }

  get port(): number {
    // A listening TCP server has an AddressInfo.
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** The provider: takes messages, or answers 429. */
export class Provider implements AsyncDisposable {
  readonly #server: Server;
  readonly told: Told[] = [];
  messages = 0;
  refused = 0;
  isRefusing = false;

  private constructor(read: (body: string) => readonly Omit<Told, 'at'>[]) {
    this.#server = createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (text: string) => (body += text));
      request.on('end', () => {
        if (this.isRefusing) {
          this.refused++;
          response.writeHead(429, { 'Retry-After': '2' }).end();
          return;
        }
        this.messages++;
        const at = Date.now();
        for (const { monitor, state } of read(body)) this.told.push({ monitor, state, at });
        response.end();
      });
    });
  }

  static async open(read: (body: string) => readonly Omit<Told, 'at'>[]): Promise<Provider> {
    const provider = new Provider(read);
    provider.#server.listen(0, '127.0.0.1');
    await once(provider.#server, 'listening');
    return provider;
  }

  get url(): string {
    // As above.
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** A program that is stopped and started again with the same words. */
export class Daemon implements AsyncDisposable {
  readonly #words: readonly string[];
  #child: ChildProcess | undefined;
  said = '';

  constructor(words: readonly string[]) {
    this.#words = words;
  }

  start(): void {
    const [program = '', ...args] = this.#words;
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (this.said = (this.said + text).slice(-20_000)));
    this.#child = child;
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

export function wait(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
