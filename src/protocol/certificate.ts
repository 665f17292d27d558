import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';

export interface SelfMadeCertificate {
  /** PEM. */
  readonly certificate: string;
  /** PEM, PKCS #8. */
  readonly key: string;
}

const oid = {
  // 1.2.840.10045.4.3.2 ecdsa-with-SHA256 (RFC 5758, section 3.2)
  ecdsaWithSha256: '2a8648ce3d040302',
  // 2.5.4.3 commonName
  commonName: '550403',
};

/**
 * A self-signed X.509 certificate (RFC 5280, section 4.1) on P-256, valid from yesterday for thirty years. It only
 * serves the encryption: the signatures of the greeting prove who is at the other end.
 */
export function createCertificate(commonName: string, now: number): SelfMadeCertificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = sequence(der(0x06, Buffer.from(oid.ecdsaWithSha256, 'hex')));
  const name = sequence(
    der(0x31, sequence(der(0x06, Buffer.from(oid.commonName, 'hex')), der(0x0c, Buffer.from(commonName)))),
  );
  const validity = sequence(time(now - 86_400_000), time(now + 30 * 365 * 86_400_000));
  const version3 = der(0xa0, der(0x02, Buffer.from([2])));
  // The first bit of a serial number is its sign.
  const serial = der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(15)]));
  const subjectKey = publicKey.export({ type: 'spki', format: 'der' });
  const toBeSigned = sequence(version3, serial, algorithm, name, validity, name, subjectKey);
  const signature = der(0x03, Buffer.concat([Buffer.from([0]), sign('sha256', toBeSigned, privateKey)]));
  const body = sequence(toBeSigned, algorithm, signature)
    .toString('base64')
    .replace(/.{64}(?=.)/g, '$&\n');
  return {
    certificate: `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
  };
}

/** Tag, length, content (X.690, section 8.1). */
function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const long = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...(length < 0x80 ? [length] : long)]), content]);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(0x30, Buffer.concat(parts));
}

/** UTCTime until 2049, GeneralizedTime from 2050 on (RFC 5280, section 4.1.2.5). */
function time(epochMs: number): Buffer {
  const digits = new Date(epochMs).toISOString().replace(/[-:T]|\.\d+/g, '');
  return digits < '2050' ? der(0x17, Buffer.from(digits.slice(2))) : der(0x18, Buffer.from(digits));
}
