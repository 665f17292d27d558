import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Clock } from '../core/clock.ts';
import { systemClock } from '../core/clock.ts';
import type { Message, MessageReceipt } from '../core/message.ts';
import { hidden, secretsIn, withoutSecrets } from '../core/secrets.ts';
import type { JsonObject } from '../core/outcome.ts';
import { testContext } from '../testing/context.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { eventually } from '../testing/eventually.ts';
import { problem, recovery } from '../testing/messages.ts';
import {
  provider,
  type Behaviour,
  type Provider,
  type ProviderAnswer,
  type ProviderRequest,
} from '../testing/provider.ts';
import type { NotifierType, SendResult } from './notifier.ts';
import { sendMessage } from './send.ts';

export interface NotifierCase {
  readonly type: NotifierType;
  /** Options as written, for a provider at this address. */
  readonly options: (origin: string) => JsonObject;
  /** What the provider answers when it takes a message. */
  readonly takes: (request: ProviderRequest) => ProviderAnswer;
  /** What a portal in between answers with 200 counts as taken: this provider's own answer says nothing. */
  readonly believesAny200?: boolean;
}

interface SendOptions {
  readonly message?: Message;
  readonly previous?: MessageReceipt;
  readonly clock?: Clock;
  readonly signal?: AbortSignal;
}

/** Sends through a notifier to a provider that behaves in this way. */
export async function sendTo(
  { type, options }: Pick<NotifierCase, 'type' | 'options'>,
  behaviour: Behaviour,
  sending: SendOptions = {},
): Promise<{ readonly result: SendResult; readonly asked: readonly ProviderRequest[] }> {
  await using server = await provider(behaviour);
  return { result: await sendThrough({ type, options }, server, sending), asked: server.asked };
}

async function sendThrough(
  { type, options }: Pick<NotifierCase, 'type' | 'options'>,
  { origin }: Pick<Provider, 'origin'>,
  { message = problem(), previous, clock = systemClock, signal = AbortSignal.timeout(30_000) }: SendOptions,
): Promise<SendResult> {
  const { net } = testContext();
  const channel = { type, options: type.options.parse(options(origin)), secrets: [], zone: 'UTC' };
  return await sendMessage(channel, { message, previous, signal }, { net, clock });
}

/** Names and facts as an attacker or an accident writes them. */
export const hostileTexts: readonly string[] = [
  '@everyone @here @channel <!channel> <!here> <users/all> @room',
  'a\r\nBcc: victim@example.org\r\n\r\nbody',
  '<script>alert(1)</script><b onmouseover=x>&amp;',
  '"}],"x":{"',
  '**bold** [click](https://evil.example) `code` ~~s~~ ||spoiler|| # h',
  '\u202egnp.exe\u202c \u0007\u001b[31m \u0000',
  '\ud800 lone \udfff',
  '{{template}} ${jndi:ldap://x} %s %n',
  '😀'.repeat(3000),
  'x'.repeat(10_000),
];

function hostile(text: string): Message {
  return problem({ subject: text, headline: `DOWN ${text}`, facts: [{ label: text, text }], tags: [text] });
}

/** Answers every request alike. */
function answers(answer: ProviderAnswer): Behaviour {
  return () => answer;
}

