import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { enterNetwork, enterNewNetwork } from '../sys/namespace.ts';

const execute = promisify(execFile);

/** A host of the lab: a network namespace of its own. */
export interface LabHost {
  readonly namespace: string;
  /** Runs a program there; resolves with what it printed, rejects if it failed. */
  run(program: string, ...args: readonly string[]): Promise<string>;
  /** Moves this process there until disposed: sockets it opens and programs it starts belong to the host. */
  enter(): Disposable;
  /** Replaces the nft rules for the packets it forwards; no rules, no filter. */
  filter(...rules: readonly string[]): Promise<void>;
}

/**
 * Four hosts in a row: client, two routers, server. Link n is 10.90.n.0/24 and fd90:0:0:n::/64; on each its end nearer
 * to the client is 1, the other 2. So the client sees the hops 10.90.1.2, 10.90.2.2 and 10.90.3.2.
 */
export interface NetLab extends AsyncDisposable {
  readonly client: LabHost;
  readonly nearRouter: LabHost;
  readonly farRouter: LabHost;
  readonly server: LabHost;
}

export const labAddresses = {
  4: {
    hops: ['10.90.1.2', '10.90.2.2', '10.90.3.2'],
    server: '10.90.3.2',
    /** The far router drops everything for it. */
    blackHole: '10.90.66.1',
    /** The far router says that there is no such host. */
    unreachable: '10.90.67.1',
    /** The far router says that it may not forward. */
    prohibited: '10.90.68.1',
  },
  6: {
    hops: ['fd90:0:0:1::2', 'fd90:0:0:2::2', 'fd90:0:0:3::2'],
    server: 'fd90:0:0:3::2',
    blackHole: 'fd90:0:0:66::1',
    unreachable: 'fd90:0:0:67::1',
    prohibited: 'fd90:0:0:68::1',
  },
} as const;

/** Why there can be no lab here, or false: the value of `skip`. */
export const labMissing = process.getuid?.() === 0 ? false : 'network namespaces need root';

let labs = 0;

export async function openNetLab(): Promise<NetLab> {
  const prefix = `watchkeeper-${process.pid}-${++labs}`;
  const [client, nearRouter, farRouter, server] = ['client', 'near', 'far', 'server'].map((name) =>
    labHost(`${prefix}-${name}`),
  ) as [LabHost, LabHost, LabHost, LabHost];
  const row = [client, nearRouter, farRouter, server];
  const dispose = (): Promise<void> => removeHosts(row);
  try {
    for (const host of row) await create(host);
    await connect(client, nearRouter, 1);
    await connect(nearRouter, farRouter, 2);
    await connect(farRouter, server, 3);
    await ip(client, 'route add default via 10.90.1.2', 'route add ::/0 via fd90:0:0:1::2');
    await ip(nearRouter, 'route add 10.90.0.0/16 via 10.90.2.2', 'route add fd90::/16 via fd90:0:0:2::2');
    await ip(farRouter, 'route add 10.90.1.0/24 via 10.90.2.1', 'route add fd90:0:0:1::/64 via fd90:0:0:2::1');
    await ip(farRouter, 'route add 10.90.64.0/20 via 10.90.3.2', 'route add fd90::/16 via fd90:0:0:3::2');
    await farRouter.run('nft', deadEnds);
    await ip(server, 'route add default via 10.90.3.1', 'route add ::/0 via fd90:0:0:3::1');
    // Links and neighbours take their time, IPv6 most: a lab is ready when packets have come and gone.
    for (const { server: address } of Object.values(labAddresses))
      await client.run('ping', '-n', '-c', '1', '-i', '0.2', '-w', '15', address);
  } catch (error) {
    await dispose();
    throw error;
  }
  return { client, nearRouter, farRouter, server, [Symbol.asyncDispose]: dispose };
}

