import { computed, signal } from '@preact/signals';

export type Status = 'up' | 'degraded' | 'down' | 'unknown';

/** As `GET /overview` has it: what stands at one place of each column belongs together. */
export interface Overview {
  readonly at: string;
  readonly statuses: readonly Status[];
  readonly texts: readonly string[];
  readonly agents: readonly Agent[];
  readonly monitors: {
    readonly ids: readonly string[];
    readonly names: readonly string[];
    readonly types: readonly string[];
    readonly targets: readonly string[];
    readonly intervalsMs: readonly number[];
    readonly paused: readonly (0 | 1)[];
    readonly origins: readonly ('file' | 'api')[];
    readonly states: readonly number[];
    readonly since: readonly (number | null)[];
    readonly verdicts: readonly (number | null)[];
  };
  readonly tasks: {
    readonly ids: readonly string[];
    readonly monitors: readonly number[];
    readonly agents: readonly number[];
    readonly states: readonly number[];
    readonly since: readonly (number | null)[];
    readonly latenciesMs: readonly (number | null)[];
    readonly messages: readonly (number | null)[];
  };
}

export interface Agent {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly since: string;
  readonly address: string | null;
  readonly version: string | null;
  readonly lastSeenAt: string | null;
  readonly tasks: number;
  readonly queue: { readonly depth: number; readonly oldestUnsentAt: string | null } | null;
  readonly lagMs: number;
  readonly clockOffsetMs: number;
  readonly impaired: readonly string[];
  readonly warnings: readonly string[];
}

/** What one agent says of one monitor. */
export interface Voice {
  readonly taskId: string;
  readonly agent: Agent;
  state: Status;
  /** Epoch milliseconds; undefined: longer than the server runs. */
  since: number | undefined;
  latencyMs: number | null;
  message: string;
}

export interface Monitor {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly target: string;
  readonly intervalMs: number;
  readonly isPaused: boolean;
  readonly origin: 'file' | 'api';
  /** What the voices say together, after confirmations. */
  readonly state: Status;
  /** Epoch milliseconds. */
  readonly since: number | undefined;
  /** Who is wrong. */
  readonly verdict: string | undefined;
  readonly voices: Voice[];
  /** What is searched, in lower case. */
  readonly text: string;
}

interface Model {
  readonly agents: readonly Agent[];
  readonly monitors: readonly Monitor[];
  readonly voices: ReadonlyMap<string, Voice>;
}

/** Undefined until the first answer. Replaced whole; a change of one state sets it anew with the same parts. */
export const model = signal<Model | undefined>(undefined);

export function modelOf({ agents, monitors: m, tasks: t, statuses, texts }: Overview): Model {
  const text = (place: number | null | undefined): string | undefined => texts[place ?? -1];
  const monitors = m.ids.map((id, at): Monitor => {
    const [name, type, target] = [entryAt(m.names, at), entryAt(m.types, at), entryAt(m.targets, at)];
    return {
      id,
      name,
      type,
      target,
      intervalMs: entryAt(m.intervalsMs, at),
      isPaused: m.paused[at] === 1,
      origin: entryAt(m.origins, at),
      state: entryAt(statuses, entryAt(m.states, at)),
      since: timeOf(m.since[at]),
      verdict: text(m.verdicts[at]),
      voices: [],
      text: `${name} ${target} ${type}`.toLowerCase(),
    };
  });
  const voices = t.ids.map((taskId, at): Voice => {
    const voice = {
      taskId,
      agent: entryAt(agents, entryAt(t.agents, at)),
      state: entryAt(statuses, entryAt(t.states, at)),
      since: timeOf(t.since[at]),
      latencyMs: t.latenciesMs[at] ?? null,
      message: text(t.messages[at]) ?? '',
    };
    entryAt(monitors, entryAt(t.monitors, at)).voices.push(voice);
    return voice;
  });
  return { agents, monitors, voices: new Map(voices.map((voice) => [voice.taskId, voice])) };
}

function timeOf(seconds: number | null | undefined): number | undefined {
  return typeof seconds === 'number' ? seconds * 1000 : undefined;
}

/** Columns of one table are of one length, and places in a list are within it: the server made both. */
function entryAt<Value>(list: readonly Value[], place: number): Value {
  return list[place] as Value;
}

/** What is believed of it, unless a person has paused it. */
export function stateOf({ isPaused, state }: Monitor): Status | 'paused' {
  return isPaused ? 'paused' : state;
}

/** The median of the latest answers. */
export function latencyOf({ voices }: Monitor): number | undefined {
  const sorted = voices.flatMap(({ latencyMs }) => latencyMs ?? []).toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

const order: Readonly<Record<Status | 'paused', number>> = { down: 0, degraded: 1, unknown: 2, up: 3, paused: 4 };

/** All monitors, the worst first and then by name. */
export const monitorsByState = computed(() =>
  (model.value?.monitors ?? []).toSorted(
    (a, b) => order[stateOf(a)] - order[stateOf(b)] || a.name.localeCompare(b.name),
  ),
);

export const counts = computed(() => {
  const found = { up: 0, degraded: 0, down: 0, unknown: 0, paused: 0 };
  for (const monitor of model.value?.monitors ?? []) found[stateOf(monitor)]++;
  return found;
});
