import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problem, recovery } from '../../testing/messages.ts';
import { notifierContract, sendTo, type NotifierCase } from '../notifier.contract.ts';
import { mattermost } from './mattermost.ts';

const given: NotifierCase = {
  type: mattermost,
  options: (origin) => ({ url: origin, token: 'canarycanary26', channel: '4xp9fdt77pncbef59f4k1qe83o' }),
  takes: () => ({ body: { id: 'p1' } }),
};

notifierContract(given);

const byWebhook: NotifierCase = {
  type: mattermost,
  options: (origin) => ({ webhookUrl: `${origin}/hooks/canaryCanaryCanary` }),
  takes: () => ({ body: 'ok' }),
};

notifierContract(byWebhook);

test('later news answers in the thread, and the first post is edited', async () => {
  const { asked } = await sendTo(given, given.takes, { message: recovery(), previous: { post: 'p1' } });
  assert.deepEqual(
    asked.map(({ method, path }) => `${method} ${path}`),
    ['POST /api/v4/posts', 'PUT /api/v4/posts/p1/patch'],
  );
  assert.equal(JSON.parse(asked[0]?.body ?? '').root_id, 'p1');
});

test('names mention nobody and format nothing', async () => {
  const { asked } = await sendTo(byWebhook, byWebhook.takes, { message: problem({ headline: '@channel **x**' }) });
  const { text } = JSON.parse(asked[0]?.body ?? '');
  assert.ok(!text.includes('@channel') && !text.includes('**'));
  assert.match(text, /Details: <https:\/\/watch\.example\/incidents\/1>/);
});
