import { z } from 'zod';
import { got } from '../core/issues.ts';
import { knownDevices } from '../core/known-devices.ts';
import { isSameName } from '../core/names.ts';
import { networks } from '../core/networks.ts';
import type { JsonObject } from '../core/outcome.ts';
import { quoted } from '../core/quoted.ts';
import { strictnesses, type Room, type RoomPolicy } from '../core/room.ts';
import { sensorTypes } from '../sensors/registry.ts';
import { isMapping } from './mapping.ts';
import { partOf, type WrittenFile } from './mistake.ts';
import { isSeen } from './monitor-entry.ts';
import { readSection, reportUnknownKeys } from './section.ts';
import { collectorShape, readSensorOptions, sensorKeys } from './sensors-section.ts';

const maxRooms = 1000;
const maxPolicies = 100;

const name = z.string().trim().min(1).max(100).superRefine(isSeen);
const agent = z.string().trim().min(1).max(200);
const agents = z.array(agent).max(1000);

export const roomEntrySchema = z.object({
  name: name.meta({ description: 'Unique', example: 'lab 101' }),
  id: name.optional().meta({
    description: 'Unique, and stays when the name changes: sessions belong to it; the name, unless said otherwise',
    example: 'lab-101',
  }),
  seats: agents.default([]).meta({
    description: 'Agents by name, `*` for any run of characters, or by id',
    example: '[101-*]',
  }),
  places: z.record(agent, z.string().trim().min(1).max(100)).default({}).meta({
    description: 'Where a seat is, by the name or id of its agent: for people who look for it',
    example: '{ 101-17: row 3, window }',
  }),
  expected: agents.optional().meta({
    description: 'Seats that must be there in a session; all, unless said otherwise',
    example: '[101-01, 101-02]',
  }),
  devices: knownDevices.meta({
    description:
      'USB devices that are allowed in every session: VENDOR:PRODUCT, with /SERIAL and @PORT where they are to fit as well',
    example: '[046d:c31c, 0781:5567/4C530001@2-1]',
  }),
  peers: networks.meta({
    description: 'Addresses and networks that may be met in every session without a notice',
    example: '[192.168.0.10]',
  }),
});

export const policySchema = z.object({
  name: name.meta({ description: 'Unique in its room', example: 'exam' }),
  ...collectorShape,
  devices: roomEntrySchema.shape.devices.meta({
    description: 'Further USB devices that are allowed',
    example: '[0781:5567/4C530001]',
  }),
  otherDevices: z.enum(strictnesses).default('alarm').meta({
    description: 'What another device is that carries data and is plugged in or mounted: `alarm` or `notice`',
    example: 'notice',
  }),
  peers: networks.meta({
    description: 'Further addresses and networks that may be met',
    example: '[10.20.0.0/16]',
  }),
  forbid: networks.meta({
    description: 'Addresses and networks that are an alarm; of these and `peers` the smaller network decides',
    example: '[203.0.113.0/24]',
  }),
  otherPeers: z.enum(strictnesses).default('notice').meta({
    description:
      'What meeting any other host is: `notice` tells of those in the local network, `alarm` means nothing but these hosts',
    example: 'alarm',
  }),
});

const roomKeys = [...Object.keys(roomEntrySchema.shape), 'policies'];
const policyKeys = [...Object.keys(policySchema.shape), ...sensorKeys];
const everyAddress = ['0.0.0.0/0', '::/0'];

interface WrittenPart {
  readonly written: unknown;
  readonly file: WrittenFile;
}

/** Every room that is right; the mistakes in the others are reported. Of two with one name or id the first is taken. */
export function readRooms(parts: readonly WrittenPart[]): readonly Room[] {
  const rooms: Room[] = [];
  for (const { written, file } of parts.flatMap(entriesOf)) {
    const room = readRoom(written, file);
    const [key, twin] = room ? twinOf(room, rooms) : [];
    if (key && twin) file.report([key], `another room has the ${key} ${quoted(twin[key])}`);
    else if (room) rooms.push(room);
  }
  return rooms;
}

function entriesOf({ written, file }: WrittenPart): readonly WrittenPart[] {
  const list = written ?? [];
  if (Array.isArray(list) && list.length <= maxRooms)
    return list.map((entry: unknown, index) => ({ written: entry, file: partOf(file, [index]) }));
  const what = Array.isArray(list) ? `a list of ${list.length}` : got(written);
  file.report([], `expected a list of at most ${maxRooms} rooms, each with a name and policies, ${what}`);
  return [];
}

function twinOf(room: Room, others: readonly Room[]): readonly [] | readonly ['name' | 'id', Room] {
  const namesake = others.find(({ name }) => isSameName(name, room.name));
  if (namesake) return ['name', namesake];
  const other = others.find(({ id }) => id === room.id);
  return other ? ['id', other] : [];
}

