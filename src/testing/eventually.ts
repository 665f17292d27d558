const lookEveryMs = 50;
/** Of a test that waits for what must come: only a failure takes it, however busy the machine is. */
export const longMs = 120_000;

/** Looks until there is an answer; rejects with what the last look said if there is none in time. */
export async function eventually<Value>(
  what: string,
  look: () => Value | undefined | false | Promise<Value | undefined | false>,
  patienceMs = longMs,
): Promise<Value> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    let trouble: unknown;
    try {
      const value = await look();
      if (value !== undefined && value !== false) return value;
    } catch (error) {
      trouble = error;
    }
    if (performance.now() > deadline) throw new Error(`${what}: not within ${patienceMs} ms`, { cause: trouble });
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
  }
}
