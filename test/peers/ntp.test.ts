import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { ntp } from '../../src/checks/ntp/ntp.ts';
import type { Outcome } from '../../src/core/outcome.ts';
import { testContext } from '../../src/testing/context.ts';
import { eventually } from '../../src/testing/eventually.ts';
import { startChrony, type Chrony } from './chrony.ts';
import { missing, temporaryFolder } from './daemon.ts';

function check({ host, port }: Chrony, options: object = {}): Promise<Outcome> {
  return ntp.run(ntp.options.parse({ host, port, ...options }), testContext());
}

/** Asks once, tells, and ends after 10 s at the latest. */
const clientOptions = ['-Q', '-U', '-u', 'root', '-t', '10'];

/** What chrony's own client says of the same server: how far its clock is ahead of ours. It sets nothing. */
async function offsetByChrony({ host, port }: Chrony): Promise<number> {
  await using folder = await temporaryFolder('chrony-client');
  const { stdout, stderr } = await promisify(execFile)('chronyd', [
    ...clientOptions,
    `server ${host} port ${port} iburst maxsamples 1`,
    'cmdport 0',
    `pidfile ${join(folder.path, 'pid')}`,
  ]);
  const [, seconds] = /System clock wrong by (-?[\d.]+) seconds/.exec(stdout + stderr) ?? [];
  return Number(seconds) * 1000;
}

describe('chrony', { skip: missing('chronyd') }, () => {
  test('a synchronised server is up, and both see the same offset within 5 ms', async () => {
    await using server = await startChrony();
    const outcome = await check(server, { samples: 4, spacing: '50ms' });
    assert.equal(outcome.status, 'up', outcome.message);
    assert.match(outcome.message, /^Time: \w{3} \w{3} \d\d \d\d:\d\d:\d\d \d{4}, offset /);
    const { offsetMs = NaN, delayMs = NaN, stratum, received } = outcome.metrics;
    // The clock is this machine's own, and an offset is known to half the delay (RFC 5905, section 8).
    assert.ok(Math.abs(offsetMs) <= delayMs / 2 + 0.1, `${offsetMs} ms with a delay of ${delayMs} ms`);
    assert.ok(delayMs >= 0);
    // Chrony does not tell its delay: on a busy machine it measures again.
    await eventually(
      'both see the same',
      async () => Math.abs((await offsetByChrony(server)) - offsetMs) < 5 + delayMs / 2,
    );
    assert.deepEqual({ stratum, received }, { stratum: 8, received: 4 });
    assert.equal(outcome.detail['leap'], 'none');
    assert.equal(outcome.detail['referenceId'], '127.127.1.1');
  });

  test('a server without a source is down: it answers, but is not synchronised', async () => {
    await using server = await startChrony([]);
    const outcome = await check(server);
    assert.equal(outcome.status, 'down');
    assert.equal(outcome.reason, 'protocol');
    assert.match(outcome.message, /answers, but its clock is not synchronised \(leap 3, stratum 0\)/);
  });
});
