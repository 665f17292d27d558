import { z } from 'zod';

export type Milliseconds = number;

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
type Unit = keyof typeof unitMs;

/** `500ms`, `10s`, `1.5m`, `2h`, `7d`; a bare number is seconds, as the older tools took it. Undefined if it is none of these. */
export function parseDuration(text: string | number): Milliseconds | undefined {
  const match = /^(\d{1,12}(?:\.\d{1,6})?)(ms|s|m|h|d)?$/.exec(String(text).trim());
  if (!match) return undefined;
  // The pattern admits only these units.
  return Math.round(Number(match[1]) * unitMs[(match[2] ?? 's') as Unit]);
}

/** The shortest exact way to write a duration: 90000 → `90s`, 3600000 → `1h`. */
export function formatDuration(durationMs: Milliseconds): string {
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    if (durationMs >= unitMs[unit] && durationMs % unitMs[unit] === 0) return `${durationMs / unitMs[unit]}${unit}`;
  }
  return `${durationMs}ms`;
}

interface DurationLimits {
  readonly min: Milliseconds;
  readonly max: Milliseconds;
}

/** An option that people write as `10s` or as a number of seconds and that code reads in milliseconds. */
export function duration(limits: DurationLimits): DurationOption;
/** The same, with what an absent option means. */
export function duration(limits: DurationLimits & { readonly default: Milliseconds }): z.ZodDefault<DurationOption>;
export function duration({ min, max, default: usual }: DurationLimits & { readonly default?: Milliseconds }) {
  const option = optionBetween(min, max);
  return usual === undefined ? option : option.default(usual);
}

type DurationOption = ReturnType<typeof optionBetween>;

function optionBetween(min: Milliseconds, max: Milliseconds) {
  const example = min >= unitMs.d ? '30d' : '10s or 500ms';
  const range = `expected a duration from ${formatDuration(min)} to ${formatDuration(max)}, like ${example}`;
  return z
    .union([z.number(), z.string()], range)
    .transform((value, context): Milliseconds => {
      const parsed = parseDuration(value);
      if (parsed !== undefined && parsed >= min && parsed <= max) return parsed;
      context.addIssue({ code: 'custom', message: range, input: value });
      return z.NEVER;
    })
    .meta({ format: 'duration', minimumMs: min, maximumMs: max });
}
