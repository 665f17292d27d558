import { Cron } from 'croner';

const parsed = new Map<string, Cron>();
const maxParsed = 1000;

/** Why a text is no cron expression (five fields, or six with seconds first, or @daily and its like); undefined if it is one. */
export function cronMistake(expression: string): string | undefined {
  const fields = expression.trim().split(/\s+/);
  if (!/^@[a-z]+$/.test(expression.trim()) && (fields.length < 5 || fields.length > 6))
    return 'expected five fields (minute, hour, day, month, weekday), or @hourly, @daily, @weekly, @monthly';
  try {
    const next = cronOf(expression, 'UTC').nextRun(new Date(0));
    return next ? undefined : 'expected a time that comes, and this one never does';
  } catch (error) {
    const why = (error as Error).message.replace(/^Cron\w+: /, '');
    return `expected a cron expression like 0 3 * * *: ${why}`;
  }
}

/**
 * The first time after `afterMs`, epoch milliseconds, at which the expression is due in that zone. Local times that a change of the
 * clocks leaves out are due at the first moment after it; those that come twice, the first time. Expressions that repeat within an
 * hour or every hour run in both hours.
 */
export function nextCronTime(expression: string, { zone, afterMs }: { zone: string; afterMs: number }): number {
  const next = cronOf(expression, zone).nextRun(new Date(afterMs));
  // cronMistake has refused what never comes; the last years that a date can have are out of reach.
  if (!next) throw new RangeError(`${expression} has no time after ${new Date(afterMs).toISOString()}`);
  return next.getTime();
}

/** Nothing is started: without a function an expression only answers. */
function cronOf(expression: string, timezone: string): Cron {
  const key = `${timezone} ${expression}`;
  const known = parsed.get(key);
  if (known) return known;
  const cron = new Cron(expression.trim(), { timezone, paused: true });
  if (parsed.size >= maxParsed) parsed.clear();
  parsed.set(key, cron);
  return cron;
}
