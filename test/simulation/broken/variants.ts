/** One module of the program, broken on purpose: the simulator must notice. */
export interface Variant {
  readonly name: string;
  /** Below src. */
  readonly file: string;
  /** Stands in it exactly once. */
  readonly find: string;
  readonly replace: string;
  /** Kinds of faults that bring it to light. */
  readonly only: readonly string[];
}

export const variants: readonly Variant[] = [
  {
    name: 'an agent that loses its server does not call again',
    file: 'agent/uplink.ts',
    find: 'this.#cancelRetry = this.#ports.clock.after(delayMs, () => this.dial(url));',
    replace: '',
    only: ['connection-reset'],
  },
  {
    name: 'work goes to agents that are not named (SE6)',
    file: 'server/fleet/task-table.ts',
    find: 'agents.includes(name)',
    replace: 'agents.length > 0',
    only: ['rename'],
  },
  {
    name: 'health is green whatever there is (SF5)',
    file: 'server/host/health.ts',
    find: 'isWell: problems.length === 0,',
    replace: 'isWell: true,',
    only: ['agent-stop', 'link-cut'],
  },
  {
    name: 'an old state is shown as of now',
    file: 'server/host/silence.ts',
    find: 'return this.#silentMs(task.id, -Infinity) <= silenceLimitMs(task.intervalMs);',
    replace: 'return task.id.length > 0;',
    only: ['pause-monitor', 'server-power-cut'],
  },
  {
    name: 'the spool does not sync',
    file: 'agent/spool/writer.ts',
    find: 'this.#file.sync();\n    if (!this.isStarted)',
    replace: 'if (!this.isStarted)',
    only: ['link-cut', 'agent-power-cut'],
  },
];
