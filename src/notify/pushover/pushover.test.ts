import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problem, recovery } from '../../testing/messages.ts';
import { notifierContract, sendTo, type NotifierCase } from '../notifier.contract.ts';
import { pushover } from './pushover.ts';

const given: NotifierCase = {
  type: pushover,
  options: (origin) => ({
    token: 'canarycanarycanarycanarycanary',
    user: 'useruseruseruseruseruseruser12',
    url: origin,
    emergency: true,
  }),
  takes: () => ({ body: { status: 1, receipt: 'r1' } }),
};

notifierContract(given);

test('a critical message rings until it is over: the recovery cancels it', async () => {
  const first = await sendTo(given, given.takes, { message: problem() });
  const form = new URLSearchParams(first.asked[0]?.body);
  assert.deepEqual([form.get('priority'), form.get('retry'), form.get('expire')], ['2', '60', '3600']);
  const { asked } = await sendTo(given, given.takes, { message: recovery(), previous: { receipt: 'r1' } });
  assert.deepEqual(
    asked.map(({ path }) => path),
    ['/1/messages.json', '/1/receipts/r1/cancel.json'],
  );
});

test('title and text keep within the limits', async () => {
  const text = 'x'.repeat(4000);
  const { asked } = await sendTo(given, given.takes, {
    message: problem({ headline: text, facts: [{ label: 'x', text }], link: `https://h.example/${text}` }),
  });
  const form = new URLSearchParams(asked[0]?.body);
  assert.ok((form.get('title') ?? '').length <= 250 && (form.get('message') ?? '').length <= 1024);
  assert.ok((form.get('url') ?? '').length <= 512);
});

test('a user that is not valid breaks the notifier', async () => {
  const { result } = await sendTo(given, () => ({
    status: 400,
    body: { user: 'invalid', errors: ['user identifier is invalid'], status: 0 },
  }));
  assert.equal(result.outcome, 'broken');
});
