import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { testCertificates } from '../testing/certificates.ts';
import { TextFiles } from '../testing/text-files.ts';
import { readConfig } from './config.ts';
import { formatMistake, formatWarning } from './mistake.ts';

const { good, expired, notYetValid, wrongName } = await testCertificates();
const locked = execFileSync('openssl', ['pkey', '-in', good.keyPath, '-aes256', '-passout', 'pass:x'], {
  encoding: 'utf8',
});
const der = execFileSync('openssl', ['x509', '-in', good.certificatePath, '-outform', 'DER'], { encoding: 'latin1' });

/** What is said of a `tls:` section with files of these texts; undefined is a file that is not there. */
function said(certificate: string | undefined, key: string | undefined) {
  using files = new TextFiles({
    ...(certificate !== undefined && { 'c.pem': certificate }),
    ...(key !== undefined && { 'k.pem': key }),
  });
  const { config, mistakes, warnings } = readConfig(
    [{ file: files.path('serve.yaml'), text: 'tls:\n  certificate: c.pem\n  key: k.pem\n' }],
    {},
  );
  const lines = [...mistakes.map(formatMistake), ...warnings.map(formatWarning)];
  return { tls: config?.server.tls, lines: lines.map((line) => line.replaceAll(`${files.folder}/`, '')) };
}

test('SF10: a pair that fits is taken, from the folder of the configuration', () => {
  const { tls, lines } = said(good.certificate, good.key);
  assert.deepEqual(lines, []);
  assert.deepEqual([tls?.certificate, tls?.key], [good.certificate, readFileSync(good.keyPath, 'utf8')]);
});

describe('SF10: what a server could not use is a mistake with file and line', () => {
  for (const [what, certificate, key, expected] of [
    [
      'no files',
      undefined,
      undefined,
      [
        'serve.yaml:2:16: tls.certificate: "c.pem" cannot be read: there is no such file',
        'serve.yaml:3:8: tls.key: "k.pem" cannot be read: there is no such file',
      ],
    ],
    [
      'empty files',
      '',
      '',
      [
        'serve.yaml:2:16: tls.certificate: expected a certificate in PEM (-----BEGIN CERTIFICATE-----) in "c.pem"',
        'serve.yaml:3:8: tls.key: expected a private key in PEM (-----BEGIN PRIVATE KEY-----) in "k.pem", got none',
      ],
    ],
    [
      'the two in each other’s place',
      good.key,
      good.certificate,
      [
        'serve.yaml:2:16: tls.certificate: expected a certificate in PEM (-----BEGIN CERTIFICATE-----) in "c.pem"',
        'serve.yaml:3:8: tls.key: expected a private key in PEM (-----BEGIN PRIVATE KEY-----) in "k.pem", got none',
      ],
    ],
    [
      'a certificate in DER',
      der,
      good.key,
      ['serve.yaml:2:16: tls.certificate: expected a certificate in PEM (-----BEGIN CERTIFICATE-----) in "c.pem"'],
    ],
    [
      'a certificate that is cut off',
      good.certificate.slice(0, 200),
      good.key,
      ['serve.yaml:2:16: tls.certificate: expected a certificate in PEM (-----BEGIN CERTIFICATE-----) in "c.pem"'],
    ],
    [
      'the key of another certificate',
      good.certificate,
      wrongName.key,
      ['serve.yaml:3:8: tls.key: expected the key of the certificate in "c.pem", got another'],
    ],
    [
      'a key with a passphrase',
      good.certificate,
      locked,
      [
        'serve.yaml:3:8: tls.key: expected a private key in PEM (-----BEGIN PRIVATE KEY-----) in "k.pem", got one that is protected by a passphrase, which nobody could type',
      ],
    ],
  ] as const)
    test(what, () => {
      const { tls, lines } = said(certificate, key);
      assert.deepEqual(lines, expected);
      assert.equal(tls, undefined);
    });
});

describe('SF10: a certificate outside its time is used, with a warning', () => {
  test('expired', () => {
    const { tls, lines } = said(expired.certificate, expired.key);
    assert.match(lines.join(), /^serve\.yaml:2:16: warning: tls\.certificate: this certificate expired on \d{4}-/);
    assert.ok(tls);
  });
  test('not yet valid', () => {
    const { lines } = said(notYetValid.certificate, notYetValid.key);
    assert.match(
      lines.join(),
      /^serve\.yaml:2:16: warning: tls\.certificate: this certificate is valid only from \d{4}-/,
    );
  });
});
