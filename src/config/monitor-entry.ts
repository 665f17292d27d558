import { z } from 'zod';
import { isPassiveType } from '../checks/modules.ts';
import { checkWords, findCheckType } from '../checks/registry.ts';
import { defaultNameOf, defaultTimeoutOf, plannedTimeOf, type CheckType } from '../core/check.ts';
import { duration, formatDuration, type Milliseconds } from '../core/duration.ts';
import { AppError } from '../core/errors.ts';
import { fieldsOf, mayBeSecret, type Field } from '../core/fields.ts';
import { got, valueAt, withoutValue } from '../core/issues.ts';
import { defaultIntervalMs, maxIntervalMs, minIntervalMs, type Monitor } from '../core/monitor.ts';
import type { MonitorSpec } from '../core/monitor-spec.ts';
import { unseenMistake } from '../core/names.ts';
import type { JsonObject } from '../core/outcome.ts';
import { readWritten } from '../core/scalars.ts';
import { maxOptionsBytes } from '../core/task.ts';
import { merged } from './mapping.ts';
import { alertOptionsOf, ownAlertShape, sharedAlertShape } from './alert-shape.ts';
import { partOf, type Path, type WrittenFile } from './mistake.ts';
import { monitorSecrets } from './monitor-secrets.ts';
import { describeMistake, guess, hiddenVariable, reportUnknownKeys, writtenPlace } from './section.ts';

const maxTimeoutMs = 3_600_000;

/** What a monitor may also take from `defaults:`. */
export const sharedShape = {
  interval: duration({ min: minIntervalMs, max: maxIntervalMs, default: defaultIntervalMs }).meta({
    description: 'Time from one run to the next',
    example: '30s',
  }),
  timeout: duration({ min: 1, max: maxTimeoutMs }).optional().meta({
    description: 'Longest time of a run; the default of its check type, unless said otherwise',
    example: '5s',
  }),
  agents: z.array(z.string().trim().min(1).max(200)).min(1).max(1000).optional().meta({
    description: 'Names of the agents that run it; every agent, unless said otherwise. Only a server reads it',
    example: '[berlin, local]',
  }),
  paused: z.boolean().default(false).meta({ description: 'Whether its schedule is stopped', example: 'yes' }),
  ...sharedAlertShape,
};

const whatSchema = z.object({
  type: z.string().meta({ description: 'Check type: a word of [checks.md](checks.md)', example: 'http' }),
  target: z.string().trim().min(1).max(4096).optional().meta({
    description: 'What to check, as on the command line; `options` win over what it says',
    example: 'https://www.example.org/',
  }),
  options: z.record(z.string(), z.unknown()).nullish().meta({
    description: 'Options of the check type, by name',
    example: '{ status: [200, 204] }',
  }),
});
type What = z.output<typeof whatSchema>;

export const entrySchema = z.strictObject({
  id: z.string().trim().min(1).max(200).superRefine(isSeen).optional().meta({
    description:
      'Unique, and stays when the name changes: tasks, results and pauses belong to it; the name, unless said otherwise',
    example: 'web-1',
  }),
  name: z.string().trim().min(1).max(200).superRefine(isSeen).optional().meta({
    description: 'Unique; its type and target, unless said otherwise',
    example: 'front page',
  }),
  ...whatSchema.shape,
  ...sharedShape,
  ...ownAlertShape,
});

/** People must be able to read a name, and tell it from another. */
export function isSeen(name: string, context: z.RefinementCtx): void {
  const message = unseenMistake(name);
  if (message !== undefined) context.addIssue({ code: 'custom', message, input: name });
}

/** One monitor as it was written: every form of the file comes to this. */
export interface Written {
  readonly entry: unknown;
  /** Its paths begin at the entry. */
  readonly file: WrittenFile;
  /** Options for those that neither the entry nor its target gives. */
  readonly defaults?: Readonly<Record<string, unknown>>;
  /** How an option is given that the form of this entry has no place for. */
  readonly howToGive?: (option: string) => string;
}

