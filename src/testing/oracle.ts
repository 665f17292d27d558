import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { LabHost } from './netlab.ts';

/** A target that answers every check and remembers it: what was really measured, whatever is reported about it. */
export class Oracle implements AsyncDisposable {
  readonly url: string;
  readonly #server: Server;
  readonly #visits: Map<string, number[]>;

  private constructor(url: string, server: Server, visits: Map<string, number[]>) {
    this.url = url;
    this.#server = server;
    this.#visits = visits;
  }

  static async open(address: string, host?: LabHost): Promise<Oracle> {
    const visits = new Map<string, number[]>();
    const server = createServer((request, response) => {
      visits.getOrInsertComputed(request.url ?? '', () => []).push(Date.now());
      response.writeHead(200, { Connection: 'close', 'Content-Length': 0 }).end();
    });
    {
      using _there = host?.enter();
      server.listen(0, address);
      await once(server, 'listening');
    }
    // A TCP server that listens has an address.
    const { port } = server.address() as AddressInfo;
    return new Oracle(`http://${address}:${port}`, server, visits);
  }

  /** When a path was asked for, epoch milliseconds, ascending. */
  visits(path: string): readonly number[] {
    return this.#visits.get(path) ?? [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }
}
