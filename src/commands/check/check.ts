import type { Command } from 'commander';
import { findCheckModule, loadCheckType, moduleWords, runnableModules } from '../../checks/modules.ts';
import type { TracerouteOptions } from '../../checks/traceroute/options.ts';
import { defaultTimeoutOf, type CheckType, type Progress } from '../../core/check.ts';
import { sleep, systemClock as clock } from '../../core/clock.ts';
import { AppError } from '../../core/errors.ts';
import type { Milliseconds } from '../../core/duration.ts';
import type { Monitor, Result } from '../../core/monitor.ts';
import type { Status } from '../../core/outcome.ts';
import type { EgressPolicy } from '../../net/dial/egress.ts';
import { createNetwork } from '../../net/network.ts';
import { runCheck } from '../../schedule/run-check.ts';
import { CheckReport } from '../../terminal/check-report.ts';
import { exitCodeOfWorst } from '../exit-codes.ts';
import { interruption } from '../interruption.ts';
import { personalPolicy } from '../personal-policy.ts';
import { adHocMonitor } from './ad-hoc-monitor.ts';
import { addFieldOptions, parseOptions } from './check-options.ts';
import { addRunOptions, type RunSettings } from './run-options.ts';

/** Gives `check` the type that a word names, with its options; every type where it names none, without theirs, for the help. */
export async function addCheckType(parent: Command, word = ''): Promise<void> {
  const named = findCheckModule(word);
  if (named?.passive)
    throw new AppError('usage', `a ${named.type} is told to a server by what it watches: nothing can be checked here`);
  for (const module of named ? [named] : runnableModules) {
    const check = await loadCheckType(module);
    const command = addCommand(parent, check, moduleWords(module).slice(1));
    if (named) addOptions(command, check, word);
  }
}

/** Gives `check` every type with all its options, for completion. */
export async function addCheckTypes(parent: Command): Promise<void> {
  for (const module of runnableModules) {
    const check = await loadCheckType(module);
    addOptions(addCommand(parent, check, moduleWords(module).slice(1)), check, check.type);
  }
}

function addCommand(parent: Command, { type, summary, targetSyntax }: CheckType, aliases: readonly string[]): Command {
  return parent
    .command(type)
    .aliases(aliases)
    .usage('[target] [options]')
    .description(summary)
    .argument('[target]', targetSyntax);
}

function addOptions(command: Command, check: CheckType, word: string): void {
  command.optionsGroup(`Options of ${check.title}:`);
  addFieldOptions(command, check);
  command.optionsGroup('Options of the run:');
  const settingsOf = addRunOptions(command);
  const view = liveViews[check.type];
  if (view) command.option('--live', view.description);
  command.action(async (target: string | undefined, given: Readonly<Record<string, unknown>>) => {
    const options = await parseOptions(check, { text: target, word }, given);
    const settings = settingsOf(given);
    const isLive = view !== undefined && given['live'] === true;
    process.exitCode = isLive
      ? await view.run(options, { ...settings, rounds: given['count'] === undefined ? Infinity : settings.count })
      : await runChecks(check, options, settings);
  });
}

interface LiveView {
  readonly description: string;
  run(options: Monitor['options'], settings: RunSettings & { readonly rounds: number }): Promise<number>;
}

/** Types that can be shown as a table that is redrawn. */
const liveViews: Readonly<Partial<Record<string, LiveView>>> = {
  traceroute: {
    description:
      'redraw loss and round trips of each hop until q is pressed, as mtr does; --count ends it after N rounds',
    async run(options, { allow, intervalMs, rounds, json }) {
      const { runLiveTrace } = await import('./live-trace.ts');
      // Parsed by the schema of this type.
      return await runLiveTrace({
        options: options as TracerouteOptions,
        policy: personalPolicy(allow),
        intervalMs,
        rounds,
        json,
      });
    },
  },
};

/** Runs one check `count` times or until Ctrl-C, shows each result, and returns the exit code of the worst. */
async function runChecks(check: CheckType, options: Monitor['options'], settings: RunSettings): Promise<number> {
  const { count, intervalMs, timeoutMs = defaultTimeoutOf(check, options), json, isVerbose } = settings;
  const policy = personalPolicy(settings.allow);
  const monitor = adHocMonitor(check, options, { intervalMs, timeoutMs });
  const report = new CheckReport({ json, count, metrics: check.metrics, isVerbose });
  const seen = new Set<Status>();
  for await (const result of results({ check, monitor, count, policy }, report)) {
    report.show(result);
    seen.add(result.status);
  }
  report.summarise();
  return exitCodeOfWorst(seen);
}

interface Runs {
  readonly check: CheckType;
  readonly monitor: Monitor;
  readonly count: number;
  readonly policy: EgressPolicy;
}

/** Every result until the last run or Ctrl-C. A run cut short counts only when there is no other. */
async function* results({ check, monitor, count, policy }: Runs, report: CheckReport): AsyncGenerator<Result> {
  const interrupted = interruption();
  const net = createNetwork({ clock, policy });
  const startedMs = clock.monotonic();
  for (let round = 0; round < count; round++) {
    const waitMs: Milliseconds = startedMs + round * monitor.intervalMs - clock.monotonic();
    if (waitMs > 0) await sleep(clock, waitMs, interrupted).catch(() => {});
    if (interrupted.aborted) return;
    const controller = new AbortController();
    const stop = (): void => controller.abort(interrupted.reason);
    interrupted.addEventListener('abort', stop, { once: true });
    using _elapsed = report.watch();
    const onProgress = (step: Progress): void => report.progress(step);
    const result = await runCheck(check, monitor, { clock, net, controller, onProgress, wantsFullDetail: true });
    interrupted.removeEventListener('abort', stop);
    if (round > 0 && result.reason === 'cancelled') return;
    yield result;
  }
}
