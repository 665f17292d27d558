import type { Paint } from './paint.ts';
import { formatIsoTime } from './result-line.ts';
import { formatTable } from './table.ts';
import { counted } from './units.ts';

interface WouldRow {
  readonly at: string;
  readonly notifier: string;
  readonly subject: string;
  readonly outcome: string;
  readonly kind: string | null;
  readonly headline: string | null;
  readonly reason: string | null;
  readonly by: string | null;
}

/** What would have been told of stored results, and what was. Times are ISO 8601. */
export interface RehearsalView {
  readonly from: string;
  readonly to: string;
  readonly results: number;
  readonly would: readonly WouldRow[];
  readonly did: readonly {
    readonly at: string;
    readonly notifier: string;
    readonly subject: string;
    readonly kind: string;
  }[];
}

interface Row {
  readonly at: string;
  readonly who: string;
  readonly what: string;
  readonly text: string;
  readonly isOnlyOne: boolean;
}

/** One line a message, in the order of time: `+` would have come and did not, `-` came and would not have, `=` both. */
export function formatRehearsal(
  { from, to, results, would, did }: RehearsalView,
  view: { readonly paint: Paint; readonly columns: number },
): string {
  const sent = would.filter(({ outcome }) => outcome === 'sent');
  const left = new Map<string, number>();
  for (const message of did) left.set(keyOf(message), (left.get(keyOf(message)) ?? 0) + 1);
  const rows = [...would.map((message) => rowOf(message, left)), ...goneRows(did, left)];
  const span = `${counted(results, 'result')} from ${formatIsoTime(from)} to ${formatIsoTime(to)}`;
  const sum = `${span}: ${counted(sent.length, 'message')} would have been sent, ${did.length} were.`;
  if (rows.length === 0) return sum;
  const table = formatTable(
    rows.toSorted((a, b) => a.at.localeCompare(b.at)),
    [
      { title: ' ', textOf: ({ what }) => what, styleOf: ({ isOnlyOne }) => (isOnlyOne ? 'yellow' : undefined) },
      { title: 'TIME', textOf: ({ at }) => formatIsoTime(at) },
      { title: 'WHO', textOf: ({ who }) => who },
      { title: 'WHAT', textOf: ({ text }) => text },
    ],
    view,
  );
  return `${table}\n\n${sum}`;
}

/** A message is the same one if the same notifier is told the same of the same: its time may differ. */
function keyOf({
  notifier,
  subject,
  kind,
}: {
  readonly notifier: string;
  readonly subject: string;
  readonly kind: string | null;
}): string {
  return JSON.stringify([notifier, subject, kind]);
}

function rowOf(
  { at, notifier: who, outcome, headline, reason, by, subject, kind }: WouldRow,
  left: Map<string, number>,
): Row {
  if (outcome !== 'sent') {
    const why = `${reason ?? ''}${by === null ? '' : ` (${by})`}`;
    return {
      at,
      who,
      what: ' ',
      text: `${subject}: ${outcome === 'held' ? 'held back' : 'not sent'}: ${why}`,
      isOnlyOne: false,
    };
  }
  const key = keyOf({ notifier: who, subject, kind });
  const count = left.get(key) ?? 0;
  if (count > 0) left.set(key, count - 1);
  return { at, who, what: count > 0 ? '=' : '+', text: headline ?? subject, isOnlyOne: count === 0 };
}

/** Those that were sent and have no counterpart: the last ones of their kind. */
function goneRows(did: RehearsalView['did'], left: Map<string, number>): readonly Row[] {
  return did.toReversed().flatMap((message) => {
    const count = left.get(keyOf(message)) ?? 0;
    if (count === 0) return [];
    left.set(keyOf(message), count - 1);
    const { at, notifier: who, subject, kind } = message;
    return [{ at, who, what: '-', text: `${subject}: ${kind}`, isOnlyOne: true }];
  });
}
