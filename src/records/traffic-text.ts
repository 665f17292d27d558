import { printable } from '../core/printable.ts';
import type { Peer, SensorRecord, TrafficInterface } from '../core/record.ts';

type TrafficRecord = Extract<SensorRecord, { event: 'traffic' }>;

const columnTitles = { rate2: 'last 2 s', rate10: 'last 10 s', rate40: 'last 40 s', wire: 'cumulative' } as const;
export type TrafficColumn = keyof typeof columnTitles;
const allColumns: readonly TrafficColumn[] = ['rate2', 'rate10', 'rate40', 'wire'];
/** Of rates; the sum is in bytes. */
export type RateUnit = 'bits' | 'bytes';

/** Which numbers are shown, and how. */
export interface Layout {
  readonly unit?: RateUnit;
  readonly columns?: readonly TrafficColumn[];
}

const columnWidth = 11;
const numberWidth = 5;
const minHostWidth = 24;
/** An IPv6 address, its class and a MAC address. */
const maxHostWidth = 68;

/**
 * A record of traffic as a table for each interface, as iftop has it: of each peer what was sent (=>) and received (<=), bits
 * a second on the wire over the last 2, 10 and 40 seconds, and bytes since the sensor started.
 */
export function trafficText(record: TrafficRecord): string {
  const { seconds, interfaces, peers, others, overflow, part } = record;
  const listed = new Set(interfaces.map(({ name }) => name));
  const unlisted = new Set(peers.map((peer) => peer.interface).filter((name) => !listed.has(name)));
  const all = [...interfaces, ...Array.from(unlisted, (name) => ({ name, addresses: [] }))];
  const tables = all.flatMap((each) =>
    interfaceLines(each).concat(peerTable(peers.filter((peer) => peer.interface === each.name))),
  );
  const notes = [
    ...passedOnLines(record),
    others && `and ${others.peers} other ${others.peers === 1 ? 'peer' : 'peers'}: ${bothWays(others.wire)}`,
    overflow[0] + overflow[1] > 0 && `of peers beyond those there was room for, since the start: ${bothWays(overflow)}`,
  ];
  const title = `traffic of ${seconds.toFixed(1)} s${part === undefined ? '' : `, part ${part}`}`;
  return [title, ...tables, ...notes.filter((note) => typeof note === 'string')]
    .map((line) => printable(line).trimEnd())
    .join('\n');
}

/** `Interface: eth0   IP address is: 192.0.2.7   MAC address is: 02:00:00:00:00:01`. */
export function interfaceTitle({ name, addresses, mac, portOf }: TrafficInterface): string {
  const known = [
    addresses.length > 0 && `IP address is: ${addresses.join(', ')}`,
    mac && `MAC address is: ${mac}`,
    portOf && `port of ${portOf}, where this machine's own traffic is counted`,
  ];
  return [`Interface: ${name}`, ...known.filter(Boolean)].join('   ');
}

/** Apart from the peers: this machine did not exchange these bytes with anybody. */
function passedOnLines({ passedOn = [], passedOnOthers }: TrafficRecord): readonly string[] {
  const lines = passedOn.map(
    ({ interface: device, source, destination, wire }) =>
      `passed on for others: ${source} to ${destination}, out by ${device}: ${formatBytes(wire)}`,
  );
  if (!passedOnOthers) return lines;
  const { pairs, wire } = passedOnOthers;
  return [...lines, `passed on for others: ${pairs} more pairs of hosts: ${formatBytes(wire)}`];
}

function interfaceLines(each: TrafficInterface): readonly string[] {
  if (!each.check) return [interfaceTitle(each)];
  const { counted, counter } = each.check;
  const isSame = counted[0] === counter[0] && counted[1] === counter[1];
  const said = isSame ? 'the interface counted the same' : `the interface counted ${exactly(counter)}`;
  return [interfaceTitle(each), `counted with link headers: ${exactly(counted)}; ${said}`];
}

