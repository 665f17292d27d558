import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { Failure } from '../../core/failure.ts';
import type { Reason } from '../../core/outcome.ts';
import { certificateFolder, issueCertificate, makeRoot, type TestCertificate } from '../../testing/certificates.ts';
import { ocspResponse } from '../../testing/ocsp.ts';
import { handshake, presenting, tlsServer } from '../../testing/tls-server.ts';
import { DerError } from '../packets/der.ts';
import { readOcspResponse } from '../packets/ocsp.ts';
import { readCertificate } from '../packets/x509.ts';
import { certificateOf } from './certificate.ts';
import { readStaple } from './staple.ts';

const folder = await certificateFolder();
const ca = await makeRoot(folder, 'ca', 'Lab root');
const otherCa = await makeRoot(folder, 'otherCa', 'Other root');
const names = 'DNS:localhost';
const own = await issueCertificate(folder, 'own', { subject: 'localhost', names });
const sibling = await issueCertificate(folder, 'sibling', { subject: 'localhost', names });
const mustStaple = await issueCertificate(folder, 'mustStaple', {
  subject: 'localhost',
  names,
  extensions: ['tlsfeature=status_request'],
});
const forOcsp = { extensions: ['extendedKeyUsage=OCSPSigning'] };
const responder = await issueCertificate(folder, 'responder', { subject: 'Responder', ...forOcsp });
const foreign = await issueCertificate(folder, 'foreign', { subject: 'Responder', signer: 'otherCa', ...forOcsp });
const unfit = await issueCertificate(folder, 'unfit', { subject: 'Unfit responder' });
const rsa = await issueCertificate(folder, 'rsa', { subject: 'RSA responder', key: ['rsa:2048'], ...forOcsp });
const over = await issueCertificate(folder, 'over', { subject: 'Over', fromDays: -9, toDays: -1, ...forOcsp });

const about = { certificate: own, issuer: ca };
const good = await ocspResponse(folder, { ...about, status: 'good' });
const revoked = await ocspResponse(folder, { ...about, status: 'revoked' });
const ofSibling = await ocspResponse(folder, { certificate: sibling, issuer: ca, status: 'good' });
const minuteMs = 60_000;

function withBrokenSignature(der: Buffer): Buffer {
  const copy = Buffer.from(der);
  // A view of the copy.
  const { signature } = readOcspResponse(copy);
  signature[signature.length - 1] = (signature.at(-1) ?? 0) ^ 1;
  return copy;
}

const staple = (der: Buffer, nowMs = Date.now()) =>
  readStaple(der, { certificate: read(own), issuer: read(ca), nowMs });
const read = ({ certificate }: TestCertificate) => certificateOf(new X509Certificate(certificate));

test('CK2: a response of the issuer, or of a responder that it certified for this, is believed', async () => {
  assert.equal(staple(good).verdict, 'good');
  assert.equal(staple(await ocspResponse(folder, { ...about, status: 'unknown' })).verdict, 'unknown');
  const { verdict, revokedAtMs } = staple(revoked);
  assert.deepEqual([verdict, revokedAtMs], ['revoked', Date.UTC(2026, 0, 15, 12)]);
  for (const byKey of [false, true]) {
    const delegated = await ocspResponse(folder, { ...about, signer: responder, status: 'revoked', byKey });
    assert.equal(staple(delegated).verdict, 'revoked');
    const direct = await ocspResponse(folder, { ...about, status: 'good', byKey });
    assert.equal(staple(direct).verdict, 'good');
  }
});

test('CK2: a response that is signed by RSA-PSS is believed, whatever its hash and salt', async () => {
  for (const [hash, salt] of [
    ['sha256', '32'],
    ['sha384', '48'],
    ['sha512', '20'],
    ['sha1', '20'],
  ] as const) {
    const signature = ['-rmd', hash, '-rsigopt', 'rsa_padding_mode:pss', '-rsigopt', `rsa_pss_saltlen:${salt}`];
    const der = await ocspResponse(folder, { ...about, signer: rsa, status: 'revoked', signature });
    assert.equal(staple(der).verdict, 'revoked', `${hash} ${salt}`);
    assert.deepEqual(staple(withBrokenSignature(der)), { verdict: 'invalid', why: 'its signature does not verify' });
  }
});

test('CK2: a response whose signature can be forged, or mixes hashes, proves nothing and says why', async () => {
  const signed = { ...about, signer: rsa, status: 'good' } as const;
  const md5 = await ocspResponse(folder, { ...signed, signature: ['-rmd', 'md5'] });
  assert.equal(staple(md5).why, 'its signature uses MD5, which can be forged');
  const signature = ['-rmd', 'sha256', '-rsigopt', 'rsa_padding_mode:pss', '-rsigopt', 'rsa_mgf1_md:sha1'];
  const mixed = await ocspResponse(folder, { ...signed, signature });
  assert.match(staple(mixed).why ?? '', /RSA-PSS signature has parameters that are not known/);
});

const signedBy = (signer: TestCertificate) => ocspResponse(folder, { ...about, signer, status: 'good' });

