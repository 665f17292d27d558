import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problem, recovery } from '../../testing/messages.ts';
import { notifierContract, sendTo, type NotifierCase } from '../notifier.contract.ts';
import { telegram } from './telegram.ts';

const given: NotifierCase = {
  type: telegram,
  options: (origin) => ({ token: '123456:canaryCanaryCanary', chat: '-100123', url: origin }),
  takes: () => ({ body: { ok: true, result: { message_id: 5, chat: { id: -100123 } } } }),
};

notifierContract(given);

test('three characters are escaped, and the text keeps within 4,096 characters after that', async () => {
  const { asked } = await sendTo(given, given.takes, {
    message: problem({ headline: '<b>&', facts: [{ label: 'x', text: '<'.repeat(9000) }] }),
  });
  const { text, parse_mode } = JSON.parse(asked[0]?.body ?? '');
  assert.equal(parse_mode, 'HTML');
  assert.match(text, /^&lt;b&gt;&amp;\n/);
  assert.ok(text.replaceAll(/&(?:lt|gt|amp);/g, '.').length <= 4096);
});

test('later news answers the first message, which is edited', async () => {
  const { asked } = await sendTo(given, given.takes, { message: recovery(), previous: { id: 5, chat: -100123 } });
  assert.deepEqual(
    asked.map(({ path }) => path.split('/').at(-1)),
    ['sendMessage', 'editMessageText'],
  );
  const [news, edit] = asked.map(({ body }) => JSON.parse(body));
  assert.deepEqual([news.reply_parameters.message_id, edit.message_id], [5, 5]);
});

test('a group that became a supergroup is followed once, and remembered in the receipt', async () => {
  const { result, asked } = await sendTo(given, ({ body }) =>
    JSON.parse(body).chat_id === -200
      ? { body: { ok: true, result: { message_id: 6, chat: { id: -200 } } } }
      : {
          status: 400,
          body: {
            ok: false,
            description: 'group chat was upgraded to a supergroup chat',
            parameters: { migrate_to_chat_id: -200 },
          },
        },
  );
  assert.deepEqual('receipt' in result && result.receipt, { id: 6, chat: -200 });
  assert.equal(asked.length, 2);
});

test('a provider that moves the group for ever is asked twice', async () => {
  const moved = { status: 400, body: { ok: false, parameters: { migrate_to_chat_id: -300 } } };
  const { result, asked } = await sendTo(given, () => moved);
  assert.notEqual(result.outcome, 'delivered');
  assert.ok(asked.length <= 4);
});

test('the wait of a 429 stands in its body', async () => {
  const { result } = await sendTo(given, () => ({ status: 429, body: { ok: false, parameters: { retry_after: 9 } } }));
  assert.equal(result.outcome === 'retry' && result.afterMs, 9000);
});

test('a chat that is not there breaks the notifier', async () => {
  const { result } = await sendTo(given, () => ({
    status: 400,
    body: { ok: false, description: 'Bad Request: chat not found' },
  }));
  assert.equal(result.outcome, 'broken');
});
