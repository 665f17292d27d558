import { createHash, randomBytes } from 'node:crypto';

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

/** What the server keeps of a secret: it is random, so a plain hash is enough. */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}
