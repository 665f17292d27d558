import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  sign,
  verify,
} from 'node:crypto';

/** An Ed25519 key pair (RFC 8032); the private key never leaves the machine it was made on. */
export interface Identity {
  /** Raw 32 bytes, base64url. */
  readonly publicKey: string;
  /** PKCS #8 PEM. */
  readonly privateKeyPem: string;
}

export function createIdentity(): Identity {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  return {
    // An Ed25519 JWK has the raw public key as x (RFC 8037, section 2).
    publicKey: publicKey.export({ format: 'jwk' }).x ?? '',
    privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }),
  };
}

/** A short name for a public key that can be pinned: SHA-256, base64url. */
export function keyPin(publicKey: string): string {
  return createHash('sha256').update(Buffer.from(publicKey, 'base64url')).digest('base64url');
}

export function createNonce(): string {
  return randomBytes(32).toString('base64url');
}

/**
 * What both sides sign when a connection opens. Each signature covers both nonces, so that none can be replayed, and
 * the TLS exporter of this very connection (RFC 9266), so that nobody in the middle can pass it on.
 */
export interface Transcript {
  readonly serverKey: string;
  readonly agentKey: string;
  readonly serverNonce: string;
  readonly agentNonce: string;
  readonly agentId: string;
  readonly epoch: string;
  /** Exported keying material, base64url; empty without TLS. */
  readonly channelBinding: string;
}

export type Side = 'agent' | 'server';

export function signTranscript(identity: Identity, side: Side, transcript: Transcript): string {
  return signBytes(identity, bytesOf(side, transcript));
}

/** True if `side` signed this transcript with its key; false also for an invalid key. */
export function verifyTranscript(side: Side, transcript: Transcript, signature: string): boolean {
  const publicKey = side === 'agent' ? transcript.agentKey : transcript.serverKey;
  return verifyBytes(publicKey, bytesOf(side, transcript), signature);
}

/** An Ed25519 signature, base64url. The signed bytes must name their purpose, because one key signs several kinds of data. */
export function signBytes(identity: Identity, bytes: Uint8Array): string {
  return sign(null, bytes, createPrivateKey(identity.privateKeyPem)).toString('base64url');
}

/** False also for an invalid key or signature. */
export function verifyBytes(publicKey: string, bytes: Uint8Array, signature: string): boolean {
  try {
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: publicKey }, format: 'jwk' });
    return verify(null, bytes, key, Buffer.from(signature, 'base64url'));
  } catch {
    return false;
  }
}

/** The canonical bytes of a transcript for one side. */
export function bytesOf(side: Side, transcript: Transcript): Buffer {
  const { serverKey, agentKey, serverNonce, agentNonce, agentId, epoch, channelBinding } = transcript;
  return Buffer.from(
    JSON.stringify([
      'watchkeeper 1',
      side,
      serverKey,
      agentKey,
      serverNonce,
      agentNonce,
      agentId,
      epoch,
      channelBinding,
    ]),
  );
}
