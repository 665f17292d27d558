import assert from 'node:assert/strict';
import { getRawPointer } from 'node:ffi';
import { test } from 'node:test';
import { type BpfMap, createMap, loadSocketFilter, readMap, readOneByOne, takeEntry, takeInTwoSteps } from './bpf.ts';
import { checked, libc, SystemError } from './libc.ts';
import { closeSocket } from './socket.ts';

const skip = process.getuid?.() === 0 ? false : 'eBPF needs root, or CAP_BPF';
const capacity = 300;

/** A map in which key n, of 4 bytes, has the value 3 × n, of 8. */
function mapOf(entries: number): BpfMap & Disposable {
  const map = createMap({ keyBytes: 4, valueBytes: 8, capacity });
  for (let key = 0; key < entries; key++) put(map, key);
  return { ...map, [Symbol.dispose]: () => closeSocket(map.fd) };
}

function keyOf(number: number): Buffer {
  const key = Buffer.alloc(4);
  key.writeUInt32LE(number);
  return key;
}

// In the program only filters write into maps.
function put(map: BpfMap, number: number): void {
  const BPF_MAP_UPDATE_ELEM = 2n;
  const key = keyOf(number);
  const value = Buffer.alloc(8);
  value.writeUInt32LE(3 * number);
  const request = Buffer.alloc(32);
  request.writeUInt32LE(map.fd, 0);
  request.writeBigUInt64LE(getRawPointer(key), 8);
  request.writeBigUInt64LE(getRawPointer(value), 16);
  checked(libc().syscall(process.arch === 'arm64' ? 280n : 321n, BPF_MAP_UPDATE_ELEM, request, 32n), 'bpf');
}

for (const [way, read] of [
  ['at once', readMap],
  ['one by one, as kernels before 5.6 have it', readOneByOne],
] as const)
  test(`a map is read whole ${way}: empty, with some entries and full`, { skip }, () => {
    for (const entries of [0, 1, 100, capacity]) {
      using map = mapOf(entries);
      const count = read(map);
      const found = Array.from({ length: count }, (_, index) => [
        map.keys.readUInt32LE(4 * index),
        map.values.readUInt32LE(8 * index),
      ]);
      const sorted = found.toSorted(([a = 0], [b = 0]) => a - b);
      assert.deepEqual(
        sorted,
        Array.from({ length: entries }, (_, key) => [key, 3 * key]),
      );
    }
  });

for (const [way, take] of [
  ['in one step', takeEntry],
  ['in two, as kernels before 5.14 have it', takeInTwoSteps],
] as const)
  test(`an entry is taken once, with its value, ${way}`, { skip }, () => {
    using map = mapOf(10);
    assert.equal(take(map, keyOf(7))?.readUInt32LE(0), 21);
    assert.equal(take(map, keyOf(7)), undefined);
    assert.equal(readMap(map), 9);
  });

test('a filter that the kernel refuses is an error that says why', { skip }, () => {
  // It ends without a result.
  const program = Buffer.from('9500000000000000', 'hex');
  assert.throws(
    () => loadSocketFilter(program),
    (error: unknown) =>
      error instanceof SystemError && error.code === 'EACCES' && error.message.includes('R0 !read_ok'),
  );
});
