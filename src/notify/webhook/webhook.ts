import { createHmac } from 'node:crypto';
import { z } from 'zod';
import type { Message } from '../../core/message.ts';
import { requestHeaders } from '../../net/http/request-options.ts';
import { visible } from '../content.ts';
import { caOption, secretUrl, sendOverHttp } from '../http.ts';
import { defineNotifier } from '../notifier.ts';

const secretKey = z
  .string()
  .max(200)
  .refine((text) => {
    const bytes = keyOf(text).length;
    return /^whsec_[A-Za-z0-9+/]+={0,2}$/.test(text) && bytes >= 24 && bytes <= 64;
  }, 'expected whsec_ and then 24 to 64 bytes as base64, as `openssl rand -base64 32` makes them');

const options = z.strictObject({
  url: secretUrl('Where to send', 'https://alerts.example/watchkeeper'),
  secret: secretKey.optional().meta({
    description: 'Signs each message, so that the receiver knows who sent it (Standard Webhooks)',
    example: '${file:/run/secrets/webhook}',
    secret: true,
  }),
  oldSecret: secretKey.optional().meta({
    description: 'Signs as well while receivers change to a new secret',
    example: '${file:/run/secrets/webhook-old}',
    secret: true,
  }),
  headers: requestHeaders.meta({
    description: 'Further request headers',
    example: '{ X-Team: network }',
    secret: true,
  }),
  ca: caOption,
});

export const webhook = defineNotifier({
  kind: 'webhook',
  title: 'Webhook',
  summary: 'Sends JSON to an address of yours, signed as Standard Webhooks.',
  notes: [
    'The body is `{ "type": "incident.problem", "timestamp": …, "data": { … } }`; `type` ends in the kind of message.',
    'A message may arrive twice: `webhook-id` is then the same.',
    'Answer with 2xx once the message is safe. 410 stops the notifier; 429 and 5xx are tried again, after `Retry-After` if it is there.',
  ],
  options,
  rate: { burst: 10, perSecond: 1 },
  async send({ message, options: { url, secret, oldSecret, headers, ca }, signal }, ports) {
    const timestamp = String(Math.floor(ports.clock.now() / 1000));
    const body = JSON.stringify(bodyOf(message));
    const signed = `${message.id}.${timestamp}.${body}`;
    const signatures = [secret, oldSecret].filter((key) => key !== undefined).map((key) => signatureOf(key, signed));
    return await sendOverHttp(
      {
        url,
        headers: {
          ...headers,
          'webhook-id': message.id,
          'webhook-timestamp': timestamp,
          ...(signatures.length > 0 && { 'webhook-signature': signatures.join(' ') }),
        },
        body,
        ca,
        signal,
      },
      ports,
    );
  },
});

function keyOf(secret: string): Buffer {
  return Buffer.from(secret.slice('whsec_'.length), 'base64');
}

function signatureOf(secret: string, signed: string): string {
  return `v1,${createHmac('sha256', keyOf(secret)).update(signed).digest('base64')}`;
}

/** A receiver should not have to read more than 20 kB. */
const maxFacts = 20;
const maxFactText = 500;

function bodyOf(message: Message) {
  const { id, thread, kind, state, severity, subject, headline, since, until, verdict, facts, link, ackLink } = message;
  return {
    type: `incident.${kind}`,
    timestamp: isoTime(until ?? since),
    data: {
      id,
      thread,
      kind,
      state,
      severity,
      subject: visible(subject, maxFactText),
      headline: visible(headline, maxFactText),
      since: isoTime(since),
      until: until === undefined ? undefined : isoTime(until),
      verdict,
      facts: facts
        .slice(0, maxFacts)
        .map(({ label, text }) => ({ label: visible(label, 60), text: visible(text, maxFactText) })),
      link,
      ackLink,
      tags: message.tags.slice(0, maxFacts).map((tag) => visible(tag, 100)),
    },
  };
}

function isoTime(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
