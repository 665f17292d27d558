import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problem, recovery } from '../../testing/messages.ts';
import { notifierContract, sendTo, type NotifierCase } from '../notifier.contract.ts';
import { slack } from './slack.ts';

const given: NotifierCase = {
  type: slack,
  options: (origin) => ({ token: 'xoxb-canary-123456', channel: 'C0123456789', url: origin }),
  takes: () => ({ body: { ok: true, ts: '1717.0001', channel: 'C0123456789' } }),
};

notifierContract(given);

const byWebhook: NotifierCase = {
  type: slack,
  options: (origin) => ({ webhookUrl: `${origin}/services/T00000000/B00000000/canaryCanaryCanary` }),
  takes: () => ({ body: 'ok' }),
};

notifierContract(byWebhook);

test('as a bot, later news answers in the thread, and the first message is edited', async () => {
  const previous = { ts: '1717.0001', channel: 'C0123456789' };
  const { asked } = await sendTo(given, given.takes, { message: recovery(), previous });
  assert.deepEqual(
    asked.map(({ path, headers }) => [path, headers.authorization]),
    [
      ['/chat.postMessage', 'Bearer xoxb-canary-123456'],
      ['/chat.update', 'Bearer xoxb-canary-123456'],
    ],
  );
  const [news, edit] = asked.map(({ body }) => JSON.parse(body));
  assert.deepEqual([news.thread_ts, edit.ts, edit.channel], ['1717.0001', '1717.0001', 'C0123456789']);
  assert.equal(news.text, edit.text);
});

test('the receipt of a bot is the message; a webhook gives none', async () => {
  const bot = await sendTo(given, given.takes);
  assert.deepEqual('receipt' in bot.result && bot.result.receipt, { ts: '1717.0001', channel: 'C0123456789' });
  const webhook = await sendTo(byWebhook, byWebhook.takes);
  assert.ok(!('receipt' in webhook.result));
});

test('an edit that fails changes nothing of the delivery', async () => {
  const previous = { ts: '1717.0001', channel: 'C0123456789' };
  const { result } = await sendTo(
    given,
    (request, response) => (request.path.endsWith('update') ? void response.destroy() : given.takes(request)),
    { message: recovery(), previous },
  );
  assert.equal(result.outcome, 'delivered');
});

for (const [error, outcome] of [
  ['invalid_auth', 'broken'],
  ['channel_not_found', 'broken'],
  ['is_archived', 'broken'],
  ['msg_too_long', 'refused'],
  ['ratelimited', 'retry'],
  ['internal_error', 'retry'],
  [7, 'retry'],
] as const)
  test(`200 with the error ${error} is ${outcome}`, async () => {
    const { result } = await sendTo(given, () => ({ body: { ok: false, error } }));
    assert.equal(result.outcome, outcome);
  });

test('names mention nobody: only three characters are markup to Slack', async () => {
  const { asked } = await sendTo(byWebhook, byWebhook.takes, {
    message: problem({ headline: 'DOWN <!channel> & <@U1>', facts: [] }),
  });
  const { text, parse, link_names, mrkdwn } = JSON.parse(asked[0]?.body ?? '');
  assert.match(text, /^DOWN &lt;!channel&gt; &amp; &lt;@U1&gt;\n/);
  assert.deepEqual([parse, link_names, mrkdwn], ['none', false, false]);
});

test('a webhook and a bot exclude each other', () => {
  const webhookUrl = 'https://hooks.slack.com/services/T/B/x';
  for (const wrong of [{}, { webhookUrl, token: 'x', channel: 'C' }, { token: 'x' }])
    assert.ok(!slack.options.safeParse(wrong).success);
});
