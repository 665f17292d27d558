import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { FakeClock } from '../../testing/fake-clock.ts';
import { problem, recovery } from '../../testing/messages.ts';
import { notifierContract, sendTo, type NotifierCase } from '../notifier.contract.ts';
import { webhook } from './webhook.ts';

const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const oldSecret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const given: NotifierCase = {
  type: webhook,
  options: (origin) => ({ url: `${origin}/hooks/4f9a8b7c6d5e4f3a`, secret }),
  takes: () => ({ status: 204 }),
  believesAny200: true,
};

notifierContract(given);

test('a message is signed as Standard Webhooks says', async () => {
  const clock = new FakeClock(Date.UTC(2026, 10, 28, 12));
  const { asked } = await sendTo(given, given.takes, { clock });
  const [{ headers, body } = assert.fail()] = asked;
  const { id } = problem();
  assert.equal(headers['webhook-id'], id);
  assert.equal(headers['webhook-timestamp'], String(Date.UTC(2026, 10, 28, 12) / 1000));
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  const expected = createHmac('sha256', key).update(`${id}.1795867200.${body}`).digest('base64');
  assert.equal(headers['webhook-signature'], `v1,${expected}`);
});

test('with an old secret there are two signatures, the new first', async () => {
  const both = { ...given, options: (origin: string) => ({ url: origin, secret, oldSecret }) };
  const { asked } = await sendTo(both, given.takes);
  assert.match(String(asked[0]?.headers['webhook-signature']), /^v1,\S{44} v1,\S{44}$/);
});

test('the body says what happened', async () => {
  const { asked } = await sendTo(given, given.takes, { message: recovery({ verdict: 'path' }) });
  const { type, timestamp, data } = JSON.parse(asked[0]?.body ?? '');
  assert.deepEqual([type, timestamp], ['incident.recovery', '2026-11-28T02:25:00.000Z']);
  assert.deepEqual([data.state, data.until, data.verdict], ['up', '2026-11-28T02:25:00.000Z', 'path']);
});

for (const wrong of [
  'whsec_short',
  'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  `whsec_${Buffer.alloc(65).toString('base64')}`,
  'whsec_****************************',
])
  test(`${wrong.slice(0, 20)} is no secret`, () => {
    assert.ok(!webhook.options.safeParse({ url: 'https://h.example/', secret: wrong }).success);
  });

test('headers of ours cannot be set, and none can be smuggled in', () => {
  for (const headers of [{ 'content-length': '1' }, { 'x-a': 'b\r\nc: d' }, { 'x a': 'b' }])
    assert.ok(!webhook.options.safeParse({ url: 'https://h.example/', headers }).success);
});
