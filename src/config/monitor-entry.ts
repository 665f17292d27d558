import { z } from 'zod';
import { checkWords, findCheckType } from '../checks/registry.ts';
import { defaultNameOf, defaultTimeoutOf, plannedTimeOf, type CheckType } from '../core/check.ts';
import { duration, formatDuration, type Milliseconds } from '../core/duration.ts';
import { AppError } from '../core/errors.ts';
import { fieldsOf, mayBeSecret, type Field } from '../core/fields.ts';
import { describeIssue, got, valueAt } from '../core/issues.ts';
import { defaultIntervalMs, maxIntervalMs, minIntervalMs, type Monitor } from '../core/monitor.ts';
import type { MonitorSpec } from '../core/monitor-spec.ts';
import { nearestWord } from '../core/nearest.ts';
import type { JsonObject } from '../core/outcome.ts';
import { readWritten, type SourceOf } from '../core/scalars.ts';
import { maxOptionsBytes } from '../core/task.ts';
import { substitute, type Environment } from './environment.ts';
import type { Path, WrittenFile } from './mistake.ts';

const maxTimeoutMs = 3_600_000;

const whatSchema = z.object({
  type: z.string(),
  /** As on the command line; `options` override what it says. */
  target: z.string().trim().min(1).max(4096).optional(),
  options: z.record(z.string(), z.unknown()).nullish(),
});
type What = z.output<typeof whatSchema>;

const entrySchema = z.strictObject({
  name: z.string().trim().min(1).max(200).optional(),
  ...whatSchema.shape,
  interval: duration({ min: minIntervalMs, max: maxIntervalMs, default: defaultIntervalMs }),
  timeout: duration({ min: 1, max: maxTimeoutMs }).optional(),
  /** Names of the agents that run it; a server's matter, as is `paused`. */
  agents: z.array(z.string().trim().min(1).max(200)).min(1).max(1000).optional(),
  paused: z.boolean().default(false),
});

/** A monitor of one type as people may write it, for documents: options that the target says can be left out. */
export function entrySchemaOf(check: CheckType, words: readonly string[]) {
  const prefix = check.type.replace(/^./, (letter) => letter.toUpperCase());
  return z
    .strictObject({
      ...entrySchema.shape,
      type: z.enum(words),
      options: z
        .strictObject(check.options.shape)
        .partial()
        .meta({ id: `${prefix}Options` })
        .optional(),
    })
    .meta({ id: `${prefix}Monitor` });
}

/** One monitor as it was written, and where: both forms of the file, `monitors` and `hosts`, come to this. */
export interface Written {
  readonly entry: unknown;
  /** From a place in the entry to its place in the file. */
  readonly pathOf: (path: Path) => Path;
  readonly file: WrittenFile;
  /** How an option is given that the form of this entry has no place for. */
  readonly howToGive?: (option: string) => string;
}

export interface ConfiguredMonitor extends Monitor {
  /** The same as it was written, to hand on to agents, who parse the options themselves. */
  readonly spec: MonitorSpec;
}

/** The monitor; undefined if there is a mistake in it, which is then reported. */
export function readMonitor(written: Written, environment: Environment): ConfiguredMonitor | undefined {
  const entry = withEnvironment(written, environment);
  if (entry === undefined) return undefined;
  const { input, result: parsed } = readWritten(entrySchema, entry, sourceIn(written));
  if (!parsed.success) {
    reportIssues(parsed.error, { known: Object.keys(entrySchema.shape), placeOf: (path) => path, written });
  }
  // A mistake in the name or the times hides none in the options.
  const what = parsed.success ? parsed.data : whatSchema.safeParse(input).data;
  const check = what && checkOf(what, written);
  const options = check && optionsOf(check, what, written);
  if (!parsed.success || !options) return undefined;
  const target = check.targetOf(options.parsed);
  const {
    name = defaultNameOf(check, options.parsed),
    interval: intervalMs,
    timeout: timeoutMs = defaultTimeoutOf(check, options.parsed, intervalMs),
    agents,
    paused,
  } = parsed.data;
  const planMistake = mistakeInPlan(check, options.parsed);
  if (planMistake !== undefined) {
    written.file.report(written.pathOf(['options']), planMistake);
    return undefined;
  }
  warnOfTimes(written, { intervalMs, timeoutMs, plannedMs: plannedTimeOf(check, options.parsed) });
  const common = { id: name, name, type: check.type, target, intervalMs, timeoutMs };
  const spec = { ...common, options: options.written, paused, ...(agents && { agents }) };
  return { ...common, options: options.parsed, spec };
}

