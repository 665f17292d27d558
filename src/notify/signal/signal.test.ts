import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problem, recovery } from '../../testing/messages.ts';
import { notifierContract, sendTo, type NotifierCase } from '../notifier.contract.ts';
import { signal } from './signal.ts';

const given: NotifierCase = {
  type: signal,
  options: (origin) => ({ url: origin, number: '+491701234567', recipients: ['+491707654321'] }),
  takes: () => ({ status: 201, body: { timestamp: '1717000000000' } }),
};

notifierContract(given);

test('later news quotes the first message', async () => {
  const first = await sendTo(given, given.takes, { message: problem() });
  const receipt = 'receipt' in first.result ? first.result.receipt : undefined;
  assert.deepEqual(receipt, { timestamp: 1_717_000_000_000, text: problem().headline });
  const { asked } = await sendTo(given, given.takes, { message: recovery(), previous: receipt });
  assert.equal(JSON.parse(asked[0]?.body ?? '').quote_timestamp, 1_717_000_000_000);
});

test('a captcha breaks the notifier', async () => {
  const { result } = await sendTo(given, () => ({ status: 400, body: { error: 'Failed to send: captcha required' } }));
  assert.equal(result.outcome, 'broken');
});