/** What every notifier that speaks HTTP does with each kind of answer (faces C10). */
export function notifierContract(given: NotifierCase): void {
  const { type, takes } = given;

  describe(`${type.kind}: whatever the provider answers`, () => {
    test('a message that is taken is delivered, by one request', async () => {
      const { result, asked } = await sendTo(given, takes);
      assert.equal(result.outcome, 'delivered', JSON.stringify(result));
      assert.ok(asked.length >= 1);
    });

    test('a recovery is delivered as well, also when the first message is known', async () => {
      const { result: first } = await sendTo(given, takes);
      const receipt = first.outcome === 'delivered' ? first.receipt : undefined;
      const { result } = await sendTo(given, takes, { message: recovery(), ...(receipt && { previous: receipt }) });
      assert.equal(result.outcome, 'delivered', JSON.stringify(result));
    });

    for (const status of [408, 425, 429, 500, 502, 503, 504])
      test(`${status} is tried again`, async () => {
        const { result } = await sendTo(given, answers({ status, body: 'not now' }));
        assert.equal(result.outcome, 'retry', JSON.stringify(result));
      });

    test('Retry-After is kept, in seconds and as a date, up to an hour', async () => {
      const clock = new FakeClock(Date.UTC(2026, 10, 28, 12));
      const waits = [
        '7',
        'Sat, 28 Nov 2026 12:00:30 GMT',
        'Saturday, 28-Nov-26 12:00:30 GMT',
        '86400',
        'Sat, 28 Nov 2026 11:00:00 GMT',
      ];
      const found: unknown[] = [];
      for (const wait of waits) {
        const { result } = await sendTo(given, answers({ status: 429, headers: { 'retry-after': wait } }), { clock });
        found.push(result.outcome === 'retry' && result.afterMs);
      }
      assert.deepEqual(found, [7000, 30_000, 30_000, 3_600_000, 0]);
    });

    for (const wait of ['soon', '-5', '', 'Infinity', '9'.repeat(400)])
      test(`Retry-After ${JSON.stringify(wait.slice(0, 10))} is no time`, async () => {
        const { result } = await sendTo(given, answers({ status: 503, headers: { 'retry-after': wait } }));
        assert.deepEqual([result.outcome, 'afterMs' in result], ['retry', false]);
      });

    for (const status of [401, 403, 404, 410])
      test(`${status} breaks the notifier`, async () => {
        const { result, asked } = await sendTo(given, answers({ status, body: 'no' }));
        assert.equal(result.outcome, 'broken', JSON.stringify(result));
        assert.ok(asked.length <= 2);
      });

    for (const status of [400, 413, 422])
      test(`${status} is tried once more in the short form, and is then final`, async () => {
        let posts = 0;
        const { result, asked } = await sendTo(given, ({ method }) => {
          if (method !== 'GET') posts += 1;
          return method === 'GET' ? { status: 404, body: {} } : { status, body: 'too long' };
        });
        assert.deepEqual([result.outcome, posts], ['refused', 2]);
        const bodies = asked.filter(({ method }) => method !== 'GET').map(({ body }) => body.length);
        assert.ok((bodies[1] ?? 0) <= (bodies[0] ?? 0));
      });

    for (const status of [301, 302, 307, 308])
      test(`a redirect by ${status} is not followed`, async () => {
        await using other = await provider(takes);
        const { result } = await sendTo(given, answers({ status, headers: { location: `${other.origin}/` } }));
        assert.equal(result.outcome, 'broken');
        assert.match(result.text, /redirects are not followed/);
        assert.deepEqual(other.asked, []);
      });

    test('a connection that is closed in the middle is tried again', async () => {
      const { result } = await sendTo(given, (_, response) => void response.destroy());
      assert.equal(result.outcome, 'retry', JSON.stringify(result));
    });

    test('a port where nothing listens is tried again', async () => {
      const gone = await provider(takes);
      await gone[Symbol.asyncDispose]();
      assert.equal((await sendThrough(given, gone, {})).outcome, 'retry');
    });

    test('silence ends after 20 s and is tried again', async () => {
      const clock = new FakeClock();
      await using server = await provider(() => {});
      const sending = sendThrough(given, server, { clock });
      await eventually('the request came', () => server.asked.length > 0);
      await clock.advance(20_000);
      const result = await sending;
      assert.deepEqual([result.outcome, clock.pending], ['retry', 0]);
      assert.match(result.text ?? '', /20 s/);
    });

    test('a stop of the server ends it', async () => {
      const stop = new AbortController();
      await using server = await provider(() => {});
      const sending = sendThrough(given, server, { signal: stop.signal });
      await eventually('the request came', () => server.asked.length > 0);
      stop.abort(new Error('stopping'));
      await assert.rejects(sending, /stopping/);
    });

    test('of an answer of 20 MB the first 64 KiB are read', async () => {
      const { result } = await sendTo(given, (_, response) => {
        response.on('error', () => {});
        response.writeHead(500).end(Buffer.alloc(20 * 1024 * 1024, 'x'));
      });
      assert.equal(result.outcome, 'retry');
      assert.ok((result.text ?? '').length < 1000);
    });

    test('a page of a portal instead of the answer', async () => {
      const { result } = await sendTo(
        given,
        answers({ status: 200, headers: { 'content-type': 'text/html' }, body: '<html>Please log in</html>' }),
      );
      assert.equal(result.outcome, given.believesAny200 ? 'delivered' : 'retry', JSON.stringify(result));
    });

    test('an answer with every secret in it shows none, and drives no terminal', async () => {
      const options = type.options.parse(given.options('http://127.0.0.1:9'));
      const secrets = secretsIn(type.options, options).filter(({ length }) => length >= 6);
      const { result } = await sendTo(given, ({ path, headers, body }) => ({
        status: 403,
        body: `\u001b[31m ${headers.authorization ?? ''} ${path} ${body.slice(0, 200)}`,
      }));
      for (const secret of secrets.filter((secret) => !secret.includes('127.0.0.1')))
        assert.ok(!(result.text ?? '').includes(secret), `${secret} in ${result.text}`);
      assert.doesNotMatch(result.text ?? '', /\p{Cc}/u);
    });

    test('its options can be shown without a secret', () => {
      const written = given.options('http://127.0.0.1:9');
      const secrets = secretsIn(type.options, type.options.parse(written)).filter(({ length }) => length >= 6);
      const shown = JSON.stringify(withoutSecrets(type.options, written, []));
      if (secrets.length > 0) assert.ok(shown.includes(hidden));
      for (const secret of secrets) assert.ok(!shown.includes(secret), `${secret} in ${shown}`);
    });

    for (const target of [
      'http://169.254.169.254',
      'http://[fe80::1]',
      'http://[::ffff:169.254.169.254]',
      'http://0.0.0.0',
      'http://[64:ff9b::a9fe:a9fe]',
      'http://100.100.100.200',
    ])
      test(`the egress policy holds for ${target}`, async () => {
        const result = await sendThrough(given, { origin: target }, {});
        assert.equal(result.outcome, 'broken', JSON.stringify(result));
        assert.match(result.text, /egress policy/);
      });

    for (const [index, text] of hostileTexts.entries())
      test(`hostile text ${index + 1} does nothing`, async () => {
        const { result, asked } = await sendTo(given, takes, { message: hostile(text) });
        assert.equal(result.outcome, 'delivered', JSON.stringify(result));
        for (const { headers, body, path } of asked) {
          assert.ok(body.length < 40_000, `a body of ${body.length}`);
          assert.ok(!('bcc' in headers));
          assert.ok(path.length < 2000);
          if (String(headers['content-type']).startsWith('application/json')) {
            const told = textsIn(JSON.parse(body)).join('\n');
            // oxlint-disable-next-line no-control-regex -- these are the characters that must not be there
            assert.doesNotMatch(told, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
            assert.ok(told.isWellFormed());
          }
        }
      });
  });
}

function textsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => textsIn(inner).concat(key));
}
