import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as ebpf from './ebpf.ts';
import { assemble, at, type Instruction, r0, r1, r2, r6, r10 } from './ebpf.ts';

const hex = (...program: Instruction[]): string => assemble(program).toString('hex');

test('instructions have the bytes that RFC 9669 gives them', () => {
  // Code, registers (source, destination), offset and constant, the last two from the low byte on.
  const cases: readonly (readonly [Instruction, string])[] = [
    [ebpf.move(r6, r1), 'bf16000000000000'],
    [ebpf.move(r0, -1), 'b7000000ffffffff'],
    [ebpf.add(r2, -24), '07020000e8ffffff'],
    [ebpf.add(r0, r6), '0f60000000000000'],
    [ebpf.subtract(r1, 1), '1701000001000000'],
    [ebpf.multiply(r0, r1), '2f10000000000000'],
    [ebpf.and(r1, 0x1fff), '57010000ff1f0000'],
    [ebpf.shiftLeft(r0, 2), '6700000002000000'],
    [ebpf.shiftRight(r0, 4), '7700000004000000'],
    [ebpf.fromNetworkOrder(r0, 16), 'dc00000010000000'],
    [ebpf.load(r0, 'u8', at(r10, -64)), '71a0c0ff00000000'],
    [ebpf.load(r0, 'u16', at(r6, 2)), '6960020000000000'],
    [ebpf.load(r0, 'u32', at(r6, 40)), '6160280000000000'],
    [ebpf.load(r0, 'u64', at(r6, 8)), '7960080000000000'],
    [ebpf.store('u32', at(r10, -24), r0), '630ae8ff00000000'],
    [ebpf.store('u16', at(r10, -6), 0xffff), '6a0afaffffff0000'],
    [ebpf.addAtomically(at(r0, 16), r1), 'db10100000000000'],
    [ebpf.call(26), '850000001a000000'],
    [ebpf.exit(), '9500000000000000'],
  ];
  for (const [instruction, bytes] of cases) assert.equal(hex(instruction), bytes);
});

test('the address of a map takes two slots', () => {
  assert.equal(hex(...ebpf.loadMap(r1, 7)), '18110000070000000000000000000000');
});

test('jumps count the instructions between them and their label, either way', () => {
  assert.equal(
    hex(
      ebpf.label('start'),
      ebpf.jumpIf([r0, '==', 0x86dd], 'end'),
      ebpf.jumpIf([r0, '<', r1], 'end'),
      ebpf.jump('start'),
      ebpf.label('end'),
      ebpf.exit(),
    ),
    '15000200dd860000ad100100000000000500fdff000000009500000000000000',
  );
});

test('a label that is missing, or there twice, is named', () => {
  assert.throws(() => hex(ebpf.jump('nowhere')), /a jump goes to "nowhere", and there is no such label/);
  assert.throws(() => hex(ebpf.label('a'), ebpf.exit(), ebpf.label('a')), /the label "a" is there twice/);
});
