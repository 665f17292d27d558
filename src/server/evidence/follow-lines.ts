import { follow, hashOf, readLine, skipTo } from '../../records/chain.ts';
import type { Anchor, Cursor, KeptLine, NewAlarm } from '../store/evidence.ts';

export type ChainFault = Pick<NewAlarm, 'n' | 'cause' | 'message'>;

export interface Followed {
  readonly cursor: Cursor;
  readonly findings: readonly ChainFault[];
  readonly saidMissingTo: number;
}

/** Progress in a chain, what its agent announced, and up to where missing lines will not come. */
export interface Course {
  readonly chain: string;
  readonly cursor: Cursor;
  readonly anchor: Anchor | undefined;
  readonly givenUpTo: number;
  /** Missing lines up to this one were reported before. */
  readonly saidMissingTo: number;
}

/** A key is hashed forward once for each missing line; beyond this limit that would stall the server. */
const maxSkippedLines = 100_000;

/** Follows lines that are numbered from `cursor.n + 1` on, up to the first that may still come. */
export function followLines(
  { chain, cursor, anchor, givenUpTo, saidMissingTo }: Course,
  lines: readonly KeptLine[],
): Followed {
  const findings: ChainFault[] = [];
  let at = cursor;
  for (const { n, line, hash } of lines) {
    if (n > Math.max(at.n, givenUpTo) + 1) break;
    if (n > at.n + 1) {
      findings.push(missing(at.n + 1, n - 1));
      at = skippedTo(chain, at, n);
    }
    const { fault, next } = followed(chain, at, line);
    if (fault) findings.push({ n, cause: fault, message: faults[fault](n) });
    if (n === anchor?.n && hash !== anchor.head) findings.push({ n, cause: 'forked', message: notAsAnnounced(n) });
    at = next;
  }
  const isAnyLeft = lines.some(({ n }) => n > at.n);
  if (at.n < givenUpTo && saidMissingTo < givenUpTo && !isAnyLeft) {
    findings.push(missing(at.n + 1, givenUpTo));
    return { cursor: at, findings, saidMissingTo: givenUpTo };
  }
  return { cursor: at, findings, saidMissingTo };
}

function missing(from: number, to: number): ChainFault {
  const which = from === to ? `line ${from}` : `lines ${from} to ${to}`;
  const message = `expected ${which}, which the agent has written, and nothing waits at the agent any more: look for it in the evidence folder there`;
  return { n: from, cause: 'missing', message };
}

/** Advances to just before line `n` when the lines before it never came. */
function skippedTo(chain: string, { n: from, key, ...rest }: Cursor, n: number): Cursor {
  const isNear = n - 1 - from <= maxSkippedLines;
  const next = key !== undefined && isNear ? skipTo({ chain, ...rest, n: from, key }, n).key : undefined;
  return { n: n - 1, head: undefined, key: next };
}

/** Without a known key only the links are verified. */
function followed(chain: string, { n, head, key }: Cursor, line: string) {
  if (key !== undefined) {
    const { fault, state } = follow({ chain, n, head, key }, line);
    return { fault, next: { n: state.n, head: state.head, key: state.key } };
  }
  const isLinked = head === undefined || readLine(line)?.previous === head;
  return {
    fault: isLinked ? undefined : ('unlinked' as const),
    next: { n: n + 1, head: hashOf(line), key: undefined },
  };
}

const faults = {
  malformed: (n: number) => `expected line ${n} to be a line of its chain, got something else`,
  edited: (n: number) =>
    `expected line ${n} as the agent's chain sealed it: it was changed afterwards, or written by someone without the key`,
  unlinked: (n: number) => `expected line ${n} to name the hash of the line before it: that one is not what it was`,
} as const;

function notAsAnnounced(n: number): string {
  return `expected line ${n} as the agent announced it, got another: it was written anew after that`;
}
