import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { AppError } from '../../core/errors.ts';

const derive = promisify(argon2);

/** argon2id by the OWASP Password Storage Cheat Sheet (19 MiB, two passes, one lane); written as a PHC string. */
const cost = { memory: 19_456, passes: 2, parallelism: 1 } as const;
const saltBytes = 16;
const tagLength = 32;

/** Each takes 19 MiB for a while: without a bound, trying passwords would be a way to fill the memory. */
const maxWaiting = 20;
let waiting = 0;
let turn: Promise<unknown> = Promise.resolve();

/** What is kept of a password: `$argon2id$v=19$m=…,t=…,p=…$salt$hash`. @throws {AppError} unavailable, when too many wait */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(saltBytes);
  const hash = await inTurn(() => hashOf(password, { ...cost, salt }));
  return `$argon2id$v=19$m=${cost.memory},t=${cost.passes},p=${cost.parallelism}$${plain(salt)}$${plain(hash)}`;
}

/** Whether it is this password. Of nobody's it takes as long. @throws {AppError} unavailable, when too many wait */
export async function isPassword(password: string, kept: string | undefined): Promise<boolean> {
  const parts = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([\w+/]+)\$([\w+/]+)$/.exec(kept ?? nobodys);
  if (!parts) throw new AppError('internal', 'a password is kept in a form that this version does not know');
  const [memory = 0, passes = 0, parallelism = 0] = parts.slice(1, 4).map(Number);
  const [salt, expected] = parts.slice(4).map((part) => Buffer.from(part, 'base64')) as [Buffer, Buffer];
  const hash = await inTurn(() => hashOf(password, { memory, passes, parallelism, salt }));
  return timingSafeEqual(hash, expected) && kept !== undefined;
}

/** Of no account: no password gives it. */
const nobodys = `$argon2id$v=19$m=${cost.memory},t=${cost.passes},p=${cost.parallelism}$${'A'.repeat(22)}$${'A'.repeat(43)}`;

interface Derivation {
  readonly memory: number;
  readonly passes: number;
  readonly parallelism: number;
  readonly salt: Uint8Array;
}

async function hashOf(password: string, { memory, passes, parallelism, salt }: Derivation): Promise<Buffer> {
  const message = password.normalize('NFC');
  return await derive('argon2id', { message, nonce: salt, parallelism, tagLength, memory, passes });
}

/** One at a time: each keeps a core busy. */
async function inTurn<Value>(work: () => Promise<Value>): Promise<Value> {
  if (waiting >= maxWaiting)
    throw new AppError('unavailable', 'too many sign in at this moment: try again in a minute');
  waiting++;
  const mine = turn.then(work);
  turn = mine.catch(() => {});
  try {
    return await mine;
  } finally {
    waiting--;
  }
}

/** Base64 without padding, as PHC strings have it. */
function plain(bytes: Uint8Array): string {
  return Buffer.from(bytes)
    .toString('base64')
    .slice(0, Math.ceil((bytes.length * 8) / 6));
}
