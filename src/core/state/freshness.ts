import type { Milliseconds } from '../duration.ts';

/** An agent that reconnects has this long before its voices go silent. */
const agentGraceMs = 30_000;

/** How long a voice is fresh after its last run that said something of the target. */
export function freshForMs({
  intervalMs,
  timeoutMs,
}: {
  readonly intervalMs: Milliseconds;
  readonly timeoutMs: Milliseconds;
}): Milliseconds {
  return 2 * intervalMs + timeoutMs + agentGraceMs;
}
