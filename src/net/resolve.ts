import { isIP } from 'node:net';
import { Resolver as DnsResolver } from 'node:dns/promises';
import { Failure } from '../core/failure.ts';
import type { Address, FamilyChoice, ResolveOptions } from '../core/network.ts';

/** Names to addresses, through the DNS servers of the system. */
export class Resolver {
  readonly #dns = new DnsResolver();

  async resolve(host: string, { family = 'auto' }: ResolveOptions): Promise<Address> {
    const version = isIP(host);
    if (version !== 0) return { ip: host, family: version === 4 ? 4 : 6 };
    if (host === 'localhost') return family === '6' ? { ip: '::1', family: 6 } : { ip: '127.0.0.1', family: 4 };
    return await this.#lookUp(host, family);
  }

  async #lookUp(host: string, family: FamilyChoice): Promise<Address> {
    try {
      const [ip] = family === '6' ? await this.#dns.resolve6(host) : await this.#dns.resolve4(host);
      if (ip) return { ip, family: family === '6' ? 6 : 4 };
    } catch (error) {
      throw new Failure('name-not-found', `${host} has no address.`, { cause: error });
    }
    throw new Failure('name-not-found', `${host} has no address.`);
  }
}
