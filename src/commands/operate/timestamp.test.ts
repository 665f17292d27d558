import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { openTimestampAuthority } from '../../testing/timestamp-authority.ts';
import { stampedBy, timestampReader } from './timestamp.ts';

const list = Buffer.from('{"evidence":"watchkeeper 2"}\n');

function scratch(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'watchkeeper-stamp-'));
  t.after(() => rmSync(folder, { recursive: true, maxRetries: 5 }));
  return folder;
}

for (const [what, key] of [
  ['P-256', undefined],
  ['RSA', ['rsa:2048']],
] as const)
  test(`SG8: openssl stamps what evidence asks, with a key of ${what}; verify and openssl both accept the stamp`, async (t) => {
    await using authority = await openTimestampAuthority(key && { key });
    const beganAt = Date.now();
    const response = await stampedBy(authority.url, list);
    const fact = timestampReader(authority.root)(response, list);
    if (typeof fact === 'string') assert.fail(fact);
    assert.deepEqual([fact.authority, fact.isTrusted], ['CN=Lab clock', true]);
    // The time in the stamp has whole seconds.
    assert.ok(Date.parse(fact.at) >= beganAt - 1000 && Date.parse(fact.at) <= Date.now());
    const folder = scratch(t);
    const [manifest, stamp] = [join(folder, 'manifest.json'), join(folder, 'manifest.tsr')];
    writeFileSync(manifest, list);
    writeFileSync(stamp, response);
    const words = ['ts', '-verify', '-data', manifest, '-in', stamp, '-CAfile', authority.root];
    assert.match(execFileSync('openssl', words, { encoding: 'utf8', stdio: 'pipe' }), /Verification: OK/);
  });

test('SG8: a stamp of another list, of an authority that nobody named or of another is told apart', async () => {
  await using authority = await openTimestampAuthority();
  await using other = await openTimestampAuthority();
  const response = await stampedBy(authority.url, list);
  assert.equal(
    timestampReader(authority.root)(response, Buffer.from('another list')),
    'expected a time stamp of this manifest.json, got one of something else',
  );
  for (const [root, isTrusted] of [
    [undefined, undefined],
    [other.root, false],
    [authority.root, true],
  ] as const) {
    const fact = timestampReader(root)(response, list);
    assert.ok(typeof fact !== 'string');
    assert.equal(fact.isTrusted, isTrusted);
  }
});

test('SG8: a stamp with a changed byte of what is signed is refused; whatever is changed, nothing is thrown', async () => {
  await using authority = await openTimestampAuthority();
  const response = await stampedBy(authority.url, list);
  const read = timestampReader(authority.root);
  const accepted: number[] = [];
  for (let at = 0; at < response.length; at++) {
    const fact = read(Buffer.from(response.with(at, (response[at] ?? 0) ^ 1)), list);
    if (typeof fact !== 'string' && fact.isTrusted) accepted.push(at);
  }
  // Certificates that are not needed, algorithms' parameters, and who signed by name and number are outside of what is signed. The
  // policy, the hash, the serial number, the time and the nonce are next to each other inside.
  const hash = response.indexOf(createHash('sha256').update(list).digest());
  const end = response.indexOf(Buffer.from('Z', 'latin1'), hash + 32);
  assert.ok(hash > 0 && end > hash);
  assert.deepEqual(
    accepted.filter((at) => at > hash - 30 && at < end + 10),
    [],
  );
  for (const cut of [0, 1, 10, 100, response.length - 1])
    assert.equal(typeof read(response.subarray(0, cut), list), 'string');
});

test('SG8: an authority that refuses, is none, answers about something else or is not there is a sentence', async () => {
  await using refusing = await openTimestampAuthority({ change: () => Buffer.from('30053003020102', 'hex') });
  await assert.rejects(
    stampedBy(refusing.url, list),
    /gave no time stamp: the authority refused the time stamp: status 2/,
  );
  await using web = await openTimestampAuthority({ change: () => Buffer.from('<html>') });
  await assert.rejects(stampedBy(web.url, list), /gave no time stamp: /);
  await using authority = await openTimestampAuthority();
  const old = await stampedBy(authority.url, list);
  await using replaying = await openTimestampAuthority({ change: () => old });
  await assert.rejects(
    stampedBy(replaying.url, list),
    /expected .* to stamp what it was asked for, got a stamp of something else/,
  );
  await assert.rejects(stampedBy(new URL('http://127.0.0.1:1/'), list), /gave no time stamp: /);
  await assert.rejects(stampedBy(new URL('http://169.254.169.254/'), list), /denied by default/);
});

test('a file without certificates is misuse', (t) => {
  const file = join(scratch(t), 'ca.pem');
  writeFileSync(file, 'none');
  assert.throws(() => timestampReader(file), /expected certificates \(PEM\) in .*, got none/);
  assert.throws(() => timestampReader(`${file}.gone`), /expected certificates \(PEM\) in .*ENOENT/);
});
