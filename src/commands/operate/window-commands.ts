import type { Milliseconds } from '../../core/duration.ts';
import { AppError } from '../../core/errors.ts';
import { printable } from '../../core/printable.ts';
import { paintFor } from '../../terminal/paint.ts';
import { formatIsoTime } from '../../terminal/result-line.ts';
import { counted } from '../../terminal/units.ts';
import { columnsFor } from '../../terminal/width.ts';
import { formatWindows } from '../../terminal/window-view.ts';
import { ownName } from './own-name.ts';
import { done, windowAnswer, windowsAnswer } from './server-answers.ts';
import { ServerClient } from './server-client.ts';
import { lineTo, type ServerPlace } from './server-line.ts';

export type WindowWord = 'maintenance' | 'silence';

export interface WindowFlags extends ServerPlace {
  readonly for?: Milliseconds;
  /** ISO 8601 with a zone. */
  readonly from?: string;
  readonly to?: string;
  readonly by?: string;
  readonly reason?: string;
  readonly end?: true;
  readonly dryRun?: true;
  readonly json?: true;
}

export interface WindowCommand {
  readonly word: WindowWord;
  /** Names of monitors, or an id. */
  readonly words: readonly string[];
}

const paths: Readonly<Record<WindowWord, string>> = { maintenance: '/maintenance', silence: '/silences' };
const namesShown = 5;

/** Lists them where no monitors are named, else begins or ends one. */
export async function runWindowCommand(
  { word, words }: WindowCommand,
  { json, end, ...flags }: WindowFlags,
  output: NodeJS.WriteStream,
): Promise<void> {
  const client = new ServerClient(lineTo(flags));
  if (end) {
    const [id = ''] = words;
    await client.delete(`${paths[word]}/${encodeURIComponent(id)}`, done);
    output.write(`The ${word} has ended.\n`);
    return;
  }
  if (words.length === 0) {
    const { windows } = await client.get(paths[word], windowsAnswer);
    const view = { paint: paintFor(output), columns: columnsFor(output) };
    if (json) for (const window of windows) output.write(`${JSON.stringify(window)}\n`);
    else output.write(windows.length === 0 ? `There is no ${word}.\n` : `${formatWindows(windows, view)}\n`);
    return;
  }
  const window = await client.post(paths[word], windowAnswer, { body: bodyOf(words, flags) });
  output.write(json ? `${JSON.stringify(window)}\n` : `${begunText(word, window, flags.dryRun === true)}\n`);
}

function bodyOf(monitors: readonly string[], { for: forMs, from, to, by = ownName(), reason, dryRun }: WindowFlags) {
  if ((forMs === undefined) === (to === undefined))
    throw new AppError('usage', 'expected its end: --for DURATION, like 2h, or --to TIME');
  return {
    monitors,
    by,
    ...(reason !== undefined && { reason }),
    ...(from !== undefined && { from }),
    ...(to === undefined ? { for: `${forMs}ms` } : { to }),
    ...(dryRun && { dryRun }),
  };
}

function begunText(
  word: WindowWord,
  { id, from, to, matches }: { id: string; from: string | null; to: string | null; matches: readonly string[] },
  isDryRun: boolean,
): string {
  const more = matches.length > namesShown ? ` and ${matches.length - namesShown} more` : '';
  const names = printable(matches.slice(0, namesShown).join(', ')) + more;
  const what = `${counted(matches.length, 'monitor')} (${names}) from ${formatIsoTime(from)} to ${formatIsoTime(to)}`;
  return isDryRun ? `It would be for ${what}.` : `A ${word} for ${what}; ${word} --end ${id} ends it.`;
}
