import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problem, recovery } from '../../testing/messages.ts';
import { notifierContract, sendTo, type NotifierCase } from '../notifier.contract.ts';
import { ntfy } from './ntfy.ts';

const given: NotifierCase = {
  type: ntfy,
  options: (origin) => ({ url: origin, topic: 'canaryTopic', token: 'tk_canaryCanary' }),
  takes: () => ({ body: { id: 'x' } }),
};

notifierContract(given);

test('the title and text keep within bytes, also where a character has four', async () => {
  const text = '\u{1f600}'.repeat(4000);
  const { asked } = await sendTo(given, given.takes, {
    message: problem({ headline: text, facts: [{ label: 'x', text }] }),
  });
  const { title, message } = JSON.parse(asked[0]?.body ?? '');
  assert.ok(Buffer.byteLength(title) <= 1000 && Buffer.byteLength(message) <= 4096);
});

test('priority and tag follow the state, and one sequence holds an incident together', async () => {
  const told = [problem(), recovery()];
  const bodies = await Promise.all(
    told.map(async (message) => JSON.parse((await sendTo(given, given.takes, { message })).asked[0]?.body ?? '')),
  );
  assert.deepEqual(
    bodies.map(({ priority, tags }) => [priority, tags]),
    [
      [5, ['rotating_light']],
      [3, ['white_check_mark']],
    ],
  );
  assert.equal(new Set(bodies.map(({ sequence_id }) => sequence_id)).size, 1);
});
