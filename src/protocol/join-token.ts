import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { bytesOf, type Transcript } from './identity.ts';

/** Lets one agent join once: a secret, and the pin of the server's key so that the agent knows whom it joins. */
export interface JoinToken {
  readonly serverPin: string;
  /** 256 random bits, base64url. */
  readonly secret: string;
}

const prefix = 'wk1';

export function createJoinToken(serverPin: string): JoinToken {
  return { serverPin, secret: randomBytes(32).toString('base64url') };
}

export function formatJoinToken({ serverPin, secret }: JoinToken): string {
  return `${prefix}.${serverPin}.${secret}`;
}

/** Undefined for a text that is no join token. */
export function parseJoinToken(text: string): JoinToken | undefined {
  const match = /^wk1\.([\w-]{43})\.([\w-]{43})$/.exec(text.trim());
  return match?.[1] !== undefined && match[2] !== undefined ? { serverPin: match[1], secret: match[2] } : undefined;
}

/** What the server keeps of a token: an id to find it by, and the key that proofs are checked with. Neither is the secret. */
export interface StoredToken {
  readonly id: string;
  readonly key: string;
}

export function storedToken(secret: string): StoredToken {
  const key = sha256(secret);
  return { id: sha256(key).slice(0, 22), key };
}

/**
 * Proof that the agent of this transcript holds the secret. It is bound to the agent's key and to the connection, so that
 * whoever hears it, the wrong server included, cannot join with it.
 */
export function proveJoin(secret: string, transcript: Transcript): string {
  return proof(storedToken(secret).key, transcript).toString('base64url');
}

export function verifyJoin(key: string, transcript: Transcript, given: string): boolean {
  const expected = proof(key, transcript);
  const actual = Buffer.from(given, 'base64url');
  return actual.length === expected.length && timingSafeEqual(actual, expected);
}

function proof(key: string, transcript: Transcript): Buffer {
  return createHmac('sha256', key).update(bytesOf('agent', transcript)).digest();
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
