import { messageIdOf, threadOf, type Message, type MessageKind } from '../core/message.ts';

const incident = '019a1f2e-0000-7000-8000-000000000001';

/** A message of one incident, as it opens; `changes` replace parts of it. */
export function problem(changes: Partial<Message> = {}): Message {
  return {
    ...keyOf('problem', 1),
    state: 'down',
    severity: 'critical',
    subject: 'api.example.net',
    headline: 'DOWN api.example.net: TLS expired (from 3 of 3 places)',
    since: Date.UTC(2026, 10, 28, 2, 13),
    verdict: 'target',
    facts: [
      { label: 'Expected', text: 'a certificate that is valid for 7 days or more' },
      { label: 'Found', text: 'CN=api.example.net expired on 2026-11-28T02:12:59Z' },
      { label: 'Last good', text: '2026-11-28 02:12 UTC, 31 ms' },
    ],
    link: 'https://watch.example/incidents/1',
    ackLink: 'https://watch.example/ack/abc',
    tags: ['web'],
    ...changes,
  };
}

/** The end of the same incident. */
export function recovery(changes: Partial<Message> = {}): Message {
  const since = Date.UTC(2026, 10, 28, 2, 13);
  return problem({
    ...keyOf('recovery', 2),
    state: 'up',
    headline: 'UP api.example.net after 12 min',
    until: since + 12 * 60_000,
    facts: [{ label: 'Found', text: '200 OK, 32 ms' }],
    ...changes,
  });
}

function keyOf(kind: MessageKind, transition: number): Pick<Message, 'id' | 'thread' | 'kind'> {
  return { id: messageIdOf({ incident, transition, kind, step: 0 }), thread: threadOf(incident), kind };
}
