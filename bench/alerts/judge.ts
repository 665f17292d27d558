import type { Outage } from './outages.ts';
import type { Provider, Told } from './stage.ts';

export interface Figures {
  readonly outage: string;
  /** Told, and should not have been. */
  readonly false: number;
  /** Should have been told, and was not. */
  readonly missing: number;
  /** Told again although nothing had changed. */
  readonly double: number;
  /** Told more than a minute after it was so. */
  readonly messages: number;
  readonly refused: number;
  readonly told: string;
}

/** What people heard against what they should have heard. A state that changes back and forth is told truly as often as it changes. */
export function judge({ name, expected, enough }: Outage, { told, messages, refused }: Provider): Figures {
  const heard = told.filter(({ state }) => state !== 'other').map(({ monitor, state }) => `${monitor} ${state}`);
  const news = withoutRepeats(told);
  const wrong = news.filter((text) => !expected.includes(text)).length;
  const missing = expected.filter((text) => !news.includes(text)).length;
  // What is open for people at the end is wrong as well: everything has recovered.
  const open = [...new Map(told.map(({ monitor, state }) => [monitor, state])).values()].filter((s) => s === 'down');
  return {
    outage: name,
    false: wrong,
    missing: Math.max(missing, open.length),
    double: heard.length - news.length + Math.max(0, messages - enough),
    messages,
    refused,
    told: told.map(({ monitor, state }) => `${monitor} ${state}`).join(', '),
  };
}

function withoutRepeats(told: readonly Told[]): readonly string[] {
  const last = new Map<string, string>();
  return told.flatMap(({ monitor, state }) => {
    if (state === 'other' || last.get(monitor) === state) return [];
    last.set(monitor, state);
    return [`${monitor} ${state}`];
  });
}

export function table(figures: readonly Figures[]): string {
  const head = '| outage | false | missing | double | messages | told |\n|---|---|---|---|---|---|';
  const rows = figures.map(
    (row) =>
      `| ${row.outage} | ${row.false} | ${row.missing} | ${row.double} | ${row.messages} | ${row.told || 'nothing'} |`,
  );
  return [head, ...rows].join('\n');
}
