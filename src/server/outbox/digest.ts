import { createHash } from 'node:crypto';
import { messageSeverities, type Message } from '../../core/message.ts';
import type { Status } from '../../core/outcome.ts';
import type { OutboxRow } from '../store/outbox.ts';

/** The messages of one incident that one notifier has not sent yet, and the one that says what is so now. */
export interface Settled {
  readonly incident: string;
  readonly rows: readonly OutboxRow[];
  readonly message: Message;
  /** It began and ended before anybody was told. */
  readonly hasPassed: boolean;
}

const endings: ReadonlySet<string> = new Set(['recovery', 'closed', 'stable']);

/** Whether a message ends what an earlier one of its incident began. */
export function endsIncident({ kind }: Pick<Message, 'kind'>): boolean {
  return endings.has(kind);
}

/** One entry an incident, in the order in which the incidents came. */
export function settle(rows: readonly OutboxRow[]): readonly Settled[] {
  const byIncident = Map.groupBy(
    rows.toSorted((a, b) => a.transition - b.transition || a.id - b.id),
    ({ incident }) => incident,
  );
  return Array.from(byIncident, ([incident, ofIncident]) => {
    // A group has a row.
    const { message } = ofIncident.at(-1)!;
    return {
      incident,
      rows: ofIncident,
      message,
      hasPassed: endsIncident(message) && ofIncident.some((row) => !endsIncident(row)),
    };
  });
}

const maxLines = 30;
const byGravity: readonly Status[] = ['down', 'degraded', 'unknown', 'up'];

/** One message that tells the news of several incidents, the gravest first. */
export function digestOf(settled: readonly Settled[], why: string): Message {
  const news = settled.toSorted((a, b) => gravity(a) - gravity(b));
  const id = `wk-digest-${hashOf(settled.flatMap(({ rows }) => rows.map(({ message }) => message.id)))}`;
  const [gravest] = news;
  const severities = settled.map(({ message }) => messageSeverities.indexOf(message.severity));
  const rest = news.length - maxLines;
  return {
    id,
    thread: id,
    kind: 'digest',
    state: gravest?.hasPassed ? 'up' : (gravest?.message.state ?? 'up'),
    // The index of a known severity.
    severity: messageSeverities[Math.max(0, ...severities)]!,
    subject: 'Watchkeeper',
    headline: `DIGEST ${summaryOf(news)}`,
    since: Math.min(...settled.map(({ message }) => message.since)),
    facts: [
      { label: 'Why together', text: why },
      ...news.slice(0, maxLines).map(({ message, hasPassed }) => ({
        label: hasPassed ? 'happened and passed' : message.state,
        text: message.headline,
      })),
      ...(rest > 0 ? [{ label: 'and', text: `${rest} more` }] : []),
    ],
    ...(gravest?.message.link !== undefined && { link: new URL('/', gravest.message.link).href }),
    tags: [...new Set(settled.flatMap(({ message }) => message.tags))],
  };
}

function gravity({ message, hasPassed }: Settled): number {
  return hasPassed ? byGravity.length : byGravity.indexOf(message.state);
}

/** `3 down, 1 unknown, 2 up, 4 passed`. */
function summaryOf(settled: readonly Settled[]): string {
  const counts = byGravity.map((state) => {
    const count = settled.filter(({ message, hasPassed }) => !hasPassed && message.state === state).length;
    return count > 0 ? `${count} ${state}` : '';
  });
  const passed = settled.filter(({ hasPassed }) => hasPassed).length;
  return [...counts, passed > 0 ? `${passed} passed` : ''].filter((part) => part !== '').join(', ');
}

/** The same set of messages has the same digest, also after a restart. */
function hashOf(ids: readonly string[]): string {
  return createHash('sha256').update(ids.toSorted().join('\n')).digest('hex').slice(0, 24);
}
