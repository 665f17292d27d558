import { printable } from './printable.ts';

/** A text from outside as a message shows it: in quotes, safe for a terminal, cut after `limit` characters. */
export function quoted(text: string, limit = 200): string {
  // The marks that JSON leaves as they are would still drive a terminal.
  return printable(
    JSON.stringify(text.length > limit ? `${text.slice(0, limit).toWellFormed()}…` : text.toWellFormed()),
  );
}
