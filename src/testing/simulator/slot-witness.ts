import { isDeepStrictEqual } from 'node:util';
import type { ResultItem } from '../../core/entry.ts';
import type { Task } from '../../core/task.ts';
import type { AgentLife, AgentMachine } from './agent-machine.ts';
import { SlotAccount } from './slots.ts';
import type { World } from './world.ts';

interface LifeAccounts {
  readonly open: Map<string, SlotAccount>;
  readonly closed: SlotAccount[];
  /** The longest time that the process could not run. */
  longestPauseMs: number;
}

/** A slot whose time has come may wait this long for the scheduler to see it. */
const noticeMs = 2000;
/** A process that was stopped meanwhile follows later. */
const settlingMs = 600_000;
/** After the clock was set the scheduler follows within this many intervals. */
const settlingIntervals = 2;

/** Watches that each slot of each task has a result, or a missed result. */
export class SlotWitness {
  readonly #world: World;
  readonly #lives = new Map<number, LifeAccounts>();

  constructor(world: World) {
    this.#world = world;
  }

  onTasks(machine: AgentMachine, life: AgentLife, tasks: readonly Task[]): void {
    const { open, closed } = this.#of(life);
    const wallMs = machine.clock.now();
    const next = new Map(tasks.map((task) => [task.id, task]));
    for (const [taskId, account] of open) {
      if (isDeepStrictEqual(next.get(taskId), account.task)) continue;
      account.close(wallMs - noticeMs);
      closed.push(account);
      open.delete(taskId);
    }
    for (const task of tasks) if (!open.has(task.id)) open.set(task.id, new SlotAccount(task, wallMs));
  }

  onResult(life: AgentLife, item: ResultItem): void {
    const { open, closed } = this.#of(life);
    for (const account of [open.get(item.taskId), ...closed]) if (account?.task.id === item.taskId) account.take(item);
  }

  /** To be called before the process runs again, or ends. */
  onPaused(life: AgentLife): void {
    const accounts = this.#of(life);
    accounts.longestPauseMs = Math.max(accounts.longestPauseMs, life.process.pausedForMs);
  }

  /** The clock of the machine was set: slots that lie around that are not judged, and the count begins anew. */
  onClockSet(machine: AgentMachine, life: AgentLife): void {
    const { open, closed } = this.#of(life);
    closed.length = 0;
    for (const [taskId, { task }] of open)
      open.set(taskId, new SlotAccount(task, machine.clock.now() + settlingMs + settlingIntervals * task.intervalMs));
  }

  /**
   * The only place that leaves dead time out: what an agent that ended had in its memory, and the time until it starts again,
   * have no result yet.
   */
  onEnded(machine: AgentMachine, life: AgentLife): void {
    this.onPaused(life);
    const { open, closed, longestPauseMs } = this.#of(life);
    const wallMs = machine.clock.now();
    for (const account of open.values()) {
      account.close(wallMs - settlingIntervals * account.task.intervalMs - longestPauseMs);
      closed.push(account);
    }
    open.clear();
  }

  /** To be called when all agents run and nothing was wrong for a while. Everything told so far is judged and then forgotten. */
  check(machines: readonly AgentMachine[]): void {
    const running = new Map(machines.flatMap(({ life, clock }) => (life?.process.isAlive ? [[life.id, clock]] : [])));
    for (const [id, accounts] of this.#lives) {
      for (const account of accounts.closed.splice(0)) this.#judge(account, Infinity);
      const clock = running.get(id);
      if (!clock) this.#lives.delete(id);
      else
        for (const [taskId, account] of accounts.open) {
          const { task } = account;
          const wallMs = clock.now();
          this.#judge(account, wallMs - task.intervalMs - task.timeoutMs - noticeMs);
          accounts.open.set(taskId, new SlotAccount(task, wallMs));
        }
    }
  }

  #of(life: AgentLife): LifeAccounts {
    return this.#lives.getOrInsertComputed(life.id, () => ({
      open: new Map(),
      closed: [],
      longestPauseMs: 0,
    }));
  }

  #judge(account: SlotAccount, untilMs: number): void {
    const { monitorName, id } = account.task;
    for (const { what, count, firstSlot } of account.holesUntil(untilMs)) {
      const slots = `${count} slots ${what}, the first ${new Date(firstSlot).toISOString()}`;
      this.#world.find('every slot has a result', `${monitorName} (${id}): ${slots}`);
    }
  }
}
