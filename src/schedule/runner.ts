import type { CheckType } from '../core/check.ts';
import type { CheckContext } from '../core/check.ts';
import { failed, type Outcome } from '../core/outcome.ts';

type RunContext = CheckContext & { readonly timeoutMs: number };

/** One run: its own deadline, and anything thrown is `unknown/internal`, because it is our bug and says nothing of the target. */
export async function runCheck(
  check: CheckType,
  options: Readonly<Record<string, unknown>>,
  context: RunContext,
): Promise<Outcome> {
  const { timeoutMs, clock, signal, ...rest } = context;
  const deadline = new AbortController();
  const cancelDeadline = clock.after(timeoutMs, () =>
    deadline.abort(new DOMException(`No answer within ${timeoutMs} ms.`, 'TimeoutError')),
  );
  try {
    return await check.run(options, { ...rest, clock, signal: AbortSignal.any([signal, deadline.signal]) });
  } catch (error) {
    return failed(
      'internal',
      `The ${check.type} check broke: ${error instanceof Error ? error.message : String(error)}`,
    );
  } finally {
    cancelDeadline();
  }
}
