import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { Failure } from '../../core/failure.ts';
import type { SecureConnection } from '../../core/network.ts';
import {
  certificateFolder,
  issueCertificate,
  makeRoot,
  type Profile,
  type TestCertificate,
} from '../../testing/certificates.ts';
import { handshake, presenting, tlsServer, type TlsTestServer } from '../../testing/tls-server.ts';

const folder = await certificateFolder();
let made = 0;

const ca = await makeRoot(folder, 'ca', 'Lab root');
const otherCa = await makeRoot(folder, 'otherCa', 'Other root');
const leafNames = 'DNS:localhost,IP:127.0.0.1';

/** A certificate for localhost unless told otherwise; its signer by the name of its files. */
function issue(profile: Partial<Profile> & { readonly as?: string } = {}): Promise<TestCertificate> {
  const { as = `certificate${made++}`, ...rest } = profile;
  return issueCertificate(folder, as, { subject: 'localhost', names: leafNames, ...rest });
}

function issueAuthority(as: string, profile: Partial<Profile> = {}): Promise<TestCertificate> {
  const { names: _, ...rest } = profile;
  return issueCertificate(folder, as, { subject: `Lab ${as}`, isAuthority: true, ...rest });
}

/** The failure of a handshake; whoever expects one gets no connection. */
async function failureOf(work: Promise<SecureConnection>): Promise<Failure> {
  return await work.then(
    () => assert.fail('the handshake succeeded'),
    (error: unknown) => {
      if (error instanceof Failure) return error;
      throw error;
    },
  );
}

/** Whether curl takes the certificate under this CA: 60 is its code for one that it does not, 35 for a broken one. */
async function curlTakes({ port }: TlsTestServer, { certificatePath }: TestCertificate): Promise<boolean> {
  const url = `https://localhost:${port}/`;
  const args = ['-sS', '--noproxy', '*', '--cacert', certificatePath, '--resolve', `localhost:${port}:127.0.0.1`, url];
  const code = await new Promise<number>((resolve) =>
    execFile('curl', args, (error) => resolve(typeof error?.code === 'number' ? error.code : 0)),
  );
  assert.ok([0, 35, 60].includes(code), `curl ended with ${code}`);
  return code === 0;
}

const daysLeft = ({ expiresFirst }: SecureConnection): number =>
  Math.round(((expiresFirst?.validToMs ?? Number.NaN) - Date.now()) / 86_400_000);

const rolesOf = ({ certificates }: SecureConnection): readonly string[] =>
  certificates.map(({ role, sent, subject }) => `${role}${sent ? '' : ' (not sent)'} ${subject}`);

interface Case {
  readonly what: string;
  readonly chain: readonly TestCertificate[];
  readonly reason: string;
  readonly message: RegExp;
}

const permits = await issueAuthority('permits', { extensions: ['nameConstraints=permitted;DNS:allowed.test'] });
const excludes = await issueAuthority('excludes', { extensions: ['nameConstraints=excluded;DNS:localhost'] });
const excludesIp = await issueAuthority('excludesIp', {
  extensions: ['nameConstraints=excluded;IP:127.0.0.0/255.0.0.0'],
});
const last = await issueAuthority('last', { extensions: ['basicConstraints=critical,CA:TRUE,pathlen:0'] });
const below = await issueAuthority('below', { signer: 'last' });
const noAuthority = await issue({ as: 'noAuthority' });
const weakAuthority = await issueAuthority('weakAuthority', { key: ['rsa:1024'] });
const overAuthority = await issueAuthority('overAuthority', { fromDays: -30, toDays: -1 });
const tampered = await issue();

/** Its last byte belongs to the signature. */
function withBrokenSignature(certificate: TestCertificate): TestCertificate {
  const der = Buffer.from(certificate.certificate.replaceAll(/-----[^-]*-----/g, ''), 'base64');
  der[der.length - 1] = (der.at(-1) ?? 0) ^ 1;
  const pem = `-----BEGIN CERTIFICATE-----\n${der.toString('base64')}\n-----END CERTIFICATE-----\n`;
  return { ...certificate, certificate: pem };
}

