import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { bytesOf, type Transcript } from './identity.ts';

/**
 * Lets two sides meet once: a secret and the key pin of the side that made it, so that the other side knows whom it
 * meets. The server makes it for an agent that dials; an agent that is called makes it for its server.
 */
export interface JoinToken {
  readonly pin: string;
  /** 256 random bits, base64url. */
  readonly secret: string;
}

const prefix = 'wk1';

export function createJoinToken(pin: string): JoinToken {
  return { pin, secret: randomBytes(32).toString('base64url') };
}

export function formatJoinToken({ pin, secret }: JoinToken): string {
  return `${prefix}.${pin}.${secret}`;
}

/** Undefined for a text that is no join token. */
export function parseJoinToken(text: string): JoinToken | undefined {
  const match = /^wk1\.([\w-]{43})\.([\w-]{43})$/.exec(text.trim());
  return match?.[1] !== undefined && match[2] !== undefined ? { pin: match[1], secret: match[2] } : undefined;
}

/** The part of a token that the server stores: an id and the key that verifies proofs. Neither reveals the secret. */
export interface StoredToken {
  readonly id: string;
  readonly key: string;
}

export function storedToken(secret: string): StoredToken {
  const key = sha256(secret);
  return { id: sha256(key).slice(0, 22), key };
}

/**
 * Proof that the agent of this transcript holds the secret. It is bound to the agent's key and the connection, so that
 * nobody who sees it, not even a wrong server, can join with it.
 */
export function proveJoin(secret: string, transcript: Transcript): string {
  return proof(storedToken(secret).key, transcript).toString('base64url');
}

export function verifyJoin(key: string, transcript: Transcript, given: string): boolean {
  return isSame(proof(key, transcript), Buffer.from(given, 'base64url'));
}

/** What a calling server knows of the connection before the agent has sent anything. */
export type Opening = Pick<Transcript, 'serverKey' | 'serverNonce' | 'channelBinding'>;

/** Proof that the server of this connection holds the token that the agent made. */
export function provePairing(secret: string, { serverKey, serverNonce, channelBinding }: Opening): string {
  const opening = JSON.stringify(['watchkeeper pairing 1', serverKey, serverNonce, channelBinding]);
  return createHmac('sha256', storedToken(secret).key).update(opening).digest('base64url');
}

export function verifyPairing(secret: string, opening: Opening, given: string): boolean {
  return isSame(Buffer.from(provePairing(secret, opening)), Buffer.from(given));
}

function isSame(expected: Buffer, actual: Buffer): boolean {
  return actual.length === expected.length && timingSafeEqual(actual, expected);
}

function proof(key: string, transcript: Transcript): Buffer {
  return createHmac('sha256', key).update(bytesOf('agent', transcript)).digest();
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
