import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { echo } from '../../src/checks/echo/echo.ts';
import { EchoResponder } from '../../src/echo/responder.ts';
import type { Outcome } from '../../src/core/outcome.ts';
import { testContext } from '../../src/testing/context.ts';
import { labAddresses, labMissing, openNetLab, type NetLab } from '../../src/testing/netlab.ts';
import { acceptsTcp, missing, startDaemon, temporaryFolder } from './daemon.ts';

const host = labAddresses[4].server;

describe('across two routers', { skip: labMissing || missing('inetd', 'ip', 'nft') }, () => {
  let lab: NetLab;
  before(async () => void (lab = await openNetLab()));
  after(() => lab[Symbol.asyncDispose]());

  /** The run's sockets belong to the lab's client. */
  async function check(options: object): Promise<Outcome> {
    using _client = lab.client.enter();
    return await echo.run(echo.options.parse({ host, ...options }), testContext());
  }

  /** A real inetd with its own echo. It answers no UDP from loopback addresses, hence the lab. */
  async function startInetd(): Promise<AsyncDisposable> {
    const folder = await temporaryFolder('inetd');
    const file = join(folder.path, 'inetd.conf');
    const lines = ['stream tcp nowait root internal', 'dgram udp wait root internal'];
    await writeFile(file, lines.map((line) => `${host}:echo ${line}\n`).join(''));
    using _server = lab.server.enter();
    const daemon = await startDaemon(['inetd', '-i', file], { ready: () => acceptsTcp(7, host) });
    return {
      async [Symbol.asyncDispose]() {
        await daemon[Symbol.asyncDispose]();
        await folder[Symbol.asyncDispose]();
      },
    };
  }

  for (const protocol of ['tcp', 'udp']) {
    test(`A5: openbsd-inetd's echo over ${protocol} is up, and down as soon as it is stopped`, async () => {
      {
        await using _inetd = await startInetd();
        const one = await check({ port: 7, protocol });
        assert.equal(one.status, 'up', one.message);
        assert.equal(one.message, 'Hello!');
        const many = await check({ port: 7, protocol, count: 50, interval: '1ms', size: 512 });
        assert.equal(many.message, 'Hello! came back 50 of 50 times.');
        assert.equal(many.metrics['lossPercent'], 0);
      }
      const stopped = await check({ port: 7, protocol });
      assert.equal(stopped.status, 'down');
      assert.equal(stopped.reason, 'refused');
    });
  }

  async function startResponder(): Promise<EchoResponder> {
    using _server = lab.server.enter();
    const responder = new EchoResponder({ host, tcp: 12_345, udp: 12_345 });
    await responder.start();
    return responder;
  }

  test('D2: our responder answers across the routers; a router that drops every fourth datagram makes it degraded', async () => {
    await using _responder = await startResponder();
    const options = { protocol: 'udp', count: 40, interval: '1ms', wait: '500ms' };
    const clean = await check(options);
    assert.equal(clean.status, 'up', clean.message);
    await lab.nearRouter.filter('udp dport 12345 numgen inc mod 4 0 drop');
    const lossy = await check(options).finally(() => lab.nearRouter.filter());
    assert.equal(lossy.status, 'degraded', lossy.message);
    assert.equal(lossy.reason, 'loss');
    assert.equal(lossy.source, 'path');
    assert.equal(lossy.metrics['lossPercent'], 25);
  });
});
