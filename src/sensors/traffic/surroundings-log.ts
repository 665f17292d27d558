import type { SensorRecord } from '../../core/record.ts';
import type { InterfaceAddress, Interface } from './surroundings.ts';
import type { DefaultRoute } from '../../sys/network-tables.ts';

type SurroundingsRecord = Extract<SensorRecord, { event: 'surroundings' }>;

/** What is recorded of a machine's surroundings. */
export interface SurroundingsNow {
  readonly interfaces: readonly Interface[];
  readonly defaultRoutes: readonly DefaultRoute[];
  readonly resolvers: readonly string[];
}

type Item = Pick<SurroundingsRecord, 'kind' | 'interface' | 'value'>;

/** More in a minute are counted only. */
const maxPerMinute = 200;
const minuteMs = 60_000;

/** Records what surrounds the machine when the sensor starts, then each change. */
export class SurroundingsLog {
  readonly #record: (record: SensorRecord) => void;
  #before: ReadonlyMap<string, Item> | undefined;
  #minuteBeganMs = -Infinity;
  #told = 0;

  constructor(record: (record: SensorRecord) => void) {
    this.#record = record;
  }

  update(now: SurroundingsNow, nowMs: number): void {
    this.#beginMinute(nowMs);
    const items = itemsOf(now);
    const before = this.#before;
    this.#before = items;
    for (const [key, item] of before ?? []) if (!items.has(key)) this.#tell({ change: 'gone', ...item });
    for (const [key, item] of items) {
      const was = before?.get(key);
      if (!before) this.#tell({ change: 'present', ...item });
      else if (!was) this.#tell({ change: 'appeared', ...item });
      else if (was.value !== item.value || was.interface !== item.interface)
        this.#tell({ change: 'changed', ...item, before: was.value });
    }
  }

  #tell(change: Omit<SurroundingsRecord, 'event'>): void {
    if (++this.#told <= maxPerMinute) this.#record({ event: 'surroundings', ...change });
  }

  #beginMinute(nowMs: number): void {
    if (nowMs - this.#minuteBeganMs < minuteMs) return;
    const unsaid = this.#told - maxPerMinute;
    if (unsaid > 0)
      this.#record({
        event: 'lost',
        message: `changes of the surroundings beyond ${maxPerMinute} a minute`,
        count: unsaid,
      });
    this.#minuteBeganMs = nowMs;
    this.#told = 0;
  }
}

/** By a key that stays the same while the thing is the same. */
function itemsOf({ interfaces, defaultRoutes, resolvers }: SurroundingsNow): ReadonlyMap<string, Item> {
  const names = new Map(interfaces.map(({ index, name }) => [index, name]));
  const items = interfaces.flatMap((each) => interfaceItems(each, names));
  for (const family of [4, 6] as const) {
    const stations = defaultRoutes.filter((route) => route.family === family);
    if (stations.length > 0) items.push([`default-route ${family}`, routeItem(stations, names)]);
  }
  if (resolvers.length > 0) items.push(['resolver', { kind: 'resolver', value: cut(resolvers.toSorted().join(', ')) }]);
  return new Map(items);
}

type Named = readonly [key: string, item: Item];

function interfaceItems(each: Interface, names: ReadonlyMap<number, string>): Named[] {
  const { index, name, addresses, mac, kind, master } = each;
  const items: Named[] = [
    [`interface ${index}`, { kind: 'interface', interface: name, value: kind ?? 'network card' }],
    ...addresses.map((address): Named => [
      `address ${index} ${address.address}`,
      { kind: 'address', interface: name, value: addressText(address) },
    ]),
  ];
  if (mac !== undefined) items.push([`mac ${index}`, { kind: 'mac', interface: name, value: mac }]);
  if (master !== undefined)
    items.push([
      `bridge-port ${index}`,
      { kind: 'bridge-port', interface: name, value: names.get(master) ?? `#${master}` },
    ]);
  return items;
}

function addressText({ address, prefix }: InterfaceAddress): string {
  return `${address}/${prefix}`;
}

/** All next stations together, so that one that takes another's place is one change. */
function routeItem(stations: readonly DefaultRoute[], names: ReadonlyMap<number, string>): Item {
  const texts = stations.map(({ gateway, interfaceIndex }) => {
    const name = names.get(interfaceIndex) ?? `#${interfaceIndex}`;
    return gateway === undefined ? `on ${name}` : `via ${gateway} on ${name}`;
  });
  return { kind: 'default-route', value: cut([...new Set(texts)].toSorted().join(', ')) };
}

function cut(text: string): string {
  return text.length <= 300 ? text : `${text.slice(0, 299)}…`;
}
