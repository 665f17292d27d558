import { z } from 'zod';
import type { Message } from '../../core/message.ts';
import { visible, type MessageContent } from '../content.ts';
import { acceptWith, sendOverHttp, serverUrl } from '../http.ts';
import { defineNotifier } from '../notifier.ts';

const options = z.strictObject({
  routingKey: z
    .string()
    .regex(/^[A-Za-z\d]{32}$/, 'expected the integration key of a service: 32 letters and digits')
    .meta({
      description: 'Integration key of a service (Events API v2)',
      example: '${file:/run/secrets/pagerduty}',
      secret: true,
    }),
  url: serverUrl(
    'Address of the Events API; `https://events.eu.pagerduty.com` in the European region',
    'https://events.pagerduty.com',
  ).default('https://events.pagerduty.com'),
});

export const pagerduty = defineNotifier({
  kind: 'pagerduty',
  title: 'PagerDuty',
  summary: 'Opens an alert of a service, and resolves it when the incident ends.',
  notes: ['All messages of an incident are one alert: `dedup_key` is the incident.'],
  options,
  tracksIncidents: true,
  // PagerDuty takes about 120 events a minute for each key.
  rate: { burst: 20, perSecond: 1 },
  async send({ message, content, options: { routingKey, url }, signal }, ports) {
    const body = JSON.stringify({
      routing_key: routingKey,
      dedup_key: message.thread.slice(0, 255),
      ...eventOf(message, content),
    });
    return await sendOverHttp({ url: `${url}/v2/enqueue`, body, signal }, ports, { accept: acceptWith('status') });
  },
});

function eventOf(message: Message, { title, lines, links }: MessageContent) {
  if (message.kind === 'recovery' || message.kind === 'closed' || message.state === 'up')
    return { event_action: 'resolve' };
  return {
    event_action: 'trigger',
    client: 'Watchkeeper',
    payload: {
      summary: title,
      source: visible(message.subject, 255),
      severity: message.severity,
      timestamp: new Date(message.since).toISOString(),
      custom_details: Object.fromEntries(lines.map(({ label, text }) => [label, text])),
    },
    links: links.map(({ label, url }) => ({ href: url, text: label })),
  };
}
