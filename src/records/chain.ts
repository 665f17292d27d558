import { createHmac, hash, randomBytes } from 'node:crypto';
import type { SensorName } from '../core/sensor.ts';
import type { SensorRecord } from '../core/record.ts';

/**
 * Records that cannot be changed unseen. Each line carries its number, the hash of the line before it, and a MAC with a key
 * that is hashed forward after each line: who takes over a machine finds no key of an earlier line, and cannot write one
 * anew. The links alone can be checked by anybody (`printf %s "$line" | openssl dgst -sha256 -binary | basenc --base64url`, without
 * the `=`, is the next line's `p`), the MACs by the server, which was told the first key before the first record.
 */
export interface ChainState {
  /** UUID v7 of the chain. */
  readonly chain: string;
  /** Number of the last line; 0 before the first. */
  readonly n: number;
  /** sha256 of the last line, base64url; before the first, of the chain's id. Undefined where lines before are not known. */
  readonly head: string | undefined;
  /** Key of the next line, base64url. */
  readonly key: string;
}

/** The writer's state of a chain; it always knows the previous line. */
export interface WrittenChain extends ChainState {
  readonly head: string;
}

/** The newest version of the records: each reads as its version says, so that old evidence still has the text it had. */
export const recordVersion = 2;

/** The sealed part: the record, the sensor, and the time by three clocks. */
export type RecordBody = SensorRecord & {
  readonly sensor: SensorName;
  /** Version of the record; 1 if it is absent. */
  readonly v?: typeof recordVersion;
  /** Wall clock of the agent, epoch milliseconds. */
  readonly at: number;
  /** Milliseconds since the boot that `boot` names, also of sleep; unaffected when the wall clock is set. */
  readonly monotonicMs: number;
  readonly boot: string;
};

export interface SealedLine {
  readonly n: number;
  /** The hash of the line before. */
  readonly previous: string;
  /** The line without its MAC. */
  readonly signed: string;
  readonly mac: string;
}

/**
 * Faults of a line: `malformed` is not in our format, `edited` does not match its MAC, `unlinked` matches it but does not
 * follow the known previous line.
 */
export type LineFault = 'malformed' | 'edited' | 'unlinked';

const keyBytes = 32;
const macBytes = 16;
// Must be one line: JSON allows a line feed between tokens, a file of lines does not.
// oxlint-disable-next-line no-control-regex -- these are the characters to refuse
const lineForm = /^(\{"n":([1-9]\d{0,14}),"p":"([\w-]{43})",[^\u0000-\u001f]*),"m":"([\w-]{22})"\}$/;

export function beginChain(chain: string): WrittenChain {
  return { chain, n: 0, head: hashOf(chain), key: randomBytes(keyBytes).toString('base64url') };
}

/** The next line of the chain, without a line end, and the state after it. */
export function seal(state: ChainState, body: RecordBody): { readonly line: string; readonly state: WrittenChain } {
  const n = state.n + 1;
  const text = JSON.stringify({ n, p: state.head, ...body });
  const signed = text.slice(0, -1);
  const line = `${signed},"m":"${macOf(state.key, signed)}"}`;
  return { line, state: { ...state, n, head: hashOf(line), key: nextKey(state.key) } };
}

/** The parts of a line; undefined if it is not a line of a chain. */
export function readLine(line: string): SealedLine | undefined {
  const [, signed, n, previous, mac] = lineForm.exec(line) ?? [];
  if (signed === undefined || previous === undefined || mac === undefined) return undefined;
  return { n: Number(n), previous, signed, mac };
}

/** The state after line `state.n + 1`, and that line's fault, if any. */
export function follow(
  state: ChainState,
  line: string,
): { readonly fault: LineFault | undefined; readonly state: WrittenChain } {
  const next = { ...state, n: state.n + 1, head: hashOf(line), key: nextKey(state.key) };
  return { fault: faultOf(state, line), state: next };
}

/** The state before line `n` when the lines up to it are missing. @throws {RangeError} backwards, or over a million lines */
export function skipTo(state: ChainState, n: number): ChainState {
  const missing = n - 1 - state.n;
  if (missing < 0 || missing > 1_000_000)
    throw new RangeError(`expected up to a million missing lines, got ${missing}`);
  let { key } = state;
  for (let line = 0; line < missing; line++) key = nextKey(key);
  return { ...state, n: n - 1, head: missing === 0 ? state.head : undefined, key };
}

/** sha256, base64url: how lines refer to each other. */
export function hashOf(text: string): string {
  return hash('sha256', text, 'base64url');
}

function faultOf({ n, head, key }: ChainState, line: string): LineFault | undefined {
  const sealed = readLine(line);
  if (sealed?.n !== n + 1) return 'malformed';
  if (macOf(key, sealed.signed) !== sealed.mac) return 'edited';
  return head === undefined || sealed.previous === head ? undefined : 'unlinked';
}

function macOf(key: string, signed: string): string {
  const mac = createHmac('sha256', Buffer.from(key, 'base64url')).update(signed).digest();
  return mac.subarray(0, macBytes).toString('base64url');
}

function nextKey(key: string): string {
  return hash('sha256', Buffer.from(key, 'base64url'), 'base64url');
}
