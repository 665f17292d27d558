import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gsmSize, gsmText } from './gsm.ts';
import { problem, recovery } from '../../testing/messages.ts';
import { notifierContract, sendTo, type NotifierCase } from '../notifier.contract.ts';
import { twilio } from './twilio.ts';

const given: NotifierCase = {
  type: twilio,
  options: (origin) => ({
    account: `AC${'0'.repeat(32)}`,
    token: 'canaryCanary',
    from: '+15017122661',
    to: '+491701234567',
    url: origin,
  }),
  takes: () => ({ status: 201, body: { sid: 'SM1' } }),
};

notifierContract(given);

test('an SMS is one segment of GSM letters', async () => {
  for (const headline of ['DOWN münchen.example: läuft ab', '\u{1f600}'.repeat(500), '{'.repeat(500), 'Żółć „x“ → y']) {
    const { asked } = await sendTo(given, given.takes, { message: problem({ headline }) });
    const text = new URLSearchParams(asked[0]?.body).get('Body') ?? '';
    assert.ok(gsmSize(text) <= 160 && text.length > 0, text);
    assert.equal(gsmText(text), text);
    assert.ok(text.endsWith(' https://watch.example/incidents/1'), text);
  }
});

test('a recovery is told as well', async () => {
  const { asked } = await sendTo(given, given.takes, { message: recovery() });
  assert.match(new URLSearchParams(asked[0]?.body).get('Body') ?? '', /^UP api\.example\.net after 12 min /);
});

for (const code of [21211, 21610, 30034])
  test(`error ${code} needs a person`, async () => {
    const { result } = await sendTo(given, () => ({ status: 400, body: { code, message: 'no' } }));
    assert.equal(result.outcome, 'broken');
  });
