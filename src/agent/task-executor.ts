import { findCheckType } from '../checks/registry.ts';
import type { Clock } from '../core/clock.ts';
import type { ResultItem } from '../core/entry.ts';
import type { Monitor, Result } from '../core/monitor.ts';
import { failed, type Outcome, type Status } from '../core/outcome.ts';
import type { RunAnswer, Task } from '../core/task.ts';
import { Scheduler, type Turn } from '../schedule/scheduler.ts';

export interface ExecutorParts {
  readonly clock: Clock;
  /** One run of a monitor; never rejects. */
  readonly run: (monitor: Monitor, turn: Turn) => Promise<Result>;
  /** `isPlain` marks a result that only says "still up": the first to go when the spool is full. */
  readonly onResult: (item: ResultItem, options: { readonly isPlain: boolean }) => void;
}

/** Runs the tasks of this agent by the schedule of each. A task that cannot be run answers each slot with why. */
export class TaskExecutor {
  readonly #parts: ExecutorParts;
  readonly #scheduler: Scheduler;
  #tasks = new Map<string, Task>();
  /** Tasks as they were before the last change, while runs of theirs are under way. */
  readonly #former = new Map<string, Task>();
  #isStopped = false;
  #refusals = new Map<string, string>();
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
    for (const taskId of this.#lastStatus.keys()) if (!this.#tasks.has(taskId)) this.#lastStatus.delete(taskId);
    this.#scheduler.reconcile(tasks.filter(({ paused }) => !paused).map((task) => this.#monitorOf(task)));
    for (const taskId of this.#former.keys()) if (!this.#scheduler.isRunning(taskId)) this.#former.delete(taskId);
  }

  /** Runs a task once, beside its schedule. Its result comes like any other. */
  runNow(taskId: string): RunAnswer {
    const task = this.#tasks.get(taskId);
    if (!task) return { refusal: `this agent has no task ${taskId}` };
    if (this.#isStopped) return { refusal: 'this agent is being stopped' };
    const turn = { controller: new AbortController(), scheduledAt: this.#parts.clock.now() };
    void this.#run(this.#monitorOf(task), turn).then((result) => this.#report(result));
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
    if (!check) this.#refusals.set(id, `this agent knows no check type ${type}; update it, or choose another`);
    else if (!parsed?.success)
      this.#refusals.set(id, `the options do not fit: ${parsed?.error.issues.map(sentenceOf).join('; ')}`);
    return { id, name, type, target, intervalMs, timeoutMs, options: parsed?.data ?? {} };
  }

  async #run(monitor: Monitor, turn: Turn): Promise<Result> {
    const refusal = this.#refusals.get(monitor.id);
    if (refusal === undefined) return await this.#parts.run(monitor, turn);
    const outcome: Outcome = failed('unsupported', refusal);
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
