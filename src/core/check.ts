import type { z } from 'zod';
import type { Clock } from './clock.ts';
import type { Milliseconds } from './duration.ts';
import { Failure, isDeadline } from './failure.ts';
import type { Metric } from './metrics.ts';
import { onEachAddress, type Destination } from './each-address.ts';
import type { Network } from './network.ts';
import { triedText, type Tried } from './tried.ts';
import { failed, type JsonObject, type JsonValue, type Measured, type Outcome } from './outcome.ts';

/** A step of a run worth showing while it lasts: a hop of a traceroute, one echo of a ping. */
export interface Progress {
  readonly text: string;
  readonly detail: JsonObject;
}

/** What a run may use; a check reads no environment and no files. */
export interface CheckContext {
  /** Aborts at the run's deadline with a `TimeoutError`, or when the run is no longer wanted. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly net: Network;
  readonly onProgress?: (step: Progress) => void;
  /**
   * A person looks at this run: `detail` holds also what differs from run to run, such as each round trip and all header
   * fields. Results that are stored leave it out, because it would be stored anew each time.
   */
  readonly wantsFullDetail?: boolean;
}

export type OptionsSchema = z.ZodObject;

/** A protocol Watchkeeper can speak. `options` is the single source for config, command line, prompts and docs. */
export interface CheckType<Schema extends OptionsSchema = OptionsSchema> {
  readonly type: string;
  /** What people call it: `DNS`. */
  readonly title: string;
  /** What people call it with these options, where that is something else: `HTTPS`. */
  titleOf?(options: z.output<Schema>): string;
  /** One sentence for help texts: what is measured. */
  readonly summary: string;
  readonly options: Schema;
  readonly metrics: readonly Metric[];
  readonly defaultTimeoutMs: number;
  /** How long a run takes even if every answer comes at once: packets × interval. */
  sendingMs?(options: z.output<Schema>): Milliseconds;
  /** The longest that a run takes by its options alone, every wait included; the default timeout comes on top. */
  plannedMs?(options: z.output<Schema>): Milliseconds;
  /** Limit of concurrent runs, if it is lower than that of other types. */
  readonly maxAtOnce?: number;
  /** The options that the interactive shell asks for, in this order. */
  readonly asks: readonly (keyof z.input<Schema> & string)[];
  /** The shell asks for the timeout too: for this type it decides what silence means. */
  readonly asksTimeout?: boolean;
  /** How a target is written on a command line, for help texts: `HOST:PORT`. */
  readonly targetSyntax: string;
  /** Options out of a target as people write it; `word` is the type's name or the alias that was used. */
  fromTarget(target: string, word: string): Partial<z.input<Schema>>;
  /** The target as people write it, out of options. */
  targetOf(options: z.output<Schema>): string;
  run(options: z.output<Schema>, context: CheckContext): Promise<Outcome>;
}

/** A run that may take its whole interval would be under way when the next one is due, which were then missed. */
const shareOfInterval = 0.8;

/**
 * The default deadline of a run. With an interval it ends in time for the next run, unless sending alone
 * takes longer.
 */
export function defaultTimeoutOf(
  check: CheckType,
  options: Readonly<Record<string, unknown>>,
  intervalMs: Milliseconds = Infinity,
): Milliseconds {
  const planned = check.defaultTimeoutMs + plannedTimeOf(check, options);
  const limit = Math.round(intervalMs * shareOfInterval);
  return (check.sendingMs?.(options) ?? 0) < limit ? Math.min(planned, limit) : planned;
}

/** `HTTPS https://example.org`: the name of a monitor that nobody has named; `target` as everybody may see it. */
export function defaultNameOf(check: CheckType, options: Readonly<Record<string, unknown>>, target: string): string {
  return `${check.titleOf?.(options) ?? check.title} ${target}`;
}

/** The longest that a run takes by its options alone. */
export function plannedTimeOf(check: CheckType, options: Readonly<Record<string, unknown>>): Milliseconds {
  return check.plannedMs?.(options) ?? check.sendingMs?.(options) ?? 0;
}

/** What a run has measured so far; the check writes to it as it goes, so that a failed run still shows how far it came. */
export interface Measurement extends Measured {
  latencyMs?: number | undefined;
  metrics: Record<string, number>;
  detail: Record<string, JsonValue>;
}

type Definition<Schema extends OptionsSchema> = Omit<CheckType<Schema>, 'run'> & {
  /** Of types with `dialFields`; undefined where the name is not ours to look up, as behind a proxy. */
  destinationOf?(options: z.output<Schema>): Destination | undefined;
  /** Returns an outcome, or throws a `Failure`. When the signal aborts it may throw the signal's reason. */
  run(options: z.output<Schema>, context: CheckContext, measurement: Measurement): Promise<Outcome>;
};

/** Completes a check type: a `Failure` that its run throws becomes an outcome. Anything else rises to the runner as a bug. */
export function defineCheck<Schema extends OptionsSchema>(definition: Definition<Schema>): CheckType<Schema> {
  return {
    ...definition,
    run: (options, context) =>
      outcomeOf(context, async (measurement) => {
        const destination = options['addresses'] === 'all' ? definition.destinationOf?.(options) : undefined;
        if (!destination) return await definition.run(options, context, measurement);
        return await onEachAddress(destination, context, (pinned) =>
          outcomeOf(pinned, (ofAddress) => definition.run(options, pinned, ofAddress)),
        );
      }).then(withTried),
  };
}

/** The outcome of a run, or of the failure that it throws. */
async function outcomeOf(
  { signal }: CheckContext,
  run: (measurement: Measurement) => Promise<Outcome>,
): Promise<Outcome> {
  const measurement: Measurement = { metrics: {}, detail: {} };
  try {
    return await run(measurement);
  } catch (error) {
    const isKnown = error instanceof Failure && (!signal.aborted || error.cause === signal.reason);
    if (isKnown) return error.toOutcome(measurement);
    // A socket that the deadline destroyed reports its own end: the deadline is the reason.
    if (signal.aborted) return aborted(signal, measurement);
    throw error;
  }
}

/** A name that answers at some of its addresses is up; the message says which of them did not answer. */
function withTried(outcome: Outcome): Outcome {
  const { status, detail, message } = outcome;
  if (status !== 'up' || detail['tried'] === undefined) return outcome;
  // Only `addressDetail` writes it.
  return { ...outcome, message: `${message} · ${triedText(detail['tried'] as readonly Tried[])}` };
}

function aborted({ reason }: AbortSignal, measurement: Measurement): Outcome {
  if (isDeadline(reason)) return failed('timeout', reason.message, measurement);
  return failed('cancelled', 'The run was stopped before it had an answer.', measurement);
}
