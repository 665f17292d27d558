import { AppError, type ErrorCode } from '../core/errors.ts';
import type { Status } from '../core/outcome.ts';
import { systemFault } from '../core/system-error.ts';

/** What a command tells the shell: the convention of monitoring plug-ins. */
export const exitCodeOf: Readonly<Record<Status, number>> = { up: 0, degraded: 1, down: 2, unknown: 3 };

const bySeverity = ['down', 'degraded', 'unknown', 'up'] as const satisfies readonly Status[];

/** What several runs say together: one that was down is not healed by the next. */
export function exitCodeOfWorst(seen: Iterable<Status>): number {
  const all = new Set(seen);
  return exitCodeOf[bySeverity.find((status) => all.has(status)) ?? 'unknown'];
}

/** The exit code of misuse, which that convention shares with `unknown`. */
export const misuse = 3;

const exitCodeOfError: Readonly<Record<ErrorCode, number>> = {
  usage: misuse,
  'invalid-config': misuse,
  'not-found': misuse,
  conflict: misuse,
  unavailable: misuse,
  // EX_SOFTWARE of sysexits.h: our bug is told apart from every state of the world.
  internal: 70,
};

/** An error as the one sentence a person reads, and its exit code. */
export function explain(error: unknown): { readonly message: string; readonly exitCode: number } {
  if (error instanceof AppError && error.code !== 'internal')
    return { message: error.message, exitCode: exitCodeOfError[error.code] };
  const fault = systemFault(error);
  if (fault !== undefined) return { message: `${fault}.`, exitCode: misuse };
  const trace = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return {
    message: `this is a bug in Watchkeeper; please report it with the command and these lines:\n${trace}`,
    exitCode: exitCodeOfError.internal,
  };
}
