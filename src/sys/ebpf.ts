import { Buffer } from 'node:buffer';

/**
 * An assembler for eBPF (RFC 9669): instructions as a list that reads from top to bottom, in the byte order of
 * x64 and arm64. Comparisons are unsigned, calculations are of 64 bits.
 */

export interface Register {
  readonly register: number;
}

/** Where to read or write: so many bytes behind the address in a register. */
export interface MemoryOperand {
  readonly base: Register;
  readonly offset: number;
}

export type Comparison = keyof typeof jumps;
export type Condition = readonly [left: Register, comparison: Comparison, right: Register | number];
export type Width = keyof typeof widths;

export type Instruction =
  | { readonly label: string }
  | {
      readonly code: number;
      readonly destination?: Register;
      readonly source?: Register | undefined;
      readonly offset?: number;
      readonly constant?: number;
      /** The label that a jump goes to. */
      readonly target?: string;
    };

const r = (register: number): Register => ({ register });
/** r0 takes what a call returns, r1 to r5 its arguments; r6 to r9 outlive it; r10 is the end of the stack. */
export const [r0, r1, r2, r3, r4, r6, r7, r8, r9, r10] = [r(0), r(1), r(2), r(3), r(4), r(6), r(7), r(8), r(9), r(10)];

// RFC 9669 sections 4 and 5: classes, then the bits that tell a constant from a register, then operations.
const LDX = 0x01;
const ST = 0x02;
const STX = 0x03;
const ALU = 0x04;
const JMP = 0x05;
const ALU64 = 0x07;
const fromRegister = 0x08;
const widths = { u32: 0x00, u16: 0x08, u8: 0x10, u64: 0x18 } as const;
const MEM = 0x60;
const ATOMIC = 0xc0;
const jumps = { '==': 0x10, '>': 0x20, '>=': 0x30, '&': 0x40, '!=': 0x50, '<': 0xa0, '<=': 0xb0 } as const;

export const at = (base: Register, offset: number): MemoryOperand => ({ base, offset });

export const move = calculation(0xb0);
export const add = calculation(0x00);
export const subtract = calculation(0x10);
export const multiply = calculation(0x20);
export const or = calculation(0x40);
export const and = calculation(0x50);
export const shiftLeft = calculation(0x60);
export const shiftRight = calculation(0x70);

function calculation(operation: number) {
  return (destination: Register, value: Register | number): Instruction => ({
    code: ALU64 | operation | (isRegister(value) ? fromRegister : 0),
    destination,
    ...operand(value),
  });
}

/** Turns a number of 16 or 32 bits from network order to that of the machine. */
export function fromNetworkOrder(destination: Register, bits: 16 | 32): Instruction {
  return { code: ALU | 0xd0 | fromRegister, destination, constant: bits };
}

export function load(destination: Register, width: Width, { base, offset }: MemoryOperand): Instruction {
  return { code: LDX | MEM | widths[width], destination, source: base, offset };
}

export function store(width: Width, { base, offset }: MemoryOperand, value: Register | number): Instruction {
  return {
    code: (isRegister(value) ? STX : ST) | MEM | widths[width],
    destination: base,
    offset,
    ...operand(value),
  };
}

/** Adds to a number of 64 bits that other processors add to as well. */
export function addAtomically({ base, offset }: MemoryOperand, source: Register): Instruction {
  return { code: STX | ATOMIC | widths.u64, destination: base, source, offset };
}

/** The address of a map by its file descriptor: one instruction of two slots (section 5.4). */
export function loadMap(destination: Register, fd: number): readonly Instruction[] {
  return [{ code: 0x18, destination, source: r1, constant: fd }, { code: 0 }];
}

export const label = (name: string): Instruction => ({ label: name });
export const jump = (target: string): Instruction => ({ code: JMP, target });
export const call = (helper: number): Instruction => ({ code: JMP | 0x80, constant: helper });
export const exit = (): Instruction => ({ code: JMP | 0x90 });

export function jumpIf([left, comparison, right]: Condition, target: string): Instruction {
  return {
    code: JMP | jumps[comparison] | (isRegister(right) ? fromRegister : 0),
    destination: left,
    target,
    ...operand(right),
  };
}

function operand(value: Register | number): { readonly source: Register } | { readonly constant: number } {
  return isRegister(value) ? { source: value } : { constant: value };
}

function isRegister(value: Register | number): value is Register {
  return typeof value !== 'number';
}

export const instructionBytes = 8;

/** The program as the kernel takes it. @throws {RangeError} a label that is missing or there twice */
export function assemble(program: readonly Instruction[]): Buffer {
  const labels = new Map<string, number>();
  let slots = 0;
  for (const instruction of program)
    if (!('label' in instruction)) slots++;
    else if (labels.has(instruction.label)) throw new RangeError(`the label "${instruction.label}" is there twice`);
    else labels.set(instruction.label, slots);
  const bytes = Buffer.alloc(slots * instructionBytes);
  let slot = 0;
  for (const instruction of program) {
    if ('label' in instruction) continue;
    const { code, destination = r0, source = r0, constant = 0, target } = instruction;
    const offset = target === undefined ? (instruction.offset ?? 0) : slotOf(target, labels) - slot - 1;
    const start = slot++ * instructionBytes;
    bytes.writeUInt8(code, start);
    bytes.writeUInt8(destination.register | (source.register << 4), start + 1);
    bytes.writeInt16LE(offset, start + 2);
    // A constant of the upper half (0xffff0000) has the same 32 bits as its negative twin.
    bytes.writeInt32LE(constant | 0, start + 4);
  }
  return bytes;
}

function slotOf(target: string, labels: ReadonlyMap<string, number>): number {
  const slot = labels.get(target);
  if (slot === undefined) throw new RangeError(`a jump goes to "${target}", and there is no such label`);
  return slot;
}
