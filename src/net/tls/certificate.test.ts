import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { testCertificates } from '../../testing/certificates.ts';
import { certificateOf, isIssuedFor, isNameCovered } from './certificate.ts';

const certificates = await testCertificates();
const read = (name: keyof typeof certificates) => certificateOf(new X509Certificate(certificates[name].certificate));

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
  for (const [name, serverName, good] of cases) {
    assert.equal(isIssuedFor(read(name), serverName), good, `${name} for ${serverName}`);
    assert.equal(isNameCovered(read(name).facts.names, serverName), good, `${name} for ${serverName}, by its names`);
  }
});

async function openssl(...args: string[]): Promise<string> {
  const command = ['x509', '-in', certificates.good.certificatePath, '-noout', ...args];
  const { stdout } = await promisify(execFile)('openssl', command);
  return stdout.trim();
}

test('CK7: a certificate is known by serial number, fingerprint, key and names, as openssl prints them', async () => {
  const { facts } = read('good');
  assert.equal(`serial=${facts.serial}`, await openssl('-serial'));
  const fingerprint = (await openssl('-fingerprint', '-sha256')).replace(/^.*=/, '').replaceAll(':', '').toLowerCase();
  assert.equal(facts.fingerprint, fingerprint);
  const text = await openssl('-text');
  assert.match(text, new RegExp(`Public-Key: \\(${facts.keyBits} bit\\)`));
  assert.match(text, /NIST CURVE: P-256/);
  assert.equal(facts.keyType, 'EC P-256');
  assert.match(text, new RegExp(`Signature Algorithm: ${facts.signature}`));
  assert.deepEqual(facts.names, ['localhost', 'example.test', '127.0.0.1', '::1']);
  assert.equal(facts.subject, 'CN=localhost');
  assert.equal(facts.issuer, 'CN=Watchkeeper test CA');
});