const cases: readonly Case[] = [
  {
    what: 'a name outside what its issuer may certify',
    chain: [await issue({ signer: 'permits' }), permits],
    reason: 'tls-untrusted',
    message: /the name constraints of "CN=Lab permits" do not allow the name localhost\./,
  },
  {
    what: 'a name that its issuer may not certify',
    chain: [await issue({ signer: 'excludes' }), excludes],
    reason: 'tls-untrusted',
    message: /the name constraints of "CN=Lab excludes" do not allow the name localhost\./,
  },
  {
    what: 'an address that its issuer may not certify',
    chain: [await issue({ signer: 'excludesIp' }), excludesIp],
    reason: 'tls-untrusted',
    message: /the name constraints of "CN=Lab excludesIp" do not allow the name 127\.0\.0\.1\./,
  },
  {
    what: 'more authorities than one of them allows',
    chain: [await issue({ signer: 'below' }), below, last],
    reason: 'tls-untrusted',
    message: /"CN=Lab last" allows 0 authorities below it, its chain has 1\./,
  },
  {
    what: 'an issuer that is no authority',
    chain: [await issue({ signer: 'noAuthority' }), noAuthority],
    reason: 'tls-untrusted',
    message: /"CN=localhost", which its chain needs, is no certificate authority/,
  },
  {
    what: 'a certificate for clients only',
    chain: [await issue({ extensions: ['extendedKeyUsage=clientAuth'] })],
    reason: 'tls-untrusted',
    message: /it is not meant for TLS servers \(extended key usage\)/,
  },
  {
    what: 'a critical extension that nobody knows',
    chain: [await issue({ extensions: ['1.2.3.4.5=critical,DER:0500'] })],
    reason: 'tls-untrusted',
    message: /it has critical extensions that are not known: 1\.2\.3\.4\.5/,
  },
  {
    what: 'a signature with SHA-1',
    chain: [await issue({ digest: 'sha1' })],
    reason: 'tls-untrusted',
    message: /it is signed with a weak hash, SHA-1\./,
  },
  {
    what: 'a key of 1024 bits',
    chain: [await issue({ key: ['rsa:1024'] })],
    reason: 'tls-untrusted',
    message: /it has a weak key: RSA with 1024 bits, expected at least 2048\./,
  },
  {
    what: 'an issuer with a key of 1024 bits',
    chain: [await issue({ signer: 'weakAuthority' }), weakAuthority],
    reason: 'tls-untrusted',
    message: /"CN=Lab weakAuthority", which its chain needs, has a weak key: RSA with 1024 bits/,
  },
  {
    what: 'an issuer that has expired',
    chain: [await issue({ signer: 'overAuthority' }), overAuthority],
    reason: 'tls-expired',
    message: /"CN=Lab overAuthority", which its chain needs, expired on \d{4}-\d\d-\d\d\./,
  },
  {
    what: 'a signature that does not verify',
    chain: [withBrokenSignature(tampered), ca],
    reason: 'tls-untrusted',
    message: /the signature of "CN=Lab root" on it does not verify/,
  },
  {
    what: 'a chain that ends at an unknown root',
    chain: [await issue({ signer: 'otherCa' }), otherCa],
    reason: 'tls-untrusted',
    message: /its chain ends at "CN=Other root", which is not trusted here\. To trust it, pass --tls-ca FILE/,
  },
];

test('CB8: the first to expire on the way to the trusted certificate counts, and nothing beside the way', async () => {
  const soon = await issueAuthority('soon', { toDays: 3 });
  const own = await issue({ signer: 'soon', toDays: 90 });
  await using server = await tlsServer(presenting(own, soon));
  const secure = await handshake(server, { ca: ca.certificate });
  assert.equal(daysLeft(secure), 3);
  assert.deepEqual(rolesOf(secure), ['server CN=localhost', 'issuer CN=Lab soon', 'anchor (not sent) CN=Lab root']);

  const direct = await issue({ toDays: 60 });
  const superfluous = await issueAuthority('superfluous', { toDays: 1 });
  await using chatty = await tlsServer(presenting(direct, superfluous, soon, ca));
  const heard = await handshake(chatty, { ca: ca.certificate });
  assert.equal(daysLeft(heard), 60);
  assert.deepEqual(rolesOf(heard), [
    'server CN=localhost',
    'anchor CN=Lab root',
    'unused CN=Lab superfluous',
    'unused CN=Lab soon',
  ]);
});

test('CB8: of an issuer and its cross-signed twin the one that keeps the chain alive counts', async () => {
  const lasting = await issueAuthority('lasting', { toDays: 40 });
  const own = await issue({ signer: 'lasting', toDays: 90 });
  // The same name and key, certified by another root, and sooner over.
  const crossed = await issueCertificate(folder, 'crossed', {
    subject: 'Lab lasting',
    isAuthority: true,
    signer: 'otherCa',
    toDays: 2,
    keyFile: lasting.keyPath,
  });
  const cases = [
    { along: [crossed, lasting], trusted: [otherCa, ca], days: 40 },
    { along: [lasting, crossed], trusted: [otherCa, ca], days: 40 },
    { along: [lasting, crossed], trusted: [ca], days: 40 },
    { along: [crossed, lasting], trusted: [otherCa], days: 2 },
  ];
  for (const { along, trusted, days } of cases) {
    await using server = await tlsServer(presenting(own, ...along));
    const secure = await handshake(server, { ca: trusted.map(({ certificate }) => certificate).join('') });
    assert.equal(daysLeft(secure), days);
  }
  // OpenSSL does not look for a second issuer among those that were sent, and neither does curl.
  await using server = await tlsServer(presenting(own, crossed, lasting));
  assert.equal(await curlTakes(server, ca), false);
  const { message } = await failureOf(handshake(server, { ca: ca.certificate }));
  assert.match(
    message,
    /the order in which the server sent its certificates hides the way to a trusted one from OpenSSL/,
  );
});

