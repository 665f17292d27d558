import type { DefaultRoute, Neighbour } from '../sys/network-tables.ts';
import type { Interface, Surroundings } from '../sensors/traffic/surroundings.ts';

export const fakeSelf = '192.168.0.133';
export const fakeGateway = '192.168.0.1';
export const fakeEthernet: Interface = {
  index: 2,
  name: 'eth0',
  addresses: [{ address: fakeSelf, prefix: 24 }],
  mac: '02:00:00:00:01:33',
  sent: 1000,
  received: 5000,
};

/** Surroundings of a test's making: a machine with one interface, and a gateway that answers DNS. */
export class FakeNetwork implements Surroundings {
  links: readonly Interface[] = [fakeEthernet];
  routes: readonly DefaultRoute[] = [{ interfaceIndex: 2, gateway: fakeGateway, family: 4 }];
  servers: readonly string[] = [fakeGateway];
  /** MAC addresses of neighbours on interface 2. */
  readonly arp = new Map<string, string>();
  /** Own addresses that no interface has. */
  readonly local = new Set<string>();
  /** Thrown instead of the interfaces. */
  refusal: Error | undefined;
  #onChange: () => void = () => {};

  /** The kernel tells of a change. */
  change(): void {
    this.#onChange();
  }

  interfaces(): readonly Interface[] {
    if (this.refusal) throw this.refusal;
    return this.links;
  }

  loopbackAddresses(): readonly string[] {
    return ['127.0.0.1', '::1'];
  }

  defaultRoutes(): readonly DefaultRoute[] {
    return this.routes;
  }

  resolvers(): readonly string[] {
    return this.servers;
  }

  neighbours(): readonly Neighbour[] {
    return Array.from(this.arp, ([address, mac]) => ({ interfaceIndex: 2, address, mac }));
  }

  isOwn(address: string): boolean {
    return (
      this.local.has(address) || this.links.some(({ addresses }) => addresses.some((own) => own.address === address))
    );
  }

  watch(onChange: () => void): Disposable {
    this.#onChange = onChange;
    return { [Symbol.dispose]() {} };
  }
}