function peerTable(peers: readonly Peer[]): readonly string[] {
  if (peers.length === 0) return [];
  const lines = peers.map((peer) => peerLines(peer));
  const widest = Math.max(...lines.flat().map(({ host }) => host.length));
  const hostWidth = Math.min(Math.max(widest, minHostWidth), maxHostWidth);
  const rows = lines.flatMap(([sent, received], index) => [
    formatRow(String(index + 1), sent, hostWidth),
    formatRow('', received, hostWidth),
  ]);
  return [tableTitle(hostWidth), ...rows];
}

/** One direction of a peer's traffic. */
export interface PeerLine {
  readonly host: string;
  readonly arrow: '=>' | '<=';
  /** Numbers under the column titles. */
  readonly cells: readonly string[];
}

/** What was sent, beside the name; what was received, beside what else is known. The client's own word is never the name. */
export function peerLines(peer: Peer, layout: Layout = {}): readonly [sent: PeerLine, received: PeerLine] {
  const { address, class: peerClass, mac, names = [] } = peer;
  const answered = names.find(({ source }) => source !== 'sni');
  const greeted = names.find(({ source }) => source === 'sni');
  const name = peer.name ?? answered?.name;
  const others = [
    name === undefined ? undefined : address,
    peer.isAnnouncer ? `${peerClass}, announced itself to all` : peerClass,
    mac,
    answered?.source,
    greeted && `asked for as ${greeted.name} (sni)`,
  ].filter((part) => part !== undefined);
  return [
    { host: printable(name ?? address), arrow: '=>', cells: cellsOf(peer, 0, layout) },
    { host: printable(others.join(' ')), arrow: '<=', cells: cellsOf(peer, 1, layout) },
  ];
}

/** The numbers of one direction, as text. */
export function cellsOf(
  numbers: Pick<Peer, TrafficColumn>,
  way: 0 | 1,
  { unit = 'bits', columns = allColumns }: Layout,
): readonly string[] {
  const rate = unit === 'bits' ? formatBits : (bytes: number) => `${formatBytes(bytes)}/s`;
  return columns.map((column) => (column === 'wire' ? formatBytes : rate)(numbers[column][way]));
}

export function tableTitle(hostWidth: number, columns: readonly TrafficColumn[] = allColumns): string {
  const host = '#'.padEnd(numberWidth) + 'Host name or address'.padEnd(hostWidth + 4);
  return host + columns.map((column) => columnTitles[column].padStart(columnWidth)).join('');
}

export function formatRow(number: string, { host, arrow, cells }: PeerLine, hostWidth: number): string {
  const shown = host.length <= hostWidth ? host.padEnd(hostWidth) : `${host.slice(0, hostWidth - 1)}…`;
  const start = `${number.padStart(numberWidth - 1)} ${shown}  ${arrow}`;
  return start + cells.map((cell) => cell.padStart(columnWidth)).join('');
}

/** Width of a row besides the host. */
export function rowWidth(columns: readonly TrafficColumn[]): number {
  return numberWidth + 4 + columns.length * columnWidth;
}

/** `7.63 kb/s`: bits, of bytes a second. */
export function formatBits(bytesPerSecond: number): string {
  return `${scaled(8 * bytesPerSecond)}b/s`;
}

export function formatBytes(bytes: number): string {
  return `${scaled(bytes)}B`;
}

const prefixes = ['', 'k', 'M', 'G', 'T', 'P', 'E'] as const;

/** Three digits and the prefix of the unit. */
function scaled(value: number): string {
  let step = 0;
  let rest = value;
  // 999.5 would be rounded to 1000.
  for (; rest >= 999.5 && step < prefixes.length - 1; step++) rest /= 1000;
  const decimals = step === 0 || rest >= 99.95 ? 0 : rest >= 9.995 ? 1 : 2;
  return `${rest.toFixed(decimals)} ${prefixes[step]}`;
}

function bothWays([sent, received]: readonly [number, number]): string {
  return `${formatBytes(sent)} sent, ${formatBytes(received)} received`;
}

function exactly([sent, received]: readonly [number, number]): string {
  return `${sent} B sent, ${received} B received`;
}
