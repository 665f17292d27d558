import type { Peer, SensorRecord } from '../core/record.ts';
import { serviceTitle } from '../core/services.ts';
import { formatBytes } from './traffic-text.ts';

export type ContactRecord = Extract<SensorRecord, { event: 'lan-access' | 'forbidden-peer' }>;
type RecordOf<Event extends SensorRecord['event']> = Extract<SensorRecord, { event: Event }>;

/** How a sentence calls this machine and its peers. */
export interface Naming {
  /** `this machine`, or a seat's name for people who watch many. */
  readonly machine: string;
  /** A seat's name for its address, or the address. */
  readonly nameOf: (address: string) => string;
}

export const plainNaming: Naming = { machine: 'this machine', nameOf: (address) => address };

/** `seat-1 contacted seat-2 on TCP port 22 (SSH)`. */
export function contactSentence(record: ContactRecord, { machine, nameOf }: Naming): string {
  const peer = nameOf(record.peer);
  if (record.direction === 'unknown')
    return `packets ${serviceText(record)} passed between ${machine} and ${peer}; who began was not seen`;
  const [subject, object] = record.direction === 'out' ? [machine, peer] : [peer, machine];
  return `${subject} contacted ${object} ${serviceText(record)}`;
}

/** `on TCP port 22 (SSH)`, `(ICMP echo)`. */
function serviceText({ protocol, port }: Pick<ContactRecord, 'protocol' | 'port'>): string {
  if (protocol === 'icmp') return '(ICMP echo)';
  const [name, type] = protocol.split('/');
  if (name === 'icmp') return `(ICMP type ${type})`;
  if (protocol === 'unknown') return '(protocol unknown)';
  if (protocol === 'fragment') return '(part of a packet)';
  const title = /^\d/.test(protocol) ? `IP protocol ${protocol}` : protocol.toUpperCase();
  if (port === undefined) return `(${title})`;
  const service = serviceTitle(port);
  return `on ${title} port ${port}${service === undefined ? '' : ` (${service})`}`;
}

/** `eth0, host.lan (dns 10.20.0.1), mac 02:00:00:00:00:01`. */
export function identityText({
  interface: device,
  names,
  mac,
}: Pick<ContactRecord, 'interface' | 'names' | 'mac'>): string {
  return [device, ...(names ?? []).map(nameText), ...(mac === undefined ? [] : [`mac ${mac}`])].join(', ');
}

/** A name with who said it. */
export function nameText({ name, source }: NonNullable<Peer['names']>[number]): string {
  return source === 'sni' ? `asked for as ${name} (sni)` : `${name} (${source})`;
}

export function volumeSentence(record: RecordOf<'contact-volume'>, { machine, nameOf }: Naming): string {
  const [sent, received] = record.wire;
  const peer = nameOf(record.peer);
  return `${machine} has sent ${formatBytes(sent)} to ${peer} and received ${formatBytes(received)} from it`;
}

export function scanSentence({ direction, of, peer, count, examples }: RecordOf<'scan'>, naming: Naming): string {
  const other = peer === undefined ? undefined : naming.nameOf(peer);
  const [subject, object] = direction === 'out' ? [naming.machine, other] : [other, naming.machine];
  const list = `: ${examples.join(', ')}${count > examples.length ? ', …' : ''}`;
  if (of === 'ports') return `${subject} tried ${count} ports of ${object}${list}`;
  if (direction === 'in') return `${count} hosts contacted ${object} within a minute${list}`;
  return `${subject} contacted ${count} hosts within a minute${list}`;
}

/** Each contact in few words, in both directions of the arrow. */
export function moreContactsSentence({ contacts }: RecordOf<'more-contacts'>, { machine, nameOf }: Naming): string {
  const texts = contacts.map((contact) => {
    const arrow = { out: 'to', in: 'from', unknown: 'with' }[contact.direction];
    return `${arrow} ${nameOf(contact.peer)} ${serviceText(contact)}`;
  });
  return `${contacts.length} more contacts of ${machine}: ${texts.join(', ')}`;
}

export function passedOnSentence(
  { interface: device, source, destination }: RecordOf<'passed-on'>,
  naming: Naming,
): string {
  const { machine, nameOf } = naming;
  return `${machine} passes on traffic of ${nameOf(source)} to ${nameOf(destination)}, out by ${device}`;
}

const kindWords: Readonly<Record<RecordOf<'surroundings'>['kind'], string>> = {
  interface: 'network interface',
  address: 'address',
  'default-route': 'default route',
  resolver: 'list of DNS servers',
  mac: 'MAC address',
  'bridge-port': 'bridge',
};

export function surroundingsSentence(record: RecordOf<'surroundings'>, { machine }: Naming): string {
  const { change, kind, value, before } = record;
  const place = record.interface === undefined ? '' : ` ${record.interface}`;
  const thing =
    kind === 'interface'
      ? `${kindWords[kind]}${place} (${value})`
      : `${kindWords[kind]} ${value}${place && ` of${place}`}`;
  if (change === 'changed')
    return `${machine}: the ${kindWords[kind]}${place && ` of${place}`} is now ${value}, before ${before}`;
  if (change === 'gone') return `${machine} no longer has the ${thing}`;
  return `${machine} ${change === 'present' ? 'has' : 'now has'} the ${thing}`;
}

const roleWords = { gateway: 'the gateway ', resolver: 'the DNS server ', peer: '' } as const;

export function macSentence({ peer, role, before, now }: RecordOf<'peer-mac'>, { machine, nameOf }: Naming): string {
  return `${machine} now reaches ${roleWords[role]}${nameOf(peer)} at the MAC address ${now}, before ${before}`;
}
