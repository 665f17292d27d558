import { getRawPointer } from 'node:ffi';
import { checked, libc, SystemError } from './libc.ts';

// linux/bpf.h: commands of bpf(2), types of maps and programs, and the number of the system call itself.
const BPF_MAP_CREATE = 0;
const BPF_MAP_LOOKUP_ELEM = 1;
const BPF_MAP_UPDATE_ELEM = 2;
const BPF_MAP_DELETE_ELEM = 3;
const BPF_MAP_GET_NEXT_KEY = 4;
const BPF_PROG_LOAD = 5;
const BPF_MAP_LOOKUP_AND_DELETE_ELEM = 21;
const BPF_MAP_LOOKUP_BATCH = 24;
const mapTypes = { hash: 1, 'lru-hash': 9 } as const;
const BPF_PROG_TYPE_SOCKET_FILTER = 1;
/** Errors and figures alone: with every instruction the log of a long program is cut before its end. */
const BPF_LOG_STATS = 4;
const systemCalls: Partial<Record<NodeJS.Architecture, bigint>> = { x64: 321n, arm64: 280n };

interface MapLayout {
  readonly keyBytes: number;
  readonly valueBytes: number;
  /** Entries at most. */
  readonly capacity: number;
  /** A full `lru-hash` drops the entry that was used longest ago; `hash`, the default, takes no more. */
  readonly type?: keyof typeof mapTypes;
}

/** A hash map of the kernel that a filter fills; it lasts until its `fd` and the filters that use it are closed. */
export interface BpfMap extends MapLayout {
  readonly fd: number;
  /** What the last reading found: key n at n × keyBytes, value n at n × valueBytes. */
  readonly keys: Buffer;
  readonly values: Buffer;
}

/** @throws {SystemError} EPERM without CAP_BPF, and before Linux 5.11 where the limit of locked memory is low */
export function createMap({ keyBytes, valueBytes, capacity, type = 'hash' }: MapLayout): BpfMap {
  const fd = bpf(BPF_MAP_CREATE, [
    [0, mapTypes[type]],
    [4, keyBytes],
    [8, valueBytes],
    [12, capacity],
  ]);
  const keys = Buffer.alloc(capacity * keyBytes);
  const values = Buffer.alloc(capacity * valueBytes);
  return { keyBytes, valueBytes, capacity, fd, keys, values };
}

/** Reads all entries into the map's buffers and returns how many. None may be taken out meanwhile: some would be missing. */
export function readMap(map: BpfMap): number {
  try {
    return readAtOnce(map);
  } catch (error) {
    // Before Linux 5.6.
    if (error instanceof SystemError && error.code === 'EINVAL') return readOneByOne(map);
    throw error;
  }
}

function readAtOnce({ fd, keys, values, capacity }: BpfMap): number {
  const cursor = Buffer.alloc(8);
  const call = request([
    [8, cursor],
    [16, keys],
    [24, values],
    [32, capacity],
    [36, fd],
  ]);
  // ENOENT says that nothing is left. The kernel stops earlier only if more entries pass than the map holds.
  isThere(() => submit(BPF_MAP_LOOKUP_BATCH, call));
  return call.readUInt32LE(32);
}

/** As readMap, with two calls an entry. */
export function readOneByOne(map: BpfMap): number {
  const { fd, keyBytes, valueBytes, capacity, keys, values } = map;
  for (let index = 0; index < capacity; index++) {
    const start = index * keyBytes;
    const key = keys.subarray(start, start + keyBytes);
    // No key asks for the first.
    const previous: Fields = index === 0 ? [] : [[8, keys.subarray(start - keyBytes, start)]];
    if (!isThere(() => bpf(BPF_MAP_GET_NEXT_KEY, [[0, fd], ...previous, [16, key]]))) return index;
    lookup(map, key, values.subarray(index * valueBytes, (index + 1) * valueBytes));
  }
  return capacity;
}

