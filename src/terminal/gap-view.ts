import { printable } from '../core/printable.ts';

const renewals: Readonly<Record<string, string>> = {
  'set-back': 'its folder was set back to an earlier state',
  copied: 'its folder was copied or moved to another machine',
  lost: 'its spool was empty, and what that held unsent is lost',
};

const causes: Readonly<Record<string, string>> = {
  overflow: 'its spool was full',
  corrupt: 'its disk lost them',
  refused: 'they were not taken',
  restored: 'this server had them and lost them, as with a restored backup',
  'too-old': 'they are older than what is kept',
  conflicting: 'their numbers belong to other entries, as when a folder is used twice',
};

/** `12 entries of seat-17 will never come: its spool was full` */
export function formatGap({
  agent,
  cause,
  missing,
}: {
  readonly agent: string;
  readonly cause: string;
  readonly missing: number;
}): string {
  const who = printable(agent);
  const renewal = renewals[cause];
  if (renewal !== undefined) return `The entries of ${who} are numbered anew: ${renewal}`;
  return `${missing} entries of ${who} will never come: ${causes[cause] ?? printable(cause)}`;
}