function mistakeInPlan(check: CheckType, options: Monitor['options']): string | undefined {
  return Number.isFinite(plannedTimeOf(check, options))
    ? undefined
    : `expected a ${check.title} check that ends by itself; a count of 0 is for watchkeeper check`;
}

interface Times {
  readonly intervalMs: Milliseconds;
  readonly timeoutMs: Milliseconds;
  readonly plannedMs: Milliseconds;
}

function warnOfTimes({ file, pathOf, entry }: Written, { intervalMs, timeoutMs, plannedMs }: Times): void {
  const isGiven = (path: Path): boolean => valueAt(entry, path) !== undefined;
  if (timeoutMs >= intervalMs) {
    const run = `a run may take ${formatDuration(timeoutMs)}, and the next is due after ${formatDuration(intervalMs)}`;
    const path = pathOf([isGiven(['timeout']) ? 'timeout' : 'interval']);
    file.warn(path, `${run}; runs that cannot start are unknown. Choose a longer interval or a shorter timeout`);
  } else if (plannedMs > timeoutMs && isGiven(['options', 'wait'])) {
    const end = `a run ends after ${formatDuration(timeoutMs)}, before this wait does`;
    file.warn(pathOf(['options', 'wait']), `${end}. Choose a longer interval or timeout, or a shorter wait`);
  }
}

/** How the scalars of an entry were written, by their places in it. */
function sourceIn({ file, pathOf }: Written): SourceOf {
  // Data that came from YAML has no symbols for keys.
  return (path) => file.sourceOf(pathOf(path as Path));
}

function checkOf({ type }: What, { pathOf, file }: Written): CheckType | undefined {
  const check = findCheckType(type);
  if (!check) {
    const hint = guess(type, checkWords) || `; known are ${checkWords.join(', ')}`;
    file.report(pathOf(['type']), `expected a check type, ${got(type)}${hint}`);
  }
  return check;
}

/** Undefined if a variable is missing: an empty password must not take the place of a secret. */
function withEnvironment({ entry, pathOf, file }: Written, environment: Environment): unknown {
  let isComplete = true;
  const onMissing = (name: string, path: Path): void => {
    isComplete = false;
    file.report(
      pathOf(path),
      `the environment has no variable ${name}; set it, or write $$\{${name}} for the text itself`,
    );
  };
  const substituted = substitute(entry, [], { environment, onMissing });
  return isComplete ? substituted : undefined;
}

interface Options {
  /** JSON, for that is all that YAML data is. */
  readonly written: JsonObject;
  readonly parsed: Monitor['options'];
}

function optionsOf(check: CheckType, what: What, written: Written): Options | undefined {
  const given = what.options ?? {};
  const fromTarget = optionsOfTarget(check, what, written);
  if (!fromTarget) return undefined;
  const sourceOf: SourceOf = ([first = '', ...rest]) =>
    first in given ? sourceIn(written)(['options', first, ...rest]) : undefined;
  const { input, result } = readWritten(check.options, { ...fromTarget, ...given }, sourceOf);
  if (result.success)
    return fitsFrame(input, written) ? { written: input as JsonObject, parsed: result.data } : undefined;
  reportIssues(result.error, {
    check,
    known: Object.keys(check.options.shape),
    placeOf: (path) =>
      String(path[0]) in fromTarget && !(String(path[0]) in given) ? ['target'] : ['options', ...path],
    written,
  });
  return undefined;
}