/** A host that is not there yet: `create` makes it. */
export function labHost(namespace: string): LabHost {
  const run = async (program: string, ...args: readonly string[]): Promise<string> => {
    const { stdout } = await execute('ip', ['netns', 'exec', namespace, program, ...args], { timeout: 60_000 });
    return stdout;
  };
  return {
    namespace,
    run,
    enter: () => enterNetwork(`/run/netns/${namespace}`),
    async filter(...rules) {
      await run('nft', `table inet lab\ndelete table inet lab\n${forwardTable('lab', rules)}`);
    },
  };
}

const settings = [
  'net.ipv4.ip_forward=1',
  'net.ipv6.conf.all.forwarding=1',
  // Limits on ICMP errors are for the Internet; here they would make the tests depend on their speed.
  'net.ipv4.icmp_ratelimit=0',
  'net.ipv6.icmp.ratelimit=0',
];

export async function create(host: LabHost): Promise<void> {
  await execute('ip', ['netns', 'add', host.namespace]);
  await host.run('sysctl', '-q', '-w', ...settings);
  await ip(host, 'link set lo up');
}

/** Removes hosts, whether `create` made them or not. */
export async function removeHosts(hosts: readonly LabHost[]): Promise<void> {
  for (const { namespace } of hosts) await execute('ip', ['netns', 'delete', namespace]).catch(() => {});
}

async function connect(near: LabHost, far: LabHost, link: number): Promise<void> {
  await ip(near, `link add right type veth peer name left netns ${far.namespace}`);
  await ip(near, ...addresses('right', link, 1));
  await ip(far, ...addresses('left', link, 2));
}

function addresses(device: string, link: number, end: 1 | 2): string[] {
  return [
    `address add 10.90.${link}.${end}/24 dev ${device}`,
    `address add fd90:0:0:${link}::${end}/64 dev ${device} nodad`,
    `link set ${device} up`,
  ];
}

// Not by routes of type blackhole and unreachable: the kernel limits the rate of those errors, and that is not ours to set.
const deadEnds = forwardTable('deadEnds', [
  'ip daddr 10.90.66.0/24 drop',
  'ip6 daddr fd90:0:0:66::/64 drop',
  'ip daddr 10.90.67.0/24 reject with icmp type host-unreachable',
  'ip6 daddr fd90:0:0:67::/64 reject with icmpv6 type addr-unreachable',
  'ip daddr 10.90.68.0/24 reject with icmp type admin-prohibited',
  'ip6 daddr fd90:0:0:68::/64 reject with icmpv6 type admin-prohibited',
]);

function forwardTable(name: string, rules: readonly string[]): string {
  return `table inet ${name} {
    chain forward {
      type filter hook forward priority 0;
      ${rules.join('\n')}
    }
  }`;
}

/** Runs `ip` commands in the host's namespace. */
export async function ip({ namespace }: LabHost, ...commands: readonly string[]): Promise<void> {
  for (const command of commands) await execute('ip', ['-n', namespace, ...command.split(' ')]);
}

/** An address that swallows every packet, once `enterOwnNetwork` has been called. */
export const silentAddress = '10.91.0.9';

/**
 * Moves this process for good into a network of its own that ends with it: loopback, where datagram ICMP sockets are
 * allowed, and a silent subnet. Returns why it cannot, or false: the value of `skip`.
 */
export async function enterOwnNetwork(): Promise<string | false> {
  if (labMissing) return labMissing;
  enterNewNetwork();
  writeFileSync('/proc/sys/net/ipv4/ping_group_range', '0 2147483647');
  for (const command of [
    'link set lo up',
    'link add silent type veth peer name void',
    'address add 10.91.0.1/24 dev silent',
    'link set silent up',
    'link set void up',
    // A neighbour that is known, so that packets leave, and that nobody is.
    `neighbour add ${silentAddress} lladdr 02:00:00:00:00:09 dev silent`,
  ])
    await execute('ip', command.split(' '));
  return false;
}
