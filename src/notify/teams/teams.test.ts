import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problem } from '../../testing/messages.ts';
import { notifierContract, sendTo, type NotifierCase } from '../notifier.contract.ts';
import { teams } from './teams.ts';

const given: NotifierCase = {
  type: teams,
  options: (origin) => ({ url: `${origin}/workflows/canaryCanaryCanary/triggers/manual?sig=canarySignature` }),
  takes: () => ({ status: 202 }),
};

notifierContract(given);

test('accepted is not delivered, and the answer says so', async () => {
  const { result } = await sendTo(given, given.takes);
  assert.match(result.text ?? '', /Teams does not say whether it was posted/);
});

test('a card shows texts as they are, and links as buttons', async () => {
  const { asked } = await sendTo(given, given.takes, { message: problem({ headline: '**DOWN** <at>all</at>' }) });
  const [{ contentType, content }] = JSON.parse(asked[0]?.body ?? '').attachments;
  assert.equal(contentType, 'application/vnd.microsoft.card.adaptive');
  assert.deepEqual(new Set(content.body.map(({ type }: { type: string }) => type)), new Set(['RichTextBlock']));
  assert.equal(content.body[0].inlines[0].text, '**DOWN** <at>all</at>');
  assert.deepEqual(
    content.actions.map(({ type }: { type: string }) => type),
    ['Action.OpenUrl', 'Action.OpenUrl'],
  );
});

test('a card has at most 28 KB', async () => {
  const facts = Array.from({ length: 40 }, () => ({ label: 'x', text: '"\u{1f600}'.repeat(2000) }));
  const { asked } = await sendTo(given, given.takes, { message: problem({ facts }) });
  assert.ok(Buffer.byteLength(asked[0]?.body ?? '') <= 28_000, `${Buffer.byteLength(asked[0]?.body ?? '')}`);
});

test('a retired connector is refused with a way out', () => {
  const { error } = teams.options.safeParse({ url: 'https://x.webhook.office.com/webhookb2/1' });
  assert.match(error?.issues[0]?.message ?? '', /retired connectors.*make a workflow/);
});
