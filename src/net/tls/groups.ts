/**
 * Key exchange groups (RFC 8446 section 4.2.7), as many as OpenSSL's own programs offer. The hybrids with ML-KEM come last:
 * they double the cost of a handshake, and their secrecy for decades is worth little to a check.
 */
export const groups = [
  'X25519',
  'P-256',
  'X448',
  'P-384',
  'P-521',
  'ffdhe2048',
  'ffdhe3072',
  'ffdhe4096',
  'ffdhe6144',
  'ffdhe8192',
  'X25519MLKEM768',
  'SecP256r1MLKEM768',
  'SecP384r1MLKEM1024',
];

/** For messages. */
export const groupNames = 'X25519, X448, P-256, P-384, P-521, ffdhe2048 to ffdhe8192 and hybrids with ML-KEM';

/**
 * The groups whose key shares go along with the first message. Making one for ML-KEM takes a sixth of the time of a
 * handshake; where it is missing and the server prefers it, the handshake takes one round trip more.
 */
export type KeyShares = 'X25519' | 'X25519 and ML-KEM';

/** For OpenSSL, which sends the share of the first, or of those with a star. */
export function groupList(shares: KeyShares): string {
  if (shares === 'X25519') return groups.join(':');
  return groups.map((group) => (group.startsWith('X25519') ? `*${group}` : group)).join(':');
}