/** The room; undefined if there is a mistake in it, which is then reported. */
export function readRoom(entry: unknown, file: WrittenFile): Room | undefined {
  const common = readSection(roomEntrySchema, entry, file);
  if (!isMapping(entry)) return undefined;
  const unknown = Object.keys(entry).filter((key) => !roomKeys.includes(key));
  reportUnknownKeys(unknown, roomKeys, { path: [], file });
  const policies = readPolicies(entry['policies'], common, partOf(file, ['policies']));
  if (!common || !policies || unknown.length > 0) return undefined;
  const { id = common.name, name: roomName, seats, places, expected } = common;
  return { id, name: roomName, seats, places, ...(expected && { expected }), policies };
}

type Allowed = Pick<z.output<typeof roomEntrySchema>, 'devices' | 'peers'>;

function readPolicies(
  written: unknown,
  allowed: Allowed | undefined,
  file: WrittenFile,
): readonly RoomPolicy[] | undefined {
  if (!Array.isArray(written) || written.length === 0 || written.length > maxPolicies) {
    const what = Array.isArray(written) ? `a list of ${written.length}` : got(written);
    file.report([], `expected a list of 1 to ${maxPolicies} policies, each with a name and by, ${what}`);
    return undefined;
  }
  const policies: RoomPolicy[] = [];
  for (const [index, entry] of written.entries()) {
    const inside = partOf(file, [index]);
    const policy = readPolicy(entry, allowed ?? { devices: [], peers: [] }, inside);
    const namesake = policy && policies.find((other) => isSameName(other.name, policy.name));
    if (namesake) inside.report(['name'], `another policy of this room is called ${quoted(namesake.name)}`);
    else if (policy) policies.push(policy);
  }
  return policies.length === written.length ? policies : undefined;
}

function readPolicy(entry: unknown, allowed: Allowed, file: WrittenFile): RoomPolicy | undefined {
  const policy = readSection(policySchema, entry, file);
  if (!isMapping(entry)) return undefined;
  const unknown = Object.keys(entry).filter((key) => !policyKeys.includes(key));
  reportUnknownKeys(unknown, policyKeys, { path: [], file });
  const named = sensorKeys.filter((key) => key in entry);
  // A session watches everything, unless its policy names what it is to watch.
  const ordered = named.length > 0 ? entry : Object.fromEntries(sensorKeys.map((key) => [key, {}]));
  const sensors = readSensorOptions(ordered, file);
  if (!policy || !sensors || unknown.length > 0) return undefined;
  const whole = withLists(sensors, { ...policy, allowed });
  if (!areUsed(policy, whole, file) || !fit(whole, file)) return undefined;
  const { name: policyName, by, purpose, otherDevices, otherPeers } = policy;
  return { name: policyName, by, ...(purpose !== undefined && { purpose }), otherDevices, otherPeers, sensors: whole };
}

type Lists = Pick<z.output<typeof policySchema>, 'devices' | 'peers' | 'forbid' | 'otherPeers'> & {
  readonly allowed: Allowed;
};

/** The options of the sensors with what the room and the policy allow and forbid. */
function withLists(sensors: RoomPolicy['sensors'], lists: Lists): RoomPolicy['sensors'] {
  const { devices, peers, forbid, otherPeers, allowed } = lists;
  const added: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
    usb: { known: [...allowed.devices, ...devices] },
    traffic: {
      allow: [...allowed.peers, ...peers],
      forbid: otherPeers === 'alarm' ? [...forbid, ...everyAddress] : forbid,
    },
  };
  return sensors.map(({ sensor, options }) => ({
    sensor,
    options: { ...options, ...joined(options, added[sensor] ?? {}) },
  }));
}

/** Only lists that have something. */
function joined(options: JsonObject, added: Readonly<Record<string, readonly string[]>>): JsonObject {
  const lists = Object.entries(added).map(([key, more]) => {
    const before = options[key];
    // A list of texts, as the schema of the options had it.
    return [key, [...new Set([...((before as readonly string[] | undefined) ?? []), ...more])]] as const;
  });
  return Object.fromEntries(lists.filter(([, list]) => list.length > 0));
}

/** Reports lists that no sensor of the policy reads. */
function areUsed(policy: z.output<typeof policySchema>, sensors: RoomPolicy['sensors'], file: WrittenFile): boolean {
  const has = (wanted: string): boolean => sensors.some(({ sensor }) => sensor === wanted);
  const idle = [
    ...(has('usb') || policy.devices.length === 0 ? [] : [['devices', 'usb'] as const]),
    ...(has('traffic') || policy.peers.length === 0 ? [] : [['peers', 'traffic'] as const]),
    ...(has('traffic') || policy.forbid.length === 0 ? [] : [['forbid', 'traffic'] as const]),
    ...(has('traffic') || policy.otherPeers === 'notice' ? [] : [['otherPeers', 'traffic'] as const]),
  ];
  for (const [key, sensor] of idle)
    file.report([key], `expected ${sensor} among the sensors of this policy, which judges by it`, 'key');
  return idle.length === 0;
}

/** With what came from the room a list may have become too long. */
function fit(sensors: RoomPolicy['sensors'], file: WrittenFile): boolean {
  return sensors.every(({ sensor, options }) => {
    const type = sensorTypes.find(({ type }) => type === sensor);
    const isRight = type?.options.safeParse(options).success ?? false;
    if (!isRight) file.report([], `expected the lists of room and policy together to have at most 1000 entries each`);
    return isRight;
  });
}
