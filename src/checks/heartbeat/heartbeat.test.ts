import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { z } from 'zod';
import { testContext } from '../../testing/context.ts';
import { isPassiveType, runnableModules } from '../modules.ts';
import { heartbeat } from './heartbeat.ts';

const key = 'a-key-of-20-letters-';
const faults = (options: object): string => {
  const { error } = heartbeat.options.safeParse({ key, ...options });
  return error ? z.prettifyError(error) : '';
};

describe('a heartbeat', () => {
  test('is passive: whoever tries to run it is told who receives it, and nothing offers it', async () => {
    assert.ok(isPassiveType('heartbeat'));
    assert.ok(!runnableModules.some(({ type }) => type === 'heartbeat'));
    const outcome = await heartbeat.run(
      heartbeat.options.parse({ key }),
      testContext({ signal: AbortSignal.timeout(1000) }),
    );
    assert.equal(outcome.status, 'unknown');
    assert.equal(outcome.reason, 'unsupported');
  });

  test('is expected once a day, unless a period or a cron expression is given', () => {
    assert.equal(heartbeat.targetOf(heartbeat.options.parse({ key })), 'every 1d');
    assert.equal(heartbeat.targetOf(heartbeat.options.parse({ key, period: '90s' })), 'every 90s');
    const cron = { key, cron: '0 3 * * *', zone: 'Europe/Berlin' };
    assert.equal(heartbeat.targetOf(heartbeat.options.parse(cron)), '0 3 * * * Europe/Berlin');
  });

  for (const [options, expected] of [
    [{ key: 'short' }, /20 to 200 letters/],
    [{ key: 'with/a/slash/and/what/not' }, /20 to 200 letters/],
    [{ cron: '0 3 * *' }, /five fields/],
    [{ cron: '0 3 * * *', period: '1h' }, /period or cron, got both/],
    [{ cron: '0 3 * * *', zone: 'Mars/Olympus' }, /IANA time zone/],
    [{ zone: '+01:00' }, /IANA time zone/],
    [{ period: '1s' }, /from 5s/],
    [{ target: 'x' }, /target/],
  ] as const)
    test(`refuses ${JSON.stringify(options)}`, () => assert.match(faults(options), expected));
});
