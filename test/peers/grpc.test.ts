import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { grpc } from '../../src/checks/grpc/grpc.ts';
import type { Outcome } from '../../src/core/outcome.ts';
import { testContext } from '../../src/testing/context.ts';
import { closedPort } from '../../src/testing/tcp-server.ts';
import { acceptsTcp, startDaemon, type Daemon } from './daemon.ts';

const python = '/usr/bin/python3';

function missingGrpc(): string | false {
  try {
    execFileSync(python, ['-c', 'import grpc'], { stdio: 'ignore' });
    return false;
  } catch {
    return 'not installed: python3-grpcio; npm test installs it where it is root';
  }
}

describe("gRPC's own server", { skip: missingGrpc() }, () => {
  let daemon: Daemon;
  let port = 0;
  before(async () => {
    port = await closedPort();
    const program = join(import.meta.dirname, 'grpc-health.py');
    daemon = await startDaemon([python, program, String(port)], { ready: () => acceptsTcp(port) });
  });
  after(() => daemon[Symbol.asyncDispose]());

  const check = (options: object): Promise<Outcome> =>
    grpc.run(grpc.options.parse({ host: '127.0.0.1', port, ...options }), testContext());

  test('is up when it serves', async () => {
    const outcome = await check({});
    assert.equal(outcome.status, 'up', outcome.message);
  });

  test('says of a service that it does not serve', async () => {
    const outcome = await check({ service: 'mail' });
    assert.match(outcome.message, /Expected service "mail" to be SERVING, it is NOT_SERVING/);
  });

  test('does not know a service, in its own words', async () => {
    const outcome = await check({ service: 'nothing' });
    assert.match(outcome.message, /got NOT_FOUND "unknown service: grün"/);
  });
});
