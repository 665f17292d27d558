import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problem, recovery } from '../../testing/messages.ts';
import { notifierContract, sendTo, type NotifierCase } from '../notifier.contract.ts';
import { discord } from './discord.ts';

const given: NotifierCase = {
  type: discord,
  options: (origin) => ({ webhookUrl: `${origin}/api/webhooks/123/canaryCanaryCanary` }),
  takes: () => ({ body: { id: '42' } }),
};

notifierContract(given);

test('the answer is waited for, and nobody is mentioned', async () => {
  const { asked } = await sendTo(given, given.takes, {
    message: problem({ headline: 'DOWN @everyone [x](https://evil.example)' }),
  });
  assert.equal(asked[0]?.path, '/api/webhooks/123/canaryCanaryCanary?wait=true');
  const { content, allowed_mentions } = JSON.parse(asked[0].body);
  assert.deepEqual(allowed_mentions, { parse: [] });
  assert.equal(content, String.raw`DOWN @everyone \[x\]\(https://evil.example\)`);
});

test('the first message is edited when the state changes', async () => {
  const { asked } = await sendTo(given, given.takes, { message: recovery(), previous: { id: '42' } });
  assert.deepEqual(
    asked.map(({ method, path }) => `${method} ${path.replace(/\?.*/, '')}`),
    ['POST /api/webhooks/123/canaryCanaryCanary', 'PATCH /api/webhooks/123/canaryCanaryCanary/messages/42'],
  );
});

test('the wait of a 429 is that of its body, which has fractions', async () => {
  const { result } = await sendTo(given, () => ({
    status: 429,
    headers: { 'retry-after': '1' },
    body: { retry_after: 0.3 },
  }));
  assert.equal(result.outcome === 'retry' && result.afterMs, 300);
});

test('title and description keep within the limits of an embed, escapes included', async () => {
  const text = '*'.repeat(5000);
  const facts = Array.from({ length: 30 }, () => ({ label: text, text }));
  const { asked } = await sendTo(given, given.takes, { message: problem({ headline: text, facts }) });
  const { content, embeds } = JSON.parse(asked[0]?.body ?? '');
  assert.ok(content.length <= 2000 && embeds[0].title.length <= 256 && embeds[0].description.length <= 4096);
});
