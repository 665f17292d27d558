import { findCheckType } from '../checks/registry.ts';
import type { Clock } from '../core/clock.ts';
import type { ResultItem } from '../core/entry.ts';
import type { Monitor, Result } from '../core/monitor.ts';
import { failed, type Outcome, type Status } from '../core/outcome.ts';
import type { RunAnswer, Task } from '../core/task.ts';
import { refusalOfTask, type LocalRules } from './local-rules.ts';
import { Scheduler, type Turn } from '../schedule/scheduler.ts';

export interface ExecutorParts {
  readonly clock: Clock;
  /** One run of a monitor; never rejects. */
  readonly run: (monitor: Monitor, turn: Turn) => Promise<Result>;
  readonly rules: LocalRules;
  /** `isPlain` marks a result that only says "still up": the first to go when the spool is full. */
  readonly onResult: (item: ResultItem, options: { readonly isPlain: boolean }) => void;
}

interface Refusal {
  /** `denied`: by the administrator of this machine. */
  readonly reason: 'denied' | 'unsupported';
  readonly message: string;
}

/** Runs that were asked for and are under way: a list of thousands must not start at once. */
const maxAskedRuns = 100;

/** Runs the tasks of this agent by the schedule of each. A task that cannot be run answers each slot with why. */
export class TaskExecutor {
  readonly #parts: ExecutorParts;
  readonly #scheduler: Scheduler;
  #tasks = new Map<string, Task>();
  /** Tasks as they were before the last change, while runs of theirs are under way. */
  readonly #former = new Map<string, Task>();
  #isStopped = false;
  #refusals = new Map<string, Refusal>();
  /** Tasks that run now because somebody asked for it. */
  readonly #asked = new Set<string>();
  /** By task: what its last result said. */
  readonly #lastStatus = new Map<string, Status>();

  constructor(parts: ExecutorParts) {
    this.#parts = parts;
    this.#scheduler = new Scheduler({
      clock: parts.clock,
      run: (monitor, turn) => this.#run(monitor, turn),
      onResult: (result) => this.#report(result),
      // Its slot has come: whoever counts slots is told what became of it.
      onTakenAway: (result) => this.#report(result),
    });
  }

  get size(): number {
    return this.#tasks.size;
  }

  reconcile(tasks: readonly Task[]): void {
    if (this.#isStopped) return;
    for (const task of this.#tasks.values()) this.#former.set(task.id, task);
    this.#tasks = new Map(tasks.map((task) => [task.id, task]));
    this.#refusals = new Map();
    for (const [index, task] of tasks.entries()) {
      const message = refusalOfTask(task, index, this.#parts.rules);
      if (message !== undefined) this.#refusals.set(task.id, { reason: 'denied', message });
    }
    for (const taskId of this.#lastStatus.keys()) if (!this.#tasks.has(taskId)) this.#lastStatus.delete(taskId);
    this.#scheduler.reconcile(tasks.filter(({ paused }) => !paused).map((task) => this.#monitorOf(task)));
    for (const taskId of this.#former.keys()) if (!this.#scheduler.isRunning(taskId)) this.#former.delete(taskId);
  }

  /** Runs a task once, beside its schedule, unless it is running. Its result comes like any other. */
  runNow(taskId: string): RunAnswer {
    const task = this.#tasks.get(taskId);
    if (!task) return { refusal: `this agent has no task ${taskId}` };
    if (this.#isStopped) return { refusal: 'this agent is being stopped' };
    if (this.#scheduler.isRunning(taskId) || this.#asked.has(taskId))
      return { refusal: `${task.monitorName} is running already: its result comes when the run ends` };
    if (this.#asked.size >= maxAskedRuns)
      return { refusal: `${maxAskedRuns} runs that were asked for are under way; ask again when they have ended` };
    const turn = { controller: new AbortController(), scheduledAt: this.#parts.clock.now() };
    this.#asked.add(taskId);
    void this.#run(this.#monitorOf(task), turn)
      .finally(() => this.#asked.delete(taskId))
      .then((result) => this.#report(result));
    return { scheduledAt: turn.scheduledAt };
  }

  /** Starts no more runs, even if the server still sends tasks. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#scheduler.stop();
  }

  /** Options are parsed by this agent's own schema: the server may run another version. */
  #monitorOf(task: Task): Monitor {
    const { id, monitorName: name, type, target, intervalMs, timeoutMs } = task;
    const check = findCheckType(type);
    const parsed = check?.options.safeParse(task.options);
    if (!this.#refusals.has(id)) {
      if (!check) this.#cannotRun(id, `this agent knows no check type ${type}; update it, or choose another`);
      else if (!parsed?.success)
        this.#cannotRun(id, `the options do not fit: ${parsed?.error.issues.map(sentenceOf).join('; ')}`);
    }
    return { id, name, type, target, intervalMs, timeoutMs, options: parsed?.data ?? {} };
  }

  #cannotRun(taskId: string, message: string): void {
    this.#refusals.set(taskId, { reason: 'unsupported', message });
  }

  async #run(monitor: Monitor, turn: Turn): Promise<Result> {
    const refusal = this.#refusals.get(monitor.id);
    if (refusal === undefined) return await this.#parts.run(monitor, turn);
    const outcome: Outcome = failed(refusal.reason, refusal.message);
    return { ...outcome, monitor, scheduledAt: turn.scheduledAt, startedAt: this.#parts.clock.now(), durationMs: 0 };
  }

  #report({ monitor, ...rest }: Result): void {
    // A run may end after its task was taken away.
    const task = this.#tasks.get(monitor.id) ?? this.#former.get(monitor.id);
    if (!task) return;
    const isPlain = rest.status === 'up' && this.#lastStatus.get(task.id) === 'up';
    this.#lastStatus.set(task.id, rest.status);
    this.#parts.onResult({ kind: 'result', taskId: task.id, monitorId: task.monitorId, ...rest }, { isPlain });
  }
}

function sentenceOf({ path, message }: { readonly path: readonly PropertyKey[]; readonly message: string }): string {
  return path.length > 0 ? `${path.join('.')}: ${message}` : message;
}