export interface ConfiguredMonitor extends Monitor {
  /** The same as it was written, to hand on to agents, who parse the options themselves. */
  readonly spec: MonitorSpec;
}

/** Where values of a monitor may stand. An entry as a whole may be spread over its file. */
const places: readonly Path[] = [[], ['interval'], ['timeout'], ['agents'], ['paused'], ['options']];

/** The monitor; undefined if there is a mistake in it, which is then reported. */
export function readMonitor(written: Written): ConfiguredMonitor | undefined {
  const { entry, file } = written;
  if (places.some((place) => file.isUnresolved(place))) return undefined;
  const { input, result: parsed } = readWritten(entrySchema, entry, file.sourceOf);
  if (!parsed.success) {
    reportIssues(parsed.error, { known: Object.keys(entrySchema.shape), placeOf: (path) => path, written });
  }
  // A mistake in the name or the times hides none in the options.
  const what = parsed.success ? parsed.data : whatSchema.safeParse(input).data;
  const check = what && checkOf(what, file);
  const options = check && optionsOf(check, what, written);
  if (!parsed.success || !options || !isFitToRun(check, options.parsed, file)) return undefined;
  return monitorOf(check, { entry: parsed.data, options }, written);
}

function monitorOf(
  check: CheckType,
  { entry, options }: { readonly entry: z.output<typeof entrySchema>; readonly options: Options },
  written: Written,
): ConfiguredMonitor {
  const { target, secrets } = monitorSecrets(check, options.parsed, written.file);
  const { interval: intervalMs, agents, paused } = entry;
  const { name = defaultNameOf(check, options.parsed, target) } = entry;
  const { timeout: timeoutMs = defaultTimeoutOf(check, options.parsed, intervalMs) } = entry;
  warnOfTimes(written, { intervalMs, timeoutMs, plannedMs: plannedTimeOf(check, options.parsed) });
  const { id = name } = entry;
  const hiding = secrets.length > 0 && { secrets };
  const common = { id, name, type: check.type, target, intervalMs, timeoutMs, ...hiding };
  const where = isPassiveType(check.type) ? { isPassive: true } : agents && { agents };
  const spec = { ...common, options: options.written, paused, ...where, ...alertOptionsOf(entry) };
  return { ...common, options: options.parsed, spec };
}

/** Reports what is wrong although each value is right. */
function isFitToRun(check: CheckType, options: Monitor['options'], file: WrittenFile): boolean {
  const endsByItself = Number.isFinite(plannedTimeOf(check, options));
  if (!endsByItself) {
    const next = 'a count of 0 is for watchkeeper check';
    file.report(['options'], `expected a ${check.title} check that ends by itself; ${next}`);
  }
  const showing = (['name', 'id'] as const).filter((key) => file.referencesIn([key]).some(({ isSecret }) => isSecret));
  for (const key of showing)
    file.report([key], `expected ${key === 'id' ? 'an id' : 'a name'} without secrets, for everybody sees it`);
  return endsByItself && showing.length === 0;
}

interface Times {
  readonly intervalMs: Milliseconds;
  readonly timeoutMs: Milliseconds;
  readonly plannedMs: Milliseconds;
}

function warnOfTimes({ file, entry }: Written, { intervalMs, timeoutMs, plannedMs }: Times): void {
  const isGiven = (path: Path): boolean => valueAt(entry, path) !== undefined;
  if (timeoutMs >= intervalMs) {
    const run = `a run may take ${formatDuration(timeoutMs)}, and the next is due after ${formatDuration(intervalMs)}`;
    file.warn(
      [isGiven(['timeout']) ? 'timeout' : 'interval'],
      `${run}; runs that cannot start are unknown. Choose a longer interval or a shorter timeout`,
    );
  } else if (plannedMs > timeoutMs && isGiven(['options', 'wait'])) {
    const end = `a run ends after ${formatDuration(timeoutMs)}, before this wait does`;
    file.warn(['options', 'wait'], `${end}. Choose a longer interval or timeout, or a shorter wait`);
  }
}

