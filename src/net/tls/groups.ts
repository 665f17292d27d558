/**
 * Key exchange groups (RFC 8446 section 4.2.7), as many as OpenSSL's own programs offer. Elliptic first: the hybrid with
 * ML-KEM doubles the cost of a handshake and its secrecy for decades is worth little to a check. A server that insists on
 * another than the first gets it, one round trip later.
 */
export const groups = [
  'X25519',
  'P-256',
  'X448',
  'P-384',
  'P-521',
  'X25519MLKEM768',
  'SecP256r1MLKEM768',
  'SecP384r1MLKEM1024',
  'ffdhe2048',
  'ffdhe3072',
  'ffdhe4096',
  'ffdhe6144',
  'ffdhe8192',
];

/** For messages: the ones that people know. */
export const groupNames = 'X25519, X448, P-256, P-384, P-521, ffdhe2048 to ffdhe8192 and hybrids with ML-KEM';
