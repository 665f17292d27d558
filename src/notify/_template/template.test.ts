import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problem } from '../../testing/messages.ts';
import { notifierContract, sendTo, type NotifierCase } from '../notifier.contract.ts';
import { template } from './template.ts';

const given: NotifierCase = {
  type: template,
  options: (origin) => ({ webhookUrl: `${origin}/hooks/canaryCanaryCanary` }),
  takes: () => ({ body: { id: 1 } }),
};

notifierContract(given);

test('the message has its id as a key, so that a second delivery is folded into the first', async () => {
  const { asked } = await sendTo(given, given.takes, { message: problem() });
  assert.equal(JSON.parse(asked[0]?.body ?? '').key, problem().id);
});
