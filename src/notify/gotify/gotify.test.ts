import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problem } from '../../testing/messages.ts';
import { notifierContract, sendTo, type NotifierCase } from '../notifier.contract.ts';
import { gotify } from './gotify.ts';

const given: NotifierCase = {
  type: gotify,
  options: (origin) => ({ url: origin, token: 'AcanaryCanary' }),
  takes: () => ({ body: { id: 1 } }),
};

notifierContract(given);

test('the token goes in a header, and the text is shown as plain text', async () => {
  const { asked } = await sendTo(given, given.takes, { message: problem() });
  const [{ path, headers, body } = assert.fail()] = asked;
  assert.deepEqual([path, headers['x-gotify-key']], ['/message', 'AcanaryCanary']);
  const { priority, extras } = JSON.parse(body);
  assert.deepEqual([priority, extras['client::display'].contentType], [8, 'text/plain']);
});
