import type { Status } from '../core/outcome.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const symbols: Readonly<Record<Status, string>> = { up: '✔ ', degraded: '▲ ', down: '✘ ', unknown: '? ' };

/** A status as it stands before a verdict; a locale that has no such signs gets the word alone. */
export function statusWord(status: Status, environment: Environment = process.env): string {
  return hasSymbols(environment) ? `${symbols[status]}${status}` : status;
}

/** POSIX: the first of these that is set and not empty counts. Where none is set, as in containers, terminals read UTF-8. */
function hasSymbols({ LC_ALL, LC_CTYPE, LANG }: Environment): boolean {
  const locale = LC_ALL || LC_CTYPE || LANG || 'UTF-8';
  return /utf-?8/i.test(locale);
}
