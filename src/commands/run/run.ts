import { setFlagsFromString } from 'node:v8';
import { systemClock as clock } from '../../core/clock.ts';
import type { Milliseconds } from '../../core/duration.ts';
import { AppError } from '../../core/errors.ts';
import type { Monitor, Result } from '../../core/monitor.ts';
import type { Network } from '../../core/network.ts';
import type { Config } from '../../config/config.ts';
import { assertRereadable, readConfigFile } from '../../config/config-file.ts';
import { formatMistake, formatWarning } from '../../config/mistake.ts';
import { EgressPolicy } from '../../net/dial/egress.ts';
import { createNetwork } from '../../net/network.ts';
import { Resolver } from '../../net/resolve.ts';
import { LagGuard } from '../../schedule/lag.ts';
import { runMonitor } from '../../schedule/runner.ts';
import { Scheduler, type Turn } from '../../schedule/scheduler.ts';
import { LineOutput } from '../../terminal/line-output.ts';
import { paintFor } from '../../terminal/paint.ts';
import { formatResultJson } from '../../terminal/result-json.ts';
import { formatResultLine } from '../../terminal/result-line.ts';
import { RunSummary } from '../../terminal/run-summary.ts';
import { StatusChanges } from '../../terminal/status-changes.ts';
import { wrapLog } from '../../terminal/text.ts';
import { columnsFor } from '../../terminal/width.ts';
import { explain } from '../exit-codes.ts';
import { standardLog } from '../standard-log.ts';
import type { LogFormat } from '../../terminal/operator-log.ts';
import { onHangup } from '../hangup.ts';

export interface RunRequest {
  readonly file: string;
  readonly json: boolean;
  /** Ends by itself after this time, at most 24 days; without it a signal does. */
  readonly forMs?: Milliseconds | undefined;
  /** How lines beside the results are written. */
  readonly logFormat: LogFormat;
}

type Complain = (sentence: string) => void;

const flushLimitMs = 500;

/**
 * Runs a configuration until SIGINT, SIGTERM or the time asked for. SIGHUP reads the file again. Monitors with a mistake are
 * reported and left out; so, without a word, are those that are paused.
 * @throws {AppError} not-found, invalid-config: nothing in the file can run
 */
export async function runMonitors({ file, json, forMs, logFormat }: RunRequest): Promise<void> {
  preferSmallHeap();
  const complain = complainer(logFormat);
  const config = await load(file, complain);
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  const output = new LineOutput(process.stdout, (lines) =>
    complain(`${lines} results were not shown, for the output is read too slowly.`),
  );
  const run = new ConfiguredRun({ output, json, complain });
  run.follow(config);
  const cancelTimer = forMs === undefined ? () => {} : clock.after(forMs, end);
  process.once('SIGINT', end).once('SIGTERM', end);
  onHangup(() => followFile(run, file, complain));
  await ended;
  process.off('SIGINT', end).off('SIGTERM', end);
  cancelTimer();
  await run.stop();
  // A stream that nobody reads would keep the process alive.
  if (!(await output.flush(flushLimitMs))) process.exit();
}

/**
 * Without this V8 lets the heap of a thousand monitors grow to twice what it needs, 165 MiB in all instead of 115. Checks
 * cost a tenth more. Before anything is loaded: what has grown does not shrink.
 */
function preferSmallHeap(): void {
  setFlagsFromString('--optimize-for-size');
}

interface RunParts {
  readonly output: LineOutput;
  readonly json: boolean;
  readonly complain: Complain;
}

/** A configuration at work. */
class ConfiguredRun {
  readonly #parts: RunParts;
  readonly #paint = paintFor(process.stdout);
  readonly #summary = new RunSummary();
  readonly #changes = new StatusChanges();
  readonly #resolver = new Resolver({ clock });
  readonly #lag = new LagGuard(clock);
  readonly #scheduler: Scheduler;
  #net: Network | undefined;
  #isStopped = false;

  constructor(parts: RunParts) {
    this.#parts = parts;
    this.#scheduler = new Scheduler({
      clock,
      runsSoon: true,
      run: (monitor, turn) => this.#run(monitor, turn),
      onResult: (result) => this.#show(result),
    });
  }

  /** Makes what runs what is configured, unless it was told to stop while the configuration was being read. */
  follow({ monitors, egress }: Config): void {
    if (this.#isStopped) return;
    this.#net = createNetwork({ clock, resolver: this.#resolver, policy: new EgressPolicy(egress) });
    for (const { name, type, spec } of monitors)
      if (spec.isPassive) this.#parts.complain(`${name} does not run here: a ${type} is received by a server.`);
    this.#scheduler.reconcile(monitors.filter(({ spec }) => !spec.paused));
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#scheduler.stop((monitors) => this.#parts.complain(`Waiting for ${namesOf(monitors)} …`));
    this.#lag.stop();
    if (this.#parts.json) return;
    for (const line of this.#summary.format(this.#paint)) this.#parts.output.write(line);
  }

  async #run(monitor: Monitor, turn: Turn): Promise<Result> {
    // There is a network before there is a monitor.
    return await runMonitor(monitor, { clock, net: this.#net!, lag: this.#lag, ...turn });
  }

  #show(result: Result): void {
    const { output, json } = this.#parts;
    this.#summary.add(result);
    const before = this.#changes.before(result);
    output.write(
      json
        ? formatResultJson(result, { monitor: result.monitor.name })
        : wrapLog(formatResultLine(result, { paint: this.#paint, before }), columnsFor(process.stdout)),
    );
  }
}

/** The monitors that can run; the mistakes of the others are printed. */
async function load(file: string, complain: Complain): Promise<Config> {
  const { config, mistakes, warnings } = await readConfigFile(file, process.env);
  for (const warning of warnings) complain(formatWarning(warning));
  for (const mistake of mistakes) complain(formatMistake(mistake));
  if (!config) throw new AppError('invalid-config', `${file}: nothing in it can run; correct what is said above.`);
  return config;
}

/** Follows the file as it is now; if nothing in it can run, what ran before goes on. */
async function followFile(run: ConfiguredRun, file: string, complain: Complain): Promise<void> {
  try {
    assertRereadable(file);
    run.follow(await load(file, complain));
  } catch (error) {
    complain(`${explain(error).message} What ran before goes on.`);
  }
}

const namesShown = 3;

function namesOf(monitors: readonly Monitor[]): string {
  const names = monitors.slice(0, namesShown).map(({ name }) => name);
  const others = monitors.length - names.length;
  return others > 0 ? `${names.join(', ')} and ${others} more` : names.join(', ');
}

function complainer(format: LogFormat): Complain {
  if (format === 'text') return (sentence) => process.stderr.write(`watchkeeper: ${sentence}\n`);
  const log = standardLog(format);
  return (sentence) => log.say(sentence, { event: 'run', level: 'warning' });
}
