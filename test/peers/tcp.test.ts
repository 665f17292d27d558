import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { tcp } from '../../src/checks/tcp/tcp.ts';
import type { Outcome } from '../../src/core/outcome.ts';
import { testCertificates } from '../../src/testing/certificates.ts';
import { testContext } from '../../src/testing/context.ts';
import { missing } from './daemon.ts';
import { startNginx, type Nginx } from './nginx.ts';

function check(port: number, options: object = {}): Promise<Outcome> {
  return tcp.run(tcp.options.parse({ host: 'localhost', port, ...options }), testContext());
}

const dialogue = [{ send: 'HEAD / HTTP/1.0\r\n\r\n', expect: '^HTTP/1\\.[01] \\d{3} ' }, { expect: '^Server: nginx' }];

describe('nginx, spoken to by hand', { skip: missing('nginx', 'openssl') }, () => {
  let nginx: Nginx;
  before(async () => void (nginx = await startNginx()));
  after(() => nginx[Symbol.asyncDispose]());

  test('in plain text', async () => {
    const outcome = await check(nginx.ports.plain, { dialogue });
    assert.equal(outcome.status, 'up', outcome.message);
    assert.match(JSON.stringify(outcome.detail['banner']), /^"HTTP\/1\.1 \d{3} /);
  });

  test('in TLS', async () => {
    const { ca } = await testCertificates();
    const outcome = await check(nginx.ports.good, { dialogue, tls: { enabled: true, ca: ca.certificate } });
    assert.equal(outcome.status, 'up', outcome.message);
    assert.ok((outcome.metrics['certificateDaysLeft'] ?? 0) > 14);
  });

  for (const [server, reason] of [
    ['expired', 'tls-expired'],
    ['wrongName', 'tls-wrong-name'],
    ['selfSigned', 'tls-untrusted'],
  ] as const) {
    test(`${server} is down, ${reason}`, async () => {
      const { ca } = await testCertificates();
      const outcome = await check(nginx.ports[server], { tls: { enabled: true, ca: ca.certificate } });
      assert.equal(outcome.status, 'down');
      assert.equal(outcome.reason, reason, outcome.message);
    });
  }
});