/** Adds an entry or replaces its value. @throws {SystemError} E2BIG if a `hash` is full */
export function setEntry(map: BpfMap, key: Buffer, value: Buffer): void {
  bpf(BPF_MAP_UPDATE_ELEM, [
    [0, map.fd],
    [8, key],
    [16, value],
  ]);
}

/** Takes an entry out of the map, and returns its value; undefined if there is none. */
export function takeEntry(map: BpfMap, key: Buffer): Buffer | undefined {
  const value = Buffer.alloc(map.valueBytes);
  try {
    const fields: Fields = [
      [0, map.fd],
      [8, key],
      [16, value],
    ];
    return isThere(() => bpf(BPF_MAP_LOOKUP_AND_DELETE_ELEM, fields)) ? value : undefined;
  } catch (error) {
    // ENOTSUPP, before Linux 5.14.
    if (error instanceof SystemError && error.code === 'errno 524') return takeInTwoSteps(map, key);
    throw error;
  }
}

/** As takeEntry; what is counted between the two steps is lost. */
export function takeInTwoSteps(map: BpfMap, key: Buffer): Buffer | undefined {
  const value = Buffer.alloc(map.valueBytes);
  if (!lookup(map, key, value)) return undefined;
  const fields: Fields = [
    [0, map.fd],
    [8, key],
  ];
  return isThere(() => bpf(BPF_MAP_DELETE_ELEM, fields)) ? value : undefined;
}

function lookup({ fd }: BpfMap, key: Buffer, value: Buffer): boolean {
  const fields: Fields = [
    [0, fd],
    [8, key],
    [16, value],
  ];
  return isThere(() => bpf(BPF_MAP_LOOKUP_ELEM, fields));
}

function isThere(call: () => unknown): boolean {
  try {
    call();
    return true;
  } catch (error) {
    if (error instanceof SystemError && error.code === 'ENOENT') return false;
    throw error;
  }
}

const instructionBytes = 8;

/** Returns the file descriptor of a socket filter. @throws {SystemError} EPERM, …; if it is refused, with the reason */
export function loadSocketFilter(program: Buffer): number {
  // The helpers that the filter calls ask for no particular licence.
  const license = Buffer.from('MIT\0');
  const fields: Fields = [
    [0, BPF_PROG_TYPE_SOCKET_FILTER],
    [4, program.length / instructionBytes],
    [8, program],
    [16, license],
  ];
  try {
    return bpf(BPF_PROG_LOAD, fields);
  } catch (error) {
    if (error instanceof SystemError && error.code === 'EACCES') error.message += `: ${refusal(fields)}`;
    throw error;
  }
}

/** The last words of the kernel's verifier on a program that it has refused. */
function refusal(fields: Fields): string {
  const log = Buffer.alloc(1 << 16);
  try {
    bpf(BPF_PROG_LOAD, [...fields, [24, BPF_LOG_STATS], [28, log.length], [32, log]]);
  } catch {
    // It is refused again, and this time the log says why.
  }
  return log.toString('latin1', 0, log.indexOf(0)).trimEnd().slice(-500);
}

/** By offset in `union bpf_attr`: a number of 32 bits, or the address of a buffer. */
type Fields = readonly (readonly [offset: number, value: number | Buffer])[];

// What follows the fields that a kernel knows must be zero.
const attributeBytes = 128;

// What the kernel has only the address of must not be collected before the call: this keeps it.
let lent: Fields = [];

function request(fields: Fields): Buffer {
  lent = fields;
  const bytes = Buffer.alloc(attributeBytes);
  for (const [offset, value] of lent)
    if (typeof value === 'number') bytes.writeUInt32LE(value, offset);
    else bytes.writeBigUInt64LE(getRawPointer(value), offset);
  return bytes;
}

function bpf(command: number, fields: Fields): number {
  return submit(command, request(fields));
}

/** @throws {SystemError} ENOSYS where we do not know the system call */
function submit(command: number, bytes: Buffer): number {
  const number = systemCalls[process.arch];
  if (number === undefined) throw new SystemError('ENOSYS', 'bpf');
  return checked(libc().syscall(number, BigInt(command), bytes, BigInt(bytes.length)), 'bpf');
}
