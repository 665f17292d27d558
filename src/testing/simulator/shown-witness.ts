import { metricFamilies } from '../../server/routes/metrics.ts';
import type { Server } from '../../commands/serve/build-server.ts';
import type { ResultItem } from '../../core/entry.ts';
import type { HandedTask } from '../../server/fleet/task-table.ts';
import { silenceLimitMs } from '../../server/host/silence.ts';
import type { Administrator } from './administrator.ts';
import type { AgentMachine } from './agent-machine.ts';
import type { AppendedResult, EntryWitness } from './entry-witness.ts';
import { keyOf, type KeptResults } from './kept-results.ts';
import type { ServerMachine } from './server-machine.ts';
import type { World } from './world.ts';

interface ShownParts {
  readonly world: World;
  readonly server: ServerMachine;
  readonly entries: EntryWitness;
  /** Agents that have joined and may speak. */
  agents(): readonly AgentMachine[];
  readonly administrator: Administrator;
  /** Whether any clock was set since the beginning. */
  clocksWereSet(): boolean;
}

const sampleEveryMs = 60_000;
/** What is asked a second apart may differ by the second. */
const slackMs = 10_000;
/** An entry may be on its way this long before it says something old. */
const transitMs = 60_000;
/** What a revoked agent had handed over before may still be on its way to the disk. */
const revokedWithinMs = 1000;
const unknown = 3;
/** Three heartbeats, and the second in which the fleet looks. */
const offlineAfterMs = 20_000;

/** Watches what the server shows: health, states of monitors, agents. */
export class ShownWitness {
  readonly #parts: ShownParts;
  readonly #storedMs = new Map<string, number>();
  #startedMs = 0;

  constructor(parts: ShownParts) {
    this.#parts = parts;
    this.#sampleLater();
  }

  onStarted(server: Server): void {
    const { world } = this.#parts;
    this.#startedMs = world.nowMs;
    this.#storedMs.clear();
    server.bus.subscribe((event) => {
      if (event.type !== 'result') return;
      const { agentId, result } = event;
      if (this.#parts.administrator.revokedForMs(agentId) > revokedWithinMs)
        world.find('nobody who is revoked is heard', `${keyOf(result)} of agent ${agentId} is stored`);
      this.#storedMs.set(`${agentId} ${result.monitorId}`, world.nowMs);
      world.note(`stored ${keyOf(result)} ${result.status} ${event.isLate ? 'late' : 'newest'}`);
    });
  }

  /** The newest result of each task is the one that was recorded last, of those that are stored. */
  checkNewest(kept: KeptResults, except: (appended: AppendedResult) => boolean): void {
    const { world, server, entries } = this.#parts;
    for (const [taskId, appended] of entries.tasks) {
      const newest = appended.findLast((each) => !except(each) && kept.has(each.item));
      if (!newest) continue;
      const { key, item } = newest;
      const shown = server.server?.latest.get(taskId);
      if (!shown) world.find('newest is the newest', `task ${taskId} shows nothing, and ${key} is stored`);
      else if (keyOf(shown.result) !== key)
        world.find(
          'newest is the newest',
          `${keyOf(shown.result)} (${shown.result.status}) is shown for ${key} (${item.status})`,
        );
    }
  }

  /** To be called when everything has been well for a while. */
  checkWell(): void {
    const { world, server } = this.#parts;
    const report = server.server?.health.report();
    if (!report?.isWell) world.find('health is green when all is well', report?.problems.join('; ') ?? 'no server');
    for (const { agentId, name } of this.#parts.agents()) {
      const status = server.server?.fleet.view(agentId)?.status;
      if (status !== 'online') world.find('an agent that is there is online', `${name} is ${status}`);
    }
  }

  #sampleLater(): void {
    this.#parts.world.after(sampleEveryMs, () => {
      const { server } = this.#parts.server;
      if (server && !this.#parts.server.process?.isPaused) this.#sample(server);
      this.#sampleLater();
    });
  }

  #sample(server: Server): void {
    this.#sampleHealth(server);
    this.#sampleStates(server);
    this.#sampleAgents(server);
  }

  #sampleHealth(server: Server): void {
    const { world, administrator } = this.#parts;
    const now = world.nowMs;
    const silent: string[] = [];
    let wanted = 0;
    for (const machine of this.#parts.agents()) {
      for (const monitor of this.#parts.server.monitors.filter((each) =>
        administrator.isWanted(machine.agentId, each),
      )) {
        wanted++;
        const storedMs = this.#storedMs.get(`${machine.agentId} ${monitor.id}`) ?? 0;
        const sinceMs = Math.max(this.#startedMs, administrator.changedMs, storedMs, machine.joinedMs);
        if (now - sinceMs > silenceLimitMs(monitor.intervalMs) + slackMs)
          silent.push(`${monitor.name} on ${machine.name}`);
      }
    }
    if (silent.length <= Math.max(1, wanted / 100) && silent.length < wanted) return;
    if (server.health.report().isWell && silent.length > 0)
      world.find(
        'health is red when wanted results do not come',
        `${silent.length} of ${wanted}: ${silent.slice(0, 3).join(', ')}`,
      );
  }

  #sampleStates(server: Server): void {
    const tasks = new Map(server.tasks.wanted.map(({ task }) => [`${task.agentId} ${task.monitorName}`, task]));
    const families = metricFamilies({
      clock: { now: () => this.#parts.server.clock.now() },
      health: server.health,
      version: 'simulated',
      agents: () => server.fleet.views(),
      wanted: () => server.tasks.wanted,
      states: server.states,
      latest: (taskId) => server.latest.get(taskId),
      lostLogLines: () => 0,
      connections: () => ({ strangers: 0, known: 0 }),
      audit: () => ({ failedLogins: 0, writes: 0 }),
    });
    const states = families.find(({ name }) => name === 'watchkeeper_monitor_state')?.samples ?? [];
    for (const { labels, value } of states) {
      const task = tasks.get(`${labels['agent_id']} ${labels['monitor']}`);
      const latest = task && server.latest.get(task.id);
      if (value !== unknown && latest) this.#judgeShown(task, latest.result);
    }
  }

  #judgeShown({ monitorName, intervalMs, agentId }: HandedTask, result: ResultItem): void {
    const { world, entries } = this.#parts;
    const saidMs = entries.byKey(keyOf(result)).at(-1)?.atMs ?? -Infinity;
    const ageMs = world.nowMs - saidMs;
    if (ageMs <= silenceLimitMs(intervalMs) + transitMs) return;
    // Open: at its start the server knows the age of what it shows only by clocks that may have been set, see SE3.
    if (saidMs < this.#startedMs && this.#parts.clocksWereSet()) return;
    const text = `${monitorName} of agent ${agentId} is shown ${result.status}, which was said ${Math.round(ageMs / 1000)} s ago`;
    world.find('nothing is shown that no living agent says', text);
  }

  #sampleAgents(server: Server): void {
    const { world } = this.#parts;
    for (const machine of this.#parts.agents()) {
      const status = server.fleet.view(machine.agentId)?.status ?? 'unknown';
      // A server that was stopped hears first what was said before.
      const goneMs = Math.min(machine.goneForMs(), world.nowMs - (this.#parts.server.process?.resumedMs ?? 0));
      if (goneMs > offlineAfterMs && (status === 'online' || status === 'impaired'))
        world.find(
          'an agent that is away is not online',
          `${machine.name} is ${status}, away for ${Math.round(goneMs / 1000)} s`,
        );
    }
  }
}