function checkOf({ type }: What, file: WrittenFile): CheckType | undefined {
  const check = findCheckType(type);
  const isHidden = file.referencesIn(['type']).length > 0;
  const found = isHidden ? `got ${hiddenVariable}` : got(type);
  if (!check) file.report(['type'], `expected a check type, ${found}${guess(type, checkWords)}`);
  return check;
}

interface Options {
  /** JSON, for that is all that YAML data is. */
  readonly written: JsonObject;
  readonly parsed: Monitor['options'];
}

function optionsOf(check: CheckType, what: What, written: Written): Options | undefined {
  const given = what.options ?? {};
  const fromTarget = optionsOfTarget(check, what, written.file);
  if (!fromTarget) return undefined;
  const isOfTarget = ([first]: Path): boolean => String(first) in fromTarget && !(String(first) in given);
  const inOptions = partOf(written.file, ['options']);
  const { input, result } = readWritten(
    check.options,
    { ...merged(written.defaults ?? {}, { ...fromTarget, ...given }) },
    // Data that came from YAML has no symbols for keys.
    (path) => (isOfTarget(path as Path) ? undefined : inOptions.sourceOf(path)),
  );
  if (result.success)
    return isOfType(check, { ...what, target: check.targetOf(result.data) }, written.file) &&
      fitsFrame(input, written.file)
      ? { written: input as JsonObject, parsed: result.data }
      : undefined;
  reportIssues(result.error, {
    check,
    known: Object.keys(check.options.shape),
    placeOf: (path) => (isOfTarget(path) ? ['target'] : ['options', ...path]),
    written,
  });
  return undefined;
}

/** Reports options that the alias of a type excludes: `https` with an http URL. */
function isOfType(check: CheckType, { type, target = '' }: What, file: WrittenFile): boolean {
  try {
    if (type.toLowerCase() !== check.type) check.fromTarget(target, type.toLowerCase());
    return true;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    file.report(['options'], error.message);
    return false;
  }
}

/** Reports options that are too large to be handed to an agent. */
function fitsFrame(options: unknown, file: WrittenFile): boolean {
  const bytes = Buffer.byteLength(JSON.stringify(options));
  if (bytes <= maxOptionsBytes) return true;
  const next = 'shorten the largest';
  file.report(['options'], `expected options of at most ${maxOptionsBytes} bytes, got ${bytes}: ${next}`);
  return false;
}

function optionsOfTarget(
  check: CheckType,
  { type, target }: What,
  file: WrittenFile,
): Readonly<Record<string, unknown>> | undefined {
  if (target === undefined) return {};
  try {
    return check.fromTarget(target, type.toLowerCase());
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const { message } = error;
    const isHidden = file.referencesIn(['target']).length > 0;
    file.report(['target'], isHidden ? withoutValue(message, hiddenVariable) : message);
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
    if (issue.code === 'unrecognized_keys') reportUnknown(issue, context);
    else reportIssue(issue, context);
  }
}

function reportUnknown({ path, keys }: z.core.$ZodIssueUnrecognizedKeys, context: IssueContext): void {
  // What came from YAML has no symbols for keys.
  const parent = path as Path;
  reportUnknownKeys(keys, knownAt(parent, context), {
    path: context.placeOf([...parent, '']).slice(0, -1),
    file: context.written.file,
    what: 'option',
  });
}

function reportIssue(issue: z.core.$ZodIssue, context: IssueContext): void {
  const { placeOf, written, check } = context;
  const { entry, file } = written;
  // As above.
  const path = issue.path as Path;
  const place = writtenPlace(entry, placeOf(path));
  const value = valueAt(entry, place);
  const missing = value === undefined ? missingOption(path, context) : undefined;
  // The path says which option is wrong, unless that came out of the target.
  const about = place[0] === 'target' && path[0] !== 'target' ? `${path.join('.')}: ` : '';
  const isSecret = check !== undefined && mayBeSecret(fieldsOfCheck(check), path);
  file.report(place, missing ?? `${about}${describeMistake(issue, value, { path: place, file, isSecret })}`);
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
