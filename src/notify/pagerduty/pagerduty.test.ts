import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problem, recovery } from '../../testing/messages.ts';
import { notifierContract, sendTo, type NotifierCase } from '../notifier.contract.ts';
import { pagerduty } from './pagerduty.ts';

const given: NotifierCase = {
  type: pagerduty,
  options: (origin) => ({ routingKey: 'canarycanarycanarycanarycanary12', url: origin }),
  takes: () => ({ status: 202, body: { status: 'success' } }),
};

notifierContract(given);

test('all messages of an incident share one dedup_key, and its end resolves it', async () => {
  const told = [
    problem(),
    problem({ kind: 'update', severity: 'warning' }),
    recovery(),
    problem({ kind: 'closed', state: 'unknown' }),
  ];
  const events = await Promise.all(
    told.map(async (message) => JSON.parse((await sendTo(given, given.takes, { message })).asked[0]?.body ?? '')),
  );
  assert.deepEqual(
    events.map(({ event_action }) => event_action),
    ['trigger', 'trigger', 'resolve', 'resolve'],
  );
  assert.equal(new Set(events.map(({ dedup_key, routing_key }) => `${dedup_key} ${routing_key}`)).size, 1);
  assert.deepEqual(
    events.map(({ payload }) => payload?.severity),
    ['critical', 'warning', undefined, undefined],
  );
});

test('the summary keeps within 1,024 characters', async () => {
  const { asked } = await sendTo(given, given.takes, { message: problem({ headline: 'x'.repeat(5000) }) });
  assert.ok(JSON.parse(asked[0]?.body ?? '').payload.summary.length <= 1024);
});
