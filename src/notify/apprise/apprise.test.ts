import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problem } from '../../testing/messages.ts';
import { notifierContract, sendTo, type NotifierCase } from '../notifier.contract.ts';
import { apprise } from './apprise.ts';

const given: NotifierCase = {
  type: apprise,
  options: (origin) => ({ url: origin, key: 'canaryKey' }),
  takes: () => ({ body: 'ok' }),
};

notifierContract(given);

test('one service of several that fails is refused, not told to all again for a day', async () => {
  const { result, asked } = await sendTo(given, () => ({ status: 424, body: 'x' }), { message: problem() });
  assert.deepEqual([result.outcome, asked.length], ['refused', 2]);
});