test('CT1: an intermediate, and the server’s own certificate, can be trusted as such, as by curl', async () => {
  const middle = await issueAuthority('middle');
  const own = await issue({ signer: 'middle', toDays: 20 });
  await using server = await tlsServer(presenting(own));
  for (const trusted of [middle, own]) {
    const secure = await handshake(server, { ca: trusted.certificate });
    assert.equal(daysLeft(secure), 20);
    assert.ok(await curlTakes(server, trusted));
  }
  const failure = await failureOf(handshake(server, { ca: otherCa.certificate }));
  assert.equal(failure.reason, 'tls-untrusted');
  assert.equal(await curlTakes(server, otherCa), false);
  const elsewhere = await failureOf(handshake(server, { ca: own.certificate, serverName: 'elsewhere.test' }));
  assert.equal(elsewhere.reason, 'tls-wrong-name');

  const over = await issue({ fromDays: -30, toDays: -1 });
  await using expired = await tlsServer(presenting(over));
  assert.equal((await failureOf(handshake(expired, { ca: over.certificate }))).reason, 'tls-expired');
  assert.equal(await curlTakes(expired, over), false);
});

for (const { what, chain, reason, message } of cases)
  test(`CK3: ${what} is named, in words, and refused by curl too`, async () => {
    const [own, ...along] = chain;
    assert.ok(own);
    await using server = await tlsServer({ ...presenting(own, ...along), ciphers: 'DEFAULT@SECLEVEL=0' });
    const failure = await failureOf(handshake(server, { ca: ca.certificate }));
    assert.match(failure.message, message);
    assert.equal(failure.reason, reason, failure.message);
    assert.equal(await curlTakes(server, ca), false);
    const tolerant = await handshake(server, { ca: ca.certificate, verify: false });
    assert.equal(tolerant.faults.length, 1, tolerant.faults.join('; '));
  });

test('CK3: of several faults the gravest gives the reason, and all are told in its order', async () => {
  const all = await issue({
    signer: 'otherCa',
    names: 'DNS:other.test',
    key: ['rsa:1024'],
    fromDays: -30,
    toDays: -1,
    digest: 'sha1',
  });
  await using server = await tlsServer({ ...presenting(all), ciphers: 'DEFAULT@SECLEVEL=0' });
  const expected = [
    /^it is for other\.test, not for localhost$/,
    /^it is signed by "CN=Other root", which is not trusted here/,
    /^it expired on/,
    /^it has a weak key: RSA with 1024 bits/,
    /^it is signed with a weak hash, SHA-1$/,
  ];
  const { faults } = await handshake(server, { ca: ca.certificate, verify: false });
  for (const [index, pattern] of expected.entries()) assert.match(faults[index] ?? '', pattern);
  assert.equal(faults.length, expected.length);
  const failure = await failureOf(handshake(server, { ca: ca.certificate }));
  assert.equal(failure.reason, 'tls-wrong-name');
  for (const fault of faults) assert.ok(failure.message.includes(fault), fault);
  const named = await failureOf(handshake(server, { ca: ca.certificate, serverName: 'other.test' }));
  assert.equal(named.reason, 'tls-untrusted');
  const trusted = await failureOf(handshake(server, { ca: otherCa.certificate, serverName: 'other.test' }));
  assert.equal(trusted.reason, 'tls-expired');
});

test('CH15: a certificate that names no host is told so, with its common name', async () => {
  const nameless = await issueCertificate(folder, 'nameless', { subject: 'other.example' });
  await using server = await tlsServer(presenting(nameless));
  const failure = await failureOf(handshake(server, { ca: ca.certificate }));
  assert.equal(
    failure.message,
    'The certificate of localhost is not accepted: it names no host (none in a subjectAltName; its CN is other.example).',
  );
});

test('CN7: a final dot of the host is not part of the name that TLS asks for', async () => {
  let asked: string | undefined;
  const own = await issue();
  await using server = await tlsServer({
    ...presenting(own),
    SNICallback: (name, done) => {
      asked = name;
      done(null);
    },
  });
  await handshake(server, { ca: ca.certificate, serverName: 'localhost.' });
  assert.equal(asked, 'localhost');
});
