import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problem } from '../../testing/messages.ts';
import { notifierContract, sendTo, type NotifierCase } from '../notifier.contract.ts';
import { googlechat } from './googlechat.ts';

const given: NotifierCase = {
  type: googlechat,
  options: (origin) => ({ url: `${origin}/v1/spaces/S/messages?key=canaryKey1&token=canaryToken1` }),
  takes: () => ({ body: { name: 'spaces/S/messages/1' } }),
};

notifierContract(given);

test('the request has an id of its own, and the thread that of the incident', async () => {
  const { asked } = await sendTo(given, given.takes, { message: problem({ headline: 'DOWN <users/all> *x*' }) });
  const url = new URL(asked[0]?.path ?? '', 'http://h');
  assert.equal(url.searchParams.get('requestId'), problem().id);
  assert.equal(url.searchParams.get('messageReplyOption'), 'REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD');
  const { text, thread } = JSON.parse(asked[0]?.body ?? '');
  assert.equal(thread.threadKey, problem().thread);
  assert.ok(!text.includes('<users/all>') && !text.includes('*x'));
});