/** Reports options that are too large to be handed to an agent. */
function fitsFrame(options: unknown, { pathOf, file }: Written): boolean {
  const bytes = Buffer.byteLength(JSON.stringify(options));
  if (bytes <= maxOptionsBytes) return true;
  const next = 'shorten the largest';
  file.report(pathOf(['options']), `expected options of at most ${maxOptionsBytes} bytes, got ${bytes}: ${next}`);
  return false;
}

function optionsOfTarget(
  check: CheckType,
  { type, target }: What,
  { pathOf, file }: Written,
): Readonly<Record<string, unknown>> | undefined {
  if (target === undefined) return {};
  try {
    return check.fromTarget(target, type.toLowerCase());
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    file.report(pathOf(['target']), error.message);
    return undefined;
  }
}

interface IssueContext {
  readonly check?: CheckType;
  /** The names at the top level. */
  readonly known: readonly string[];
  /** From a place in what the schema was given to its place in the entry. */
  readonly placeOf: (path: Path) => Path;
  readonly written: Written;
}

function reportIssues({ issues }: z.ZodError, context: IssueContext): void {
  for (const issue of issues) {
    if (issue.code === 'unrecognized_keys') reportUnknownKeys(issue, context);
    else reportIssue(issue, context);
  }
}

function reportUnknownKeys({ path, keys }: z.core.$ZodIssueUnrecognizedKeys, context: IssueContext): void {
  const { placeOf, written } = context;
  // What came from YAML has no symbols for keys.
  const parent = path as Path;
  const known = knownAt(parent, context);
  for (const key of keys) {
    const hint = guess(key, known) || `; known are ${known.join(', ')}`;
    written.file.report(written.pathOf(placeOf([...parent, key])), `there is no such option${hint}`, 'key');
  }
}

function reportIssue(issue: z.core.$ZodIssue, context: IssueContext): void {
  const { placeOf, written } = context;
  // As above.
  const path = issue.path as Path;
  const place = placeOf(path);
  // As it was written, without what the environment put in: that may be a secret.
  const value = valueAt(written.entry, place);
  const missing = value === undefined ? missingOption(path, context) : undefined;
  // The path says which option is wrong, unless that came out of the target.
  const about = place[0] === 'target' && path[0] !== 'target' ? `${path.join('.')}: ` : '';
  const isSecret = context.check !== undefined && mayBeSecret(fieldsOfCheck(context.check), path);
  written.file.report(written.pathOf(place), missing ?? `${about}${describeIssue(issue, value, isSecret)}`);
}

function knownAt(path: Path, { check, known }: IssueContext): readonly string[] {
  if (path.length === 0 || !check) return known;
  const inside = fieldsOfCheck(check).filter((field) => path.every((step, index) => field.path[index] === step));
  return inside.flatMap((field) => field.path[path.length] ?? []);
}

function missingOption(path: Path, { check, written }: IssueContext): string | undefined {
  if (!check) return undefined;
  const field = fieldsOfCheck(check).find((field) => field.path.join('.') === path.join('.'));
  if (!field) return undefined;
  const howTo = written.howToGive ? `; ${written.howToGive(path.join('.'))}` : '';
  return `${check.title} needs ${path.join('.')}, and it is missing: ${field.description}${howTo}`;
}

const fieldsByCheck = new WeakMap<CheckType, readonly Field[]>();

/** Worked out once for each type: a file may have thousands of mistakes of a kind. */
function fieldsOfCheck(check: CheckType): readonly Field[] {
  const fields = fieldsByCheck.get(check) ?? fieldsOf(check.options);
  fieldsByCheck.set(check, fields);
  return fields;
}

function guess(word: string, known: readonly string[]): string {
  const nearest = nearestWord(word, known);
  return nearest === undefined ? '' : `; did you mean ${nearest}?`;
}
