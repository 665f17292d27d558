import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { testCertificates } from '../../testing/certificates.ts';
import { certificateDetail, factsOf, isIssuedFor } from './certificate.ts';

const certificates = await testCertificates();
const certificateOf = (name: keyof typeof certificates): X509Certificate =>
  new X509Certificate(certificates[name].certificate);

test('a certificate is good for the names it lists, a wildcard for exactly one label, an address only as an address', () => {
  const cases: readonly (readonly [keyof typeof certificates, string, boolean])[] = [
    ['good', 'localhost', true],
    ['good', 'LOCALHOST', true],
    ['good', 'localhost.', true],
    ['good', 'localhost.evil.test', false],
    ['good', '127.0.0.1', true],
    ['good', '::1', true],
    ['good', '127.0.0.2', false],
    ['wildcard', 'a.example.test', true],
    ['wildcard', 'example.test', false],
    ['wildcard', 'a.b.example.test', false],
    ['wildcard', '.example.test', false],
    ['wildcard', 'www.partial.test', false],
    ['wildcard', '127.0.0.1', false],
    ['wildcard', 'localhost', false],
    ['withoutNames', 'localhost', false],
  ];
  for (const [name, serverName, good] of cases)
    assert.equal(isIssuedFor(certificateOf(name), serverName), good, `${name} for ${serverName}`);
});

test('a certificate in an outcome is its names and its time', () => {
  const { subject, issuer, validTo } = certificateDetail(factsOf(certificateOf('good')));
  assert.equal(subject, 'CN=localhost');
  assert.equal(issuer, 'CN=Watchkeeper test CA');
  assert.match(validTo ?? '', /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  assert.deepEqual(certificateDetail(undefined), {});
});
