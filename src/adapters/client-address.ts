import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';
import { unmapped } from '../core/target.ts';

/** Beyond this no chain of proxies is real, and what is further left was written by the client. */
const maxHops = 10;

/** Finds out where a request came from, also behind proxies of ours. */
export class ClientAddresses {
  readonly #trusted = new BlockList();

  /** `proxies`: addresses and ranges, IPv4 or IPv6; only what these say of a client is believed. */
  constructor(proxies: readonly string[]) {
    for (const range of proxies) {
      const [network = '', prefix] = range.split('/');
      const family = isIP(network) === 4 ? 'ipv4' : 'ipv6';
      this.#trusted.addSubnet(network, Number(prefix ?? (family === 'ipv4' ? 32 : 128)), family);
    }
  }

  isProxy(address: string): boolean {
    const bare = unmapped(address);
    const family = isIP(bare);
    return family !== 0 && this.#trusted.check(bare, family === 4 ? 'ipv4' : 'ipv6');
  }

  /** The last address in X-Forwarded-For that no proxy of ours has; the other end of the connection if that is no proxy of ours. */
  of({ socket, headers }: Pick<IncomingMessage, 'socket' | 'headers'>): string {
    let client = unmapped(socket.remoteAddress ?? 'unknown');
    const forwarded = headers['x-forwarded-for'];
    const chain = (Array.isArray(forwarded) ? forwarded.join() : (forwarded ?? '')).split(',').slice(-maxHops);
    while (this.isProxy(client)) {
      const before = chain.pop()?.trim() ?? '';
      // Brackets and ports, as some proxies write them.
      const address = unmapped(/^\[(.*)\](?::\d+)?$|^([\d.]+):\d+$/.exec(before)?.slice(1).find(Boolean) ?? before);
      if (isIP(address) === 0) return client;
      client = address;
    }
    return client;
  }
}