test('CK2: a response proves nothing about another certificate, from someone else, out of its time, or changed', async () => {
  const cases: readonly (readonly [Buffer, RegExp, number?])[] = [
    [ofSibling, /about another certificate/],
    [await signedBy(foreign), /not certified by the issuer/],
    [await signedBy(otherCa), /not certified by the issuer/],
    [await signedBy(unfit), /not meant for OCSP/],
    [await signedBy(over), /certificate is out of its time/],
    [withBrokenSignature(good), /signature does not verify/],
    [good, /valid until/, Date.now() + 66 * minuteMs],
    [good, /valid only from/, Date.now() - 6 * minuteMs],
    [Buffer.from([0x30, 3, 0x0a, 1, 3]), /the responder answered tryLater/],
    [Buffer.from([0x30, 3, 0x0a, 1, 6]), /the responder answered unauthorized/],
    [Buffer.from('no DER'), /expected|length/],
    [Buffer.alloc(0), /the bytes end/],
    [good.subarray(0, 100), /expected \d+ bytes/],
  ];
  for (const [der, why, nowMs] of cases) {
    const { verdict, why: told = '' } = staple(der, nowMs);
    assert.equal(verdict, 'invalid', told);
    assert.match(told, why);
  }
  assert.equal(staple(good, Date.now() + 64 * minuteMs).verdict, 'good', 'clocks may differ by five minutes');
  assert.equal(staple(good, Date.now() - 4 * minuteMs).verdict, 'good');
});

function assertReadOrRefused(certificate: Buffer): void {
  try {
    readCertificate(certificate);
  } catch (error) {
    assert.ok(error instanceof DerError, String(error));
  }
}

test('CK2: whatever the bytes, a response is read or refused', () => {
  const changes = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(changes, (changes) => {
      const der = Buffer.from(good);
      for (const [at, byte] of changes) der[at] = byte;
      if (!der.equals(good)) assert.notEqual(staple(der).verdict, 'revoked');
    }),
  );
  const certificate = read(mustStaple).x509.raw;
  fc.assert(
    fc.property(fc.nat(certificate.length - 1), fc.nat(255), (at, byte) => {
      const der = Buffer.from(certificate);
      der[at] = byte;
      assertReadOrRefused(der);
    }),
    { numRuns: 3000 },
  );
  for (const [bytes, parse] of [
    [good, readOcspResponse],
    [certificate, readCertificate],
  ] as const)
    for (let length = 0; length < bytes.length; length++)
      assert.throws(() => parse(bytes.subarray(0, length)), DerError, `${length} bytes`);
});

interface Case {
  readonly what: string;
  readonly server: TestCertificate;
  readonly staple?: Buffer;
  readonly ocsp?: 'require';
  readonly reason?: Reason;
  readonly message?: RegExp;
  readonly oddity?: RegExp;
}

const cases: readonly Case[] = [
  { what: 'no response', server: own },
  { what: 'a good response', server: own, staple: good },
  { what: 'a good response that is required', server: own, staple: good, ocsp: 'require' },
  {
    what: 'a response that says revoked',
    server: own,
    staple: revoked,
    reason: 'tls-revoked',
    message: /its issuer revoked it on 2026-01-15, says the OCSP response that came with it/,
  },
  {
    what: 'a response about another certificate',
    server: own,
    staple: ofSibling,
    oddity: /proves nothing: it is about another certificate/,
  },
  {
    what: 'a certificate that must come with a response, without one',
    server: mustStaple,
    oddity: /RFC 7633.*none came/,
  },
  {
    what: 'no response where one is required',
    server: own,
    ocsp: 'require',
    reason: 'tls-untrusted',
    message: /none came/,
  },
  {
    what: 'a response that proves nothing where one is required',
    server: own,
    staple: ofSibling,
    ocsp: 'require',
    reason: 'tls-untrusted',
    message: /the one that came proves nothing: it is about another certificate/,
  },
];

for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const)
  for (const given of cases)
    test(`CK2: ${given.what}, by ${maxVersion}`, async () => {
      const { server: certificate, staple, ocsp = 'staple', reason, message = /./, oddity } = given;
      await using server = await tlsServer({ ...presenting(certificate), maxVersion, ...(staple && { staple }) });
      const ended = await handshake(server, { ca: ca.certificate, ocsp }).catch((error: unknown) => error);
      if (ended instanceof Failure) {
        assert.equal(ended.reason, reason, ended.message);
        assert.match(ended.message, message);
        return;
      }
      assert.equal(reason, undefined, 'the handshake succeeded');
      const { oddities } = await handshake(server, { ca: ca.certificate, ocsp });
      assert.equal(oddities.length, oddity ? 1 : 0, oddities.join(' '));
      if (oddity) assert.match(oddities[0] ?? '', oddity);
    });

test('CK2: a revoked certificate is told where it need not be verified', async () => {
  await using server = await tlsServer({ ...presenting(own), staple: revoked });
  const { ocsp, faults } = await handshake(server, { ca: ca.certificate, verify: false });
  assert.equal(ocsp, 'revoked');
  assert.match(faults.join(), /^its issuer revoked it/);
});
