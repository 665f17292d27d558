import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problem, recovery } from '../../testing/messages.ts';
import { notifierContract, sendTo, type NotifierCase } from '../notifier.contract.ts';
import { matrix } from './matrix.ts';

const given: NotifierCase = {
  type: matrix,
  options: (origin) => ({ url: origin, room: '!abc:matrix.example', token: 'syt_canaryCanary' }),
  takes: ({ method }) =>
    method === 'GET' ? { status: 404, body: { errcode: 'M_NOT_FOUND' } } : { body: { event_id: '$1' } },
};

notifierContract(given);

test('the message is put once under its id, mentions nobody, and is escaped', async () => {
  const { asked } = await sendTo(given, given.takes, { message: problem({ headline: '@room <b>' }) });
  const [, { method, path, body } = assert.fail()] = asked;
  assert.equal(method, 'PUT');
  assert.equal(path, `/_matrix/client/v3/rooms/!abc%3Amatrix.example/send/m.room.message/${problem().id}`);
  const event = JSON.parse(body);
  assert.deepEqual(event['m.mentions'], {});
  assert.match(event.formatted_body, /^@room &lt;b&gt;<br>/);
});

test('later news goes to the thread, and the first message is replaced', async () => {
  const { asked } = await sendTo(given, given.takes, { message: recovery(), previous: { event: '$1' } });
  const relations = asked.map(({ body }) => JSON.parse(body)['m.relates_to']);
  assert.deepEqual(
    relations.map(({ rel_type, event_id }) => [rel_type, event_id]),
    [
      ['m.thread', '$1'],
      ['m.replace', '$1'],
    ],
  );
});

test('an encrypted room is refused with a sentence, and nothing is sent', async () => {
  const { result, asked } = await sendTo(given, () => ({ body: { algorithm: 'm.megolm.v1.aes-sha2' } }));
  assert.equal(result.outcome, 'broken');
  assert.match(result.text ?? '', /encrypted.*give a room without encryption/);
  assert.deepEqual(
    asked.map(({ method }) => method),
    ['GET'],
  );
});

test('an older server gives the wait in the body', async () => {
  const { result } = await sendTo(given, ({ method }) =>
    method === 'GET' ? { status: 404 } : { status: 429, body: { retry_after_ms: 1500 } },
  );
  assert.equal(result.outcome === 'retry' && result.afterMs, 1500);
});
