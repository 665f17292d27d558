import { printable } from '../../core/printable.ts';
import { paintFor } from '../../terminal/paint.ts';
import { formatTable } from '../../terminal/table.ts';
import { wrap } from '../../terminal/text.ts';
import { columnsFor } from '../../terminal/width.ts';
import { exitCodeOf } from '../exit-codes.ts';
import { notifiersAnswer, testedAnswer } from './server-answers.ts';
import { ServerClient } from './server-client.ts';
import { lineTo, type ServerPlace } from './server-line.ts';

export interface NotifyFlags extends ServerPlace {
  readonly json?: true;
}

/** Prints every notifier, or with `json` an object a line. */
export async function listNotifiers({ json, ...place }: NotifyFlags, output: NodeJS.WriteStream): Promise<void> {
  const { notifiers } = await new ServerClient(lineTo(place)).get('/notifiers', notifiersAnswer);
  if (json) {
    for (const notifier of notifiers) output.write(`${JSON.stringify(notifier)}\n`);
    return;
  }
  if (notifiers.length === 0) {
    output.write('The configuration has no notifiers; docs/notifiers.md tells how to add one.\n');
    return;
  }
  const table = formatTable(
    notifiers,
    [
      { title: 'name', textOf: ({ name }) => name },
      { title: 'kind', textOf: ({ kind }) => kind },
      { title: 'from', textOf: ({ severity }) => severity },
      { title: 'fallback', textOf: ({ fallback }) => fallback ?? '' },
      {
        title: 'state',
        textOf: ({ state, since }) => (since === null ? state : `${state} since ${since}`),
        styleOf: ({ state }) => (state === 'working' ? 'green' : state === 'failing' ? 'yellow' : 'red'),
      },
      { title: 'answer', textOf: ({ answer }) => answer, goesBelow: 1 },
    ],
    { paint: paintFor(output), columns: columnsFor(output) },
  );
  output.write(`${table}\n`);
}

const marks = { delivered: 'delivered', retry: 'not taken now', refused: 'refused', broken: 'not possible' } as const;

/** Sends a problem and its recovery, and prints what came of them. The exit code is 2 unless both were delivered. */
export async function testNotifier(
  notifier: string,
  { json, ...place }: NotifyFlags,
  output: NodeJS.WriteStream,
): Promise<void> {
  const path = `/notifiers/${encodeURIComponent(notifier)}/test`;
  const { sent } = await new ServerClient(lineTo(place)).post(path, testedAnswer);
  if (sent.some(({ outcome }) => outcome !== 'delivered')) process.exitCode = exitCodeOf.down;
  if (json) {
    output.write(`${JSON.stringify({ sent })}\n`);
    return;
  }
  const paint = paintFor(output);
  for (const { kind, outcome, text } of sent) {
    const line = printable(`${kind.padEnd(8)} ${marks[outcome]}${text === '' ? '' : `: ${text}`}`);
    const style = outcome === 'delivered' ? 'green' : 'red';
    for (const part of wrap(line, columnsFor(output), '         ')) output.write(`${paint(style, part)}\n`);
  }
}
