import { z } from 'zod';

/** Kept for a time of its own: `devices` is what was plugged in and mounted, `traffic` who talked to whom. */
export const classesOfData = ['devices', 'traffic'] as const;
export type ClassOfData = (typeof classesOfData)[number];

/** Text from a device or a peer, made printable when it was read. */
const text = z.string().max(300);
const count = z.int().min(0);
const bytes = z.number().min(0).max(Number.MAX_SAFE_INTEGER);
const address = z.string().max(64);
const interfaceName = z.string().max(32);
const mac = z.string().max(32);

export const usbRisks = [
  'storage',
  'keyboard',
  'network',
  'imaging',
  'video',
  'audio',
  'printer',
  'wireless',
  'vendor',
  'hub',
  'other',
] as const;
/** Risks of a device, by its interface classes and by what the kernel made of it. */
export type UsbRisk = (typeof usbRisks)[number];

export const usbDevice = z.strictObject({
  /** The physical port: `2-1`. */
  port: text,
  /** Four hexadecimal digits each. */
  vendorId: text,
  productId: text,
  manufacturer: text.optional(),
  product: text.optional(),
  serial: text.optional(),
  /** bcdDevice. */
  version: text.optional(),
  speedMbit: z.number().min(0).optional(),
  /** Class, subclass and protocol of each interface, hexadecimal: `080650`. */
  interfaces: z.array(z.string().max(6)).max(64),
  risks: z.array(z.enum(usbRisks)).max(usbRisks.length),
  /** sha256 of the descriptors, hexadecimal: an identity that a copied name and serial number do not forge. */
  descriptorHash: z.string().max(64).optional(),
});
export type UsbDevice = z.output<typeof usbDevice>;

export const mount = z.strictObject({
  /** Mounted device: `/dev/sdb1`, `server:/export`. */
  device: text,
  mountpoint: z.string().max(4096),
  fstype: text,
  /** Options of the mount, then of the file system, as in /proc/mounts. */
  options: z.string().max(4096),
  kind: z.enum(['usb', 'card', 'optical', 'thunderbolt', 'loop', 'fuse', 'network', 'disk', 'other']),
  /** The USB port behind it. */
  usbPort: text.optional(),
});
export type Mount = z.output<typeof mount>;

export const peerClasses = ['intranet', 'internet', 'multicast'] as const;
export type PeerClass = (typeof peerClasses)[number];

/** Sent and received. */
const bothWays = z.tuple([bytes, bytes]);

/** A name and who said it: `dns 10.20.0.1` (that server's answer), `mdns` (the host itself), `sni` (the client's own word). */
const peerName = z.strictObject({ name: text, source: z.string().max(80) });
export type PeerName = z.output<typeof peerName>;

/** How a peer is known. */
const identity = {
  /** Until version 2 of the records, without its source. */
  name: text.optional(),
  names: z.array(peerName).max(3).optional(),
  mac: mac.optional(),
};

export const peer = z.strictObject({
  interface: interfaceName,
  address,
  class: z.enum(peerClasses),
  ...identity,
  /** It was only heard to speak to everybody on the link. */
  isAnnouncer: z.literal(true).optional(),
  /** Bytes of IP packets since the sensor started, as the taps of the kernel see them: comparable with the interface's counters. */
  total: bothWays,
  /** The same on the wire: what the network card cuts into segments has headers of its own. */
  wire: bothWays,
  /** Bytes a second on the wire, over the last 2, 10 and 40 seconds. */
  rate2: bothWays,
  rate10: bothWays,
  rate40: bothWays,
});
export type Peer = z.output<typeof peer>;

/** Bytes counted since the previous record, link-layer headers included, beside the interface's own counter. */
const check = z.strictObject({ counted: bothWays, counter: bothWays });

const trafficInterface = z.strictObject({
  name: interfaceName,
  addresses: z.array(z.string().max(64)).max(32),
  mac: mac.optional(),
  /** The bridge or bond that it is a port of: what is the machine's own is counted there. */
  portOf: interfaceName.optional(),
  check: check.optional(),
});
export type TrafficInterface = z.output<typeof trafficInterface>;

/** What this machine passed on for others since the sensor started, by the interface by which it left. */
const passedOn = z.strictObject({ interface: interfaceName, source: address, destination: address, wire: bytes });
export type PassedOn = z.output<typeof passedOn>;

/** Who contacted whom: `out` is this machine the peer, `in` the peer this machine; `unknown` if the beginning was not seen. */
const direction = z.enum(['in', 'out', 'unknown']);
export type ContactDirection = z.output<typeof direction>;
/** `tcp`, `udp`, `icmp`, or the number of the protocol; `unknown` where the first packet itself got lost. */
const protocol = z.string().max(10);
const port = z.int().min(0).max(65535);

/** A contact with a peer. */
const contact = {
  interface: interfaceName,
  peer: address,
  class: z.enum(peerClasses),
  direction,
  protocol,
  /** Port of the side that was contacted. */
  port: port.optional(),
  ...identity,
};

/** The message of a `sensor-stopped` that no order caused: the agent itself ended. */
export const agentEnds = 'the agent ends';

/**
 * Why nothing was observed. `stopped`: the agent was ended in order and started again; `restarted`: so was the machine. `killed`: the
 * agent ended without a word; `lost-power`: the machine did, or was restarted without ending the agent. `asleep`: the machine was
 * suspended. `paused`: the agent's process did not run; what happened meanwhile was read late or not at all.
 */
export const blindCauses = ['stopped', 'restarted', 'killed', 'lost-power', 'asleep', 'paused'] as const;
export type BlindCause = (typeof blindCauses)[number];

