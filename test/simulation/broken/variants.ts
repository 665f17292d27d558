/** One module of the program, broken on purpose: the simulator must notice. */
export interface Variant {
  readonly name: string;
  /** Below src. */
  readonly file: string;
  /** Stands in it exactly once. */
  readonly find: string;
  readonly replace: string;
  /** Another place in the same file. */
  readonly also?: { readonly find: string; readonly replace: string };
  /** One that notices it within a few seconds; the suite runs those variants that have one. */
  readonly seed?: number;
  /** Kinds of faults that bring it to light. */
  readonly only: readonly string[];
}

export const variants: readonly Variant[] = [
  {
    name: 'an agent that loses its server does not call again',
    file: 'agent/uplink.ts',
    find: 'this.#cancelRetry = this.#ports.clock.after(delayMs, () => this.dial(url));',
    replace: '',
    seed: 1,
    only: ['connection-reset'],
  },
  {
    name: 'work goes to agents that are not named (SE6)',
    file: 'server/fleet/task-table.ts',
    find: 'agents.includes(name)',
    replace: 'agents.length > 0',
    seed: 1,
    only: ['rename'],
  },
  {
    name: 'health is green whatever there is (SF5)',
    file: 'server/host/health.ts',
    find: 'isWell: problems.length === 0,',
    replace: 'isWell: true,',
    seed: 1,
    only: ['agent-stop', 'link-cut'],
  },
  {
    name: 'an old state is shown as of now',
    file: 'server/host/silence.ts',
    find: 'return this.#silentMs(task.id, -Infinity) <= silenceLimitMs(task.intervalMs);',
    replace: 'return task.id.length > 0;',
    seed: 4,
    only: ['pause-monitor', 'server-power-cut'],
  },
  {
    name: 'the spool does not sync',
    file: 'agent/spool/writer.ts',
    find: 'this.#file.sync();\n    if (!this.isStarted)',
    replace: 'if (!this.isStarted)',
    only: ['link-cut', 'agent-power-cut'],
  },
  {
    name: 'an agent forgets what it has sent before it is acknowledged',
    file: 'agent/sender.ts',
    find: 'this.#line.sendFrame(encodeEntries({ lane, epoch: this.#source.epoch, entries }));',
    replace: `this.#line.sendFrame(encodeEntries({ lane, epoch: this.#source.epoch, entries }));
    this.#source.acknowledge(entries.map(({ seq }) => [seq, seq]));`,
    only: ['half-open', 'connection-reset', 'server-kill', 'link-cut'],
  },
  {
    name: 'the server acknowledges before it commits',
    file: 'server/gateway/agent-session.ts',
    find: 'await this.#ports.commit(this.#agentId, epoch, entries);',
    replace: `const early = rangesOf(entries.map(({ seq }) => seq).toSorted((a, b) => a - b));
      this.send({ type: 'ack', epoch, ranges: early.ranges });
      await this.#ports.commit(this.#agentId, epoch, entries);`,
    only: ['server-dies-anywhere'],
  },
  {
    name: 'what comes twice is stored twice',
    file: 'server/store/sqlite/ledger.ts',
    find: 'const added = new RangeSet(sent.ranges.flatMap((range) => epoch.received.missingIn(range)));',
    replace: 'const added = new RangeSet(sent.ranges);',
    only: ['agent-says-twice', 'connection-reset'],
  },
  {
    name: 'numbers that the server knows and the agent does not are passed over (SE1)',
    file: 'agent/spool/queue.ts',
    find: 'const isSetBack = received.some(([, to]) => to >= sentBelow);',
    replace: 'const isSetBack = false;',
    seed: 1,
    only: ['folder-set-back'],
  },
  {
    name: 'an agent goes on in an epoch that it had left',
    file: 'server/store/sqlite/history.ts',
    find: "return row['isFollowed'] === 1 ? [...rangesIn(row), beyondAll] : rangesIn(row);",
    replace: 'return rangesIn(row);',
    only: ['folder-set-back', 'folder-copied'],
  },
  {
    name: 'a run is known by its slot alone',
    file: 'server/store/sqlite/known-runs.ts',
    find: 'return isSameRun && (durationMs !== 0 || stored.finding === told.finding);',
    replace: 'return isSameRun || stored.at === told.at;',
    only: ['folder-set-back', 'agent-clock-step'],
  },
  {
    name: 'what two copies of a folder held is stored twice',
    file: 'server/store/sqlite/ledger.ts',
    find: 'const mayBeCopy = epoch.isFollowed || seq < epoch.newFrom;',
    replace: 'const mayBeCopy = epoch.isFollowed && seq < 0;',
    only: ['folder-set-back', 'link-cut'],
  },
  {
    name: 'what comes last is the newest, backlog or not (SE3)',
    file: 'server/store/sqlite/newest-runs.ts',
    find: 'if (newest && (epochId < newest.epochId || (epochId === newest.epochId && seq < newest.seq))) return false;',
    replace: '',
    only: ['folder-set-back', 'link-cut', 'agent-pause'],
  },
  {
    name: 'the newest is told by wall clocks (SE3)',
    file: 'server/store/sqlite/newest-runs.ts',
    find: 'if (newest && (epochId < newest.epochId || (epochId === newest.epochId && seq < newest.seq))) return false;',
    replace: `const known = newest && this.#known.get(series);
    if (known !== undefined && at < known) return false;
    this.#known.set(series, at);`,
    also: {
      find: 'readonly #statements;',
      replace: 'readonly #statements;\n  readonly #known = new Map<number, number>();',
    },
    only: ['agent-clock-step', 'agent-clock-2099'],
  },
  {
    name: 'tasks take effect frame by frame (SE4)',
    file: 'agent/task-list.ts',
    find: "if (more) return 'partial';",
    replace: "if (more && this.#revision === 0) return 'partial';",
    only: ['reconnect-with-3000-tasks'],
  },
  {
    name: 'a frame of tasks may be of any size (SE5)',
    file: 'server/fleet/dispatcher.ts',
    find: 'const bytesPerFrame = maxFrameBytes / 2;',
    replace: 'const bytesPerFrame = maxFrameBytes * 8;',
    only: ['reconnect-with-3000-tasks'],
  },
  {
    name: 'agents fall silent by the wall clock (SE10)',
    file: 'server/fleet/fleet.ts',
    find: 'member.status = statusOf(member, this.#parts.clock.monotonic());',
    replace: 'member.status = statusOf({ ...member, heardMs: member.lastSeenAt ?? 0 }, now);',
    only: ['server-clock-step', 'link-cut', 'agent-pause'],
  },
  {
    name: 'segments are removed when their first entries are settled',
    file: 'agent/spool/segments.ts',
    find: 'const unwanted = this.all.slice(0, -1).filter(({ remaining }) => remaining <= 0);',
    replace: 'const unwanted = this.all.slice(0, -1);',
    only: ['link-cut', 'agent-kill'],
  },
  {
    name: 'slots that pass unseen are silent',
    file: 'schedule/scheduler.ts',
    find: 'this.#parts.onResult(missedResult(monitor, { slot, count, message }));\n      return;',
    replace: 'return;',
    only: ['agent-pause'],
  },
  {
    name: 'slots of a monitor that is changed right after a sleep are silent (seed 4)',
    file: 'schedule/scheduler.ts',
    find: 'const unseen = isFirst ? 0 : slotsBetween(schedule, dueAt, slotAfter(schedule, now));',
    replace: 'const unseen = isFirst ? 0 : slotsBetween(schedule, now, now);',
    only: ['agent-sleep', 'pause-monitor', 'reload'],
  },
  {
    name: 'a run that is taken away has no result',
    file: 'agent/task-executor.ts',
    find: 'onTakenAway: (result) => this.#report(result),',
    replace: 'onTakenAway: () => {},',
    only: ['reload-storm', 'pause-monitor'],
  },
  {
    name: 'after the clock was set back nothing runs until it has caught up',
    file: 'schedule/scheduler.ts',
    find: 'if (now < this.#latestNow) this.#followClockBack(now);',
    replace: 'if (now < 0) this.#followClockBack(now);',
    only: ['agent-clock-2099'],
  },
  {
    name: 'time in which nothing ran is not told (SI5)',
    file: 'agent/own-time.ts',
    find: 'if (lived) this.#parts.onAbsence(absenceSince(lived, this.#now(false)));',
    replace:
      'if (lived?.hasEnded === undefined) this.#parts.onAbsence(absenceSince(this.#now(false), this.#now(false)));',
    only: ['agent-kill'],
  },
  {
    name: 'time in which nothing ran is not stored (SI5)',
    file: 'server/store/sqlite/ledger.ts',
    find: 'if (added.has(seq)) this.#statements.addAbsence.run(agentId, item.from, item.to, item.reason);',
    replace: 'if (seq < 0) this.#statements.addAbsence.run(agentId, item.from, item.to, item.reason);',
    only: ['agent-kill'],
  },
  {
    name: 'a revoked agent is let in',
    file: 'server/auth/agent-gate.ts',
    find: 'if (known && known.revokedAt === undefined) return await this.#named(known, claim.expectedName);',
    replace: 'if (known) return await this.#named(known, claim.expectedName);',
    also: { find: 'if (known?.revokedAt !== undefined) throw revoked(known);', replace: '' },
    only: ['revoke', 'connection-reset'],
  },
  {
    name: 'a revoked agent is heard until it connects again',
    file: 'server/fleet/agent-administration.ts',
    find: "gateway.session(agentId)?.end('revoked', 'this agent was revoked');",
    replace: '',
    only: ['revoke'],
  },
  {
    name: 'an agent may speak for the tasks of another',
    file: 'server/pipeline/commit-results.ts',
    find: 'if (ports.isTaskOf(item, batch.agentId)) return',
    replace: 'if (item.taskId) return',
    only: ['agent-lies'],
  },
  {
    name: 'what the server no longer knows is not declared',
    file: 'agent/spool/queue.ts',
    find: "this.#declare(this.#closed.unknownTo(received, waiting), 'restored');",
    replace: 'this.#closed.unknownTo(received, waiting);',
    only: ['store-set-back'],
  },
  {
    name: 'a failed sync is taken for done',
    file: 'agent/spool/writer.ts',
    find: 'this.#file.sync();\n    if (!this.isStarted)',
    replace: 'try { this.#file.sync(); } catch {}\n    if (!this.isStarted)',
    only: ['sync-fails', 'agent-power-cut', 'link-cut'],
  },
  {
    name: 'a result is as old as its journey, whatever waited (age ignores the backlog)',
    file: 'server/pipeline/latest-results.ts',
    find: 'return receivedAt === undefined ? 0 : Math.max(0, receivedAt - (startedAt + durationMs - clockOffsetMs));',
    replace: 'return receivedAt === undefined || clockOffsetMs > -1e99 || startedAt + durationMs < 0 ? 0 : 1;',
    only: ['agent-pause', 'link-cut', 'agent-kill'],
  },
  {
    name: 'retention believes any clock (SE2)',
    file: 'server/host/upkeep.ts',
    find: 'if (stepMs <= maxStepMs || isClockConfirmed()) {',
    replace: 'if (stepMs <= Infinity || isClockConfirmed()) {',
    only: ['server-clock-2090'],
  },
  {
    name: 'a change of the tasks that comes during another is forgotten',
    file: 'server/fleet/dispatcher.ts',
    find: 'line.isStale = true;\n      return;',
    replace: 'return;',
    only: ['reload-storm', 'link-slow'],
  },
  {
    name: 'a connection over which nothing comes is kept (SI4)',
    file: 'protocol/channel.ts',
    find: "else if (nowMs - this.#heardMs > silenceLimitMs) return this.#giveUp('the other side is silent');",
    replace: '',
    only: ['half-open'],
  },
  {
    name: 'monitors without an agent are no problem (SF5)',
    file: 'server/host/silence.ts',
    find: 'return { wanted: tasks.length + idle.length, silent: [...silentTasks, ...silentMonitors] };',
    replace:
      'return { wanted: tasks.length + idle.length, silent: silentMonitors.length > 9 ? silentMonitors : silentTasks };',
    only: ['rename'],
  },
];