/** The state of something at the start of the sensor, and what became of it since. */
export const surroundingChanges = ['present', 'appeared', 'changed', 'gone'] as const;
export const surroundingKinds = ['interface', 'address', 'default-route', 'resolver', 'mac', 'bridge-port'] as const;

/** Everything a sensor may write, by `event`. */
export const sensorRecord = z.discriminatedUnion('event', [
  /** `usb-present` was there already when the sensor started. */
  z.strictObject({
    event: z.enum(['usb-present', 'usb-connected', 'usb-removed']),
    device: usbDevice,
    /** The order says that it belongs to the machine. */
    isKnown: z.literal(true).optional(),
  }),
  /** What the kernel made of a device: a disk, a network card, an input device. */
  z.strictObject({
    event: z.literal('usb-function'),
    port: text,
    /** `block`, `net`, `input`, `tty`. */
    subsystem: z.string().max(20),
    /** `sda`, `usb0`, `event3`. */
    name: text,
    bytes: bytes.optional(),
    mac: mac.optional(),
  }),
  /** An alarm is something that no honest device does; a notice is worth a look. */
  z.strictObject({ event: z.enum(['usb-alarm', 'usb-notice']), device: usbDevice, why: text }),
  z.strictObject({ event: z.enum(['mount-present', 'mounted', 'remounted', 'unmounted']), mount }),
  z.strictObject({
    event: z.literal('traffic'),
    /** Measured, since the record before. */
    seconds: z.number().min(0),
    interfaces: z.array(trafficInterface).max(64),
    /** Peers with traffic in these seconds, most bytes first; the rest is summed in `others`. */
    peers: z.array(peer).max(500),
    others: z.strictObject({ peers: count, wire: bothWays }).optional(),
    /** Bytes of peers that the kernel's table had no room for, since the sensor started. */
    overflow: bothWays,
    /** The record continues the one before, which had no room for more peers: 2, 3, … */
    part: z.int().min(2).max(99).optional(),
    /** Packets of other hosts that this machine passed on, most bytes first. */
    passedOn: z.array(passedOn).max(100).optional(),
    /** How many more pairs of hosts there were, and their bytes. */
    passedOnOthers: z.strictObject({ pairs: count, wire: bytes }).optional(),
  }),
  /** A contact with a peer of the local network that is not on the list of those allowed. */
  z.strictObject({ event: z.literal('lan-access'), ...contact }),
  /** A contact with a peer that is forbidden here. */
  z.strictObject({ event: z.literal('forbidden-peer'), ...contact }),
  /** More contacts of this kind than are told one by one. */
  z.strictObject({
    event: z.literal('more-contacts'),
    of: z.enum(['lan-access', 'forbidden-peer']),
    contacts: z
      .array(z.strictObject({ peer: address, direction, protocol, port: port.optional() }))
      .min(1)
      .max(200),
  }),
  /** So much has been exchanged with a peer since the contact was told. */
  z.strictObject({
    event: z.literal('contact-volume'),
    interface: interfaceName,
    peer: address,
    class: z.enum(peerClasses),
    ...identity,
    wire: bothWays,
  }),
  /** One side tried many hosts of the local network, or many ports of one host. */
  z.strictObject({
    event: z.literal('scan'),
    direction: z.enum(['in', 'out']),
    of: z.enum(['hosts', 'ports']),
    /** Of a scan of ports: the other side. */
    peer: address.optional(),
    /** How many at the moment of the alarm; more may follow. */
    count,
    /** Some of them, as text. */
    examples: z.array(z.string().max(64)).max(10),
  }),
  /** The first packet of two other hosts that this machine passed on, as a router or a bridge. */
  z.strictObject({ event: z.literal('passed-on'), interface: interfaceName, source: address, destination: address }),
  /** Something in the machine's surroundings in the network, when the sensor starts and when it changes. */
  z.strictObject({
    event: z.literal('surroundings'),
    change: z.enum(surroundingChanges),
    kind: z.enum(surroundingKinds),
    interface: interfaceName.optional(),
    /** What it is: `192.168.43.7/24`, `via 192.168.43.1`, `02:00:00:00:00:01`, `wireless`. */
    value: text,
    /** Of what changed, the state before. */
    before: text.optional(),
  }),
  /** A peer answers from another MAC address than before. */
  z.strictObject({
    event: z.literal('peer-mac'),
    interface: interfaceName,
    peer: address,
    role: z.enum(['gateway', 'resolver', 'peer']),
    before: mac,
    now: mac,
  }),

  z.strictObject({ event: z.literal('sensor-started'), message: text }),
  z.strictObject({ event: z.literal('sensor-stopped'), message: text }),
  z.strictObject({
    event: z.literal('sensor-state'),
    state: z.enum(['running', 'limited', 'unavailable']),
    message: text,
  }),
  /** Something was not observed or could not be kept, and what is known of it. */
  z.strictObject({ event: z.literal('lost'), message: text, count: count.optional() }),
  /** Forged messages ignored since the last such record. */
  z.strictObject({ event: z.literal('forged'), message: text, count }),
  /** Written when nothing else was for 40 seconds, so that silence is evidence too. */
  z.strictObject({ event: z.literal('watching') }),
  /** Nothing was observed in the seconds before this record. */
  z.strictObject({
    event: z.literal('not-watching'),
    cause: z.enum(blindCauses),
    /** When it began, by the agent's wall clock, epoch milliseconds. */
    from: z.number().min(0).max(8.64e15),
    seconds: z.number().min(0),
  }),
  /** The wall clock was set by this much. */
  z.strictObject({ event: z.literal('clock-jump'), byMs: z.number() }),
]);
export type SensorRecord = z.output<typeof sensorRecord>;
export type SensorEvent = SensorRecord['event'];
